"""The answering of a conversation's turns: begun ahead, made in a task, and said as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace

from agent.attending import People, attended
from agent.conversation_events import CardShown, HeardWords, Notice, VerdictGiven, VisitorFelt
from agent.emotion_voice import VoiceFeatures
from agent.engines import Engines
from agent.errors import AgentError
from agent.events import (
    Ended,
    ErrandMoved,
    Event,
    Felt,
    Heard,
    Noted,
    PassedOn,
    Screened,
    Shown,
    Spoken,
    ToPerson,
    Withdrawn,
    Written,
)
from agent.floor import Floor
from agent.history import Exchange, History, Memory
from agent.live_turn import LiveTurn
from agent.prepared import Prepared
from agent.reply import changes_nothing, reply
from agent.sentence import Outcome
from agent.suggesting import Suggesting
from agent.tasks import Tasks
from agent.voicing import Voicing
from moderation.verdict import Category
from speech.recognizer import Transcript


class Answering:
    """Answers the turn that has the floor; used on the event loop.

    Args:
        engines: of the desk.
        floor: of the conversation.
        history: of the conversation.
        people: who may have it.
        voicing: says that an answer failed.
        suggesting: suggests questions after it.
        tasks: of the conversation.
    """

    def __init__(
        self,
        engines: Engines,
        floor: Floor,
        history: History,
        people: People,
        voicing: Voicing,
        suggesting: Suggesting,
        tasks: Tasks,
    ) -> None:
        self._engines, self._floor, self._history, self._people = engines, floor, history, people
        self._voicing, self._suggesting, self._tasks = voicing, suggesting, tasks
        self.acting = False
        """A tool may be at work on the turn: that is not done twice."""
        self._prepared: Prepared | None = None
        self._answer_task: asyncio.Task[None] | None = None

    def prepare(self, text: str, heard: Transcript, voice: VoiceFeatures | None = None) -> None:
        """Begin an answer that may be thrown away, where that changes nothing."""
        self.throw_away()
        memory = self._memory(text)
        if changes_nothing(text, self._engines, memory):
            self._prepared = Prepared(text, self._reply(text, heard, memory, voice), memory.errand)

    def throw_away(self) -> None:
        """Throw the prepared answer away."""
        if self._prepared is not None:
            self._tasks.start(self._prepared.close())
            self._prepared = None

    def answer(self, turn: LiveTurn, heard: Transcript, voice: VoiceFeatures | None = None) -> None:
        """Answer a turn, with what is prepared if it fits.

        Args:
            turn: has the floor.
            heard: how its words came.
            voice: how they were spoken.
        """
        prepared, self._prepared = self._prepared, None
        memory = self._memory()
        if prepared is not None and not prepared.answers(turn.asked, memory.errand):
            self._tasks.start(prepared.close())
            prepared = None
        self.acting = not changes_nothing(turn.asked, self._engines, memory)
        events = prepared.events() if prepared else self._reply(turn.asked, heard, memory, voice)
        self._answer_task = self._tasks.start(self._answer(turn, events))

    def break_off(self, *, keep_prepared: bool = False) -> None:
        """Cancel what is being thought or synthesised, and what is prepared unless that is kept."""
        if not keep_prepared:
            self.throw_away()
        if self._answer_task is not None and self._answer_task is not asyncio.current_task():
            self._answer_task.cancel()
        self._answer_task = None

    def give_up(self) -> None:
        """Tell that what answers has taken too long, if it is still at it."""
        turn, settings = self._floor.turn, self._floor.taker.settings
        if turn is None or self._answer_task is None or self._answer_task.done():
            return
        after = "its last sentence" if turn.spoken else "the question"
        waited = f"nothing came for {settings.answer_timeout_s:g} s after {after}"
        self._floor.tell(Notice("engine_failed", f"the answer was given up: {waited}; look at what answers"))

    # What a reply is made of

    def _memory(self, asked: str = "") -> Memory:
        """What was said before `asked`, of a reply that goes on as much as has sounded."""
        turn, staff = self._floor.turn, self._people.staff()
        if turn is not None and turn.asked and asked.startswith(turn.asked):
            # as it will be if the two are joined
            return replace(self._history.memory(staff=staff), errand=turn.errand)
        if turn is None or turn.over or not turn.question:
            return self._history.memory(staff=staff)
        unfinished = Exchange(
            turn.question,
            self._floor.stage.heard(),
            turn.outcome,
            interrupted=True,
            language=turn.language,
        )
        return self._history.memory(unfinished, staff)

    def _reply(
        self, text: str, heard: Transcript, memory: Memory, voice: VoiceFeatures | None
    ) -> AsyncGenerator[Event, None]:
        transcript = Transcript(text, heard.language, heard.confidence, heard.engine)
        typed = heard.engine == "typed"
        utterance = Heard(transcript, speech_s=0.0 if typed else 1.0, voice=None if typed else voice)
        if self._people.name:
            return attended(utterance, self._engines)
        return reply(utterance, self._engines, memory)

    # What becomes of it

    async def _answer(self, turn: LiveTurn, events: AsyncGenerator[Event, None]) -> None:
        floor = self._floor
        try:
            async for event in events:
                if turn.over:
                    return
                self._take(turn, event)
        except Exception as error:  # whatever an engine does, the visitor gets an answer
            floor.tell(Notice("engine_failed", f"{type(error).__name__}: {error}"))
            sorry = await self._voicing.line("failed", Outcome.HANDOFF)
            turn.outcome = Outcome.HANDOFF
            if not turn.over:
                with suppress(AgentError):  # too much waits to be said: then the visitor hears that
                    floor.stage.say(sorry)
                    turn.spoken.append(sorry)
        finally:
            await events.aclose()
        if turn.over:
            return
        if turn.spoken:
            floor.complete()
            self._tasks.start(self._suggesting.after(turn, self._history, self._latest))
        else:
            floor.over("", interrupted=False)

    def _latest(self) -> int:
        """Return the turn after which questions may be suggested: none while a person has the visitor."""
        return -1 if self._people.name else self._floor.count

    def _take(self, turn: LiveTurn, event: Event) -> None:
        floor = self._floor
        match event:
            case Screened():
                if not turn.question and not turn.spoken:
                    turn.question = event.verdict.text
                    turn.grave = event.verdict.category == Category.SELF_HARM
                    self._history.hear(turn.asked, event.verdict, self._engines.tools)
                    floor.tell(HeardWords(turn.number, turn.question, final=True))
                floor.tell(VerdictGiven(turn.number, event.verdict))
            case Felt():
                self._history.feel(event)
                floor.tell(VisitorFelt.of(turn.number, event))
            case Written():
                turn.mark("first_sentence", floor.clock())
            case Spoken():
                turn.spoken.append(event)
                turn.outcome = event.sentence.outcome
                floor.stage.say(event)
                floor.lasts(last=False)
            case Noted():
                floor.tell(Notice(event.code, event.message))
            case ErrandMoved():
                self._history.take(event.errand)
            case PassedOn() | Withdrawn() | ToPerson():
                self._people.pass_on(turn, event)
            case Shown():
                floor.tell(CardShown(turn.number, event.card))
            case Ended():
                turn.outcome = event.outcome
            case _:
                pass
