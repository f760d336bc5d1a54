"""What is heard of one visitor: sound becomes voice and words, and turn taking is told of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

import numpy as np

from agent.conversation_events import HeardWords, Notice
from agent.ears import Ears
from agent.emotion_voice import VoiceFeatures
from agent.floor import TICK_S, Floor
from agent.microphone import SILENT_S, Microphone
from agent.own_sound import COMPARED_S
from agent.tasks import Tasks
from agent.turn_commands import Ignore, Recognize, TurnState
from speech.errors import SpeechError
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm
from speech.vad import SpeechEnded, SpeechStarted

T = TypeVar("T")

CHECKED_S = 0.1
"""How often it is looked whether somebody speaks into the avatar's echo."""
VOICE_S = 0.15
"""How much longer than for its words a turn waits for what its voice tells."""


class Hearing:
    """Hears one visitor, until the floor is closed; used on the event loop.

    Args:
        ears: the microphone's.
        floor: of the conversation.
        tasks: of the conversation.
        language: of words of which nothing tells it.
        tick_s: how often timers are looked at where no sound comes.
    """

    def __init__(self, ears: Ears, floor: Floor, tasks: Tasks, language: str, tick_s: float = TICK_S) -> None:
        self._ears, self._floor, self._tasks, self.language = ears, floor, tasks, language
        self._tick_s = tick_s
        self._microphone = Microphone(floor.clock())
        self._woken = asyncio.Event()
        self.heard_s = 0.0
        """When the latest question ended: its last voiced sample, or when it was typed."""
        self.transcript = Transcript("", language, 0.0, "none")
        """Of the latest question."""
        self._echo_checked_s: float | None = None
        """When what is heard was last found to be the avatar's own voice; None: it is not."""
        self.voice: VoiceFeatures | None = None
        """How the latest question was spoken."""

    def put(self, pcm: Pcm) -> None:
        """Take sound of the microphone, float32[n] at 16 kHz; never waits."""
        self._microphone.put(pcm)
        self._woken.set()

    def typed(self, text: str) -> None:
        """Take a typed question for what was heard."""
        self.heard_s = self._floor.clock()
        self.transcript, self.voice = Transcript(text, self.language, 1.0, "typed"), None

    def mute(self, muted: bool) -> None:
        """Stop hearing, or hear again."""
        self._microphone.mute(muted)
        self._echo_checked_s = None
        if muted:
            now = self._floor.clock()
            self._floor.follow(self._floor.taker.speech_ended(now, now))

    def wake(self) -> None:
        """Look at the floor now."""
        self._woken.set()

    async def run(self) -> None:
        """Hear, and let turn taking look at its timers, until the floor is closed."""
        floor, ears, microphone = self._floor, self._ears, self._microphone
        while not floor.closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._tick_s)
            self._woken.clear()
            while not floor.closed and (pcm := microphone.take(floor.clock())) is not None:
                self._listen(pcm)
            if ears.speaking and microphone.gone(floor.clock()):
                # the microphone is gone in the middle of a word: that ends it
                self._listen(np.zeros(int(SILENT_S * RECOGNITION_RATE_HZ), np.float32))
            floor.follow(floor.taker.tick(floor.clock(), ears.silence_s))

    def _listen(self, pcm: Pcm) -> None:
        floor = self._floor
        now = floor.clock()
        # Over a reply a syllable is more often a noise, or the reply's echo, than an answer.
        self._ears.expect_brief(floor.taker.state is TurnState.LISTENING)
        for event in self._ears.take(pcm):
            behind = self._ears.now_s
            if isinstance(event, SpeechStarted):
                if floor.taker.utterance is None and self._hears_itself(now):
                    self._echo_checked_s = now
                else:
                    floor.follow(floor.taker.speech_started(now, now - (behind - event.start_s)))
            elif self._echo_checked_s is not None:
                self._echo_checked_s = None
                self._ears.forget()
            elif isinstance(event, SpeechEnded):
                self.heard_s = now - (behind - event.end_s)
                floor.follow(floor.taker.speech_ended(now, self.heard_s))
        if self._echo_checked_s is not None and now - self._echo_checked_s >= CHECKED_S:
            self._echo_checked_s = now
            if not self._hears_itself(now):
                # somebody speaks into it, for a while now
                self._echo_checked_s = None
                self._ears.forget()
                floor.follow(floor.taker.speech_started(now, now - CHECKED_S))
        if self.speaking and floor.taker.state is TurnState.LISTENING:
            floor.stage.look("listening")

    def _hears_itself(self, now: float) -> bool:
        return self._floor.own.is_all_of(self._ears.latest(COMPARED_S), now)

    async def recognize(self, command: Recognize) -> None:
        """Tell turn taking the words of an utterance so far."""
        floor = self._floor
        listening = None if command.interim else self._tasks.start(self._ears.finished())
        measuring = None if command.interim else self._tasks.start(self._ears.voice())
        try:
            heard = await self._ears.words()
        except SpeechError as error:
            floor.tell(Notice("hearing_failed", str(error)))
            heard = Transcript("", self.language, 0.0, "none")
        voice = await _soon(listening) if listening else None
        features = await _soon(measuring) if measuring else None
        text = heard.text.strip()
        taken = floor.taker.utterance == command.utterance
        commands = floor.taker.words(
            floor.clock(),
            text,
            heard.confidence,
            heard.language,
            asked=command.asked,
            ending=heard.ending,
            voice=voice,
        )
        ignored = any(isinstance(each, Ignore) for each in commands)
        if text and taken and not command.interim and not ignored:
            self.transcript, self.voice = heard, features
            thinking = floor.turn if floor.turn and not floor.turn.sounded else None
            number = thinking.number if thinking else floor.count + 1
            floor.tell(HeardWords(number, text, final=False))
        floor.follow(commands)

    def forget(self) -> None:
        """The utterance is over: answered, or it was nothing."""
        self._ears.forget()

    @property
    def speaking(self) -> bool:
        """Whether the visitor speaks."""
        return self._ears.speaking and self._echo_checked_s is None

    async def close(self) -> None:
        """End everything under way."""
        await self._ears.close()


async def _soon(listening: asyncio.Task[T | None]) -> T | None:
    """What a voice tells, unless that takes longer than it is worth."""
    done, _ = await asyncio.wait({listening}, timeout=VOICE_S)
    return listening.result() if done and not listening.cancelled() and not listening.exception() else None
