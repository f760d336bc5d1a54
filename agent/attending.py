"""A conversation that a person has: the visitor's words go to them, and theirs are spoken by the avatar."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from agent.conversation_events import ConversationEvent, HandoffBegan, HandoffEnded, PersonTold
from agent.engines import Engines
from agent.errors import AgentError
from agent.events import Ended, Event, Heard, PassedOn, Screened, Spoken, ToPerson, Withdrawn
from agent.gate import CONTEXT
from agent.handoff_record import handoff_of
from agent.history import History
from agent.live_turn import LiveTurn
from agent.particulars import for_a_person
from agent.sentence import Emotion, Outcome, Sentence
from agent.slots import Errand
from agent.splitter import split_sentences
from agent.staff import Staff
from agent.threads import in_guard
from agent.voicing import Voicing
from moderation import Guard
from moderation.verdict import Direction, Verdict
from speech.recognizer import LOW_CONFIDENCE

SHORT_LETTERS = 3
"""Words with so few letters, such as "ok", may be of either language."""
UNCLEAR = "unclear"
"""Flag of words of which the recogniser was not sure."""


async def attended(heard: Heard, engines: Engines) -> AsyncGenerator[Event, None]:
    """Take the visitor's words for a person: the desk itself says nothing to them.

    Yields `Screened`, `ToPerson` and `Ended`.
    """
    began, transcript = time.perf_counter(), heard.transcript
    text = transcript.text.strip()
    language = engines.desk.language_of(text)
    verdict = await in_guard(engines.guard.screen, text, direction="input", language=language)
    yield Screened(verdict)
    unclear = transcript.confidence < LOW_CONFIDENCE
    flag = UNCLEAR if unclear else "" if verdict.passes else verdict.rule
    yield ToPerson(for_a_person(text, verdict), flag)
    yield Ended(Outcome.HANDOFF, (time.perf_counter() - began) * 1e3)


class People:
    """The people behind a conversation: who could take it over, who has it, and their words in it.

    Args:
        engines: of the desk.
        voicing: speaks.
        history: of the conversation.
        on_event: told what becomes of passing on.
        clear: ends what the desk is saying or thinking.
        say: says something when it is quiet, if it still may be said then; raises AgentError otherwise.
    """

    def __init__(
        self,
        engines: Engines,
        voicing: Voicing,
        history: History,
        on_event: Callable[[ConversationEvent], None],
        *,
        clear: Callable[[], None],
        say: Callable[[list[Spoken], Outcome, Callable[[], bool]], Awaitable[None]],
    ) -> None:
        self.name = ""
        """Of the person who has the conversation; empty: the desk has it."""
        self.staff: Callable[[], Staff] = Staff
        """Asked who could take over."""
        self._engines, self._voicing, self._history, self._on_event = engines, voicing, history, on_event
        self._clear, self._say = clear, say
        self._turn = asyncio.Lock()

    async def join(self, name: str) -> None:
        """A person takes the conversation over: the visitor's words go to them from now on."""
        self.name = name
        self._history.take(None)
        self._clear()
        await self.say_own("joined", person=name)

    async def leave(self, phrase: str) -> None:
        """The desk goes on with the conversation, and says so.

        Args:
            phrase: "given_back" or "person_away".
        """
        name, self.name = self.name, ""
        await self.say_own(phrase, person=name)

    async def say(self, text: str) -> Verdict:
        """Say the person's words, as far as the guard lets them through.

        Raises:
            AgentError: too much waits to be said, the voice fails, or the person has left meanwhile.
        """
        name = self.name
        async with self._turn:
            language = self._engines.desk.language_of(text)
            verdict = await in_guard(_judged, self._engines.guard, text, language)
            if verdict.passes:
                spoken = await self._voiced(verdict.text, language, name)
                await self._say(spoken, Outcome.ANSWERED, lambda: self.name == name)
        return verdict

    async def say_own(
        self, phrase: str, *, line: str = "", errand: Errand | None = None, person: str = ""
    ) -> None:
        """Say one of the desk's lines, unasked, in the language that was spoken last.

        Args:
            phrase: the line's name.
            line: the line itself, where it is not one of the desk's as it stands.
            errand: what its last question is about.
            person: whom it names.
        """
        language = self._history.memory().language or self._voicing.language
        line = line or str(getattr(self._engines.desk.phrases(language), phrase))
        async with self._turn:
            spoken = await self._voiced(line.replace("{person}", person), language, "")
            with suppress(AgentError):
                await self._say(spoken, Outcome.HANDOFF, lambda: True)
                if errand is not None:
                    self._history.take(errand)

    def pass_on(self, turn: LiveTurn, event: PassedOn | Withdrawn | ToPerson) -> None:
        """Tell what becomes of passing the visitor on."""
        match event:
            case PassedOn():
                exchanges, told = self._history.exchanges, self._history.told
                language = self._history.memory().language
                if not language or sum(map(str.isalpha, turn.question)) > SHORT_LETTERS:
                    language = self._engines.desk.language_of(turn.question)
                handoff = handoff_of(event, exchanges, turn.question, told, language)
                self._on_event(HandoffBegan(turn.number, handoff))
            case Withdrawn():
                self._on_event(HandoffEnded(turn.number))
            case ToPerson():
                turn.person = self.name
                self._on_event(PersonTold(turn.number, event.text, event.flagged))

    def remember(self, heard: str, spoken: Sequence[Spoken], language: str) -> None:
        """Remember what a person said of a turn that sounded, without the desk's own lines in it."""
        person = spoken[-1].sentence.person if spoken else ""
        if not person or not heard:
            return
        for one in spoken:
            if not one.sentence.person and heard.startswith(one.sentence.text):
                heard = heard[len(one.sentence.text) :].strip()
        self._history.answered_by(person, heard, language)

    async def _voiced(self, text: str, language: str, person: str) -> list[Spoken]:
        feeling = Emotion("neutral" if person else "empathetic", 0.5)
        sentences = [Sentence(one, language, feeling, person=person) for one in split_sentences(text)]
        return [await self._voicing.sentence(one) for one in sentences]


def _judged(guard: Guard, text: str, language: str) -> Verdict:
    """Judge a person's words as they will be said, sentence by sentence; the strictest verdict counts."""
    worst = guard.quick(text, Direction.OUTPUT, language)  # what stands across its sentences, too
    said, before = worst.text, list[str]()
    for one in split_sentences(said):
        verdict = guard.screen(one, Direction.OUTPUT, language, context=" ".join(before[-CONTEXT:]))
        before.append(verdict.text)
        said = said.replace(one, verdict.text, 1)
        if verdict.action.rank > worst.action.rank:
            worst = verdict
        if not worst.passes:
            break
    return replace(worst, text=said)
