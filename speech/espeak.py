"""The voice that is always there: espeak-ng, in a worker process of its own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from speech.articulation import PAUSE, SHORTEST_PAUSE_S, Onset, phonemes, with_closures
from speech.loudness import at_level, with_closing_pause
from speech.mnemonics import Sound, is_vowel, sound, switched_language
from speech.prosody import ESPEAK_PITCH, ESPEAK_RATE_WPM, espeak_settings, prosody
from speech.silence import silence
from speech.spoken_text import can_be_said, check_text, language_of, normal_language, spoken
from speech.timeline import Pcm, Phoneme, Speech
from speech.voice_worker import VoiceWorker
from speech.word_times import Mark, word_times

VOICE_EN = "en-us+f2"
VOICE_ZH = "cmn+f2"
"""A woman's voice, for the face that ships. Of fifteen women among the variants f2 was at once clear and
pleasant: DNSMOS 3.0, and 4 % of the words of 45 customer questions lost by pocketsphinx with a language
model that holds them (f1 4 %, 2.8; f5 4 %, 2.9; the others of that quality lost 20 % and more)."""

_VARIANT = "f2"
"""Of the other languages' voices."""

_VOICE_OF_LANGUAGE = {"no": "nb", "pt": "pt-br"}
"""Where espeak-ng names a language otherwise than ISO 639-1."""

_CHINESE_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")

_SCRIPT = Path(__file__).with_name("espeak_worker.py")


_REST = sound("_")


@dataclass(frozen=True, slots=True)
class _TimedSound:
    """What a mnemonic stands for, and when the engine says that it begins."""

    sound: Sound
    start_s: float


class EspeakSynthesizer:
    """espeak-ng's formant voices: over a hundred languages, a few milliseconds a sentence.

    Thread-safe; one text at a time. The worker process starts with the first text and ends with `close`,
    or with this process.

    Args:
        voice_en: espeak-ng voice for English, with or without a variant: "en-us+f2", "gmw/en+f5".
        voice_zh: for Chinese.
        rate: words a minute in the neutral emotion.
        pitch: 0 to 99, 50 is the voice's own.
        timeout_s: for one text.
        repeatable: the same text always sounds the same to the last sample, whatever was said before; a
            text takes about a millisecond more.
    """

    def __init__(
        self,
        voice_en: str = VOICE_EN,
        voice_zh: str = VOICE_ZH,
        *,
        rate: int = ESPEAK_RATE_WPM,
        pitch: int = ESPEAK_PITCH,
        timeout_s: float = 30.0,
        repeatable: bool = False,
    ) -> None:
        self.repeatable = repeatable
        self._voices = {"en": voice_en, "zh": voice_zh}
        self._rate = rate
        self._pitch = pitch
        self.engine = f"espeak-ng/{voice_en}"
        self._worker = VoiceWorker(
            _SCRIPT,
            name="espeak-ng",
            remedy="install it with: pip install espeakng-loader",
            reply_timeout_s=timeout_s,
        )

    @property
    def worker(self) -> VoiceWorker:
        """The process behind the voice."""
        return self._worker

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Speak one sentence, or a text of up to `MAX_TEXT_CHARACTERS`.

        Args:
            text: as written; see `speech.spoken_text` for how figures and signs are said. A text without
                a letter or digit gives a short silence.
            emotion: a key of `speech.prosody.EMOTIONS`.
            intensity: 0 to 1.
            language: ISO 639-1, or None to tell Chinese from English by the script. Words in the other
                script are spoken by espeak-ng's rules for them, in the same voice.
            pace: factor on the speed that the emotion has.

        Raises:
            EngineUnavailable: espeak-ng or the language's voice is missing.
            SpeechError: the text is too long, the emotion unknown, or the synthesizer closed.
            WorkerDied: the engine died twice over this text or did not answer in time.
        """
        check_text(text)
        manner = prosody(emotion, intensity, pace)
        language = normal_language(language) if language else language_of(text)
        said = spoken(text, language)
        if not said.text:
            return silence(text, language, self.engine, emotion, intensity)
        voice = self.voice_of(language)
        settings = espeak_settings(manner, rate=self._rate, pitch=self._pitch)
        pieces: list[Pcm] = []
        sounds: list[_TimedSound] = []
        words: list[tuple[int, int, float]] = []
        rate_hz, samples = 0, 0
        for first, piece, by in _runs(said.text, voice, self.voice_of("zh")):
            reply = self._worker.ask(
                {
                    "text": piece,
                    "voice": by,
                    "rate": settings.rate,
                    "pitch": settings.pitch,
                    "range": settings.range,
                    "fresh": self.repeatable,
                }
            )
            rate_hz = int(reply.header["sample_rate"])
            start_s = samples / rate_hz
            sounds += _sounds(reply.header["phonemes"], rate_hz, by.split("+")[0], start_s)
            words += [
                (first + character, length, start_s + sample / rate_hz)
                for sample, character, length in reply.header["words"]
            ]
            pieces.append(reply.pcm)
            samples += len(reply.pcm)
            sounds.append(_TimedSound(_REST, samples / rate_hz))
        pcm = with_closing_pause(at_level(np.concatenate(pieces), rate_hz, manner), rate_hz, text)
        timeline = phonemes(_onsets(sounds, pcm, rate_hz), len(pcm) / rate_hz)
        marks = _marks(words, timeline)
        return Speech(
            pcm=pcm,
            sample_rate=rate_hz,
            phonemes=timeline,
            words=word_times(text, said, marks),
            text=text,
            language=language,
            engine=f"espeak-ng/{voice}",
            emotion=emotion,
            intensity=intensity,
        )

    def voice_of(self, language: str) -> str:
        """Name the espeak-ng voice of a language (ISO 639-1)."""
        if language in self._voices:
            return self._voices[language]
        return f"{_VOICE_OF_LANGUAGE.get(language, language)}+{_VARIANT}"

    def warm(self) -> None:
        """Start the worker now, so that the first text need not wait for it.

        Raises:
            EngineUnavailable: the engine or its model is missing.
            WorkerDied: the worker did not start.
        """
        self._worker.greeting()

    def close(self) -> None:
        """End the worker; safe to call twice."""
        self._worker.close()


def _runs(text: str, voice: str, voice_zh: str) -> list[tuple[int, str, str]]:
    """Split off what the voice cannot say: first character, text and voice of each run.

    espeak-ng's Chinese switches to English by itself; the other voices say "Chinese letter" for each
    character, so that the Chinese voice speaks those.
    """
    if voice.startswith(("cmn", "yue", "hak", "ja")):
        return [(0, text, voice)]
    runs: list[tuple[int, str, str]] = []
    position = 0
    for match in _CHINESE_RUN.finditer(text):
        if can_be_said(text[position : match.start()]):
            runs.append((position, text[position : match.start()], voice))
        runs.append((match.start(), match.group(), voice_zh))
        position = match.end()
    if can_be_said(text[position:]) or not runs:
        runs.append((position, text[position:], voice))
    return runs


def _sounds(
    events: Sequence[Sequence[Any]], rate_hz: int, language: str, start_s: float
) -> list[_TimedSound]:
    """Read espeak-ng's mnemonics and first samples, following its changes of language."""
    sounds: list[_TimedSound] = []
    spoken_by = language
    for event in events:
        mnemonic, sample = str(event[0]), int(event[1])
        switched = switched_language(mnemonic)
        if switched is not None:
            spoken_by = language if language.startswith(switched) else switched
        else:
            sounds.append(_TimedSound(sound(mnemonic, spoken_by), start_s + sample / rate_hz))
    return sounds


def _onsets(sounds: Sequence[_TimedSound], pcm: Pcm, rate_hz: int) -> list[Onset]:
    """Find the closures, then split every sound into its IPA segments."""
    whole = [Onset(timed.sound.segments[0].symbol, timed.start_s) for timed in sounds]
    starts = [onset.start_s for onset in with_closures(whole, pcm, rate_hz)]
    onsets: list[Onset] = []
    for index, (timed, start_s) in enumerate(zip(sounds, starts, strict=True)):
        length_s = starts[index + 1] - start_s if index + 1 < len(starts) else 0.0
        position_s = start_s
        stress = timed.sound.stress
        for segment in timed.sound.segments:
            # "A@" with its own r, and then the r of the next vowel: one sound.
            if not (segment.symbol == "ɹ" and onsets and onsets[-1].symbol == "ɹ"):
                stressed = is_vowel(segment.symbol)
                onsets.append(Onset(segment.symbol, position_s, stress if stressed else 0))
                stress = 0 if stressed else stress  # the first part of a diphthong carries it
            position_s += segment.share * max(0.0, length_s)
    return onsets


def _marks(words: Sequence[tuple[int, int, float]], timeline: Sequence[Phoneme]) -> list[Mark]:
    """Time espeak-ng's words: each ends where the next begins, or where a pause does."""
    pauses = [phoneme.start_s for phoneme in timeline if phoneme.symbol == PAUSE]
    total_s = timeline[-1].end_s if timeline else 0.0
    marks: list[Mark] = []
    for place, (character, length, start_s) in enumerate(words):
        next_s = words[place + 1][2] if place + 1 < len(words) else total_s
        # A pause at the word's own start is its lead-in, not its end.
        index = bisect_right(pauses, start_s + SHORTEST_PAUSE_S)
        end_s = min(next_s, pauses[index]) if index < len(pauses) else next_s
        marks.append(Mark(character, length, start_s, end_s))
    return marks
