from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml

from evals.checks import Check
from evals.report.junit import write_junit
from tests.evals.report.samples import result, results, turn


def test_failures_have_their_line_and_errors_are_errors(tmp_path: Path) -> None:
    write_junit(
        tmp_path / "junit.xml",
        results(
            result("a", repeat=0),
            result("a", repeat=1, passed=False),
            result("b", error="the server died"),
            repeat=2,
            wrong=["c.yaml:3: `turns` is missing"],
        ),
    )
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert (suite.tests, suite.failures, suite.errors) == (4, 1, 2)
    first, second, third, fourth = suite
    assert (first.name, first.classname, first.time, first.result) == ("a #1", "demo.text", 0.5, [])
    (failure,) = second.result
    assert isinstance(failure, Failure)
    assert failure.message == 'contains: the reply lacks "Monday"'
    assert failure.text.splitlines()[0] == ('scripts/a.yaml:7: turn 1, contains: the reply lacks "Monday"')
    assert "Visitor: Where is my parcel?" in failure.text
    assert (second._elem.get("file"), second._elem.get("line")) == ("scripts/a.yaml", "7")
    for case in (third, fourth):
        assert isinstance(case.result[0], Error)
    assert fourth.name == "c.yaml:3"


@pytest.mark.parametrize("text", ["\x00\x1b[31m", "]]><evil/>", "\ud800", "&amp;<script>"])
def test_what_visitors_say_does_not_break_the_file(tmp_path: Path, text: str) -> None:
    bad = result(
        text, turns=[turn(0, text, text)], checks=[Check(text or "x", False, text, 0)], file=text, desk=text
    )
    write_junit(tmp_path / "junit.xml", results(bad, result("b", error=text), wrong=[text]))
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert (suite.tests, suite.failures, suite.errors) == (3, 1, 2)


def test_an_empty_run_is_an_empty_suite(tmp_path: Path) -> None:
    write_junit(tmp_path / "junit.xml", results())
    (suite,) = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert suite.tests == 0
