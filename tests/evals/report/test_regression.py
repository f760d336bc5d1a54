from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.checks import Check
from evals.report import baseline_of, read_baseline, summary_of
from evals.results import Results, ResultsFile
from tests.evals.report.samples import result, results, suite


def regression(now: Results, before: Results) -> dict[str, object]:
    found = summary_of(now, before)["regression"]
    assert isinstance(found, dict)
    return found


def test_the_same_run_is_no_regression() -> None:
    run = suite([1.0, 0.5, 0.0], repeat=2)
    found = regression(run, run)
    assert found["regressed"] is False
    assert (found["newly_failing"], found["fixed"], found["reasons"]) == ([], [], [])


def test_a_check_that_fails_in_all_repeats_and_never_did_is_a_regression() -> None:
    found = regression(suite([1.0, 0.0], repeat=3), suite([1.0, 1.0], repeat=3))
    assert found["regressed"]
    assert found["newly_failing"] == [{"script": "s1", "mode": "text", "checks": ["turn 1: contains"]}]
    assert found["reasons"] == ["1 script newly failing: s1"]


def test_what_fails_in_some_repeats_is_told_but_decides_nothing() -> None:
    found = regression(suite([1.0, 2 / 3], repeat=3), suite([1.0, 1.0], repeat=3))
    assert not found["regressed"]
    assert found["newly_flaky"] == [{"script": "s1", "mode": "text"}]


def test_what_failed_before_and_passes_now_is_mended() -> None:
    found = regression(suite([1.0, 1.0]), suite([1.0, 0.0]))
    assert not found["regressed"]
    assert found["fixed"] == [{"script": "s1", "mode": "text"}]


def test_a_new_script_that_fails_and_one_that_could_not_be_judged_are_no_regressions() -> None:
    found = regression(
        results(result("old"), result("new", passed=False), result("broken", error="the worker died")),
        results(result("old"), result("broken"), result("gone")),
    )
    assert not found["regressed"]
    assert found["new"] == [{"script": "new", "mode": "text"}]
    assert found["unjudged"] == [{"script": "broken", "mode": "text"}]
    assert found["missing"] == [{"script": "gone", "mode": "text"}]


def test_what_only_a_language_model_denies_decides_nothing() -> None:
    def run(reached: bool) -> Results:
        return results(result(checks=[Check("goal", reached, "" if reached else "no refund was offered")]))

    found = regression(run(False), run(True))
    assert not found["regressed"]
    assert found["newly_failing"] == [{"script": "parcel", "mode": "text", "checks": ["goal"]}]


def test_a_pass_rate_that_falls_beyond_noise_is_a_regression_even_where_nothing_fails_always() -> None:
    before, now = suite([1.0] * 20, repeat=4), suite([0.5] * 12 + [1.0] * 8, repeat=4)
    found = regression(now, before)
    assert found["newly_failing"] == []
    assert found["regressed"]
    assert "the pass rate fell from 100.0% to 70.0%" in str(found["reasons"])
    assert not regression(before, now)["regressed"]


@pytest.mark.parametrize(
    ("mode", "was_ms", "now_ms", "slower"),
    [
        ("audio", 400, 520, True),  # by 30 %, and more than is overheard
        ("audio", 400, 490, False),  # 90 ms are not noticed
        ("audio", 2000, 2200, False),  # 10 % is how much runs differ
        ("text", 400, 520, False),  # a busy machine does that
        ("text", 400, 700, True),
        ("text", 700, 400, False),
    ],
)
def test_a_much_later_first_sound_is_a_regression(mode: str, was_ms: int, now_ms: int, slower: bool) -> None:
    before, now = (suite([1.0] * 25, first_sound=ms, mode=mode) for ms in (was_ms, now_ms))
    found = regression(now, before)
    assert found["regressed"] is slower
    told = f"the first sound comes after {now_ms} ms instead of {was_ms} (p95)"
    assert found["reasons"] == ([told] if slower else [])


def test_with_few_turns_medians_are_compared() -> None:
    before = suite([1.0] * 5)
    one_slow = results(*suite([1.0] * 4).results, result("s4", first_sound=5000.0))
    assert not regression(one_slow, before)["regressed"]
    assert regression(suite([1.0] * 5, first_sound=900.0), before)["regressed"]


def test_a_baseline_of_other_scripts_compares_nothing() -> None:
    found = regression(results(result("a", passed=False)), results(result("b")))
    assert (found["compared"], found["regressed"], found["pass_rate"]) == (0, False, None)


def test_a_summary_and_the_results_it_is_of_are_the_same_baseline(tmp_path: Path) -> None:
    before, now = suite([1.0, 1.0, 0.5], repeat=2), suite([1.0, 0.0, 1.0], repeat=2)
    file = ResultsFile(tmp_path / "results.jsonl", before.run)
    for one in before.results:
        file.add(one)
    file.end()
    (tmp_path / "summary.json").write_text(json.dumps(summary_of(before)))
    of_results = summary_of(now, read_baseline(tmp_path / "results.jsonl"))
    of_summary = summary_of(now, read_baseline(tmp_path / "summary.json"))
    assert of_results == of_summary == summary_of(now, read_baseline(tmp_path))
    assert of_results["regressed"]


def test_a_chain_of_baselines_is_remembered() -> None:
    first = summary_of(suite([0.5], repeat=2))
    second = summary_of(suite([1.0]), baseline_of(first))
    third = summary_of(suite([1.0]), baseline_of(second))
    assert [one["pass_rate"] for one in third["history"]] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("summary.json", "{", "not JSON"),
        ("summary.json", "[]", 'no "by_script"'),
        ("summary.json", '{"version": 1, "by_script": [{"script": "a"}]}', r"by_script\.0\.mode"),
        ("summary.json", '{"version": 9, "by_script": []}', "version"),
        ("results.jsonl", '{"kind": "run", "version": 1}\n', "run the suite again"),
        ("results.jsonl", "", "not a file of results"),
    ],
)
def test_a_baseline_that_is_none_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        read_baseline(tmp_path / name)


def test_a_folder_without_a_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give a report's folder"):
        read_baseline(tmp_path)
    with pytest.raises(ValueError, match=r"gone\.json: there is no such file: run the suite once"):
        read_baseline(tmp_path / "gone.json")


def test_what_came_and_went_is_said() -> None:
    before = results(result("both"), result("gone"), result("went"))
    good = regression(results(result("both"), result("came")), before)
    assert good["said"] == [
        "no regression over 1 script",
        "2 scripts of the baseline not replayed: gone, went",
        "1 script not in the baseline: came",
    ]
    assert regression(results(result("came")), before)["said"][0].startswith("nothing to compare")  # type: ignore[index]
