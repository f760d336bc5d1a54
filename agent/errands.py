"""The next step of what a visitor is having done: ask, read back, confirm, do it or leave it.

Nothing is changed here: what is to be remembered, and what is to be run, is returned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.beginning import Act, Aside, Say, Step, Turn, begin, begin_change, go_on
from agent.confirming import Nod, asked_before, bare, corrects, lacks, leaves, nod, waits, without_yes
from agent.history import Memory
from agent.phrases import Phrases
from agent.sentence import Outcome
from agent.slots import (
    TRIES,
    Errand,
    Stage,
    asks_pardon,
    asks_something,
    dictated_in,
    may_grow,
    tells_a_story,
)
from agent.smalltalk import Talk, small_talk
from agent.tools import Tool
from agent.wording import confirmation, read_back

FEW_WORDS = 4
"""A question so short that holds another number is about the same with that number."""
MANY_WORDS = 12
"""A correction has no more."""
ANY_WORDS = "qwx zvk jqy"
"""Read only by a slot that takes whatever is said; a mere yes is no answer there."""


def next_step(
    text: str,
    memory: Memory,
    tools: Sequence[Tool],
    phrases: Phrases,
    *,
    language: str,
    now_s: float,
    spoken: bool = False,
) -> Step:
    """Return what to do about an utterance.

    Args:
        text: the visitor's own words; nothing else ever fills a slot or confirms.
        memory: the conversation so far.
        tools: the desk's.
        phrases: the desk's lines in `language`.
        language: ISO 639-1, of the reply.
        now_s: monotonic time.
        spoken: the words were heard, not typed: numbers are read back.
    """
    turn = Turn(text, language, phrases, tools, now_s, spoken)
    errand = memory.errand
    tool = next((one for one in tools if errand is not None and one.name == errand.tool), None)
    if errand is None or tool is None or errand.lapsed(now_s):
        return begin(turn) or Aside(None)
    if errand.stage is Stage.DONE:
        turn = replace(turn, before=errand)
    errand = replace(errand, language=language)
    match errand.stage:
        case Stage.ASKED:
            step = _asked(turn, errand, tool)
        case Stage.CONFIRM:
            step = _confirming(turn, errand, tool)
        case Stage.DONE:
            step = _done(turn, errand, tool)
    return step or begin(turn) or Aside(errand.aside())


def _asked(turn: Turn, errand: Errand, tool: Tool) -> Step | None:
    slot = tool.slots.get(errand.slot)
    if slot is None:
        return None
    if asks_pardon(turn.text):
        question = slot.question(turn.language)
        repeated = replace(errand, at_s=turn.now_s, put=True, question=question)
        return Say(question, Outcome.CLARIFIED, repeated)
    if asked := asked_before(turn.text):
        question = slot.question(turn.language)
        return Aside(replace(errand, at_s=turn.now_s, put=False, question=question), asked)
    free = not slot.digits
    talk = small_talk(turn.text)
    mere = bare(turn.text) if free and slot.read(ANY_WORDS) is not None else Nod.UNCLEAR
    if free and (
        talk is not None
        or mere is not Nod.UNCLEAR
        or leaves(turn.text)
        or asks_something(turn.text)
        or not errand.put
    ):
        value = None
    else:
        said = without_yes(turn.text) if free else turn.text
        value = slot.read(said, "" if corrects(turn.text) else errand.partial)
    if value is not None:
        filled = replace(errand, values={**errand.values, errand.slot: value})
        return go_on(turn, filled, tool, first=read_back(turn.phrases, {errand.slot: value}))
    if more := _others(turn.text, errand, tool):  # another slot's value came first
        return go_on(turn, replace(errand, values={**errand.values, **more}), tool)
    if leaves(turn.text) or mere is Nod.NO:
        return Say(turn.phrases.left, Outcome.ANSWERED, None)
    if talk in (Talk.HANDOFF, Talk.GOODBYE, Talk.IDENTITY, Talk.THANKS):
        return None
    if waits(turn.text):
        return Say(turn.phrases.take_time, Outcome.CLARIFIED, replace(errand, at_s=turn.now_s, put=True))
    if lacks(turn.text):
        return Say(turn.phrases.gave_up, Outcome.HANDOFF, None)
    digits = dictated_in(turn.text) if slot.digits else ""
    if not errand.put and not digits:
        return None
    if not digits and (asks_something(turn.text) or tells_a_story(turn.text) or _other(turn, tool)):
        return None
    so_far = digits if corrects(turn.text) else errand.partial + digits
    if digits and may_grow(slot, so_far):
        line = turn.phrases.so_far.replace("{value}", " ".join(so_far))
        return Say(
            line,
            Outcome.CLARIFIED,
            replace(errand, partial=so_far, at_s=turn.now_s, put=True, question=line),
        )
    return _again(turn, replace(errand, partial=""), f"{turn.phrases.again} {slot.question(turn.language)}")


def _confirming(turn: Turn, errand: Errand, tool: Tool) -> Step | None:
    question = confirmation(turn.phrases, turn.language, tool, errand.values)
    if asked := asked_before(turn.text):
        return Aside(replace(errand, at_s=turn.now_s, put=False, question=question), asked)
    corrected = _corrected(turn.text, errand, tool)
    if corrected:
        return go_on(turn, replace(errand, values={**errand.values, **corrected}), tool)
    if asks_pardon(turn.text):
        repeated = replace(errand, at_s=turn.now_s, put=True, question=question)
        return Say(question, Outcome.CLARIFIED, repeated)
    match nod(turn.text, " ".join([question, *errand.values.values()])):
        case Nod.YES if errand.put:
            done = replace(errand, stage=Stage.DONE, at_s=turn.now_s, question="")
            return Act(tool, errand.values, "", done)
        case Nod.YES:  # to a question that did not sound, or that was left: it is put again
            again = replace(errand, at_s=turn.now_s, put=True, question=question)
            return Say(question, Outcome.CLARIFIED, again)
        case Nod.NO if errand.put or leaves(turn.text):  # a no needs no question that sounded to its end
            if corrects(turn.text) and _wrong(turn.text) and tool.slots:
                name = errand.slot or next(iter(tool.slots))
                kept = {key: value for key, value in errand.values.items() if key != name}
                return go_on(turn, replace(errand, values=kept), tool)
            return Say(turn.phrases.left, Outcome.ANSWERED, None)
    if leaves(turn.text) and not re.search(r"cancel|取消", question):
        return Say(turn.phrases.left, Outcome.ANSWERED, None)
    if (
        not errand.put
        or small_talk(turn.text) is not None
        or asks_something(turn.text)
        or tells_a_story(turn.text)
        or _other(turn, tool)
    ):
        return None
    return _again(turn, errand, f"{turn.phrases.yes_or_no} {question}")


def _done(turn: Turn, errand: Errand, tool: Tool) -> Step | None:
    """Take up a correction of what was done, or the next number for the same look-up."""
    if not tool.changes and small_talk(turn.text) is None and (begun := begin_change(turn)) is not None:
        return begun
    corrected = _corrected(turn.text, errand, tool)
    if not corrected and not tool.changes and len(turn.text.split()) <= FEW_WORDS:  # "and 10345?"
        corrected = _corrected(re.sub(r"[?？呢吗]", "", turn.text), errand, tool, asked=True)
    if corrected and (corrects(turn.text) or not tool.changes) and len(turn.text.split()) <= MANY_WORDS:
        return go_on(turn, replace(errand, values={**errand.values, **corrected}), tool)
    if not tool.changes and corrects(turn.text) and _wrong(turn.text) and len(tool.slots) == 1:
        return go_on(turn, replace(errand, values={}), tool)
    return None


def _corrected(text: str, errand: Errand, tool: Tool, *, asked: bool = False) -> dict[str, str]:
    """Return what an utterance gives anew, where it differs from what was understood.

    Digits of a question of its own do not count, unless `asked`; other values only where it corrects.
    """
    if not asked and asks_something(text) and not corrects(text):
        return {}
    digits = {name: slot.read(text) for name, slot in tool.slots.items() if slot.digits}
    found = (tool.found(text) if corrects(text) else {}) | digits
    return {name: one for name, one in found.items() if one is not None and errand.values.get(name) != one}


def _others(text: str, errand: Errand, tool: Tool) -> dict[str, str]:
    found = tool.found(text).items()
    return {name: value for name, value in found if name != errand.slot and name not in errand.values}


def _again(turn: Turn, errand: Errand, line: str) -> Say:
    """Put a question again, or give up."""
    if errand.tries + 1 >= TRIES:
        return Say(turn.phrases.gave_up, Outcome.HANDOFF, None)
    errand = replace(errand, tries=errand.tries + 1, at_s=turn.now_s, put=True, question=line)
    return Say(line, Outcome.CLARIFIED, errand)


def _other(turn: Turn, tool: Tool) -> bool:
    """Tell whether an utterance begins something else."""
    step = begin(turn)
    return step is not None and not (isinstance(step, Act) and step.tool is tool)


def _wrong(text: str) -> bool:
    return bool(re.search(r"wrong|not (?:right|correct|it)|incorrect|不对|错|不是", text, re.IGNORECASE))
