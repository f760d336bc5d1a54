"""What a terminal, or a pipe, shows of a run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evals.command import show
from evals.report import compare, summary_of
from evals.report.headline import headline
from evals.results import RESULTS, Results, ResultsFile
from evals.suite import Order
from evals.terminal import show_summary
from server.progress import Stages
from tests.evals.report.samples import result, results, suite
from tests.server import called


def shown(run: Results, before: Results | None = None, **more: Any) -> list[str]:
    out = io.StringIO()
    show_summary(summary_of(run, before) | more, Console(file=out, soft_wrap=True, width=80), 40)
    return out.getvalue().splitlines()


def test_the_last_line_and_the_pages_badge_tell_what_was_not_judged() -> None:
    run = results(
        result("a"), result("b", passed=False), result("c", error="died"), wrong=("d.yaml:3: not YAML",)
    )
    assert shown(run)[-1] == "failed: 1 of 2 conversations passed, 2 not judged, 2 turns"
    assert headline(summary_of(run)) == "1 of 2 conversations failed, 2 not judged"
    assert headline(summary_of(results(result("a"), wrong=("x",)))) == "1 could not be judged, 1 passed"


def test_what_fails_in_every_repeat_is_told_once() -> None:
    lines = shown(suite([0.0], repeat=3))
    failed = [line for line in lines if line.startswith("FAILED")]
    assert failed == ['FAILED scripts/s0.yaml:7 turn 1 (3 of 3) contains: the reply lacks "Monday"']
    assert "pass^k, how likely k repeats of a script all pass: 1 0%, 2 0%, 3 0%" in lines
    broken = shown(results(*(result("a", repeat=again, error="died") for again in range(2)), repeat=2))
    assert [line for line in broken if "NOT JUDGED" in line] == ["NOT JUDGED a (2 times): died"]


def test_both_sides_are_told_with_what_fails_at_the_other() -> None:
    a, b = suite([1.0, 1.0]), suite([1.0, 0.0])
    lines = shown(a, comparison=compare(a, b, ("ours", "theirs")))
    assert "DIFFERS s1: ours 100%, theirs 0% passed" in lines
    assert '  theirs fails turn 1: contains: the reply lacks "Monday"' in lines
    assert "ours: 2 of 2 conversations passed" in lines
    assert "theirs: 1 of 2 conversations passed" in lines


def test_a_good_comparison_says_so() -> None:
    run = suite([1.0, 1.0])
    assert "against old/summary.json: no regression over 2 scripts" in shown(
        run, run, baseline="old/summary.json"
    )


def test_a_pipe_takes_lines_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    long = "words " * 60
    show({"script": f"turns:\n- user: {long}\n", "file": None})
    assert capsys.readouterr().out == f"turns:\n- user: {long}\n"
    show(summary_of(results(result("a", error=long.strip()))))
    assert f"NOT JUDGED a: {long.strip()}\n" in capsys.readouterr().out


def test_a_run_that_is_stopped_tells_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = suite([1.0, 1.0])

    def stopped(order: Order, _: Stages) -> None:
        assert order.report is not None
        file = ResultsFile(order.report / RESULTS, run.run)
        for one in run.results:
            file.add(one)
        raise KeyboardInterrupt

    monkeypatch.setattr("evals.suite.run_suite", stopped)
    code, _, told = called.run("eval", "--report", tmp_path)
    assert code == 130
    assert "2 results are kept; the same command goes on from there" in told
