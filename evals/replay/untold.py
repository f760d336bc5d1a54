"""What of a conversation with a running server stays unknown, and what it takes to know it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evals.replay.record import ConversationRecord
from evals.replay.running_server import KEY, Health, ServerGone
from evals.replay.webrtc_visit import Visit
from evals.scripts import Script, ScriptError

WITH_KEY = f"set {KEY} to a key of `visavis operator add`, made where the server runs"
OF_GUARD = ("refused", "verdicts", "visitor_emotion", "handoff")
"""Expectations that rest on what a server writes down of a session."""
OF_TOOLS = ("tools", "tools_work")
OF_PICTURES = ("media.av_offset_ms", "media.lip_closure", "media.face_present", "media.freeze_s")
ENGLISH_ONLY = "pocketsphinx"
MASKED = re.compile(r"\[[^\]]+\]")
"""What stands in place of personal data."""


def untold_of(
    script: Script, record: ConversationRecord, visit: Visit, kept: Mapping[str, Any] | None, *, video: bool
) -> dict[str, str]:
    """Return what is not known of a replay: name of an expectation → why, and how to come to know it.

    Args:
        script: that was replayed.
        record: what came of it.
        visit: to the server.
        kept: what the server keeps of the session; None: nothing, or nobody asked.
        video: pictures were looked at.
    """
    untold = {
        "state": "a server's databases are not to be seen from here, and hold what was done before: replay "
        "it without --server"
    }
    if not visit.examined:
        older = f"{visit.address} is an older server that takes no key" if visit.has_key else ""
        if kept is None:
            nothing = older or f"the server keeps no events (`visavis serve --store none`): {WITH_KEY}"
            untold |= dict.fromkeys((*OF_GUARD, *OF_TOOLS), nothing)
        else:
            untold |= _of_tools(script, record, older)
        if video:
            untold["media.lip_closure"] = older or f"which sound is where is told to nobody else: {WITH_KEY}"
    if not video and record.mode == "audio":
        untold |= dict.fromkeys(OF_PICTURES, "no picture was looked at: add --video")
    deaf = [turn for turn in record.turns if "not_transcribed" in turn.notices]
    if deaf:
        untold["reply_wer"] = (
            "no recognizer here hears the language of the reply: run `visavis models pull whisper-base`"
        )
    return untold


def unsure_of(record: ConversationRecord, visit: Visit) -> tuple[int | None, str]:
    """Return from which turn on it matters who of the company's people is there, where that is not known."""
    if visit.examined:
        return None, ""
    first = next((one.number for one in record.turns if one.handoff or one.outcome == "handoff"), None)
    return first, f"who of the company's people is there is the server's own affair: {WITH_KEY}"


def _of_tools(script: Script, record: ConversationRecord, older: str) -> dict[str, str]:
    cited = {
        str(citation["source"])
        for turn in record.turns
        for sentence in turn.sentences
        for citation in sentence.citations
        if str(citation["source"]).startswith("tool:")
    }
    called = {call.tool for turn in record.turns for call in turn.tools}
    if not cited <= {f"tool:{name}" for name in called}:
        return dict.fromkeys(
            OF_TOOLS, older or "an older server, which does not write actions down: renew it"
        )
    given = [value for turn in record.turns for call in turn.tools for value in call.arguments.values()]
    wanted = [
        *(script.expect.tools or ()),
        *(one for turn in script.turns for one in turn.expect.tools or ()),
    ]
    if any(one.arguments for one in wanted) and any(not value or MASKED.search(value) for value in given):
        return {"tools": f"the arguments of actions are kept without personal data: {WITH_KEY}"}
    return {}


def check_hearing(script: Script, health: Health, desk: str) -> None:
    """Refuse a script that the server cannot hear.

    Raises:
        ScriptError: its recognizer does not know the language.
        ServerGone: it has no such desk.
    """
    if desk and desk not in health.desks:
        raise ServerGone(f"the server has no desk {desk}: name one of {', '.join(health.desks)}")
    engines = health.desks[desk] if desk else next(iter(health.desks.values()), {})
    engine = engines.get("recognition", "")
    if engine.partition("/")[0] == ENGLISH_ONLY and script.language != "en":
        raise ScriptError(
            f"the server's {ENGLISH_ONLY} hears English, not {script.language}: run `visavis models pull "
            "whisper-base` there, or replay it with --mode text",
            script.file,
            script.line("language"),
        )
