"""A live conversation: sound and typed words in, a face that listens, thinks and answers out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from agent.answering import Answering
from agent.attending import People
from agent.backchannel import is_stop
from agent.conversation_events import ConversationEvent, Notice, StateChanged
from agent.dictation import asks_to_dictate
from agent.ears import Ears
from agent.engines import Engines
from agent.events import Spoken
from agent.floor import TICK_S, Floor
from agent.hearing import Hearing
from agent.history import Exchange, History
from agent.live_face import Look
from agent.live_turn import LiveTurn
from agent.sentence import Outcome
from agent.smalltalk import small_talk
from agent.stage import Stage
from agent.suggesting import Suggesting
from agent.tasks import Tasks
from agent.turn import TurnTaker
from agent.turn_commands import (
    Cancel,
    CancelReason,
    Command,
    Commit,
    Discard,
    Ignore,
    IgnoreReason,
    Pause,
    Prepare,
    Recognize,
    Resume,
    ShowState,
    TurnState,
)
from agent.voicing import Voicing
from speech.timeline import Pcm

TYPED_CHARS = 2000
"""Longest typed question that is looked at, whatever a desk allows."""

LOOKS: dict[TurnState, Look] = {
    TurnState.LISTENING: "idle",
    TurnState.THINKING: "thinking",
    TurnState.SPEAKING: "idle",
    TurnState.PAUSED: "listening",
}


class Conversation:
    """One visitor's conversation. Everything is called on the event loop; nothing blocks it.

    Args:
        engines: shared by all conversations of a desk.
        stage: the face and the voice; its events come to this conversation from now on.
        ears: the microphone.
        on_event: told what happens.
        language: spoken first; empty for the desk's own.
        taker: when turns begin and end.
        clock: seconds, monotonic.
        tick_s: how often timers are looked at.
    """

    def __init__(
        self,
        engines: Engines,
        stage: Stage,
        *,
        ears: Ears,
        on_event: Callable[[ConversationEvent], None],
        language: str = "",
        taker: TurnTaker | None = None,
        clock: Callable[[], float] = time.monotonic,
        tick_s: float = TICK_S,
    ) -> None:
        self.stage = stage
        self.history = History()
        self._engines, self._on_event = engines, on_event
        self._floor = Floor(
            stage, taker, follow=self._follow, ended=self._ended, on_event=on_event, clock=clock
        )
        self._tasks = Tasks(self._task_ended)
        self._voicing = Voicing(engines, on_event)
        self._hearing = Hearing(ears, self._floor, self._tasks, self._voicing.language, tick_s)
        self.people = People(
            engines, self._voicing, self.history, on_event, clear=self._hold_back, say=self._say_later
        )
        self._suggesting = Suggesting(engines, on_event)
        self._answering = Answering(
            engines, self._floor, self.history, self.people, self._voicing, self._suggesting, self._tasks
        )
        self._later = ""
        """What the visitor asked while a tool was at work, asked when that turn is over."""
        self.speak_language(language)

    # What comes from outside

    def hear(self, pcm: Pcm) -> None:
        """Take sound of the microphone, float32[n] at 16 kHz; never waits."""
        if not self._floor.closed:
            self._hearing.put(pcm)

    def type(self, text: str) -> None:
        """Take a typed question."""
        text = " ".join(text.split())[: min(TYPED_CHARS, self._engines.desk.settings.limits.question_chars)]
        if not text or self._floor.closed:
            return
        if self._floor.turn is not None and is_stop(text):
            self.stop()
            return
        self._hearing.typed(text)
        self._follow(self._floor.taker.typed(self._floor.clock(), text))

    def stop(self) -> None:
        """End the reply that is being spoken or made."""
        self._follow(self._floor.taker.stop(self._floor.clock()))

    def mute(self, muted: bool) -> None:
        """Stop hearing, or hear again."""
        self._hearing.mute(muted)

    def speak_language(self, language: str) -> None:
        """Choose the language of what the desk says of itself; an unknown one changes nothing."""
        if language in self._engines.desk.settings.languages:
            self._voicing.language = self._hearing.language = language

    def replay(self) -> None:
        """Say the last reply again, where nothing else is being said."""
        if (last := self._floor.last) is not None:
            self._floor.say_if_free(list(last.spoken), last.outcome)

    def pick(self, turn: int, number: int) -> None:
        """Ask a question that was suggested after a turn; `number` from 0."""
        self.type(self._suggesting.pick(turn, number))

    def suggest(self, wanted: bool) -> None:
        """Suggest questions after answers, or do not."""
        self._suggesting.wanted = wanted

    def see(self, blendshapes: Mapping[str, float]) -> None:
        """Take how the visitor's face moves: ARKit's names → 0..1."""
        self.history.see(blendshapes)

    async def greet(self) -> None:
        """Say the desk's greeting."""
        spoken = await self._voicing.greeting()
        self._floor.say_if_free([spoken], Outcome.ANSWERED)

    async def run(self) -> None:
        """Hear, take turns and answer, until `close`."""
        self._on_event(StateChanged(self._floor.taker.state.value))
        await self._hearing.run()

    async def close(self, *, finish_sentence: bool = False) -> None:
        """End the conversation and everything that it has under way.

        Args:
            finish_sentence: let what is being said come to its end first, if the stage still moves.
        """
        floor = self._floor
        if finish_sentence and floor.turn is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(floor.quiet.wait(), floor.turn.length_s + 1.0)
        floor.closed = True
        self._hearing.wake()
        self._cancel()
        await self._tasks.cancel()
        await self._hearing.close()

    # What turn taking asks for

    def _follow(self, commands: list[Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: Command) -> None:
        match command:
            case Recognize():
                self._tasks.start(self._hearing.recognize(command))
            case Prepare():
                turn = self._floor.turn
                before = turn.asked if command.joined and turn is not None else ""
                self._answering.prepare(
                    f"{before} {command.text}".strip(), self._hearing.transcript, self._hearing.voice
                )
            case Discard():
                self._answering.throw_away()
            case Commit():
                self._commit(command)
            case Pause():
                self.stage.pause()
            case Resume():
                self.stage.resume()
            case Cancel():
                if command.reason in (CancelReason.NO_ANSWER, CancelReason.STUCK):
                    self._answering.give_up()
                self._cancel(keep_later=command.reason in (CancelReason.NO_ANSWER, CancelReason.STUCK))
                if command.reason is CancelReason.NO_ANSWER:
                    self._tasks.start(self._say_line("failed", Outcome.HANDOFF))
            case Ignore():
                self._hearing.forget()
                if command.reason is IgnoreReason.UNANSWERED:
                    self._on_event(Notice("not_understood", "no words of what was heard came in time"))
                    if self._floor.turn is None:
                        self._tasks.start(self._say_line("repeat", Outcome.CLARIFIED))
            case ShowState():
                self.stage.look(LOOKS[command.state])
                self._on_event(StateChanged(command.state.value))

    def _commit(self, command: Commit) -> None:
        floor = self._floor
        now = floor.clock()
        asked, number = command.text, 0
        if command.joined and floor.turn is not None:
            asked, number = f"{floor.turn.asked} {asked}", floor.turn.number
            if self._answering.acting and not floor.turn.sounded:
                self._put_off(asked_more=command.text)
                return
            if self._answering.acting:
                # what was done is being told already: what is said over that is a question of its own
                self._cancel()
                asked, number = command.text, 0
            else:
                self.history.take(floor.turn.errand)  # what was never heard was never asked
                self._answering.break_off(keep_prepared=True)  # that answers both
                floor.withdraw()
        elif floor.turn is not None:
            self._cancel()
        turn = floor.open(asked, self._hearing.heard_s, number, self.history.errand)
        turn.mark("turn_end", now)
        turn.mark("transcript", now)
        self._hearing.forget()
        self._answering.answer(turn, self._hearing.transcript, self._hearing.voice)

    def _put_off(self, *, asked_more: str) -> None:
        """A tool is at work on the turn: that is not done twice, so what was added is asked after it."""
        self._answering.throw_away()
        self._hearing.forget()
        self.stage.resume()
        if small_talk(asked_more) is None:
            self._later = f"{self._later} {asked_more}".strip()

    def _cancel(self, *, keep_later: bool = False) -> None:
        if not keep_later:
            self._later = ""
        self._answering.break_off()
        self._floor.cancel()

    def _ended(self, turn: LiveTurn, heard: str, interrupted: bool) -> None:
        """Remember a turn that has left the floor."""
        later, self._later = self._later, ""
        if later and not self._floor.closed:
            asyncio.get_running_loop().call_soon(self.type, later)
        if turn.asked:
            exchange = Exchange(
                turn.question, heard, turn.outcome, interrupted, turn.language, turn.person, turn.grave
            )
            self.history.add(exchange)
        else:
            self.people.remember(heard, turn.spoken, turn.language)
        said = turn.spoken[-1].sentence.text if turn.spoken and not interrupted else heard
        self._floor.taker.expect_dictation(asks_to_dictate(said) or self.history.dictating)
        self._on_event(turn.ended(heard, interrupted=interrupted))

    # What the desk says unasked

    async def _say_line(self, phrase: str, outcome: Outcome) -> None:
        """Say one of the desk's fixed lines, where nothing else is being said."""
        spoken = await self._voicing.line(phrase, outcome)
        self._floor.say_if_free([spoken], outcome)

    async def _say_later(self, spoken: list[Spoken], outcome: Outcome, still: Callable[[], bool]) -> None:
        await self._floor.say_later(spoken, outcome, still, lambda: self._hearing.speaking)

    def _hold_back(self) -> None:
        """End what the desk is saying or thinking; a tool that is at work comes to its end."""
        self._answering.throw_away()
        if self._floor.turn is not None and not self._answering.acting:
            self.stop()

    def _task_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._on_event(Notice("failed", f"{type(error).__name__}: {error}"))
