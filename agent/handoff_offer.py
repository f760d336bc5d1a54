"""The offer of a person: after which replies it is made, and what goes before it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent.events import ErrandMoved, Event, Felt, PassedOn, Retrieved, Screened, Withdrawn, Written
from agent.feeling import CROSS, FURIOUS, anger_now, anger_of, displeasure
from agent.handoff import (
    CONSENT,
    ERRAND,
    OFFER,
    Asked,
    Reason,
    Step,
    begun,
    errand_of,
    joined,
    passed,
    passing,
)
from agent.handoff_words import NOT_HELPED
from agent.history import Exchange
from agent.manner import manner_of
from agent.sentence import Outcome
from agent.slots import Errand, Stage
from moderation.verdict import Action, Category, Verdict

MISSES = 2
"""Questions in a row without an answer after which a person is offered."""
QUIET = 4
"""Exchanges after an offer in which no other is made."""


def offering(asked: Asked, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yield a reply's events, and behind them the offer of a person where one is due."""
    return _offering(asked, events) if asked.memory.staff.known else events


async def _offering(asked: Asked, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    errand = asked.memory.errand
    pending = errand if errand is not None and errand.tool == ERRAND else None
    outcome, at_ms, topic, ours = Outcome.ANSWERED, 0.0, False, False
    verdict: Verdict | None = None
    felt: Felt | None = None
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
                case Felt():
                    felt = felt or event
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
    step = _due(asked, outcome, felt=felt, topic=topic, errand=errand, pending=pending)
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
    felt: Felt | None,
    topic: bool,
    errand: Errand | None,
    pending: Errand | None,
) -> Step | None:
    """Return what follows a reply: an offer, or the question that was left for it."""
    phrases, verdict = asked.phrases, asked.verdict
    if pending is not None and pending.slot == CONSENT:
        reason = pending.values["reason"]
        if pending.asides:
            return passed(asked, Reason(reason), consent=False)
        return Step(pending.question, replace(pending, asides=1, put=True, at_s=asked.now_s))
    if not asked.memory.staff.free:
        return None
    if pending is not None and not pending.asides and outcome is Outcome.ABSTAINED:
        return Step(pending.question, replace(pending, asides=1, put=True, at_s=asked.now_s))
    if verdict.action is Action.ESCALATE:
        return passed(asked, Reason.GUARD, consent=False)
    if errand is not None and errand.stage is not Stage.DONE and errand != pending:
        return None  # something else is being asked: one question at a time
    if topic and outcome is not Outcome.REFUSED:
        return begun(asked, Reason.POLICY)
    offered = any(phrases.offer in one.reply for one in asked.memory.exchanges[-QUIET:])
    if offered or pending is not None:
        return None
    table = asked.desk.settings.emotion
    manner = manner_of(felt.emotion, verdict, asked.memory, table, asked.language) if felt else None
    if felt is not None and table.anger.person and is_angry(felt, asked):
        line, reason = joined(asked, phrases.upset, phrases.offer), Reason.ANGER
    elif _failed(asked, outcome):
        line, reason = phrases.offer, Reason.FAILURE
    elif manner is not None and manner.feeling != "anger" and manner.row.person:
        line, reason = phrases.offer, Reason.POLICY
    else:
        return None
    return Step(line, errand_of(asked, OFFER, reason, phrases.offer))


def is_angry(felt: Felt, asked: Asked) -> bool:
    """Tell whether a visitor is so angry that a person is due: very, or for the second time."""
    if any(rule.startswith(f"{Category.SELF_HARM}.") for rule in asked.verdict.rules):
        return False  # "I can't take this any more" is despair: to that nobody answers as to a complaint
    memory, now = asked.memory, anger_now(felt, asked.text, asked.verdict)
    before = anger_of(memory.feeling.emotion) if memory.feeling is not None else 0.0
    if memory.exchanges:
        before = max(before, displeasure(memory.exchanges[-1].question))
    return now >= FURIOUS or now >= CROSS and before >= CROSS


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
