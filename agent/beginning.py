"""What an utterance begins to have done, and what that still lacks.

Nothing is changed here: what is to be remembered, and what is to be run, is returned.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.confirming import Nod, bare
from agent.phrases import Phrases
from agent.pointing import meant, pointed
from agent.sentence import Outcome
from agent.slots import Errand, Stage, asks_of_own, asks_something, is_general, wishes
from agent.smalltalk import small_talk
from agent.tools import Tool
from agent.wording import confirmation, read_back

SHORTEST_HAN = 3
"""Fewer Chinese characters tell nothing."""
_WISH_AND_MORE = re.compile(
    r"(?P<wish>[^:：,，.。;；!！?？]+)(?:[:：,，.。;；!！]|\s[-–—])\s*(?P<rest>\S.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Say:
    """The desk says a line of its own."""

    line: str
    outcome: Outcome
    errand: Errand | None
    """As it stands after it."""


@dataclass(frozen=True, slots=True)
class Act:
    """A tool is to be run."""

    tool: Tool
    values: Mapping[str, str]
    first: str
    """To be said before its line; may be empty."""
    errand: Errand


@dataclass(frozen=True, slots=True)
class Aside:
    """The visitor talks of something else; that is answered as if there were no errand."""

    errand: Errand | None
    asked: str = ""
    """What the visitor wants to know before they agree; after that the errand's question is put again."""


Step = Say | Act | Aside


@dataclass(frozen=True, slots=True)
class Turn:
    """An utterance, and what it is read with."""

    text: str
    """The visitor's own words."""
    language: str
    """ISO 639-1, of the reply."""
    phrases: Phrases
    """The desk's lines in it."""
    tools: Sequence[Tool]
    now_s: float
    """Monotonic."""
    spoken: bool
    """Heard, not typed: numbers are read back."""
    before: Errand | None = None
    """What was just done; "it" is what that was about."""


def begin(turn: Turn) -> Step | None:
    """Find the tool that an utterance is about."""
    if small_talk(turn.text) is not None:
        return None
    begun = begin_change(turn)
    if begun is not None:
        return begun
    about = [tool for tool in turn.tools if tool.about.search(turn.text)]
    looking = [tool for tool in about if not tool.changes]
    for tool in looking:
        values = tool.fill(turn.text)
        if values is not None:
            errand = Errand(tool.name, Stage.DONE, turn.language, turn.now_s, values)
            return Act(tool, values, read_back(turn.phrases, values) if turn.spoken else "", errand)
    for tool in looking:
        asked = (
            tool.asks.search(turn.text) and not is_general(turn.text) if tool.asks else asks_of_own(turn.text)
        )
        if asked:
            step = go_on(turn, Errand(tool.name, Stage.ASKED, turn.language, turn.now_s), tool, turn.text)
            if step is not None:
                return step
    return None


def begin_change(turn: Turn) -> Step | None:
    """Find the tool that the visitor wants to have something changed by."""
    for tool in turn.tools:
        if not tool.changes:
            continue
        if (told := _told_at_once(turn, tool)) is not None:
            return told
        known = meant(turn.text, turn.before, tool)
        for text in (turn.text, *pointed(turn.text, known)):
            wished = tool.about.search(text) and (tool.asks.search(text) if tool.asks else True)
            if wished and wishes(text, tool.about):
                values = {**known, **tool.found(turn.text)}
                begun = Errand(tool.name, Stage.ASKED, turn.language, turn.now_s, values)
                return go_on(turn, begun, tool)
    return None


def _told_at_once(turn: Turn, tool: Tool) -> Step | None:
    """Take what follows a wish as what it is about: "open a ticket: my tent leaks"."""
    name = next((name for name, slot in tool.slots.items() if slot.free), "")
    found = _WISH_AND_MORE.fullmatch(turn.text)
    if not name or found is None:
        return None
    head, rest = found["wish"], found["rest"].rstrip(" .。")
    wished = tool.about.search(head) and (tool.asks.search(head) if tool.asks else True)
    if not wished or not (wishes(head, tool.about) or wishes(f"{head}!", tool.about)):
        return None
    told = len(rest.split()) > 1 or len(re.findall(r"[\u3400-\u9fff]", rest)) >= SHORTEST_HAN
    if not told or bare(rest) is not Nod.UNCLEAR or small_talk(rest) is not None or asks_something(rest):
        return None
    value = tool.slots[name].read(rest)
    if value is None:
        return None
    values = {**tool.found(turn.text), name: value}
    return go_on(turn, Errand(tool.name, Stage.ASKED, turn.language, turn.now_s, values), tool)


def go_on(turn: Turn, errand: Errand, tool: Tool, text: str = "", *, first: str = "") -> Step | None:
    """Ask for the next missing slot, or confirm, or act; None where there is no way to ask."""
    values = {**(tool.found(text) if text else {}), **errand.values}
    missing = next((name for name in tool.slots if name not in values), "")
    errand = replace(errand, values=values, at_s=turn.now_s, partial="", tries=0, asides=0, put=True)
    if missing:
        question = tool.slots[missing].question(turn.language)
        if not question:
            return None
        errand = replace(errand, stage=Stage.ASKED, slot=missing, question=question)
        return Say(f"{first} {question}".strip(), Outcome.CLARIFIED, errand)
    if tool.changes:
        question = confirmation(turn.phrases, turn.language, tool, values)
        errand = replace(errand, stage=Stage.CONFIRM, slot="", question=question)
        return Say(question, Outcome.CLARIFIED, errand)
    return Act(
        tool, values, first or read_back(turn.phrases, values), replace(errand, stage=Stage.DONE, question="")
    )
