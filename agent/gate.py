"""The release gate: no sentence is heard or shown before its verdict, and none waits for it in vain.

Rules judge a sentence first. Engines judge it while its sound is being made; only after their word do text
and sound leave, and what it rests on as far as it might be said. A refused sentence ends the reply: what was
to follow is thrown away, and the prepared safe line is said instead, in the same voice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TypeVar

from agent.beside import beside, blanked, given_back
from agent.cards import Card, distinct, take_links
from agent.doing import safe_sentence
from agent.engines import Engines
from agent.events import Ended, ErrandMoved, Event, Retrieved, Screened, Shown, Spoken, Written
from agent.frames import LEAD_S
from agent.sentence import Citation, Outcome, Sentence
from agent.threads import in_guard
from agent.voicing import voiced
from moderation.verdict import Action, Direction, Verdict
from speech.timeline import Speech

log = logging.getLogger(__name__)

PATIENCE_S = 0.5
"""Longer than the guard promises to take at most; then the sentence is refused without its word."""
LOOKING_S = 3.0
"""Longer than a source takes on a busy machine; then it is cited without its words, and without a card."""
CONTEXT = 2
"""Sentences of the reply that the next one is read together with."""
T = TypeVar("T")


class Gate:
    """Lets one reply's sentences out, one after the other.

    Args:
        engines: the desk's; its guard judges, its voice speaks.
        clock: milliseconds since the end of the question.
    """

    def __init__(self, engines: Engines, clock: Callable[[], float]) -> None:
        self._engines, self._clock = engines, clock
        self._start_s = LEAD_S
        self._outcome = Outcome.ANSWERED
        self._passed: list[str] = []
        self._shown: set[Card] = set()
        self._seen: dict[Citation, tuple[Citation, tuple[Card, ...]]] = {}
        """What sentences rest on, and what may be seen of it."""
        self._asks = False
        """A question was put in this reply that the visitor's next words would answer."""

    async def release(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """Yield a reply's events as far as they may leave, the sound of its sentences, and at last `Ended`.

        Args:
            events: `Written` sentences are not screened yet, unless they are the desk's own.
        """
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ErrandMoved | Retrieved):  # what is found in documents asks for nothing
                    self._asks = isinstance(event, ErrandMoved) and event.errand is not None
                if not isinstance(event, Written):
                    yield event
                    continue
                refused: Verdict | None = None
                released = self._own(event) if event.own else self._screened(event)
                async with aclosing(released) as more:
                    async for one in more:
                        if isinstance(one, Screened) and not one.verdict.passes:
                            refused = one.verdict
                        yield one
                if refused is None:
                    continue
                await events.aclose()  # before anything else is said: nothing goes on being thought of
                if self._asks:
                    yield ErrandMoved(None)  # its question is not put, so no "yes" may answer it
                line = safe_sentence(self._engines, refused, event.sentence.language)
                async for one in self._own(Written(line, self._clock(), own=True)):
                    yield one
                break
        yield Ended(self._outcome, self._clock())

    async def _own(self, written: Written) -> AsyncGenerator[Event, None]:
        """Let out what the desk says in words of its own."""
        yield written
        self._outcome = written.sentence.outcome
        yield self._spoken(written.sentence, await voiced(self._engines, written.sentence), 0.0)

    async def _screened(self, written: Written) -> AsyncGenerator[Event, None]:
        """Let a sentence out, or only the verdict by which it must not."""
        text, given = written.sentence.text, written.given
        language, context = written.sentence.language, " ".join(self._passed[-CONTEXT:])
        guard = self._engines.guard
        quick = await in_guard(
            guard.quick,
            text,
            direction=Direction.OUTPUT,
            language=language,
            context=context,
            exempt=given_back(text, given),
        )
        if not quick.passes:
            yield Screened(quick)
            return
        sentence = written.sentence if quick.text == text else replace(written.sentence, text=quick.text)
        said = _said(sentence)
        judging = asyncio.create_task(self._judged(quick, context, given))
        looking = asyncio.create_task(self._looked_at(sentence, given))
        speaking = asyncio.create_task(_timed(voiced(self._engines, said))) if said.text else None
        try:
            verdict = await judging
            judged_s = time.perf_counter()
            yield Screened(verdict)
            if not verdict.passes:
                return
            self._passed.append(blanked(verdict.text, given))
            citations, cards = await looking
            _, links = take_links(sentence.text, citations[0].title if citations else "")
            said = replace(said, citations=citations)
            if speaking is not None:
                yield Written(said, self._clock())
                self._outcome = said.outcome
                speech, ready_s = await speaking
                yield self._spoken(said, speech, max(0.0, judged_s - ready_s) * 1e3)
            for card in distinct((*links, *cards), self._shown):
                yield Shown(card)
        finally:
            await _dropped(judging)
            await _dropped(looking)
            await _dropped(speaking)

    async def _judged(self, quick: Verdict, context: str, given: Sequence[str]) -> Verdict:
        """Return the engines' word; a refusal where they have none in time."""
        guard = self._engines.guard
        if not guard.judges(Direction.OUTPUT):
            return quick
        limit_s = guard.budget_s(Direction.OUTPUT) + PATIENCE_S
        try:
            async with asyncio.timeout(limit_s):
                asked = replace(quick, text=blanked(quick.text, given))
                return replace(await in_guard(guard.slow, asked, context=context), text=quick.text)
        except Exception as error:  # without a verdict nothing leaves
            kind = "timeout" if isinstance(error, TimeoutError) else "error"
            log.warning("no verdict on a sentence within %.1f s: %s", limit_s, type(error).__name__)
            return Verdict(
                Action.REFUSE,
                f"engine.{kind}",
                quick.text,
                Direction.OUTPUT,
                "engine",
                quick.scores,
                rules=(f"engine.{kind}", *quick.rules),
                failed=(f"guard.{kind}",),
            )

    async def _looked_at(
        self, sentence: Sentence, given: Sequence[str]
    ) -> tuple[tuple[Citation, ...], tuple[Card, ...]]:
        """Return what may be seen of what a sentence rests on, and its cards; nothing without a verdict."""
        guard, new = self._engines.guard, [one for one in sentence.citations if one not in self._seen]
        limit_s = guard.budget_s(Direction.OUTPUT) + LOOKING_S if new else 0.0
        for citation in new:
            try:
                async with asyncio.timeout(limit_s):
                    found = await in_guard(beside, citation, sentence.language, guard, given)
            except Exception as error:
                log.warning("no verdict on what a sentence rests on: %s", type(error).__name__)
                found = replace(citation, title="", section="", text=""), ()
            self._seen[citation] = found
        seen = [self._seen[citation] for citation in sentence.citations]
        return tuple(one for one, _ in seen), tuple(card for _, cards in seen for card in cards)

    def _spoken(self, sentence: Sentence, speech: Speech, waited_ms: float) -> Spoken:
        spoken = Spoken(sentence, speech, self._start_s, self._clock(), waited_ms)
        self._start_s += speech.duration_s
        return spoken


def _said(sentence: Sentence) -> Sentence:
    """Return a sentence without its links, which are shown."""
    return replace(sentence, text=take_links(sentence.text, "")[0])


async def _timed(work: Awaitable[T]) -> tuple[T, float]:
    """Await work; return what comes of it, and when that was (`time.perf_counter`)."""
    return await work, time.perf_counter()


async def _dropped(task: asyncio.Task[object] | None) -> None:
    """Cancel what is not needed any more; whether it would have failed is of no interest."""
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
