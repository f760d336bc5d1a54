"""All checks of a conversation: of its turns, and of the whole."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from evals.checks.check import Check
from evals.checks.grounding import Grounding
from evals.checks.judge import Judge
from evals.checks.matching import quoted, words_wrong
from evals.checks.safety import unsafe
from evals.checks.turn import (
    NOT_MET,
    check_turn,
    handoff_wrong,
    late,
    passed_on,
    refused_wrong,
    tools_broken,
    tools_wrong,
    verdicts_wrong,
)
from evals.replay.record import MISSED, ConversationRecord, MediaRecord
from evals.scripts import Script, ScriptError
from evals.scripts.expectations import Database, Media
from evals.scripts.pattern import EndlessPatternError

ENOUGH_BILABIALS = 5
"""Sounds p, b and m from which on their share of closed lips tells anything."""
WHOEVER = ("safe", "engines", "tools_work", "media.")
"""Checks, or how their names begin, that hold whoever of the company's people is there."""


def check_conversation(
    script: Script,
    record: ConversationRecord,
    grounding: Grounding | None = None,
    judge: Judge | None = None,
) -> list[Check]:
    """Compare what came of a replay with what its script expects.

    Args:
        script: that was replayed.
        record: what came; one whose replay failed has no checks.
        grounding: judges whether sentences are supported; the embedded one by default.
        judge: decides whether the goal was reached; without one, that is not looked at.

    Raises:
        JudgeError: the judge gives no verdict.
        ScriptError: a regular expression of the script tries without end.
    """
    if record.error:
        return []
    try:
        return _checked(script, record, grounding, judge)
    except EndlessPatternError as error:
        raise ScriptError(str(error), script.file, script.line_of(error.pattern)) from None


def _checked(
    script: Script, record: ConversationRecord, grounding: Grounding | None, judge: Judge | None
) -> list[Check]:
    checks, grounding = list[Check](), grounding or Grounding()
    for number, turn in enumerate(script.turns):
        came = next((one for one in record.turns if one.number == number), None)

        def tell(name: str, wrong: str, number: int = number) -> None:
            line = script.line("turns", number, "expect", *re.split(r"\.", name))
            checks.append(Check(name, not wrong, wrong, number, line))

        if came is None:
            tell("answered", "the conversation was over before it")
            continue
        if turn.barge_in is not None:
            missed = NOT_MET if MISSED in came.notices else ""
            line = script.line("turns", number, "barge_in")
            checks.append(Check("barge_in", not missed, missed, number, line))
        check_turn(turn.expect, came, record.mode, script.language, grounding, tell, people=_people(script))
    checks = _told(checks + _whole(script, record, grounding), script, record)
    if script.expect.goal and judge is not None:
        found = judge.judge(script.expect.goal, record)
        checks.append(
            Check(
                "goal", found.reached, "" if found.reached else found.why, None, script.line("expect", "goal")
            )
        )
    return checks


def _people(script: Script) -> bool:
    return script.fixtures.people != "none"


def _told(checks: list[Check], script: Script, record: ConversationRecord) -> list[Check]:
    """Mark what nobody could look at, and what failed under circumstances that are not the script's."""
    untold = record.untold
    checks = [
        replace(one, passed=False, message=untold[one.name], skipped=True) if one.name in untold else one
        for one in checks
    ]
    if (first := record.unsure_from) is not None:
        checks = [
            replace(one, message=f"{record.unsure}; it came otherwise: {one.message}", skipped=True)
            if not (one.passed or one.skipped or one.name.startswith(WHOEVER))
            and (one.turn is None or one.turn >= first)
            else one
            for one in checks
        ]
    if script.expect.media is not None:
        known = {one.name for one in checks}
        line = script.line("expect", "media")
        checks += [
            Check(name, False, why, None, line, skipped=True)
            for name, why in untold.items()
            if name.startswith("media.") and name not in known
        ]
    return checks


def _whole(script: Script, record: ConversationRecord, grounding: Grounding) -> list[Check]:
    checks, wanted = list[Check](), script.expect

    def tell(name: str, wrong: str, *path: str | int) -> None:
        line = script.line("expect", *(path or name.split(".")))
        checks.append(Check(name, not wrong, wrong, None, line))

    said = " ".join(turn.reply for turn in record.turns)
    verdicts = [one for turn in record.turns for one in turn.verdicts]
    for name, wrong in words_wrong(wanted, said).items():
        tell(name, wrong)
    calls = [one for turn in record.turns for one in turn.tools]
    if wanted.tools is not None:
        tell("tools", tools_wrong(wanted.tools, calls))
    if calls and wanted.tools_work or wanted.tools_work is False:
        broken = tools_broken(calls)
        tell("tools_work", broken if wanted.tools_work else "" if broken else "no action failed")
    if wanted.handoff is not None:
        people = _people(script)
        reasons = [why for turn in record.turns if (why := passed_on(turn, people=people)) is not None]
        fitting = reasons[0] if reasons else None
        if str(wanted.handoff) in reasons:
            fitting = str(wanted.handoff)
        tell("handoff", handoff_wrong(wanted.handoff, fitting))
    if wanted.refused is not None:
        tell("refused", refused_wrong(wanted.refused, verdicts))
    if wanted.verdicts is not None:
        tell("verdicts", verdicts_wrong(wanted.verdicts, verdicts))
    for name, most in wanted.within_ms.items():
        times = {turn.number: turn.timings_ms[name] for turn in record.turns if name in turn.timings_ms}
        slow = [f"turn {number + 1} {late(ms, most)}" for number, ms in times.items() if late(ms, most)]
        tell(f"within_ms.{name}", "; ".join(slow) if times else late(None, most))
    if wanted.grounded is not None:
        wrong = "; ".join(filter(None, (grounding.unsupported(turn.sentences) for turn in record.turns)))
        tell("grounded", wrong if wanted.grounded else "" if wrong else "every sentence is supported")
    if wanted.safe is not None:
        wrong = next(filter(None, (unsafe(turn.sentences) for turn in record.turns)), "")
        tell("safe", wrong if wanted.safe else "" if wrong else "everything that was said is safe")
    for number, database in enumerate(wanted.state):
        tell("state", state_wrong(database, record.databases.get(str(number))), "state", number)
    if wanted.media is not None and record.media is not None:
        for name, wrong in media_wrong(wanted.media, record.media).items():
            tell(f"media.{name}", wrong, "media", name)
    return checks


def state_wrong(wanted: Database, rows: Any) -> str:
    """Compare what a database holds with what it should."""
    if not isinstance(rows, list):
        missing = isinstance(rows, str) and rows.endswith("nothing was written to it")
        if missing and (wanted.count == 0 or wanted.rows == ()):
            return ""
        return str(rows or "it was not asked")
    if wanted.count is not None and len(rows) != wanted.count:
        return f"{len(rows)} rows instead of {wanted.count}: {quoted(str(rows))}"
    if wanted.rows is not None and [list(one) for one in wanted.rows] != rows:
        return f"{quoted(str(rows))} instead of {quoted(str([list(one) for one in wanted.rows]))}"
    return ""


def media_wrong(wanted: Media, media: MediaRecord) -> dict[str, str]:
    """Compare sound and picture with their limits; what was not measured is not looked at."""
    silent = f"{media.silent_replies} replies made no sound" if media.silent_replies else ""
    found = {"sound": silent}
    if media.lips_apart:
        found["av_offset_ms"] = (
            "the lips have nothing to do with the sound: they stand still, or say something else"
        )
    elif media.av_offset_ms is not None:
        wrong = abs(media.av_offset_ms) > wanted.av_offset_ms
        side = "after" if media.av_offset_ms > 0 else "before"
        found["av_offset_ms"] = (
            f"lips come {abs(media.av_offset_ms):.0f} ms {side} the sound, at most {wanted.av_offset_ms:g}"
            if wrong
            else ""
        )
    if media.lip_closure is not None and media.bilabials >= ENOUGH_BILABIALS:
        wrong = media.lip_closure < wanted.lip_closure
        found["lip_closure"] = (
            f"lips close at {media.lip_closure:.2f} of {media.bilabials} sounds p, b and m, at least "
            f"{wanted.lip_closure:g}"
            if wrong
            else ""
        )
    if media.face_present is not None:
        wrong = media.face_present < wanted.face_present
        found["face_present"] = (
            f"a face in {media.face_present:.3f} of the frames, at least {wanted.face_present:g}"
            if wrong
            else ""
        )
    if media.longest_freeze_s is not None:
        wrong = media.longest_freeze_s > wanted.freeze_s
        found["freeze_s"] = (
            f"the picture stood still for {media.longest_freeze_s:.2f} s, at most {wanted.freeze_s:g}"
            if wrong
            else ""
        )
    return found
