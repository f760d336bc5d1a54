"""Passing a visitor on to a person: when, what is asked before, and what goes along.

The visitor decides: whether a person is got where they did not ask for one, and whether what they told of
themselves goes along. Nothing here changes anything; what is to be said and to become of it is returned.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from agent.confirming import Nod, nod
from agent.events import ErrandMoved, Event, PassedOn, Withdrawn, Written
from agent.handoff_words import DROPS, HOW_LONG, KEEPS, LETS_GO, NO_PERSON
from agent.history import Memory
from agent.particulars import Particulars, particulars_of
from agent.phrases import Phrases
from agent.sentence import Emotion, Outcome, Sentence
from agent.slots import Errand, Stage, asks_pardon, asks_something
from agent.smalltalk import Talk, small_talk
from agent.splitter import split_sentences
from agent.wording import confirmation
from moderation.verdict import Verdict

if TYPE_CHECKING:
    from agent.desk import Desk
    from agent.tools import Tool

ERRAND = "handoff"
"""Name of the errand whose questions are whether to pass on, and whether what was told may go along."""
OFFER, CONSENT = "offer", "consent"
"""Its slots."""


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
    said = asked.text.replace("’", "'")
    going = errand is not None and errand.stage is not Stage.DONE and not errand.lapsed(asked.now_s)
    lets_go = LETS_GO.fullmatch(said.strip()) is not None and not going  # else it is that which they drop
    if asked.memory.staff.waiting and (lets_go or NO_PERSON.search(said)):
        return Step(asked.phrases.declined, None, Withdrawn(), Outcome.ANSWERED)
    if wants_person(said) or asked.memory.staff.waiting and HOW_LONG.search(said):
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
        return Step(joined(asked, phrases.passed_on, _place(asked)))
    if not staff.there:
        return _nobody(asked, reason)
    told = asked.told
    if not told:
        return passed(asked, reason, consent=False, first=phrases.handing)
    question = phrases.consent.replace("{data}", told.said(asked.language))
    return Step(joined(asked, phrases.handing, question), errand_of(asked, CONSENT, reason, question))


async def passing(step: Step, asked: Asked, clock: Callable[[], float]) -> AsyncGenerator[Event, None]:
    """Yield a step's events."""
    yield ErrandMoved(step.errand)
    if step.event is not None:
        yield step.event
    feeling = Emotion("empathetic" if step.outcome is Outcome.HANDOFF else "neutral", 0.5)
    for text in split_sentences(step.line):
        yield Written(Sentence(text, asked.language, feeling, step.outcome), clock(), own=True)


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
        return passed(asked, reason, consent=False)
    if agrees is Nod.YES:
        return passed(asked, reason, consent=True)
    if asks_something(said):
        return None
    if errand.tries or wants_person(said):
        return passed(asked, reason, consent=False)
    return Step(
        joined(asked, phrases.yes_or_no, question),
        replace(errand, tries=1, put=True, at_s=asked.now_s),
    )


def passed(asked: Asked, reason: Reason, *, consent: bool, first: str = "") -> Step:
    """Pass the visitor on without asking."""
    line = joined(asked, first, asked.phrases.passed_on, _place(asked))
    return Step(line, None, PassedOn(reason.value, consent))


def _nobody(asked: Asked, reason: Reason) -> Step:
    """Name where people can be reached, and take a message where there is a tool for it."""
    phrase = asked.phrases.nobody if asked.memory.staff.reachable else asked.phrases.unreachable
    line = elsewhere(asked.desk, phrase, asked.language)
    event = PassedOn(reason.value, consent=False, there=False)
    question, errand = message(asked.desk, asked.tools, asked.phrases, asked.language, asked.now_s)
    return Step(joined(asked, line, question), errand, event)


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


def errand_of(asked: Asked, slot: str, reason: Reason, question: str) -> Errand:
    """Return the errand of a question whether to pass the visitor on."""
    values = {"reason": reason.value}
    return Errand(ERRAND, Stage.CONFIRM, asked.language, asked.now_s, values, slot=slot, question=question)


def joined(asked: Asked, *parts: str) -> str:
    """Put lines behind each other, as the visitor's language does it."""
    return ("" if asked.language == "zh" else " ").join(filter(None, parts))
