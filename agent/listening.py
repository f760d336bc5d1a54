"""Hearing one question: sound in, words out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from agent.emotion_voice import voice_features
from agent.events import Heard
from agent.threads import in_hearing
from speech.recognizer import RECOGNITION_RATE_HZ, Recognizer, RecognizerStream, Transcript
from speech.timeline import Pcm
from speech.vad import WINDOW, SpeechEnded, SpeechStarted, VadEvent, VoiceActivity


async def listen(pcm: Pcm, recognizer: Recognizer) -> Heard:
    """Hear one question.

    The sound is taken window by window, as from a microphone: each passes the voice activity detector and,
    while somebody speaks, the recognizer. `recognition_ms` therefore counts from the moment at which the last
    window has been taken in: the end of the question.

    Args:
        pcm: mono float32[n] at 16 kHz.
        recognizer: any engine.
    """
    return await in_hearing(_hear, pcm, recognizer)


def _hear(pcm: Pcm, recognizer: Recognizer) -> Heard:
    stream = recognizer.stream()
    try:
        ear = _Ear(pcm, stream)
        for end in range(WINDOW, len(pcm) + WINDOW, WINDOW):
            ear.take(min(end, len(pcm)))
        ear.finish()
        ended = time.perf_counter()
        if ear.speech_s:
            transcript = stream.finish()
        else:
            transcript = Transcript("", recognizer.languages[0], 0.0, recognizer.engine)
        return Heard(
            transcript=transcript,
            speech_s=ear.speech_s,
            vad_ms=ear.vad_s * 1e3,
            recognition_ms=(time.perf_counter() - ended) * 1e3,
            voice=voice_features(pcm) if ear.speech_s else None,
        )
    finally:
        stream.close()


def _detector() -> VoiceActivity:
    detector = VoiceActivity()
    detector.expect_brief(True)
    return detector


@dataclass(slots=True)
class _Ear:
    """Passes on to the recognizer what is speech, with its pre-roll."""

    pcm: Pcm
    stream: RecognizerStream
    detector: VoiceActivity = field(default_factory=_detector)
    speech_s: float = 0.0
    vad_s: float = 0.0
    _taken: int = 0
    _fed: int = 0
    _started_s: float = 0.0

    def take(self, end: int) -> None:
        """Take the sound up to sample `end`."""
        began = time.perf_counter()
        events = self.detector.feed(self.pcm[self._taken : end])
        self.vad_s += time.perf_counter() - began
        self._taken = end
        self._follow(events)
        if self.detector.speaking:
            self._feed()

    def finish(self) -> None:
        """End the sound."""
        self._follow(self.detector.finish())

    def _follow(self, events: list[VadEvent]) -> None:
        for event in events:
            if isinstance(event, SpeechStarted):
                self._started_s = event.start_s
                self._fed = max(self._fed, int(event.keep_from_s * RECOGNITION_RATE_HZ))
            elif isinstance(event, SpeechEnded):
                self.speech_s += event.end_s - self._started_s
                self._feed()

    def _feed(self) -> None:
        if self._taken > self._fed:
            self.stream.feed(self.pcm[self._fed : self._taken])
            self._fed = self._taken
