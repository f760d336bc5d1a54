"""Passing a visitor on to a person: when, what is asked before, and what goes along.

The visitor decides: whether a person is got where they did not ask for one, and whether what they told of
themselves goes along. Nothing here changes anything; what is to be said and to become of it is returned.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.anger import CROSS, FURIOUS, anger
from agent.confirming import Nod, nod
from agent.events import ErrandMoved, Event, PassedOn, Retrieved, Screened, Withdrawn, Written
from agent.handoff_words import DROPS, HOW_LONG, KEEPS, NO_PERSON, NOT_HELPED
from agent.history import Exchange, Memory
from agent.particulars import Particulars, particulars_of
from agent.phrases import Phrases
from agent.sentence import Emotion, Outcome, Sentence
from agent.slots import Errand, Stage, asks_pardon, asks_something
from agent.smalltalk import Talk, small_talk
from agent.splitter import split_sentences
from agent.wording import confirmation
from moderation.verdict import Action, Verdict

if TYPE_CHECKING:
    from agent.desk import Desk
    from agent.tools import Tool

ERRAND = "handoff"
"""Name of the errand whose questions are whether to pass on, and whether what was told may go along."""
OFFER, CONSENT = "offer", "consent"
"""Its slots."""
MISSES = 2
"""Questions in a row without an answer after which a person is offered."""
QUIET = 4
"""Exchanges after an offer in which no other is made."""


class Reason(StrEnum):
    """Why a visitor is passed on."""

    ASKED = "asked"
    ANGER = "anger"
    FAILURE = "failure"
    """Questions in a row were not answered, or something broke."""
    POLICY = "policy"
    """The desk's settings name what the visitor said or asked about."""
    GUARD = "guard"
    """The guard escalated: a visitor in danger."""
    MODEL = "model"
    """The language model thinks that a person is needed."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to say, what to ask, and what becomes of it."""

    line: str
    errand: Errand | None = None
    event: PassedOn | Withdrawn | None = None
    outcome: Outcome = Outcome.HANDOFF


@dataclass(frozen=True, slots=True)
class Asked:
    """A visitor's words with all that decides about passing on."""

    text: str
    verdict: Verdict
    memory: Memory
    desk: Desk
    tools: Sequence[Tool]
    phrases: Phrases
    language: str
    now_s: float
    """Monotonic."""

    @property
    def told(self) -> Particulars:
        """What the visitor told of themselves so far, and now."""
        return self.memory.told | particulars_of(self.text, self.verdict, self.tools)


def next_handoff(asked: Asked) -> Step | None:
    """Return what to say before anything else is looked at; None: the words are answered as ever."""
    if not asked.memory.staff.known:
        return None
    errand = asked.memory.errand
    if errand is not None and errand.tool == ERRAND and not errand.lapsed(asked.now_s):
        return _answered(asked, errand)
    if asked.memory.staff.waiting and NO_PERSON.search(asked.text.replace("’", "'")):
        return Step(asked.phrases.declined, None, Withdrawn(), Outcome.ANSWERED)
    if wants_person(asked.text) or asked.memory.staff.waiting and HOW_LONG.search(asked.text):
        return begun(asked, Reason.ASKED)
    if asked.desk.settings.handoff.speaks_of(asked.text) and not asked.memory.staff.waiting:
        return begun(asked, Reason.POLICY)
    return None


def wants_person(text: str) -> bool:
    """Tell whether a visitor asks for a person."""
    return small_talk(text) is Talk.HANDOFF and not NO_PERSON.search(text.replace("’", "'"))


def begun(asked: Asked, reason: Reason) -> Step:
    """Pass the visitor on: ask for consent first where there is something to consent to."""
    phrases, staff = asked.phrases, asked.memory.staff
    if staff.waiting:
        return Step(_said(asked, phrases.passed_on, _place(asked)))
    if not staff.there:
        return _nobody(asked, reason)
    told = asked.told
    if not told:
        return _passed(asked, reason, consent=False, first=phrases.handing)
    question = phrases.consent.replace("{data}", told.said(asked.language))
    return Step(_said(asked, phrases.handing, question), _errand(asked, CONSENT, reason, question))


def offering(asked: Asked, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yield a reply's events, and behind them the offer of a person where one is due."""
    return _offering(asked, events) if asked.memory.staff.known else events


async def passing(step: Step, asked: Asked, clock: Callable[[], float]) -> AsyncGenerator[Event, None]:
    """Yield a step's events."""
    yield ErrandMoved(step.errand)
    if step.event is not None:
        yield step.event
    feeling = Emotion("empathetic" if step.outcome is Outcome.HANDOFF else "neutral", 0.5)
    for text in split_sentences(step.line):
        yield Written(Sentence(text, asked.language, feeling, step.outcome), clock())


async def _offering(asked: Asked, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    errand = asked.memory.errand
    pending = errand if errand is not None and errand.tool == ERRAND else None
    outcome, at_ms, topic, ours = Outcome.ANSWERED, 0.0, False, False
    verdict: Verdict | None = None
    unknown: list[Event] = []  # "I do not know" is held back: to who only vents their anger it is no answer
    async with aclosing(events) as inner:
        async for event in inner:
            if isinstance(event, Written) and event.sentence.outcome is Outcome.ABSTAINED:
                unknown.append(event)
            else:
                yield event
            match event:
                case Screened() if event.verdict.direction.value == "input":
                    verdict = verdict or event.verdict
                case Retrieved():
                    topic = asked.desk.settings.handoff.is_about(event.passages)
                case PassedOn() | Withdrawn():
                    ours = True
                case ErrandMoved():
                    errand = event.errand
                    ours = ours or errand is not None and errand.tool == ERRAND
                case Written():
                    outcome, at_ms = event.sentence.outcome, event.at_ms
                case _:
                    pass
    if ours:
        for event in unknown:
            yield event
        return
    # words that nobody made out, and that the guard has not seen, tell nothing
    asked = replace(asked, verdict=verdict) if verdict is not None else replace(asked, text="")
    step = _due(asked, outcome, topic=topic, errand=errand, pending=pending)
    angry = step is not None and step.errand is not None and step.errand.values["reason"] == Reason.ANGER
    for event in [] if angry else unknown:
        yield event
    if step is not None:
        async for event in passing(step, asked, lambda: at_ms):
            yield event


def _due(
    asked: Asked,
    outcome: Outcome,
    *,
    topic: bool,
    errand: Errand | None,
    pending: Errand | None,
) -> Step | None:
    """Return what follows a reply: an offer, or the question that was left for it."""
    phrases, verdict = asked.phrases, asked.verdict
    if pending is not None and pending.slot == CONSENT:
        reason = pending.values["reason"]
        if pending.asides:
            return _passed(asked, Reason(reason), consent=False)
        return Step(pending.question, replace(pending, asides=1, put=True, at_s=asked.now_s))
    if not asked.memory.staff.free:
        return None
    if pending is not None and not pending.asides and outcome is Outcome.ABSTAINED:
        return Step(pending.question, replace(pending, asides=1, put=True, at_s=asked.now_s))
    if verdict.action is Action.ESCALATE:
        return _passed(asked, Reason.GUARD, consent=False)
    if errand is not None and errand.stage is not Stage.DONE and errand != pending:
        return None  # something else is being asked: one question at a time
    if topic and outcome is not Outcome.REFUSED:
        return begun(asked, Reason.POLICY)
    offered = any(phrases.offer in one.reply for one in asked.memory.exchanges[-QUIET:])
    if offered or pending is not None:
        return None
    if is_angry(asked.text, verdict, asked.memory):
        line, reason = _said(asked, phrases.upset, phrases.offer), Reason.ANGER
    elif _failed(asked, outcome):
        line, reason = phrases.offer, Reason.FAILURE
    else:
        return None
    return Step(line, _errand(asked, OFFER, reason, phrases.offer))


def is_angry(text: str, verdict: Verdict, memory: Memory) -> bool:
    """Tell whether a visitor is so angry that a person is due: very, or for the second time."""
    now = anger(text, verdict)
    before = memory.exchanges[-1].question if memory.exchanges else ""
    return now >= FURIOUS or now >= CROSS and anger(before) >= CROSS


def _failed(asked: Asked, outcome: Outcome) -> bool:
    """Tell whether this turn and those before it were of no help."""
    if outcome is Outcome.HANDOFF:
        return True  # something broke, and the visitor was told where people are
    unheard = outcome is Outcome.CLARIFIED and not asked.text
    misses = int(outcome is Outcome.ABSTAINED or unheard)
    before = asked.memory.exchanges
    if NOT_HELPED.search(asked.text.replace("’", "'")) and before and not before[-1].by:
        misses += 1
    for one in reversed(before):
        if not misses or one.by or not _missed(one):
            break
        misses += 1
    return misses >= MISSES


def _missed(one: Exchange) -> bool:
    not_heard = one.outcome is Outcome.CLARIFIED and not one.question
    helpless = bool(NOT_HELPED.search(one.question.replace("’", "'")))
    return one.outcome is Outcome.ABSTAINED or not_heard or helpless


def _answered(asked: Asked, errand: Errand) -> Step | None:
    """Take what the visitor says to the question that was put."""
    phrases, reason = asked.phrases, Reason(errand.values["reason"])
    said, question = asked.text.replace("’", "'"), errand.question
    if asks_pardon(said) or not errand.put and nod(said, question) is not Nod.UNCLEAR:
        return Step(question, replace(errand, put=True, at_s=asked.now_s))
    if errand.slot == OFFER:
        if nod(said, question) is Nod.YES or wants_person(said):
            return begun(asked, reason)
        refused = nod(said, question) is Nod.NO and not asks_something(said)
        return Step(phrases.declined, None, Withdrawn(), Outcome.ANSWERED) if refused else None
    if NO_PERSON.search(said) or DROPS.search(said):
        return Step(phrases.declined, None, Withdrawn(), Outcome.ANSWERED)
    agrees = nod(said, question)
    if agrees is Nod.NO or KEEPS.search(said):
        return _passed(asked, reason, consent=False)
    if agrees is Nod.YES:
        return _passed(asked, reason, consent=True)
    if asks_something(said):
        return None
    if errand.tries or wants_person(said):
        return _passed(asked, reason, consent=False)
    return Step(
        _said(asked, phrases.yes_or_no, question),
        replace(errand, tries=1, put=True, at_s=asked.now_s),
    )


def _passed(asked: Asked, reason: Reason, *, consent: bool, first: str = "") -> Step:
    line = _said(asked, first, asked.phrases.passed_on, _place(asked))
    return Step(line, None, PassedOn(reason.value, consent))


def _nobody(asked: Asked, reason: Reason) -> Step:
    """Name where people can be reached, and take a message where there is a tool for it."""
    line = elsewhere(asked.desk, asked.phrases.nobody, asked.language)
    event = PassedOn(reason.value, consent=False, there=False)
    question, errand = message(asked.desk, asked.tools, asked.phrases, asked.language, asked.now_s)
    return Step(_said(asked, line, question), errand, event)


def elsewhere(desk: Desk, line: str, language: str) -> str:
    """Put into a line where people can be reached otherwise."""
    settings = desk.settings
    contacts = {**settings.persona.contact, **settings.handoff.contact}
    said = next((words for each, words in contacts.items() if each == language), "")
    return line.replace("{elsewhere}", said).strip()


def message(
    desk: Desk, tools: Sequence[Tool], phrases: Phrases, language: str, now_s: float
) -> tuple[str, Errand | None]:
    """Return the question what to write down, with its errand; empty where no tool takes messages."""
    tool = next((one for one in tools if one.name == desk.settings.handoff.message_tool), None)
    if tool is None:
        return "", None
    slot = next(iter(tool.slots), "")
    question = tool.slots[slot].question(language) if slot else ""
    if slot and not question:
        return "", None
    stage = Stage.ASKED if slot else Stage.CONFIRM
    question = question or confirmation(phrases, language, tool, {})
    apart = "" if language == "zh" else " "
    return f"{phrases.message}{apart}{question}", Errand(
        tool.name, stage, language, now_s, slot=slot, question=question
    )


def _place(asked: Asked) -> str:
    place = asked.memory.staff.place
    return asked.phrases.next if place <= 1 else asked.phrases.place.replace("{place}", str(place))


def _errand(asked: Asked, slot: str, reason: Reason, question: str) -> Errand:
    values = {"reason": reason.value}
    return Errand(ERRAND, Stage.CONFIRM, asked.language, asked.now_s, values, slot=slot, question=question)


def _said(asked: Asked, *parts: str) -> str:
    return ("" if asked.language == "zh" else " ").join(filter(None, parts))
