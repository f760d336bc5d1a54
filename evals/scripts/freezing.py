"""Freezing a recorded session into a script: what was said, when, and what came of it, as expectations."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.scripts.errors import ScriptError
from evals.scripts.expectations import ToolCall, TurnExpectation, VerdictGiven
from evals.scripts.happened import Happened, tools_of, turns_of
from evals.scripts.keywords import facts, names, undated
from evals.scripts.pattern import pattern_of
from evals.scripts.script import BargeIn, Fixtures, Script, Turn
from evals.scripts.writing import written

if TYPE_CHECKING:
    from agent.desk import Desk
    from server.live.dossier import Dossier
    from server.live.masking import SessionMask
    from server.live.records import SessionRecord

USUAL_PAUSE_S = 2.0
"""A visitor's pause that needs no telling; longer ones are taken over."""
LONGEST_PAUSE_S = 120.0
MOST_TURNS = 200
"""As many as a script may have."""
MOST_CITED = 3
"""Sources that one turn is to cite; the best come first."""
MOST_NAMED = 10
"""Sessions that are named where the one that was meant is not known."""
_DATA = re.compile(r"/v1/sessions/([^/]+)/data")
_LABEL = re.compile(r"\[[^\[\]\d]{1,30}\]")
_SAMPLES = {
    "card": "4111 1111 1111 1111",
    "卡": "4111 1111 1111 1111",
    "mail": "maria.keller@example.com",
    "邮箱": "maria.keller@example.com",
    "phone": "020 7946 0018",
    "电话": "138 0013 8000",
    "name": "Maria Keller",
    "姓名": "李明",
    "address": "12 Mill Lane, Dublin",
    "地址": "上海市和平路 12 号",
}
"""Part of a placeholder → what may stand there instead."""


def freeze(desk: Desk, session: str, *, store: str = "") -> str:
    """Write a script of a session that a server recorded.

    Args:
        desk: at which it was held.
        session: its name, as `visavis privacy export` and the operators' pages show it; or the one that
            `/v1/chat` gave a conversation, or the path of its data.
        store: SQLite file or URL, as `visavis serve --store` was given it; empty: the usual one.

    Returns:
        YAML. The visitor's words are as they are kept; comments say where personal data is to be invented.

    Raises:
        ScriptError: no such session, of another desk, without words, or the store cannot be read.
    """
    from agent.desk import state_root
    from server.live.dossier import collect
    from server.live.errors import LiveError
    from server.live.store import EventStore

    place = store or str(state_root() / "sessions.sqlite")
    if "://" not in place and not Path(place).is_file():
        raise ScriptError("nothing was recorded here: name what `visavis serve --store` was given", place)

    async def read() -> tuple[Dossier, list[SessionRecord]]:
        opened = EventStore.open(place)
        try:
            return await collect(opened, "", name), await opened.sessions(limit=MOST_NAMED)
        finally:
            await opened.close()

    path = _DATA.search(session)
    name = path[1] if path else session
    try:
        dossier, newest = asyncio.run(read())
    except LiveError as error:
        raise ScriptError(f"{error}", place) from None
    if dossier.empty:
        names = ", ".join(one.id for one in newest) or "none"
        raise ScriptError(f"nothing is kept of a session {name!r}; the newest that are: {names}", place)
    return frozen(dossier, desk)


def frozen(dossier: Dossier, desk: Desk) -> str:
    """Write a script of what is kept of a session; see `freeze`.

    Raises:
        ScriptError: it is empty, of another desk, or without words.
    """
    from server.live.desks import named

    if dossier.empty:
        raise ScriptError(f"nothing is kept of a session {dossier.name!r}: check its name, and --store")
    here = next(iter(named([desk])))
    if dossier.desk and dossier.desk != here:
        raise ScriptError(f"the session {dossier.name!r} was held at the desk {dossier.desk!r}, not {here!r}")
    happened, took_over = turns_of(dossier.events)
    left = len(happened) - MOST_TURNS
    happened = happened[:MOST_TURNS]
    if not happened:
        raise ScriptError(f"the visitor said nothing in the session {dossier.name!r}: nothing to replay")
    if not any(one.said for one in happened):
        raise ScriptError(
            f"no words are kept of the session {dossier.name!r}: set `keep` in desk.toml's [privacy] to "
            '"masked" to freeze later ones'
        )
    mask = _mask(desk)
    for one in happened:
        one.said = mask.of_visitor(one.said) or ""
        spoken = [str(each.data.get("text", "")) for each in one.sentences[: 1 if one.interrupted else None]]
        one.settled = mask.of_desk(" ".join(spoken)) or ""
        if one.called or tools_of([one]):
            one.settled = undated(one.settled)
    paused = [one.at for one in dossier.events if one.kind == "state" and one.data.get("state") == "paused"]
    session = dossier.session
    language = (session.language if session is not None else "") or _language(happened)
    turns, remarks = list[Turn](), dict[int, list[str]]()
    for number, one in enumerate(happened):
        before = happened[number - 1] if number else None
        tools = _actions(happened, number, mask)
        turns.append(_turn(one, before, paused, tools, chat=session is not None and session.client == "chat"))
        remarks[number] = _remarks(one, before)
    opened = session.opened_at if session is not None else None
    opened = opened or dossier.events[0].at
    script = Script(
        id="session-" + re.sub(r"[^\w.-]", "-", dossier.name)[:100],
        title=_title(happened),
        language=language,
        tags=("recorded",),
        fixtures=Fixtures(
            clock=datetime.fromtimestamp(round(opened), UTC),
            knowledge=_knowledge(desk, opened),
            people="there" if any(one.handoff and one.handoff.get("there") for one in happened) else "none",
        ),
        turns=tuple(turns),
    )
    about = ["A recorded session: check what it expects, and leave out what does not matter."]
    if any(remarks.values()):
        about.append("Personal data was not kept: put invented data where a comment says so.")
    if took_over:
        about.append("It ends where one of the company's people took over.")
    if left > 0:
        about.append(f"It ends after {MOST_TURNS} turns: {left} more are left out.")
    return written(script, about=about, remarks=remarks)


def _turn(
    one: Happened, before: Happened | None, paused: list[float], tools: list[ToolCall], *, chat: bool
) -> Turn:
    expect: dict[str, Any] = {"silent": True} if not one.sentences else {}
    if one.sentences:
        first = one.sentences[0].data
        emotion = str(first.get("emotion", ""))
        outcome = one.end.data["outcome"] if one.end is not None else first["outcome"]
        if chat and outcome == "handoff":
            emotion = ""  # `/v1/chat` passes nobody on, with regret; a replay does, without
        expect = {
            "outcome": outcome,
            "cites": one.documents[:MOST_CITED],
            "contains": facts(one.settled),
            "contains_any": names(one.settled),
            "tools": tools or None,
            "handoff": one.handoff["reason"] if one.handoff else None,
            "language": first.get("language") or None,
            "emotion": emotion if emotion not in ("", "neutral") else (),
            "interrupted": True if one.interrupted else None,
        }
    given = {
        (each["direction"], each["action"], each.get("rule", ""))
        for each in one.verdicts
        if each["action"] != "allow"
    }
    expect["verdicts"] = [
        VerdictGiven.model_validate({"direction": direction, "action": action, "rule": rule})
        for direction, action, rule in sorted(given)
    ]
    pause_s, barge_in = Turn().pause_s, None
    if before is not None and before.interrupted and before.end is not None:
        began = before.sentences[0].at
        broke = next((at for at in paused if began <= at <= before.end.at), before.end.at)
        if one.said:  # nobody can break in before the words are written
            barge_in = BargeIn(after_s=round(max(broke - began, 0.1), 1))
    elif before is not None and before.end is not None:
        pause_s = min(max(one.at - before.end.at - one.lasted_s, 0.0), LONGEST_PAUSE_S)
        pause_s = round(pause_s, 1) if pause_s > USUAL_PAUSE_S else Turn().pause_s
    found = TurnExpectation.model_validate({key: value for key, value in expect.items() if value})
    return Turn(user=one.said, pause_s=pause_s, barge_in=barge_in, expect=found)


def _actions(turns: list[Happened], number: int, mask: SessionMask) -> list[ToolCall]:
    """Return the actions of one of the turns that a replay is to take, too.

    Arguments with personal data, of which a server keeps placeholders, are left to the author.
    """
    if not any(one.called for one in turns):
        before = tools_of(turns[:number])
        return [ToolCall(name=name) for name in tools_of([turns[number]]) if name not in before]
    taken = list[tuple[str, dict[str, str]]]()
    for call in turns[number].called:
        given = {name: mask.of_visitor(value) or "" for name, value in call["arguments"].items() if value}
        known = {
            name: value
            for name, value in given.items()
            if value and not _LABEL.search(value) and pattern_of(value) is None
        }
        if not call["failed"]:
            taken.append((str(call["name"]), known))
    wanted = [one for at, one in enumerate(taken) if one not in taken[:at]]
    return [
        ToolCall(
            name=name,
            arguments=dict(known),
            times=sum(other == name and known.items() <= given.items() for other, given in taken),
        )
        for name, known in wanted
    ]


def _remarks(one: Happened, before: Happened | None) -> list[str]:
    """Return what the author has to do for a turn."""
    remarks = []
    for name in dict.fromkeys(str(call["name"]) for call in one.called if call["failed"]):
        remarks.append(f"The action {name} failed here: see that it works, or expect `tools_work: false`.")
    for label in dict.fromkeys(_LABEL.findall(one.said)):
        sample = next((each for part, each in _SAMPLES.items() if part in label), "")
        for_example = f", for example {sample}" if sample else ""
        remarks.append(f"{label} stands for personal data that was not kept: invent some{for_example}.")
    if not one.said:
        broke_in = before is not None and before.interrupted
        more = ", and `barge_in`: they broke into the reply before" if broke_in else ""
        remarks.append(f"The words of this turn were not kept: write some{more}.")
    return remarks


def _mask(desk: Desk) -> SessionMask:
    """Return what masks personal data: a desk may keep words plain, but scripts are passed around."""
    from agent.contacts import with_contacts
    from moderation.policy import Policy
    from server.live.masking import Masker, SessionMask

    settings = desk.settings
    lines = (*settings.persona.contact.values(), *settings.handoff.contact.values())
    policy = with_contacts(Policy.load(desk.policy_file), lines)
    return SessionMask(Masker(policy, settings.privacy.model_copy(update={"keep": "masked"})))


def _title(turns: list[Happened]) -> str:
    words = next(one.said for one in turns if one.said)
    return words if len(words) <= 60 else words[:59].rstrip() + "…"


def _language(turns: list[Happened]) -> str:
    languages = [str(each.data.get("language", "")) for one in turns for each in one.sentences]
    return next(filter(None, languages), "en")


def _knowledge(desk: Desk, at: float) -> str:
    """Return the version of the knowledge that answered then; empty where it is not known any more."""
    from knowledge.versions import Versions

    versions = Versions(desk.state_folder / "knowledge").all()
    return next((one.digest for one in versions if one.at <= at), "")
