"""Text chat over HTTP: a typed question, its answer as one document or as a stream of events.

Questions of one session make a conversation: it is remembered for a while, on this server, in memory alone.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from agent.events import Ended, ErrandMoved, Event, Felt, Heard, Screened, Shown, Written
from agent.history import Exchange, History
from agent.reply import reply
from agent.sentence import Citation, Outcome, Sentence
from agent.staff import Staff
from server.live.desks import OpenDesk
from server.live.documents import (
    ChatDocument,
    ChatRequest,
    CitationDocument,
    FeelingDocument,
    SentenceDocument,
)
from server.live.errors import LiveError
from server.live.metrics import Metrics
from server.live.protocol import message
from server.live.telling import citation_document
from speech.recognizer import Transcript
from speech.silence import silence
from speech.timeline import Speech

AT_ONCE = 4
"""Questions that are answered at once; live conversations come first."""
WAITING = 32
"""Questions that may wait for that."""
ANSWER_S = 60.0
"""Longest time for an answer, seconds."""

TURNS = 4
"""Questions of one conversation at once, the one that is answered included: people ask one at a time."""

REMEMBERED = 2000
"""Conversations at most; the one that rested longest is forgotten first."""
REMEMBERED_S = 1800.0
"""How long a conversation may rest, seconds."""


@dataclass(slots=True)
class _Talk:
    """A conversation in text."""

    history: History
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Its questions are answered one after the other."""
    at_s: float = 0.0
    """When its last question came or was answered, seconds."""
    questions: int = 0
    """That are answered, or wait for it; while there are any it is not forgotten."""


OUT_OF_REACH = Staff(known=True, there=False, reachable=False)
"""Nobody takes a typed conversation over: who asks for a person is told where people are."""


class Voiceless:
    """Stands where the voice would be: for replies that are read."""

    engine = "none"

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Return silence."""
        return silence(text, language or "en", self.engine, emotion, intensity)

    def warm(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Chat:
    """Answers typed questions, a few at once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._talks: OrderedDict[tuple[str, str], _Talk] = OrderedDict()

    def check(self, opened: OpenDesk, asked: ChatRequest) -> None:
        """See that a desk takes a question.

        Raises:
            LiveError: it is too long, or in a language that the desk does not speak.
        """
        opened.check_question(asked.text)
        opened.check_language(asked.language)

    async def answer(self, opened: OpenDesk, asked: ChatRequest) -> ChatDocument:
        """Answer a question.

        Raises:
            LiveError: too many wait, at all or in this conversation, or it takes too long.
        """
        turn = _Turn(asked)
        async with (
            self._remembering(opened, turn) as history,
            self._place(),
            aclosing(self._events(opened, asked, history)) as events,
        ):
            async for event in events:
                turn.take(event)
        self._metrics.chats.labels(opened.id, turn.outcome.value).inc()
        return turn.document()

    async def stream(self, opened: OpenDesk, asked: ChatRequest) -> AsyncGenerator[str, None]:
        """Answer a question, event by event, as in a live session: heard, sentence …, turn; or error."""
        turn = _Turn(asked)
        try:
            async with (
                self._remembering(opened, turn) as history,
                self._place(),
                aclosing(self._events(opened, asked, history)) as events,
            ):
                async for event in events:
                    for kind, fields in turn.take(event):
                        yield f"data: {message(kind, **fields)}\n\n"
        except LiveError as error:
            self._metrics.errors.labels(error.code).inc()
            yield f"data: {message('error', **error.document())}\n\n"
            return
        self._metrics.chats.labels(opened.id, turn.outcome.value).inc()

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None, None]:
        if self._waiting >= WAITING:
            raise LiveError(
                "busy", "too many questions at once", "ask again in a few seconds", status=503, retryable=True
            )
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    @asynccontextmanager
    async def _remembering(self, opened: OpenDesk, turn: _Turn) -> AsyncGenerator[History, None]:
        """Hold a conversation for one question, and remember what came of it.

        Raises:
            LiveError: too many questions of this conversation wait already.
        """
        self._forget()
        name = (opened.id, turn.session)
        talk = self._talks.setdefault(name, _Talk(History(f"{opened.id}/{turn.session}")))
        if talk.questions >= TURNS:
            raise LiveError(
                "busy",
                "earlier questions of this conversation are still being answered",
                "wait for their answers, or begin another conversation",
                status=503,
                retryable=True,
            )
        talk.questions += 1
        try:
            self._touch(name, talk)
            async with talk.turn:
                try:
                    yield talk.history
                finally:
                    if (exchange := turn.exchange()) is not None:
                        talk.history.add(exchange)
        finally:
            talk.questions -= 1
            self._touch(name, talk)

    def _touch(self, name: tuple[str, str], talk: _Talk) -> None:
        talk.at_s = time.monotonic()
        self._talks.move_to_end(name)

    def _forget(self) -> None:
        """Forget conversations that rest for too long, and the oldest where there are too many."""
        now_s = time.monotonic()
        for name, talk in list(self._talks.items()):
            if len(self._talks) < REMEMBERED and now_s - talk.at_s < REMEMBERED_S:
                return
            if not talk.questions:
                del self._talks[name]

    async def _events(
        self, opened: OpenDesk, asked: ChatRequest, history: History
    ) -> AsyncGenerator[Event, None]:
        memory = history.memory(staff=OUT_OF_REACH)
        language = asked.language or memory.language or opened.desk.language_of(asked.text)
        heard = Heard(Transcript(asked.text, language, 1.0, "typed"))
        engines = replace(opened.engines, synthesizer=Voiceless())
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        async with aclosing(reply(heard, engines, memory)) as events:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        event = await anext(events, None)
                except TimeoutError:
                    raise LiveError(
                        "too_slow",
                        f"the answer took over {ANSWER_S:g} s",
                        "ask again, or more briefly",
                        status=504,
                        retryable=True,
                    ) from None
                if event is None:
                    return
                if isinstance(event, ErrandMoved):
                    history.take(event.errand)
                elif isinstance(event, Felt):
                    history.feel(event)
                elif isinstance(event, Screened):
                    self._metrics.judged(event.verdict)
                yield event


class _Turn:
    """What has happened in a turn so far."""

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self.session = asked.session or secrets.token_urlsafe(12)
        self._began_s = time.perf_counter()
        self._heard: str | None = None
        self._sentences: list[Sentence] = []
        self._timings_ms: dict[str, float] = {}
        self._felt: FeelingDocument | None = None
        self._over = False
        self.outcome = Outcome.ANSWERED

    def exchange(self) -> Exchange | None:
        """Return what is remembered of the turn; None where it did not begin."""
        if self._heard is None:
            return None
        document = self.document()
        return Exchange(self._heard, document.reply, self.outcome, not self._over, document.language)

    def take(self, event: Event) -> list[tuple[str, dict[str, Any]]]:
        """Follow an event; returns the messages that tell of it."""
        if isinstance(event, Screened) and self._heard is None:
            self._heard = event.verdict.text
            return [("heard", {"turn": 1, "text": self._heard, "final": True})]
        if isinstance(event, Felt):
            self._felt = FeelingDocument.of(event)
        if isinstance(event, Written):
            if not self._sentences:
                self._timings_ms["first_sentence"] = self._after_ms()
            self._sentences.append(event.sentence)
            return [("sentence", {"turn": 1, **_sentence(event.sentence).model_dump()})]
        if isinstance(event, Shown):
            card = event.card
            fields = {"form": card.kind, "title": card.title, "items": list(card.items), "url": card.url}
            return [("card", {"turn": 1, **fields})]
        if isinstance(event, Ended):
            self.outcome, self._over = event.outcome, True
            self._timings_ms["total"] = self._after_ms()
            document = self.document()
            return [
                (
                    "turn",
                    {
                        "turn": 1,
                        "session": document.session,
                        "outcome": document.outcome,
                        "heard": document.reply,
                        "interrupted": False,
                        "timings_ms": document.timings_ms,
                    },
                )
            ]
        return []

    def document(self) -> ChatDocument:
        """Return the whole turn."""
        citations: dict[Citation, None] = {}
        for sentence in self._sentences:
            citations |= dict.fromkeys(sentence.citations)
        language = self._sentences[-1].language if self._sentences else self._asked.language
        return ChatDocument(
            session=self.session,
            transcript=self._heard if self._heard is not None else "",
            reply=("" if language == "zh" else " ").join(one.text for one in self._sentences),
            outcome=self.outcome.value,
            language=language,
            sentences=[_sentence(one) for one in self._sentences],
            citations=[_citation(one) for one in citations],
            timings_ms=self._timings_ms,
            visitor_emotion=self._felt,
        )

    def _after_ms(self) -> float:
        return round((time.perf_counter() - self._began_s) * 1e3, 1)


def _sentence(sentence: Sentence) -> SentenceDocument:
    return SentenceDocument(
        text=sentence.text,
        language=sentence.language,
        emotion=sentence.emotion.label,
        citations=[_citation(one) for one in sentence.citations],
    )


def _citation(citation: Citation) -> CitationDocument:
    return CitationDocument.model_validate(citation_document(citation))
