"""Ears that know what is said: an utterance begins, lasts, ends, and has its words, all by the script."""

from __future__ import annotations

from agent.ears import SILENCE_S, Ears
from agent.emotion_voice import VoiceFeatures
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm
from speech.vad import SpeechEnded, SpeechStarted, VadEvent, VadSettings

LETTER_S, CHARACTER_S = 0.07, 0.22
"""How long a Latin letter and a Chinese character take to say: as `speech.scripted_voice` hums them."""


def length_s(text: str) -> float:
    """Return how long a text takes to say."""
    return sum(CHARACTER_S if one > "\u2fff" else LETTER_S for one in text if one.isalnum())


class ScriptedEars(Ears):
    """Hears what it is told, by the length of the silent sound that it is fed."""

    def __init__(self) -> None:
        super().__init__(None)
        self._text = self._language = ""
        self._start_s = self._end_s = float("inf")
        self._began = self._speaking = False
        self._heard_s = 0.0
        self._settings_ = VadSettings(stop_s=SILENCE_S)

    def say(self, text: str, language: str) -> float:
        """Say something from now on; returns how many seconds it takes."""
        self._text, self._language = text, language
        self._start_s = self._heard_s
        self._end_s = self._heard_s + length_s(text)
        self._began = False
        return length_s(text)

    @property
    def now_s(self) -> float:
        """Length of the sound taken so far."""
        return self._heard_s

    @property
    def speaking(self) -> bool:
        """True while somebody speaks."""
        return self._speaking

    @property
    def silence_s(self) -> float:
        """Since the last voice."""
        if self._start_s <= self._heard_s < self._end_s:
            return 0.0
        return max(self._heard_s - self._end_s, 0.0)

    def take(self, pcm: Pcm) -> list[VadEvent]:
        """Let so much time pass; returns what became certain in it."""
        self._heard_s += len(pcm) / RECOGNITION_RATE_HZ
        events = list[VadEvent]()
        if not self._began and self._heard_s >= self._start_s + self._settings_.speech_s:
            self._began = self._speaking = True
            keep_s = max(self._start_s - self._settings_.pre_roll_s, 0.0)
            events.append(SpeechStarted(self._start_s, keep_s, self._heard_s))
        if self._speaking and self._heard_s >= self._end_s + self._settings_.stop_s:
            self._speaking = False
            events.append(SpeechEnded(self._end_s, self._heard_s))
        return events

    async def words(self) -> Transcript:
        """Return the words that were said so far."""
        if not self._text:
            return Transcript("", self._language or "en", 0.0, "scripted")
        share = (self._heard_s - self._start_s) / max(self._end_s - self._start_s, 1e-6)
        said = self._text if share >= 1 else self._text[: round(share * len(self._text))]
        return Transcript(said, self._language, 1.0, "scripted")

    async def finished(self) -> float | None:
        """Nothing is known of a voice that is none."""
        return None

    async def voice(self) -> VoiceFeatures | None:
        """Nothing is known of a voice that is none."""
        return None

    def forget(self) -> None:
        """The utterance is over."""
        self._text = ""

    async def close(self) -> None:
        """Nothing is under way."""
