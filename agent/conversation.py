"""A live conversation: sound and typed words in, a face that listens, thinks and answers out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from agent.attending import People, attended
from agent.backchannel import is_stop
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    VerdictGiven,
)
from agent.dictation import asks_to_dictate
from agent.ears import Ears
from agent.echo import EchoGuard
from agent.engines import Engines
from agent.errors import AgentError
from agent.events import (
    Ended,
    ErrandMoved,
    Event,
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
from agent.history import Exchange, History, Memory
from agent.live_face import Look
from agent.live_turn import LiveTurn
from agent.microphone import SILENT_S, Microphone
from agent.prepared import Prepared
from agent.reply import changes_nothing, reply
from agent.sentence import Outcome
from agent.slots import Errand
from agent.smalltalk import small_talk
from agent.stage import Began, Failed, ReplyOver, Stage, StageEvent
from agent.suggesting import Suggesting
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
from speech.errors import SpeechError
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm
from speech.vad import SpeechEnded, SpeechStarted

T = TypeVar("T")

TICK_S = 0.02
"""How often timers are looked at: half a video frame."""
VOICE_S = 0.15
"""How much longer than for its words a turn waits for what its voice tells."""
WAITS_S = 30.0
"""How long what is to be said unasked waits for a silence."""
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
    ) -> None:
        self.stage = stage
        self.history = History()
        self._engines, self._ears, self._on_event, self._clock = engines, ears, on_event, clock
        self._echo = EchoGuard()
        self._taker = taker or TurnTaker(is_echo=self._echo.is_echo)
        languages = engines.desk.settings.languages
        self._language = language if language in languages else languages[0]
        self._microphone = Microphone(clock())
        self._voicing = Voicing(engines, on_event)
        self.people = People(
            engines, self._voicing, self.history, on_event, clear=self._hold_back, say=self._say_later
        )
        self.people.speak_language(self._language)
        self._suggesting = Suggesting(engines, on_event)
        self._woken, self._quiet = asyncio.Event(), asyncio.Event()
        self._closed = False
        self._later = ""
        self._acting = False
        self._turns = 0
        self._turn: LiveTurn | None = None
        self._last: LiveTurn | None = None
        self._answering: asyncio.Task[None] | None = None
        self._prepared: Prepared | None = None
        self._prepared_for: Errand | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._heard_s = 0.0
        self._transcript = Transcript("", self._language, 0.0, "none")
        stage.on_event = self._staged

    # What comes from outside

    def hear(self, pcm: Pcm) -> None:
        """Take sound of the microphone, float32[n] at 16 kHz; never waits."""
        if not self._closed:
            self._microphone.put(pcm)
            self._woken.set()

    def type(self, text: str) -> None:
        """Take a typed question."""
        text = " ".join(text.split())[: min(TYPED_CHARS, self._engines.desk.settings.limits.question_chars)]
        if not text or self._closed:
            return
        if self._turn is not None and is_stop(text):
            self.stop()
            return
        now = self._clock()
        self._heard_s = now
        self._transcript = Transcript(text, self._language, 1.0, "typed")
        self._follow(self._taker.typed(now, text))

    def stop(self) -> None:
        """End the reply that is being spoken or made."""
        self._follow(self._taker.stop(self._clock()))

    def mute(self, muted: bool) -> None:
        """Stop hearing, or hear again."""
        self._microphone.mute(muted)
        if muted:
            now = self._clock()
            self._follow(self._taker.speech_ended(now, now))

    def speak_language(self, language: str) -> None:
        """Choose the language of what the desk says of itself; an unknown one changes nothing."""
        if language in self._engines.desk.settings.languages:
            self._language = language
            self.people.speak_language(language)

    def replay(self) -> None:
        """Say the last reply again, where nothing else is being said."""
        if self._last and self._last.spoken and self._turn is None and not self._closed:
            self._say(list(self._last.spoken), self._last.outcome)

    def pick(self, turn: int, number: int) -> None:
        """Ask a question that was suggested after a turn; `number` from 0."""
        self.type(self._suggesting.pick(turn, number))

    def suggest(self, wanted: bool) -> None:
        """Suggest questions after answers, or do not."""
        self._suggesting.wanted = wanted

    async def greet(self) -> None:
        """Say the desk's greeting."""
        spoken = await self._voicing.greeting(self._language)
        if spoken is not None and self._turn is None and not self._closed:
            self._say([spoken], Outcome.ANSWERED)

    async def run(self) -> None:
        """Hear, take turns and answer, until `close`."""
        self._on_event(StateChanged(self._taker.state.value))
        while not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), TICK_S)
            self._woken.clear()
            while not self._closed and (pcm := self._microphone.take(self._clock())) is not None:
                self._listen(pcm)
            if self._ears.speaking and self._microphone.gone(self._clock()):
                # the microphone is gone in the middle of a word: that ends it
                self._listen(np.zeros(int(SILENT_S * RECOGNITION_RATE_HZ), np.float32))
            self._follow(self._taker.tick(self._clock(), self._ears.silence_s))

    async def close(self, *, finish_sentence: bool = False) -> None:
        """End the conversation and everything that it has under way.

        Args:
            finish_sentence: let what is being said come to its end first, if the stage still moves.
        """
        if finish_sentence and self._turn is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), self._turn.length_s + 1.0)
        self._closed = True
        self._woken.set()
        self._cancel()
        pending = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        await self._ears.close()

    # What is heard

    def _listen(self, pcm: Pcm) -> None:
        now = self._clock()
        for event in self._ears.take(pcm):
            behind = self._ears.now_s
            if isinstance(event, SpeechStarted):
                self._follow(self._taker.speech_started(now, now - (behind - event.start_s)))
            elif isinstance(event, SpeechEnded):
                self._heard_s = now - (behind - event.end_s)
                self._follow(self._taker.speech_ended(now, self._heard_s))
        if self._ears.speaking and self._taker.state is TurnState.LISTENING:
            self.stage.look("listening")

    async def _recognize(self, command: Recognize) -> None:
        listening = None if command.interim else self._begin(self._ears.finished())
        try:
            heard = await self._ears.words()
        except SpeechError as error:
            self._on_event(Notice("hearing_failed", str(error)))
            heard = Transcript("", self._language, 0.0, "none")
        voice = await _soon(listening) if listening else None
        text = heard.text.strip()
        taken = self._taker.utterance == command.utterance
        commands = self._taker.words(
            self._clock(),
            text,
            heard.confidence,
            heard.language,
            asked=command.asked,
            ending=heard.ending,
            voice=voice,
        )
        ignored = any(isinstance(each, Ignore) for each in commands)
        if text and taken and not command.interim and not ignored:
            self._transcript = heard
            thinking = self._turn if self._turn and not self._turn.sounded else None
            number = thinking.number if thinking else self._turns + 1
            self._on_event(HeardWords(number, text, final=False))
        self._follow(commands)

    # Turns

    def _follow(self, commands: list[Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: Command) -> None:
        match command:
            case Recognize():
                self._begin(self._recognize(command))
            case Prepare():
                before = self._turn.asked if command.joined and self._turn is not None else ""
                self._prepare(f"{before} {command.text}".strip())
            case Discard():
                self._throw_away()
            case Commit():
                self._commit(command)
            case Pause():
                self.stage.pause()
            case Resume():
                self.stage.resume()
            case Cancel():
                self._cancel(keep_later=command.reason in (CancelReason.NO_ANSWER, CancelReason.STUCK))
                if command.reason is CancelReason.NO_ANSWER:
                    self._begin(self._say_line("failed", Outcome.HANDOFF))
            case Ignore():
                self._ears.forget()
                if command.reason is IgnoreReason.UNANSWERED:
                    self._on_event(Notice("not_understood", "no words of what was heard came in time"))
                    if self._turn is None:
                        self._begin(self._say_line("repeat", Outcome.CLARIFIED))
            case ShowState():
                self.stage.look(LOOKS[command.state])
                self._on_event(StateChanged(command.state.value))

    def _cancel(self, *, keep_later: bool = False) -> None:
        if not keep_later:
            self._later = ""
        heard = self.stage.heard()
        self._break_off()
        turn, self._turn = self._turn, None
        self.stage.cancel()
        self._end_turn(turn, heard, interrupted=True)

    async def _say_line(self, phrase: str, outcome: Outcome) -> None:
        """Say one of the desk's fixed lines, where nothing else is being said."""
        spoken = await self._voicing.line(phrase, self._language, outcome)
        if spoken is not None and self._turn is None and not self._closed:
            self._say([spoken], outcome)

    def _prepare(self, text: str) -> None:
        self._throw_away()
        memory = self._memory(text)
        if changes_nothing(text, self._engines, memory):
            self._prepared = Prepared(text, self._reply(text, self._transcript, memory))
            self._prepared_for = memory.errand

    def _throw_away(self) -> None:
        if self._prepared is not None:
            self._begin(self._prepared.close())
            self._prepared = None

    def _commit(self, command: Commit) -> None:
        now = self._clock()
        asked, number = command.text, 0
        if command.joined and self._turn is not None:
            asked, number = f"{self._turn.asked} {asked}", self._turn.number
            if self._acting and not self._turn.sounded:
                self._put_off(asked_more=command.text)
                return
            if self._acting:
                # what was done is being told already: what is said over that is a question of its own
                self._cancel()
                asked, number = command.text, 0
            else:
                self.history.take(self._turn.errand)  # what was never heard was never asked
                self._turn.over = True
                self._turn = None
                self._break_off()
                self.stage.cancel()
        elif self._turn is not None:
            self._cancel()
        self._turns = number or self._turns + 1
        turn = self._turn = LiveTurn(self._turns, asked, self._heard_s, errand=self.history.errand)
        self._quiet.clear()
        turn.mark("turn_end", now)
        turn.mark("transcript", now)
        prepared, self._prepared = self._prepared, None
        memory = self._memory()
        if prepared is not None and (prepared.text != asked or self._prepared_for != memory.errand):
            self._begin(prepared.close())
            prepared = None
        self._ears.forget()
        self._acting = not changes_nothing(asked, self._engines, memory)
        events = prepared.events() if prepared else self._reply(asked, self._transcript, memory)
        self._answering = self._begin(self._answer(turn, events))

    def _memory(self, asked: str = "") -> Memory:
        """What was said before `asked`, of a reply that goes on as much as has sounded."""
        turn, staff = self._turn, self.people.staff()
        if turn is not None and turn.asked and asked.startswith(turn.asked):
            # as it will be if the two are joined
            return replace(self.history.memory(staff=staff), errand=turn.errand)
        if turn is None or turn.over or not turn.question:
            return self.history.memory(staff=staff)
        unfinished = Exchange(
            turn.question,
            self.stage.heard(),
            turn.outcome,
            interrupted=True,
            language=self._language_of(turn),
        )
        return self.history.memory(unfinished, staff)

    def _language_of(self, turn: LiveTurn) -> str:
        return turn.spoken[-1].sentence.language if turn.spoken else ""

    def _reply(self, text: str, heard: Transcript, memory: Memory) -> AsyncGenerator[Event, None]:
        transcript = Transcript(text, heard.language, heard.confidence, heard.engine)
        typed = heard.engine == "typed"
        utterance = Heard(transcript, speech_s=0.0 if typed else 1.0)
        if self.people.name:
            return attended(utterance, self._engines)
        return reply(utterance, self._engines, memory)

    def _put_off(self, *, asked_more: str) -> None:
        """A tool is at work on the turn: that is not done twice, so what was added is asked after it."""
        self._throw_away()
        self._ears.forget()
        self.stage.resume()
        if small_talk(asked_more) is None:
            self._later = f"{self._later} {asked_more}".strip()

    async def _answer(self, turn: LiveTurn, events: AsyncGenerator[Event, None]) -> None:
        try:
            async for event in events:
                if turn.over:
                    return
                self._take(turn, event)
        except Exception as error:  # whatever an engine does, the visitor gets an answer
            self._on_event(Notice("engine_failed", f"{type(error).__name__}: {error}"))
            sorry = await self._voicing.line("failed", self._language, Outcome.HANDOFF)
            turn.outcome = Outcome.HANDOFF
            if sorry is not None and not turn.over:
                with suppress(AgentError):  # too much waits to be said: then the visitor hears that
                    self.stage.say(sorry)
                    turn.spoken.append(sorry)
        finally:
            await events.aclose()
        if turn.over:
            return
        if turn.spoken:
            self._follow(self._taker.reply_lasts(now := self._clock(), now + self.stage.queued_s, last=True))
            self.stage.finish()
            latest = lambda: -1 if self.people.name else self._turns  # noqa: E731
            self._begin(self._suggesting.after(turn, self.history, latest))
        else:
            self._over("", interrupted=False)

    def _take(self, turn: LiveTurn, event: Event) -> None:
        now = self._clock()
        match event:
            case Screened():
                if not turn.question and not turn.spoken:
                    turn.question = event.verdict.text
                    self.history.hear(turn.asked, event.verdict, self._engines.tools)
                    self._on_event(HeardWords(turn.number, turn.question, final=True))
                self._on_event(VerdictGiven(turn.number, event.verdict))
            case Written():
                turn.mark("first_sentence", now)
            case Spoken():
                turn.spoken.append(event)
                turn.outcome = event.sentence.outcome
                self.stage.say(event)
                self._follow(self._taker.reply_lasts(now, now + self.stage.queued_s, last=False))
            case Noted():
                self._on_event(Notice("replaced", event.message))
            case ErrandMoved():
                self.history.take(event.errand)
            case PassedOn() | Withdrawn() | ToPerson():
                self.people.pass_on(turn, event)
            case Shown():
                self._on_event(CardShown(turn.number, event.card))
            case Ended():
                turn.outcome = event.outcome
            case _:
                pass

    def _hold_back(self) -> None:
        """End what the desk is saying or thinking; a tool that is at work comes to its end."""
        self._throw_away()
        if self._turn is not None and not self._acting:
            self.stop()

    async def _say_later(self, spoken: list[Spoken], outcome: Outcome, still: Callable[[], bool]) -> None:
        """Say something unasked when neither the visitor nor a reply is to be heard.

        Raises:
            AgentError: it could not be said.
        """
        until_s = self._clock() + WAITS_S
        while (  # noqa: ASYNC110 - it is three things that are waited for
            self._clock() < until_s and ((self._turn and self._turn.asked) or self._ears.speaking)
        ):
            await asyncio.sleep(TICK_S)
        if not spoken or self._closed or not still():
            raise AgentError("it could not be said; try again")
        turn = self._turn
        if turn is None or turn.over:
            self._say(spoken, outcome)
        elif turn.asked:
            raise AgentError("the desk is still answering; try again in a moment")
        else:  # something unasked is being said: this follows it
            for one in spoken:
                self.stage.say(one)
                turn.spoken.append(one)
            self._follow(self._taker.reply_lasts(now := self._clock(), now + self.stage.queued_s, last=True))
            self.stage.finish()

    def _say(self, spoken: list[Spoken], outcome: Outcome) -> None:
        """Say something that answers no question."""
        self._turns += 1
        self._turn = LiveTurn(self._turns, "", self._clock(), outcome=outcome, spoken=spoken)
        self._quiet.clear()
        for sentence in spoken:
            self.stage.say(sentence)
        now = self._clock()
        self._follow(self._taker.reply_lasts(now, now + self.stage.queued_s, last=True))
        self.stage.finish()

    def _staged(self, event: StageEvent) -> None:
        now = self._clock()
        turn = self._turn
        match event:
            case Began() if turn is not None:
                if not turn.sounded:
                    turn.mark("first_sound", now)
                    self._follow(self._taker.reply_began(now))
                    if turn.over:
                        return
                speech = event.spoken.speech
                self._echo.said(event.spoken.sentence.text, now, now + speech.duration_s)
                self._on_event(SentenceBegan(turn.number, event.spoken.sentence))
            case ReplyOver() if turn is not None:
                self._over(event.heard, interrupted=event.interrupted)
            case Failed():
                self._on_event(Notice("picture_failed", event.message))
            case _:
                pass

    def _over(self, heard: str, *, interrupted: bool) -> None:
        turn, self._turn = self._turn, None
        self.stage.resume()
        self._end_turn(turn, heard, interrupted=interrupted)
        self._follow(self._taker.reply_ended(self._clock()))

    def _end_turn(self, turn: LiveTurn | None, heard: str, *, interrupted: bool) -> None:
        if turn is None:
            return
        turn.over = True
        self._last = turn
        self._quiet.set()
        later, self._later = self._later, ""
        if later and not self._closed:
            asyncio.get_running_loop().call_soon(self.type, later)
        if turn.asked:
            language = self._language_of(turn)
            exchange = Exchange(turn.question, heard, turn.outcome, interrupted, language, turn.person)
            self.history.add(exchange)
        else:
            self.people.remember(heard, turn.spoken, self._language_of(turn))
        said = turn.spoken[-1].sentence.text if turn.spoken and not interrupted else heard
        self._taker.expect_dictation(asks_to_dictate(said) or self.history.dictating)
        self._on_event(turn.ended(heard, interrupted=interrupted))

    def _break_off(self) -> None:
        """Cancel what is being thought, prepared or synthesised."""
        self._throw_away()
        if self._answering is not None and self._answering is not asyncio.current_task():
            self._answering.cancel()
        self._answering = None

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_event(Notice("failed", f"{type(error).__name__}: {error}"))


async def _soon(listening: asyncio.Task[float | None]) -> float | None:
    """What a voice's end sounds like, unless that takes longer than it is worth."""
    done, _ = await asyncio.wait({listening}, timeout=VOICE_S)
    return listening.result() if done and not listening.cancelled() and not listening.exception() else None
