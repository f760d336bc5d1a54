from __future__ import annotations

import pytest

from evals.checks import Check
from evals.report import compare
from evals.results import Results
from tests.evals.report.samples import result, results, suite, turn


def test_each_side_is_said_to_be_better_on_what_it_is() -> None:
    quick_and_wrong = suite([1.0] * 4 + [0.0] * 8, first_sound=300.0)
    slow_and_right = suite([1.0] * 12, first_sound=800.0)
    found = compare(quick_and_wrong, slow_and_right, ("quick", "slow"))
    better = {one["name"]: one["better"] for one in found["measures"]}
    assert better == {"conversations passed": "b", "answered": "same", "contains": "b", "first sound": "a"}
    assert found["said"][0].startswith("quick is better on first sound (300 → 800 ms")
    assert found["said"][1].startswith("slow is better on conversations passed (33.3% → 100.0%")
    assert found["differ"][0] == {
        "script": "s4",
        "mode": "text",
        "a": 0.0,
        "b": 1.0,
        "failed": {"a": ['turn 1: contains: the reply lacks "Monday"'], "b": []},
    }
    assert found["sides"]["a"] == {"passed": 4, "failed": 8, "errors": 0, "pass_rate": 0.3333}
    assert found["said"][2] == "No difference at all: answered."


def test_what_could_be_chance_is_undecided() -> None:
    found = compare(suite([1.0] * 10), suite([1.0] * 9 + [0.0]))
    assert found["names"] == {"a": "demo A", "b": "demo B"}
    assert found["measures"][0]["better"] == "undecided"
    assert found["said"][0] == "Neither is shown to be better over 10 scripts."


@pytest.mark.parametrize(("mode", "better"), [("text", "other"), ("audio", "b")])
def test_a_first_sound_that_nobody_notices_to_be_earlier_is_not_better(mode: str, better: str) -> None:
    found = compare(
        suite([1.0] * 12, first_sound=500.0, mode=mode), suite([1.0] * 12, first_sound=300.0, mode=mode)
    )
    assert {one["name"]: one["better"] for one in found["measures"]}["first sound"] == better


def test_a_longer_reply_is_neither_better_nor_worse() -> None:
    def run(reply_end: float) -> Results:
        return results(
            *(result(f"s{n}", turns=[turn(timings_ms={"reply_end": reply_end + n})]) for n in range(8))
        )

    found = compare(run(3000), run(5000))
    assert found["measures"][-1]["better"] == "other"
    assert "Different, neither better: reply end." in found["said"]


def test_misheard_words_are_compared_over_all_words() -> None:
    def run(heard: str) -> Results:
        turns = [turn(0, "where is my parcel", heard=heard)]
        return results(*(result(f"s{n}", mode="audio", turns=turns) for n in range(8)))

    measure = compare(run("where is my castle"), run("where is my parcel"))["measures"][-1]
    assert (measure["name"], measure["a"], measure["b"], measure["better"]) == (
        "errors in what was heard",
        0.25,
        0.0,
        "b",
    )


def test_only_what_was_judged_on_both_sides_is_paired() -> None:
    found = compare(
        results(result("both"), result("mine"), result("broken")),
        results(result("both"), result("broken", error="died")),
    )
    assert found["pairs"] == 1
    assert [one["script"] for one in found["only_a"]] == ["mine", "broken"]
    assert compare(results(), results())["said"] == [
        "No script was judged on both sides: nothing can be compared."
    ]


def test_checks_that_one_side_lacks_are_left_out() -> None:
    mine = results(result("a", checks=[Check("cites", True, "", 0), Check("goal", True)]))
    theirs = results(result("a", checks=[Check("cites", True, "", 0)]))
    assert [one["name"] for one in compare(mine, theirs)["measures"] if one["kind"] == "check"] == ["cites"]
