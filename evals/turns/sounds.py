"""What sounds into a reply in the turn-taking bench: words that want the floor, other words, and noises."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from agent.line import RATE_HZ as LINE_HZ
from evals.live_speech import found
from evals.replay.noise import noise_of
from evals.replay.visitor_voice import utterance_of, voiced_level
from evals.scripts import Script
from evals.scripts.script import Fixtures, Noise, Turn, Voice
from evals.turns.speech import QUIET, phrases
from speech.audio import load_audio, to_mono_16k
from speech.loudness import SPEECH_LEVEL
from speech.recognizer import RECOGNITION_RATE_HZ as RATE_HZ
from speech.timeline import Pcm

QUIET_S = 20
"""Of a quiet room; then it begins again."""
LEVELS_DB = (0.0, -10.0)
"""Of a noise over the visitor's voice."""
LENGTHS = ("short", "medium", "long")
NOISE_S = 3.0
"""Longest noise that is tried; of a longer recording, its beginning."""
LONGEST_FILE_S = 600.0
RECORDED = "recorded"
"""Group of the noises that were given as recordings."""
EARLIEST_S, LATEST_S = 0.8, 4.0
"""After the first sound of a reply something sounds into it."""
BACKCHANNEL_SPEAKERS = 3
"""Say each in a quiet room; one more says it in noise."""
SEEDS = 5
"""Of each made noise."""
NOTHING_SEEDS = 10
"""Of each background into which nobody speaks."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What is heard all the time behind the visitor."""

    kind: str = ""
    """As `evals.replay.noise` knows it; "": a quiet room."""
    below_db: float = 0.0
    """How much less loud than the visitor's voice it is."""

    def __str__(self) -> str:
        return f"{self.kind} {self.below_db:g} dB below" if self.kind else "quiet room"


BEHIND = (
    Behind(),
    Behind("babble", 20.0),
    Behind("babble", 10.0),
    Behind("babble", 5.0),
    Behind("pink", 10.0),
    Behind("pink", 5.0),
)
BACKCHANNEL_BEHIND = BEHIND[4]
Kind = Literal["barge_in", "backchannel", "noise", "nothing"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something that sounds while a reply is heard."""

    kind: Kind
    name: str
    """The words, or what makes the noise."""
    language: str
    group: str
    """ "short", "medium" or "long" words; which noise; else ""."""
    pcm: Pcm
    """float32[n] at 16 kHz, from its first sound to its last; empty for nothing."""
    after_s: float
    """From the reply's first sound."""
    behind: Behind = BEHIND[0]
    seed: int = 0
    """Of what is behind."""
    level_db: float | None = None
    """Of a noise over a visitor's voice."""

    @property
    def said(self) -> str:
        """The words, "" where there are none."""
        return self.name if self.kind in ("barge_in", "backchannel") else ""


def overlaps(language: str, seed: int, noises: Sequence[Path] = (), *, quick: bool = False) -> list[Overlap]:
    """Return everything that is tried in a language, in order; the same for the same seed.

    Args:
        language: "en" or "zh".
        seed: of speakers, moments and made noises.
        noises: recordings of noises, or folders of them.
        quick: a few of each kind only.

    Raises:
        AudioError: a recording cannot be read.
        ScriptError: no voice is installed.
    """
    every = [*_words(language, seed), *_noises(language, seed, noises), *_nothing(language)]
    return every[::QUICKER] if quick else every


QUICKER = 7
"""One of so many is tried."""


def _words(language: str, seed: int) -> Iterator[Overlap]:
    for length in LENGTHS:
        for text in phrases()[language][length]:
            for number, behind in enumerate(BEHIND):
                yield _said("barge_in", text, language, length, behind, f"{seed} {number}")
    for text in phrases()[language]["backchannel"]:
        for number in range(BACKCHANNEL_SPEAKERS):
            yield _said("backchannel", text, language, "", BEHIND[0], f"{seed} {number}")
        yield _said("backchannel", text, language, "", BACKCHANNEL_BEHIND, f"{seed} noise")


def _said(kind: Kind, text: str, language: str, group: str, behind: Behind, seed: str) -> Overlap:
    chance = random.Random(f"{kind} {text} {seed}")
    script = Script(
        id="overlap",
        language=language,
        voice=Voice(speed=chance.uniform(0.9, 1.15)),
        turns=(Turn(user=text),),
        fixtures=Fixtures(seed=chance.randrange(10_000)),
    )
    voice = utterance_of(script, 0, text)
    return Overlap(
        kind,
        text,
        language,
        group,
        to_mono_16k(voice.pcm[voice.first : voice.last], LINE_HZ),
        chance.uniform(EARLIEST_S, LATEST_S),
        behind,
        chance.randrange(SEEDS),
    )


def _noises(language: str, seed: int, paths: Sequence[Path]) -> Iterator[Overlap]:
    made = [
        (name, name, make(random.Random(f"{name} {seed} {n}")))
        for name, make in MADE.items()
        for n in range(SEEDS)
    ]
    heard = [
        (
            file.stem.replace("_", " "),
            RECORDED,
            load_audio(file, max_s=LONGEST_FILE_S)[: int(NOISE_S * RATE_HZ)],
        )
        for file in (found(paths) if paths else [])
    ]
    for number, (name, group, pcm) in enumerate([*made, *heard]):
        for level_db in LEVELS_DB:
            chance = random.Random(f"{name} {number} {seed} {level_db}")
            scale = SPEECH_LEVEL * 10 ** (level_db / 20) / max(_level(pcm), 1e-6)
            yield Overlap(
                "noise",
                name,
                language,
                group,
                np.asarray(np.clip(pcm * scale, -1.0, 1.0), np.float32),
                chance.uniform(EARLIEST_S, LATEST_S),
                level_db=level_db,
            )


def _nothing(language: str) -> Iterator[Overlap]:
    for behind in BEHIND:
        for number in range(NOTHING_SEEDS):
            yield Overlap("nothing", "", language, "", np.zeros(0, np.float32), 0.0, behind, number)


@lru_cache(maxsize=32)
def background(behind: Behind, seed: int) -> Pcm:
    """Return what is heard behind a voice, float32[n] at 16 kHz, to be played in a loop."""
    if not behind.kind:
        quiet = np.random.default_rng(seed).standard_normal(QUIET_S * RATE_HZ) * QUIET
        return np.asarray(quiet, np.float32)
    script = Script(id="overlap", turns=(Turn(user="-"),), fixtures=Fixtures(seed=seed))
    noise = to_mono_16k(noise_of(Noise(kind=behind.kind), script, 0), LINE_HZ)
    return np.asarray(noise * SPEECH_LEVEL * 10 ** (-behind.below_db / 20), np.float32)


def _level(pcm: Pcm) -> float:
    """RMS of the loud pieces of 10 ms, as of a voice's."""
    return voiced_level(np.repeat(pcm, LINE_HZ // RATE_HZ))


# Noises that need no recording


def _burst(chance: random.Random, length_s: float, decay_s: float, smooth: int) -> Pcm:
    """Noise that begins at once and dies away; `smooth`: samples over which it is averaged, the duller."""
    numbers = np.random.default_rng(chance.getrandbits(63))
    count = round(length_s * RATE_HZ)
    noise = np.convolve(numbers.standard_normal(count + smooth), np.ones(smooth) / smooth, "valid")[:count]
    return np.asarray(noise * np.exp(-np.arange(count) / RATE_HZ / decay_s), np.float32)


def _cough(chance: random.Random) -> Pcm:
    """Two or three strong breaths without voice."""
    parts = list[Pcm]()
    for _ in range(chance.choice((2, 3))):
        parts.append(_burst(chance, 0.22, chance.uniform(0.05, 0.09), 3))
        parts.append(np.zeros(round(chance.uniform(0.05, 0.15) * RATE_HZ), np.float32))
    return np.concatenate(parts)


def _door(chance: random.Random) -> Pcm:
    """A dull blow that dies away, and the latch after it."""
    blow = _burst(chance, 0.6, chance.uniform(0.08, 0.15), 24)
    latch = _burst(chance, 0.05, 0.01, 2) * np.float32(0.2)
    at = round(chance.uniform(0.2, 0.4) * RATE_HZ)
    blow[at : at + len(latch)] += latch
    return blow


def _keyboard(chance: random.Random) -> Pcm:
    """Two seconds of typing."""
    pcm = np.zeros(2 * RATE_HZ, np.float32)
    at = 0
    while at < len(pcm) - RATE_HZ // 20:
        click = _burst(chance, 0.03, 0.006, 2) * np.float32(chance.uniform(0.5, 1.0))
        pcm[at : at + len(click)] += click
        at += round(chance.uniform(0.09, 0.25) * RATE_HZ)
    return pcm


MADE = {"cough": _cough, "door": _door, "keyboard": _keyboard}
