"""Text chat over HTTP: a typed question, its answer as one document or as a stream of events.

Questions of one session make a conversation: it is remembered for a while, on this server, in memory alone.
What happens in it is kept like what happens in a live one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from agent.events import Event, Heard, Screened
from agent.history import History
from agent.reply import reply
from agent.staff import Staff
from server.live.acting import tell_actions
from server.live.desks import OpenDesk
from server.live.documents import ChatDocument, ChatRequest
from server.live.errors import LiveError
from server.live.keeper import Keeper
from server.live.metrics import Metrics
from server.live.protocol import message
from server.live.tokens import Tokens
from server.live.typed_talk import TypedTalk
from server.live.typed_turn import TypedTurn
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
LOOK_S = 30.0
"""How often it is looked which have rested for too long."""


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
    """Answers typed questions, a few at once; used on the event loop.

    Args:
        metrics: where things are counted.
        keeper: keeps what happens; None: nothing is kept.
        tokens: sign what lets visitors get at what is kept.
    """

    def __init__(self, metrics: Metrics, keeper: Keeper | None = None, tokens: Tokens | None = None) -> None:
        self._metrics, self._keeper, self._tokens = metrics, keeper, tokens
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._talks: OrderedDict[tuple[str, str], TypedTalk] = OrderedDict()

    def check(self, opened: OpenDesk, asked: ChatRequest) -> None:
        """See that a desk takes a question.

        Raises:
            LiveError: it is too long, or in a language that the desk does not speak.
        """
        opened.check_question(asked.text)
        opened.check_language(asked.language)

    async def answer(self, opened: OpenDesk, asked: ChatRequest, origin: str = "") -> ChatDocument:
        """Answer a question.

        Args:
            opened: the desk.
            asked: the question.
            origin: of the page that asks.

        Raises:
            LiveError: too many wait, at all or in this conversation, or it takes too long.
        """
        turn = TypedTurn(asked)
        async with (
            self._remembering(opened, turn, origin) as talk,
            self._place(),
            aclosing(self._events(asked, talk, turn)) as events,
        ):
            async for event in events:
                turn.take(event)
        self._metrics.chats.labels(opened.id, turn.outcome.value).inc()
        return turn.document()

    async def stream(
        self, opened: OpenDesk, asked: ChatRequest, origin: str = ""
    ) -> AsyncGenerator[str, None]:
        """Answer a question, event by event, as in a live session: heard, sentence …, turn; or error."""
        turn = TypedTurn(asked)
        try:
            async with (
                self._remembering(opened, turn, origin) as talk,
                self._place(),
                aclosing(self._events(asked, talk, turn)) as events,
            ):
                async for event in events:
                    for kind, fields in turn.take(event):
                        yield f"data: {message(kind, **fields)}\n\n"
        except LiveError as error:
            self._metrics.errors.labels(error.code).inc()
            yield f"data: {message('error', **error.document())}\n\n"
            return
        self._metrics.chats.labels(opened.id, turn.outcome.value).inc()

    async def watch(self) -> None:
        """Forget conversations that have rested for too long, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._forget()

    def erase(self, name: str) -> None:
        """Forget a conversation of which nothing is to be kept.

        Args:
            name: under which it is kept.
        """
        for key, talk in list(self._talks.items()):
            if talk.guest.session == name:
                talk.close("erased")
                del self._talks[key]

    def close(self) -> None:
        """All conversations are over."""
        for talk in self._talks.values():
            talk.close("closing")
        self._talks.clear()

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
    async def _remembering(
        self, opened: OpenDesk, turn: TypedTurn, origin: str
    ) -> AsyncGenerator[TypedTalk, None]:
        """Hold a conversation for one question, and remember what came of it.

        Raises:
            LiveError: too many questions of this conversation wait already.
        """
        self._forget()
        name = (opened.id, turn.session)
        talk = self._talks.get(name)
        if talk is None:
            history = History(f"{opened.id}/{turn.session}")
            talk = self._talks[name] = TypedTalk(opened, history, origin, self._keeper, turn.own_name)
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
                    yield talk
                finally:
                    talk.end(turn)
        finally:
            talk.questions -= 1
            self._touch(name, talk)

    def _touch(self, name: tuple[str, str], talk: TypedTalk) -> None:
        talk.at_s = time.monotonic()
        if self._talks.get(name) is talk:  # else it was erased meanwhile
            self._talks.move_to_end(name)

    def _forget(self) -> None:
        """Forget conversations that rest for too long, and the oldest where there are too many."""
        now_s = time.monotonic()
        for name, talk in list(self._talks.items()):
            if len(self._talks) < REMEMBERED and now_s - talk.at_s < REMEMBERED_S:
                return
            if not talk.questions:
                del self._talks[name]
                talk.close("idle")

    async def _events(
        self, asked: ChatRequest, talk: TypedTalk, turn: TypedTurn
    ) -> AsyncGenerator[Event, None]:
        opened, memory = talk.opened, talk.history.memory(staff=OUT_OF_REACH)
        language = asked.language or memory.language or opened.desk.language_of(asked.text)
        heard = Heard(Transcript(asked.text, language, 1.0, "typed"))
        engines = replace(opened.engines, synthesizer=Voiceless())
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        tell_actions(talk.acted)
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
                if isinstance(event, Screened):
                    self._metrics.judged(event.verdict)
                    talk.tell(turn, self._tokens)
                talk.take(event, turn)
                yield event
