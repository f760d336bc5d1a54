"""Lips against sound: by how much they are apart, and whether they close at p, b and m."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from agent.frames import FPS
from agent.line import MOMENT_S, RATE_HZ, Sound
from avatar.viseme import is_bilabial
from evals.replay.tape import Heard

F64 = NDArray[np.float64]

STEP_S = 0.01
"""Of the curves that are held against each other."""
MOST_S = 0.6
"""How far apart lips and sound are looked for: farther, nobody takes them for one."""
VOICE_HZ = (300.0, 2500.0)
"""Band of the sound: vowels, for which mouths open, without the hiss for which they do not."""
WINDOW_S = 0.04
LEAST_S = 2.0
"""Of audible sound: of 1.2 s once 283 ms were told where nothing was late."""
LEAST_ALIKE = 0.2
"""Correlation of opening and loudness; below, the two have nothing to do with each other. A face and its own
sound have 0.5 to 0.65, with another's 0.1 and less."""
ENOUGH_S = 3.0
"""Of audible sound, with which a mouth that is not alike is one that does not speak it."""
AUDIBLE = 0.004
"""RMS in the band, of 1."""
SHORTEST_S = 0.03
"""Of a p, b or m: a shorter one lies between two frames."""


def offset_ms(openings: Mapping[int, float], sound: Sound) -> tuple[float | None, bool]:
    """Tell by how much the lips come after the sound; below 0: before it.

    Args:
        openings: moment → opening of the lips in mm; moments without a measured face are left out.
        sound: int16[n] at 48 kHz from moment 0 on.

    Returns:
        Milliseconds; None where too little is said, or mouth and sound have nothing to do with each other.
        And whether they have nothing to do with each other for sure: a mouth that stands still, or another's.
    """
    loud = loudness(sound)
    audible_s = float((loud > AUDIBLE).sum()) * STEP_S
    if audible_s < LEAST_S or len(openings) < FPS * LEAST_S:
        return None, False
    moments = np.fromiter(openings, np.float64)
    order = np.argsort(moments)
    times = np.arange(len(loud)) * STEP_S
    shown = (moments[order] + 0.5) * MOMENT_S
    mouth = np.interp(times, shown, np.fromiter(openings.values(), np.float64)[order])
    near = _near(loud > AUDIBLE, round(MOST_S / STEP_S))
    lags = range(-round(MOST_S / STEP_S), round(MOST_S / STEP_S) + 1)
    scores = np.array([_alike(mouth, np.sqrt(loud), near, lag) for lag in lags])
    best = int(np.argmax(scores))
    if scores[best] < LEAST_ALIKE:
        return None, min(audible_s, len(openings) / FPS) >= ENOUGH_S
    between = 0.0
    if 0 < best < len(scores) - 1:  # the top of the parabola through the three best
        left, top, right = scores[best - 1 : best + 2]
        curve = left - 2 * top + right
        between = float(0.5 * (left - right) / curve) if curve else 0.0
    return (lags[best] + between) * STEP_S * 1e3, False


def closures(openings: Mapping[int, float], tape: Heard, below_mm: float) -> list[bool]:
    """Tell of every p, b and m that left whether the lips closed at it.

    Args:
        openings: as `offset_ms` takes them.
        tape: knows what was said when.
        below_mm: opening up to which lips count as closed.
    """
    found = list[bool]()
    told = set[tuple[int, float, int]]()
    for index, moment in tape.moments.items():
        if moment.spoken is None:
            continue
        for phoneme in moment.spoken.speech.phonemes:
            inside = moment.at_s <= phoneme.start_s < moment.at_s + MOMENT_S
            if not inside or not is_bilabial(phoneme.symbol) or phoneme.end_s - phoneme.start_s < SHORTEST_S:
                continue
            key = id(moment.spoken), phoneme.start_s, index
            if key in told:
                continue
            told.add(key)
            begin = index + (phoneme.start_s - moment.at_s) / MOMENT_S
            end = begin + (phoneme.end_s - phoneme.start_s) / MOMENT_S
            seen = [openings[n] for n in range(floor(begin), ceil(end) + 1) if n in openings]
            if seen and _left(tape, index, ceil(end) - 1):
                found.append(min(seen) <= below_mm)
    return found


def _left(tape: Heard, first: int, last: int) -> bool:
    """Whether a sound was not cut: its sentence goes on to its end."""
    spoken = tape.moments[first].spoken
    return all(n in tape.moments and tape.moments[n].spoken is spoken for n in range(first, last + 1))


def loudness(sound: Sound) -> F64:
    """Return the RMS in the voice's band every `STEP_S`, for int16[n] at 48 kHz."""
    step, size = round(STEP_S * RATE_HZ) // 3, round(WINDOW_S * RATE_HZ) // 3
    # every third sample will do: what folds back lies above what a voice has
    pcm = np.concatenate([np.zeros(size // 2), sound[::3].astype(np.float64) / 32768.0, np.zeros(size)])
    pieces = np.lib.stride_tricks.sliding_window_view(pcm, size)[::step]
    power = np.abs(np.fft.rfft(pieces * np.hanning(size), axis=1)) ** 2
    hertz = np.fft.rfftfreq(size, 3 / RATE_HZ)
    band = (hertz >= VOICE_HZ[0]) & (hertz < VOICE_HZ[1])
    weight = float((np.hanning(size) ** 2).sum()) * size / 2
    return np.asarray(np.sqrt(power[:, band].sum(axis=1) / weight))


def _near(audible: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Where something is audible, and so far around it: long silences tell nothing."""
    return np.convolve(audible, np.ones(2 * reach + 1), "same") > 0


def _alike(mouth: F64, loud: F64, near: NDArray[np.bool_], lag: int) -> float:
    """Correlation of the sound with the mouth so many steps later."""
    length = len(loud)
    a = mouth[max(lag, 0) : length + min(lag, 0)]
    b = loud[max(-lag, 0) : length - max(lag, 0)]
    kept = near[max(-lag, 0) : length - max(lag, 0)]
    a, b = a[kept] - a[kept].mean(), b[kept] - b[kept].mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / norm if norm else 0.0
