"""A voice for tests and load: no engine, no process, the same sound for the same text."""

from __future__ import annotations

import numpy as np

from speech.articulation import PAUSE, Onset, phonemes
from speech.loudness import with_closing_pause
from speech.prosody import prosody
from speech.silence import silence
from speech.spoken_text import check_text, language_of, normal_language, spoken
from speech.timeline import Speech
from speech.word_times import share_out, word_times

SAMPLE_RATE_HZ = 22_050

_LETTER_S = 0.07
"""At the neutral rate; 14 letters a second is normal talk."""

_CHARACTER_S = 0.22
"""The same for one Chinese character: a syllable."""

_PAUSE_S = 0.15
"""For a comma or a stop within the text."""

_TONE_HZ = 200.0
_TONE_LEVEL = 0.1

_LETTERS = {
    "a": "æ", "b": "b", "c": "k", "d": "d", "e": "ɛ", "f": "f", "g": "ɡ", "h": "h", "i": "ɪ",
    "j": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "o": "ɑ", "p": "p", "q": "k", "r": "ɹ",
    "s": "s", "t": "t", "u": "ʌ", "v": "v", "w": "w", "x": "s", "y": "j", "z": "z",
}  # fmt: skip
_OTHER = "ə"


class ScriptedSynthesizer:
    """Hums a quiet tone, one IPA segment a letter, with a timeline as long as speech would be.

    Args:
        rate: times the normal speed; large values make tests short.
    """

    engine = "scripted/tone"

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self.spoken: list[str] = []
        """Every text that was asked for, in order."""

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Hum one text; the same arguments give the same samples.

        Raises:
            SpeechError: the text is too long or the emotion unknown.
        """
        check_text(text)
        manner = prosody(emotion, intensity, pace)
        self.spoken.append(text)
        language = normal_language(language) if language else language_of(text)
        said = spoken(text, language)
        if not said.text:
            return silence(text, language, self.engine, emotion, intensity)
        onsets: list[Onset] = []
        time_s = 0.0
        for character in said.text:
            if not character.isalnum():
                if character in ",.;:!?，。；：！？":
                    onsets.append(Onset(PAUSE, time_s))
                    time_s += _PAUSE_S / (self._rate * manner.rate)
                continue
            symbol = _LETTERS.get(character.lower(), _OTHER)
            onsets.append(Onset(symbol, time_s, 2 if symbol in "æɛɪɑʌə" else 0))
            length_s = _LETTER_S if character.isascii() else _CHARACTER_S
            time_s += length_s / (self._rate * manner.rate)
        samples = max(1, round(time_s * SAMPLE_RATE_HZ))
        times = np.arange(samples) / SAMPLE_RATE_HZ
        tone = (_TONE_LEVEL * manner.gain * np.sin(2.0 * np.pi * _TONE_HZ * times)).astype(np.float32)
        for onset, end_s in zip(onsets, [*(onset.start_s for onset in onsets[1:]), time_s], strict=True):
            if onset.symbol == PAUSE:
                tone[round(onset.start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)] = 0.0
        pcm = with_closing_pause(tone, SAMPLE_RATE_HZ, text)
        onsets.append(Onset(PAUSE, samples / SAMPLE_RATE_HZ))
        timeline = phonemes(onsets, len(pcm) / SAMPLE_RATE_HZ)
        return Speech(
            pcm=pcm,
            sample_rate=SAMPLE_RATE_HZ,
            phonemes=timeline,
            words=word_times(text, said, share_out(said, timeline)),
            text=text,
            language=language,
            engine=self.engine,
            emotion=emotion,
            intensity=intensity,
        )

    def warm(self) -> None:
        """Do nothing: there is nothing to start."""

    def close(self) -> None:
        """Do nothing: there is nothing to free."""
