from __future__ import annotations

import pytest

from evals.checks import Check
from evals.replay.record import Judged, MediaRecord
from evals.report import summary_of
from tests.evals.report.samples import result, results, suite, turn


def test_counts_keep_what_the_harness_broke_apart() -> None:
    summary = summary_of(
        results(
            result("a"),
            result("b", passed=False, tags=("orders", "hard")),
            result("c", error="the server died"),
            wrong=("d.yaml:3: `turns` is missing",),
        )
    )
    assert (summary["passed"], summary["failed"], summary["errors"], summary["pass_rate"]) == (1, 1, 2, 0.5)
    assert summary["by_tag"]["orders"] == {
        "conversations": 3,
        "passed": 1,
        "failed": 1,
        "errors": 1,
        "pass_rate": 0.5,
    }
    assert summary["by_tag"]["hard"]["pass_rate"] == 0.0
    assert summary["checks"] == {
        "contains": {"passed": 1, "failed": 1},
        "answered": {"passed": 2, "failed": 0},
    }
    assert [one["message"] for one in summary["harness_errors"]] == [
        "d.yaml:3: `turns` is missing",
        "the server died",
    ]
    assert summary["failures"] == [
        {
            "script": "b",
            "mode": "text",
            "repeat": 0,
            "file": "scripts/b.yaml",
            "line": 7,
            "turn": 0,
            "check": "contains",
            "message": 'the reply lacks "Monday"',
        }
    ]
    assert summary["verdict"] == "failed"


def test_pass_hat_is_the_mean_over_scripts() -> None:
    # 4 of 4 and 2 of 4: (1 + C(2,2)/C(4,2)) / 2 = (1 + 1/6) / 2
    summary = summary_of(suite([1.0, 0.5], repeat=4))
    assert summary["pass^k"] == {"1": 0.75, "2": pytest.approx(0.5833, abs=1e-4), "3": 0.5, "4": 0.5}
    assert summary["flaky"] == [{"script": "s1", "mode": "text"}]


def test_speeds_count_processor_time_of_judged_replays() -> None:
    spoken = [result(name, mode="audio", turns=[turn(0), turn(1)]) for name in ("a", "b")]
    summary = summary_of(results(*spoken, result("c", error="died", cpu_s=99.0)))
    assert summary["turns_per_s"] == 4.0
    assert summary["audio_realtime_factor"] == 20.0


def test_words_misheard_are_counted_by_language_and_masked_ones_left_out() -> None:
    masked = Judged("input", "mask", "pii.card", "pii")
    heard = result(
        mode="audio",
        turns=[
            turn(0, "where is my parcel", heard="where is my castle"),
            turn(1, "my card is 4111", heard="my card is [card]", verdicts=[masked]),
            turn(2, "thank you very much", heard="", understood=""),
        ],
    )
    chinese = result(
        "zh", mode="audio", language="zh", turns=[turn(0, "我的包裹在哪里", heard="我的包裹在那里")]
    )
    wer = summary_of(results(heard, chinese))["wer"]
    assert wer == {
        "heard": {
            "en": {"wer": 0.625, "words": 8, "turns": 2},
            "zh": {"wer": round(1 / 7, 4), "words": 7, "turns": 1},
        }
    }


def test_media_are_weighed_and_the_worst_is_told() -> None:
    media = summary_of(
        results(
            result("a", mode="audio", media=MediaRecord(lip_closure=1.0, bilabials=30, av_offset_ms=-90.0)),
            result("b", mode="audio", media=MediaRecord(lip_closure=0.5, bilabials=10, av_offset_ms=20.0)),
        )
    )["media"]
    assert media["lip_closure"] == 0.875
    assert media["av_offset_ms_worst"] == -90.0
    assert media["longest_freeze_s"] is None


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (results(), "empty"),
        (results(result("a", error="x"), result("b", error="y")), "error"),
        (results(result("a"), complete=False), "incomplete"),
        (results(result("a")), "passed"),
        (results(wrong=["a.yaml:1: not YAML"]), "error"),
    ],
)
def test_the_verdict_of_runs_without_failures(run: object, verdict: str) -> None:
    summary = summary_of(run)  # type: ignore[arg-type]
    assert summary["verdict"] == verdict
    if verdict in ("empty", "error"):
        assert summary["pass_rate"] is None
        assert summary["timings_ms"] == {}


def test_checks_of_one_name_and_turn_stand_together() -> None:
    both = (Check("contains", True, "", 0), Check("contains", False, "x", 0))
    (standing,) = summary_of(results(result(checks=both)))["by_script"]
    assert standing["checks"] == {"turn 1: contains": (0, 1)}
