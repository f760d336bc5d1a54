"""One visitor's microphone: when somebody speaks, and which words."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from agent.emotion_voice import VoiceFeatures, voice_features
from agent.threads import in_hearing
from speech.background import ABOVE_DB
from speech.errors import SpeechError, WorkerDied
from speech.recognizer import RECOGNITION_RATE_HZ, Recognizer, Transcript
from speech.timeline import Pcm
from speech.vad import SpeechStarted, VadEvent, VadSettings, VoiceActivity

T = TypeVar("T")

SILENCE_S = 0.2
"""Without voice for so long, the words so far are asked for: most turns end here, and work can begin."""
KEPT_S = 1.0
"""Sound kept while nobody speaks: the pre-roll of the next utterance, and a margin."""
FED = RECOGNITION_RATE_HZ // 20
"""Samples that a recognizer is handed at least: each time costs the event loop a change of threads."""
LONGEST_S = 40.0
"""Sound of one utterance that is kept; turn taking ends a turn earlier."""


class Ears:
    """Hears one visitor; used on the event loop, recognises in threads.

    An utterance begins with the first speech and lasts over pauses until `forget`. `words` may be asked
    several times while it goes on: each time the whole of it is recognised, the new part as it arrives.

    Args:
        recognizer: any engine; None hears when somebody speaks, but no words.
        turn_end: probability that a voice, float32[n] at 16 kHz, has finished; None: nothing tells.
        above_background_db: a voice counts from so much above what is heard all the time; 0: however soft.
    """

    def __init__(
        self,
        recognizer: Recognizer | None,
        *,
        turn_end: Callable[[Pcm], float] | None = None,
        above_background_db: float = ABOVE_DB,
    ) -> None:
        self._recognizer, self._turn_end = recognizer, turn_end
        settings = VadSettings(stop_s=SILENCE_S, above_background_db=above_background_db)
        self._detector = VoiceActivity(settings=settings)
        self._pieces: deque[Pcm] = deque()
        self._first = self._taken = 0
        self._from: int | None = None
        self._hearing: _Hearing | None = None
        self._ending: set[_Hearing] = set()

    @property
    def now_s(self) -> float:
        """Length of the sound taken so far: the clock of the events, in seconds."""
        return self._taken / RECOGNITION_RATE_HZ

    @property
    def speaking(self) -> bool:
        """True while somebody speaks."""
        return self._detector.speaking

    @property
    def silence_s(self) -> float:
        """Since the last voice, sure or not."""
        return self._detector.silence_s

    def expect_brief(self, brief: bool) -> None:
        """Say whether short answers are expected; see `VadSettings.clear_s`."""
        self._detector.expect_brief(brief)

    def latest(self, length_s: float) -> Pcm:
        """Return the last so many seconds of sound, float32[n] at 16 kHz, or what is kept of them."""
        return np.concatenate([np.zeros(0, np.float32), *self._pieces])[
            -round(length_s * RECOGNITION_RATE_HZ) :
        ]

    def take(self, pcm: Pcm) -> list[VadEvent]:
        """Take the next samples, float32[n] at 16 kHz; returns what they made certain."""
        pcm = np.asarray(pcm, np.float32)
        if not np.isfinite(pcm).all():
            pcm = np.nan_to_num(pcm, nan=0.0, posinf=0.0, neginf=0.0)
        self._pieces.append(pcm)
        self._taken += len(pcm)
        events = self._detector.feed(pcm)
        fed = False
        for event in events:
            if isinstance(event, SpeechStarted):
                if self._from is None:
                    self._from = max(int(event.keep_from_s * RECOGNITION_RATE_HZ), self._first)
                fed = self._listen() or fed
        if not fed and self._detector.speaking:
            fed = self._listen()  # its words were asked for while it went on
        if self._hearing is not None and not fed:
            self._hearing.feed(pcm)
        self._trim()
        return events

    async def words(self) -> Transcript:
        """Recognise the utterance so far.

        Raises:
            SpeechError: the engine failed twice.
        """
        self._listen()
        hearing, self._hearing = self._hearing, None
        if hearing is None:
            languages = self._recognizer.languages if self._recognizer else ("en",)
            return Transcript("", languages[0], 0.0, self._recognizer.engine if self._recognizer else "none")
        self._ending.add(hearing)
        try:
            return await hearing.finish()
        except WorkerDied:
            again = _Hearing(hearing.recognizer)
            self._ending.add(again)
            try:
                again.feed(self._sound())
                return await again.finish()
            finally:
                self._ending.discard(again)
        finally:
            self._ending.discard(hearing)

    async def finished(self) -> float | None:
        """How finished the utterance's voice sounds so far, 0..1; None where nothing tells."""
        if self._turn_end is None or self._from is None:
            return None
        return await in_thread(self._turn_end, self._sound())

    async def voice(self) -> VoiceFeatures | None:
        """Measure how the utterance so far was spoken; None where there is too little voice in it."""
        return None if self._from is None else await in_thread(voice_features, self._sound())

    def forget(self) -> None:
        """The utterance is over: answered, or it was nothing."""
        if self._hearing is not None:
            self._drop(self._hearing)
            self._hearing = None
        self._from = None
        self._trim()
        if self._detector.speaking:
            # somebody is in the middle of a word: that belongs to the next utterance
            self._from = self._first
            self._listen()

    async def close(self) -> None:
        """End everything under way."""
        if self._hearing is not None:
            self._drop(self._hearing)
            self._hearing = None
        await asyncio.gather(*(hearing.close() for hearing in list(self._ending)))

    def _listen(self) -> bool:
        """Begin to recognise the utterance from its start, unless that is being done or there is none."""
        if self._hearing is not None or self._from is None or self._recognizer is None:
            return False
        self._hearing = _Hearing(self._recognizer)
        self._hearing.feed(self._sound())
        return True

    def _drop(self, hearing: _Hearing) -> None:
        self._ending.add(hearing)
        task = asyncio.ensure_future(hearing.close())
        task.add_done_callback(lambda _: self._ending.discard(hearing))

    def _sound(self) -> Pcm:
        """The utterance so far."""
        begin = (self._from if self._from is not None else self._taken) - self._first
        return np.concatenate(self._pieces)[begin:]

    def _trim(self) -> None:
        if self._from is not None:
            # a radio that never stops: only the end of it is kept
            self._from = max(self._from, self._taken - int(LONGEST_S * RECOGNITION_RATE_HZ))
        keep = self._from if self._from is not None else self._taken - int(KEPT_S * RECOGNITION_RATE_HZ)
        while self._pieces and self._first + len(self._pieces[0]) <= keep:
            self._first += len(self._pieces.popleft())


class _Hearing:
    """One stream of a recognizer, fed by a task of its own."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self._queue: asyncio.Queue[Pcm | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    def feed(self, pcm: Pcm) -> None:
        """Hand over samples."""
        self._queue.put_nowait(pcm)

    async def finish(self) -> Transcript:
        """End the stream; its words."""
        self._queue.put_nowait(None)
        return await self._task

    async def close(self) -> None:
        """Throw it away."""
        self._task.cancel()
        with suppress(asyncio.CancelledError, SpeechError):
            await self._task

    async def _run(self) -> Transcript:
        stream = await in_thread(self.recognizer.stream)
        try:
            more = True
            while more:
                sound, more = await self._pieces()
                if sound:
                    await in_thread(stream.feed, np.concatenate(sound))
            return await in_thread(stream.finish)
        finally:
            await asyncio.shield(in_hearing(stream.close))

    async def _pieces(self) -> tuple[list[Pcm], bool]:
        """Wait for `FED` samples or more, or what there is when the stream ends; whether it goes on."""
        sound: list[Pcm] = []
        length = 0
        while length < FED or not self._queue.empty():
            piece = await self._queue.get()
            if piece is None:
                return sound, False
            sound.append(piece)
            length += len(piece)
        return sound, True


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Like `in_hearing`, but waits for the thread when cancelled, however often: what it uses is in use."""
    future = asyncio.ensure_future(in_hearing(function, *arguments))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        if not future.cancelled() and future.exception() is None and hasattr(future.result(), "close"):
            future.result().close()  # type: ignore[attr-defined]
        raise
