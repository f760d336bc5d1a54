"""What is heard behind the visitor: other people, a fan, a road, a hum, or a recording."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.line import RATE_HZ
from evals.replay.kept_sound import kept
from evals.replay.room import reverberant
from evals.replay.visitor_voice import at_48k, voiced_level
from evals.scripts import Script, ScriptError
from evals.scripts.beside import LONGEST_NOISE_S
from evals.scripts.script import NOISES, Noise
from speech.audio import load_audio
from speech.errors import AudioError, SpeechError
from speech.espeak import VOICE_EN, EspeakSynthesizer
from speech.timeline import Pcm

LOOP_S = 20.0
"""Of noise that is made; then it begins again."""
FADE = RATE_HZ // 20
"""Samples over which its end goes over into its beginning, 50 ms."""
MAINS_HZ = 50.0
HUM = (1.0, 0.6, 0.4, 0.2, 0.1)
"""Strength of the hum's harmonics: 50, 100, 150 … Hz."""
TALKERS = ("en-us+m1", "gmw/en+f2", "en-us+f3", "en-gb-scotland+m4", "cmn+f5", "en-gb-x-rp+m8")
"""Of a babble: so many that no words of any are understood."""
BABBLE_ROOM_S = 0.7
"""Reverberation time of the room in which they talk: a café's."""
TALK = (
    "So I told him that the train would be late again, and he only laughed about it.",
    "We could meet on Thursday in front of the museum, if the weather stays like this.",
    "Two coffees, please, and a slice of the apple cake with a little cream on top.",
    "My sister has moved into the old house at the corner, you know the one I mean.",
    "他们昨天去了公园，天气非常好，孩子们都很高兴。",
    "And then the whole team went home, because nobody had brought the keys at all.",
)


def noise_of(noise: Noise, script: Script, repeat: int, cache: Path | None = None) -> Pcm:
    """Return a noise to be played in a loop, float32[n] at 48 kHz, as loud as an utterance at 0 dB SNR.

    Args:
        noise: which.
        script: names the file, and the seed.
        repeat: which replay of it.
        cache: folder of sounds that were made before; None: the user's.

    Raises:
        ScriptError: there is no such noise, or its file cannot be read.
    """
    seed = f"noise {script.fixtures.seed + repeat} {script.id}"
    if noise.kind in NOISES:
        pcm = _babble(cache) if noise.kind == "babble" else _MADE[noise.kind](seed)
    else:
        file = script.file.parent / noise.kind
        try:
            pcm = load_audio(file, max_s=LONGEST_NOISE_S, rate_hz=RATE_HZ)
        except AudioError as error:
            remedy = f"noise kind {noise.kind!r} is none of {', '.join(NOISES)}, and no file: {error}"
            raise ScriptError(remedy, script.file, script.line_of_noise(noise)) from None
    level = voiced_level(pcm)
    if not level:
        told = f"the noise {noise.kind} is silent: use another file"
        raise ScriptError(told, script.file, script.line_of_noise(noise))
    # where in the loop it begins is the seed's choice, too
    pcm = np.roll(_looped(pcm), -int(random.Random(seed).random() * len(pcm)))
    return np.asarray(pcm / level, np.float32)


def _looped(pcm: Pcm) -> Pcm:
    """Return a sound whose end goes over into its beginning."""
    fade = min(FADE, len(pcm) // 2)
    rise = np.sqrt(np.linspace(0.0, 1.0, fade, dtype=np.float32))
    out = pcm[: len(pcm) - fade].copy()
    out[:fade] = out[:fade] * rise + pcm[len(pcm) - fade :] * rise[::-1]
    return out


def _numbers(seed: str, count: int) -> NDArray[np.float64]:
    return np.random.default_rng(random.Random(seed).getrandbits(63)).standard_normal(count)


def _white(seed: str) -> Pcm:
    return np.asarray(_numbers(seed, int(LOOP_S * RATE_HZ)) * 0.1, np.float32)


def _pink(seed: str) -> Pcm:
    spectrum = np.fft.rfft(_numbers(seed, int(LOOP_S * RATE_HZ)))
    hertz = np.fft.rfftfreq(int(LOOP_S * RATE_HZ), 1 / RATE_HZ)
    pcm = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20.0)))
    return np.asarray(pcm * 0.1 / pcm.std(), np.float32)


def _hum(seed: str) -> Pcm:
    times = np.arange(int(LOOP_S * RATE_HZ)) / RATE_HZ
    chance = random.Random(seed)
    parts = [
        strength * np.sin(2 * np.pi * MAINS_HZ * (place + 1) * times + chance.uniform(0, 2 * np.pi))
        for place, strength in enumerate(HUM)
    ]
    return np.asarray(0.1 * np.sum(parts, axis=0), np.float32)


def _babble(cache: Path | None) -> Pcm:
    """Several voices that talk at once, each without pause and in an order of its own."""
    return kept(("babble", TALKERS, TALK, LOOP_S, BABBLE_ROOM_S), _talking, cache)


def _talking() -> Pcm:
    length = int(LOOP_S * RATE_HZ)
    out = np.zeros(length, np.float32)
    for number, talker in enumerate(TALKERS):
        chinese = talker.startswith("cmn")
        voice = EspeakSynthesizer(*((VOICE_EN, talker) if chinese else (talker,)), repeatable=True)
        lines = [line for line in TALK if (line[0] > "\u2fff") == chinese]
        lines = lines[number % len(lines) :] + lines[: number % len(lines)]
        try:
            said = [voice.speak(line, language="zh" if chinese else "en") for line in lines]
        except SpeechError:
            continue  # a babble of fewer is still one
        finally:
            voice.close()
        pcm = np.concatenate([at_48k(one.pcm, one.sample_rate) for one in said])
        out += np.resize(pcm, length)
    # Across a room a voice is mostly what the walls make of it: no single one is to be made out.
    out += np.roll(out, length // 3)
    far = reverberant(out, BABBLE_ROOM_S, "babble") - np.pad(out, (0, int(BABBLE_ROOM_S * RATE_HZ) - 1))
    return np.asarray(far[:length] / max(float(np.abs(far).max()), 1e-6) * 0.9, np.float32)


_MADE: dict[str, Callable[[str], Pcm]] = {"white": _white, "pink": _pink, "hum": _hum}
