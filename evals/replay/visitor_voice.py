"""The visitor's voice: made by the product's synthesizer with another speaker, or recorded."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.line import RATE_HZ
from evals.replay.kept_sound import kept
from evals.scripts import Script, ScriptError, Turn
from evals.scripts.script import Voice
from speech.audio import Resampler, load_audio
from speech.errors import AudioError, SpeechError
from speech.espeak import VOICE_EN, VOICE_ZH, EspeakSynthesizer
from speech.loudness import at_level
from speech.prosody import ESPEAK_PITCH, ESPEAK_RATE_WPM, prosody
from speech.synthesizer import Synthesizer, load_synthesizer
from speech.timeline import Pcm

SPEAKERS = {
    "en": ("en-us+m6", "en-us+f5", "en-us+m1", "gmw/en+f5", "en-us+m3", "gmw/en+f1", "en-gb-x-rp+m1"),
    "zh": ("cmn+m3", "cmn+f4", "cmn+m7", "cmn+f1"),
}
"""Who the visitor may be where a script names nobody: men and women, none of them the demo desk's own voice.
Pocketsphinx lost 54 to 73 % of the words of 14 sloppy questions in these English ones, 54 % in the desk's own
voice and 84 % in Scottish ones, which a script has to name."""
SEMITONE = 4.2
"""espeak-ng's pitch, 0 to 99, changes by so much a semitone; measured, see `speech.prosody`."""
STEP = RATE_HZ // 100
VOICED_SHARE = 1e-3
"""A 10 ms frame is voice from this share of the loudest one's power (-30 dB): as `speech.loudness` has it."""
LEAST_PAUSE_S = 0.15
"""The closure of a stop lasts up to this long."""
RECORDING_S = 120.0
"""Longest recording of one turn."""
MOST_OPEN = 4
"""Voices whose workers may run at once."""
PIPER_PACES = (0.75, 1.2)
"""Speeds that a Piper voice can have."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that the visitor says."""

    pcm: Pcm
    """float32[n] at 48 kHz, its voiced parts at -20 dBFS."""
    first: int
    """Number of the first voiced sample."""
    last: int
    """Number after the last voiced one."""

    @property
    def pauses_s(self) -> list[float]:
        """Return how long the voice pauses in between, in seconds; what is shorter than a stop is none."""
        gaps_s = (np.diff(_voiced(self.pcm)) - 1) * (STEP / RATE_HZ)
        return [round(float(one), 2) for one in gaps_s if one >= LEAST_PAUSE_S]

    @property
    def loudness(self) -> float:
        """RMS of its voiced parts."""
        return voiced_level(self.pcm)


def speaker_of(script: Script, turn: Turn, repeat: int) -> str:
    """Name who says a turn; where nobody is named, somebody whom the script's seed chooses."""
    if named := (turn.voice or script.voice).speaker or script.voice.speaker:
        return named
    choice = SPEAKERS.get(script.language)
    if choice is None:
        return ""
    return random.Random(f"speaker {script.fixtures.seed + repeat} {script.id}").choice(choice)


def utterance_of(
    script: Script, number: int, words: str, repeat: int = 0, cache: Path | None = None
) -> Utterance:
    """Make, or read, what the visitor says in a turn.

    Args:
        script: whose.
        number: of the turn, from 0.
        words: with the customer's facts in them.
        repeat: which replay of the script.
        cache: folder of sounds that were made before; None: the user's.

    Raises:
        ScriptError: there is no such recording or speaker, or the words cannot be said.
    """
    turn = script.turns[number]
    if turn.wav:
        return _recorded(script, number)
    voice = turn.voice or script.voice
    speaker = speaker_of(script, turn, repeat)
    try:
        pcm = kept(
            ("voice", speaker, script.language, voice.speed, voice.pitch, words),
            lambda: _spoken(words, script.language, speaker, voice),
            cache,
        )
    except SpeechError as error:
        where = ("turns", number, "voice") if turn.voice else ("voice",)
        line = script.line(*where) or script.line("turns", number, "user")
        raise ScriptError(f"the visitor cannot say this: {error}", script.file, line) from None
    return _bounded(pcm)


def voiced_level(pcm: Pcm) -> float:
    """Return the RMS of a sound's voiced 10 ms frames; 0 in silence."""
    power = _powers(pcm)
    voiced = power[power > power.max(initial=0.0) * VOICED_SHARE]
    return float(np.sqrt(voiced.mean())) if len(voiced) else 0.0


def close_voices() -> None:
    """End the workers of the voices that were needed."""
    while _open:
        _open.popitem()[1].close()


def at_48k(pcm: Pcm, rate_hz: int) -> Pcm:
    """Return a sound at 48 kHz."""
    resampler = Resampler(rate_hz, RATE_HZ)
    return np.concatenate([resampler.feed(pcm), resampler.flush()])


def _recorded(script: Script, number: int) -> Utterance:
    file = script.file.parent / script.turns[number].wav
    try:
        pcm = load_audio(file, max_s=RECORDING_S, rate_hz=RATE_HZ)
    except AudioError as error:
        raise ScriptError(str(error), script.file, script.line("turns", number, "wav")) from None
    if not pcm.any():
        line = script.line("turns", number, "wav")
        raise ScriptError(f"{file} is silent: record it again", script.file, line)
    return _bounded(at_level(pcm, RATE_HZ, prosody("neutral")))


def _spoken(words: str, language: str, speaker: str, voice: Voice) -> Pcm:
    synthesizer, pace = _synthesizer(speaker, language, voice.speed, voice.pitch)
    speech = synthesizer.speak(words, language=language, pace=pace)
    return at_48k(speech.pcm, speech.sample_rate)


def _synthesizer(speaker: str, language: str, speed: float, pitch: float) -> tuple[Synthesizer, float]:
    """Return who speaks, and at which pace."""
    if speaker.endswith(".onnx"):
        piper = load_synthesizer(engine="piper", voice=speaker, languages=(language,))
        return piper, min(max(speed, PIPER_PACES[0]), PIPER_PACES[1])
    rate = min(max(round(ESPEAK_RATE_WPM * speed), 80), 450)
    height = ESPEAK_PITCH + 12.0 * math.log2(pitch) * SEMITONE
    return _espeak(speaker, rate, min(max(round(height), 0), 99)), 1.0


def _espeak(speaker: str, rate: int, pitch: int) -> Synthesizer:
    """Return a voice with a worker of its own, which stays for the next words."""
    key = speaker, rate, pitch
    voice = _open.pop(key, None)
    if voice is None:
        chinese = speaker.startswith(("cmn", "yue", "hak"))
        voice = EspeakSynthesizer(
            speaker if speaker and not chinese else VOICE_EN,
            speaker if chinese else VOICE_ZH,
            rate=rate,
            pitch=pitch,
            repeatable=True,
        )
    _open[key] = voice
    while len(_open) > MOST_OPEN:
        _open.pop(next(iter(_open))).close()
    return voice


_open: dict[tuple[str, int, int], EspeakSynthesizer] = {}
"""Voices whose workers run, the one that was needed last at the end."""


def _bounded(pcm: Pcm) -> Utterance:
    voiced = _voiced(pcm)
    if not len(voiced):
        return Utterance(pcm, 0, len(pcm))
    return Utterance(pcm, int(voiced[0]) * STEP, min((int(voiced[-1]) + 1) * STEP, len(pcm)))


def _voiced(pcm: Pcm) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the numbers of the 10 ms that are voice."""
    power = _powers(pcm)
    return np.flatnonzero(power > power.max(initial=0.0) * VOICED_SHARE)


def _powers(pcm: Pcm) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean power of each 10 ms at 48 kHz."""
    count = len(pcm) // STEP
    return np.asarray((pcm[: count * STEP].astype(np.float64).reshape(count, STEP) ** 2).mean(axis=1))
