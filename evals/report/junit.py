"""Results as JUnit XML, which every CI system shows: a test case for each replay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from evals.report.summary import place
from evals.results import Result, Results

if TYPE_CHECKING:
    from junitparser import Error, Failure, TestCase

JUNIT = "junit.xml"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, even escaped."""


def write_junit(file: Path, results: Results) -> None:
    """Write the results.

    Failed checks are failures, with the script's file and line; a replay that failed itself and a script that
    could not be read are errors.

    Args:
        file: written; its folder exists.
        results: of a run.

    Raises:
        OSError: it cannot be written.
    """
    from junitparser import Error, JUnitXml, TestCase, TestSuite

    run = results.run
    suite = TestSuite(clean(f"visavis eval {run.desk} ({run.mode})"))
    if run.began:
        suite.timestamp = clean(run.began)
    for name, engine in run.engines.items():
        suite.add_property(clean(name), clean(engine))
    if not_checked := sum(check.skipped for one in results.results for check in one.checks):
        suite.add_property("not checked", str(not_checked))
    cases = [_case(one, repeated=run.repeat > 1) for one in results.results]
    for wrong in run.wrong:
        case = TestCase(clean(wrong.partition(": ")[0]), clean(f"{run.desk}.scripts"), 0.0)
        case.result = [_told(Error(clean(wrong), "ScriptError"), wrong)]
        cases.append(case)
    suite.add_testcases(cases)
    whole = JUnitXml("visavis eval")
    whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call]
    whole.write(str(file), pretty=True)


def clean(text: str) -> str:
    """Return a text with what XML cannot hold shown as U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def _case(result: Result, *, repeated: bool) -> TestCase:
    from junitparser import Error, Failure, TestCase

    record = result.record
    name = record.script + (f" #{record.repeat + 1}" if repeated else "")
    case = TestCase(clean(name), clean(f"{record.desk}.{record.mode}"), round(record.took_s, 3))
    file = place(record.file)
    if file:
        case._elem.set("file", clean(file))
    if record.error:
        case.result = [_told(Error(clean(record.error), "HarnessError"), record.error)]
    elif result.failed:
        lines = list[str]()
        for check in result.failed:
            where = place(record.file, check.line) or record.script
            turn = "" if check.turn is None else f"turn {check.turn + 1}, "
            lines.append(f"{where}: {turn}{check.name}: {check.message}")
        first = result.failed[0]
        if first.line and file:
            case._elem.set("line", str(first.line))
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        failure = Failure(clean(f"{first.name}: {first.message}{more}"), clean(first.name))
        case.result = [_told(failure, "\n".join([*lines, "", *_transcript(result)]))]
    return case


def _told(outcome: Error | Failure, text: str) -> Error | Failure:
    outcome.text = clean(text)
    return outcome


def _transcript(result: Result) -> list[str]:
    return [
        line
        for turn in result.record.turns
        for line in (f"Visitor: {turn.said}", f"Desk: {turn.reply or '(nothing)'} [{turn.outcome}]")
    ]
