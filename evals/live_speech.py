"""Recorded speech of people as what the visitor says, cut into utterances at its pauses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.live_script import RATE_HZ, REPLY_S, Kind, Recording, arranged
from speech.audio import load_audio
from speech.errors import AudioError
from speech.timeline import Pcm

PAUSE_S = 0.5
"""A longer one parts two utterances; shorter ones are how people speak."""
SHORTEST_S = 1.5
"""Of what is cut out of something longer: less is a scrap of a sentence."""
SHORTEST_WHOLE_S = 0.7
"""Of a recording that is one utterance: "yes, please"."""
LONGEST_S = 8.0
"""Longer stretches are cut at their longest pauses."""
BREATH_S = 0.15
"""The shortest pause at which a stretch that is too long is cut: stops within words are shorter."""
VOICED = 0.1
"""Share of the voice's level from which something counts as said: 20 dB below are breaths and rooms."""
LOUD_PERCENTILE = 90.0
"""Of the 10 ms levels of a recording: the voice's level, whatever share of it is silent."""
INTERRUPT_S = 2.2
"""From an utterance's end to the one that breaks in: a reply to what was hardly understood is short."""
FILE_S = 3600.0
"""Of one recording: what is longer is no visitor."""
SUFFIXES = (".wav", ".flac")
TRANSCRIPTS = "transcripts.tsv"
STEP = RATE_HZ // 100


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said without a long pause."""

    text: str
    """What was said where a transcript tells it, else the file and the seconds in it."""
    pcm: Pcm
    """float32[n] at 48 kHz."""


def found(paths: Iterable[Path]) -> list[Path]:
    """Name the recordings of files and folders, in order.

    Args:
        paths: sound files of any kind; of folders, and folders in them, .wav and .flac files are taken.

    Raises:
        AudioError: nothing is there, or a folder holds no recording.
    """
    files = list[Path]()
    for path in paths:
        if not path.exists():
            raise AudioError(f"{path} is not there: check the name")
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        if not inside:
            raise AudioError(f"{path} holds no recording: put {' or '.join(SUFFIXES)} files into it")
        files += inside
    return files


def transcripts(files: Iterable[Path]) -> dict[Path, str]:
    """Read the `transcripts.tsv` beside recordings: file name, tab, what is said; absent ones are no error.

    Raises:
        AudioError: one is not UTF-8 text.
    """
    told = dict[Path, str]()
    for folder in sorted({file.parent for file in files}):
        table = folder / TRANSCRIPTS
        if not table.is_file():
            continue
        try:
            lines = table.read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise AudioError(f"{table} is not UTF-8 text: save it again as such") from None
        for line in lines:
            name, tab, text = line.partition("\t")
            if tab and text.strip():
                told[folder / name.strip()] = text.strip()
    return told


def cut(pcm: Pcm) -> list[tuple[int, int]]:
    """Find the utterances in a recording.

    Args:
        pcm: float32[n] at 48 kHz.

    Returns:
        First and last sample of each, `SHORTEST_S` to `LONGEST_S` long; none where nobody speaks.
    """
    parts = list[tuple[int, int]]()
    for stretch in parted(voiced_steps(pcm), PAUSE_S):
        parts += _shortened(stretch)
    least = SHORTEST_WHOLE_S if len(parts) == 1 else SHORTEST_S
    return [(begin * STEP, end * STEP) for begin, end in parts if least <= (end - begin) * 0.01 <= LONGEST_S]


def utterances(paths: Sequence[Path]) -> list[Utterance]:
    """Cut recordings into utterances.

    Raises:
        AudioError: something cannot be read, or nothing in it is an utterance.
    """
    files = found(paths)
    texts = transcripts(files)
    said = list[Utterance]()
    for file in files:
        pcm = load_audio(file, max_s=FILE_S, rate_hz=RATE_HZ)
        parts = cut(pcm)
        for begin, end in parts:
            where = f"{file.name} {begin / RATE_HZ:.1f}-{end / RATE_HZ:.1f} s"
            text = texts.get(file, where) if len(parts) == 1 else where
            said.append(Utterance(text, pcm[begin:end]))
    if not said:
        names = ", ".join(str(path) for path in paths)
        raise AudioError(
            f"{names}: nobody says anything of {SHORTEST_S:g} to {LONGEST_S:g} s between two pauses there; "
            "give recordings of whole sentences"
        )
    return said


def recording(paths: Sequence[Path], most: int) -> Recording:
    """Lay recorded speech out as a visitor's microphone; every second utterance breaks into a reply.

    Args:
        paths: files and folders.
        most: utterances; fewer where there are no more. They are taken from all over the recordings.

    Raises:
        AudioError: as `utterances`.
    """
    said = utterances(paths)
    chosen = [said[number * len(said) // min(most, len(said))] for number in range(min(most, len(said)))]
    kinds: tuple[Kind, Kind] = ("question", "interruption")
    laid = [(kinds[number % 2], one.text, one.pcm) for number, one in enumerate(chosen)]
    return arranged(laid, interrupt_s=INTERRUPT_S, second_reply_s=REPLY_S)


def voiced_steps(pcm: Pcm, step: int = STEP) -> np.ndarray:
    """Number the pieces of 10 ms, of `step` samples each, in which somebody speaks, by their level."""
    level = np.sqrt(np.mean(pcm[: len(pcm) // step * step].reshape(-1, step) ** 2, axis=1))
    loud = float(np.percentile(level, LOUD_PERCENTILE)) if len(level) else 0.0
    return np.flatnonzero(level > VOICED * loud) if loud > 0 else np.zeros(0, np.intp)


def parted(voiced: np.ndarray, pause_s: float) -> list[np.ndarray]:
    """Part steps that are voiced where the pause between two is at least so long."""
    if not len(voiced):
        return []
    return np.split(voiced, np.flatnonzero(np.diff(voiced) * 0.01 > pause_s) + 1)


def _shortened(voiced: np.ndarray) -> list[tuple[int, int]]:
    """One stretch, or several where it is too long: cut at the longest pause that leaves no scrap."""
    begin, end = int(voiced[0]), int(voiced[-1]) + 1
    if (end - begin) * 0.01 <= LONGEST_S:
        return [(begin, end)]
    pauses = np.diff(voiced)
    scrap = round(SHORTEST_S / 0.01)
    pauses = np.where((voiced[:-1] - begin >= scrap) & (end - voiced[1:] >= scrap), pauses, 0)
    if not len(pauses) or pauses.max() * 0.01 < BREATH_S:
        return [(begin, end)]  # spoken in one breath: too long, left out
    at = int(np.argmax(pauses)) + 1
    return [*_shortened(voiced[:at]), *_shortened(voiced[at:])]
