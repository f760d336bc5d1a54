"""Head and brows on the beat of the speech: nods, lifts and turns where the voice puts its weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from speech.timeline import Phoneme, Speech

F32 = NDArray[np.float32]

NOD_DEG, NOD_S = 2.1, 0.16
"""Depth of a nod on a sound of full weight, and half width of the movement."""
BROW, BROW_S = 0.24, 0.26
"""The same for the brows."""
APART_S = (0.75, 1.35)
"""Shortest and longest distance kept between two beats: more would be a woodpecker."""
LEAD_S = 0.12
"""The head begins before the sound; most of this is taken up by the easing that follows."""
PHRASE_START = 0.35
"""Weight that the first stressed sound after a pause has on top."""
NOD, LIFT = 0.62, 0.82
"""Of all beats these shares (cumulative) are nods and lifts of the chin; the rest are small turns."""
VIGOUR = {"happy": 1.15, "surprised": 1.2, "empathetic": 0.85, "apologetic": 0.75, "thinking": 0.7}
"""How much an emotion moves along with its speech."""
PAUSE_S = 0.12


def beats(speech: Speech, times: F32, emotion: str, rng: np.random.Generator) -> F32:
    """Movement on the beat.

    Args:
        speech: sound and timeline.
        times: float[n], seconds to look at.
        emotion: one of the seven.
        rng: chooses how each beat looks.

    Returns:
        float32[n, 4]: degrees of yaw, pitch and roll, and weight of the brows.
    """
    out = np.zeros((len(times), 4), np.float32)
    vigour = VIGOUR.get(emotion, 1.0)
    for middle, weight in _chosen(_stressed(speech), rng):
        size = vigour * (0.55 + 0.45 * weight) * float(rng.uniform(0.8, 1.2))
        way, side = float(rng.random()), 1.0 if rng.random() < 0.5 else -1.0
        if way < NOD:
            turn = (0.15 * side, 1.0, 0.2 * side)
        elif way < LIFT:
            turn = (0.0, -0.75, 0.25 * side)
        else:
            turn = (0.8 * side, 0.35, 0.5 * side)
        away = times - (middle - LEAD_S)
        out[:, :3] += np.outer(np.exp(-((away / NOD_S) ** 2)), np.array(turn) * NOD_DEG * size)
        out[:, 3] += BROW * size * weight * np.exp(-((away / BROW_S) ** 2))
    return out


def _stressed(speech: Speech) -> list[tuple[float, float]]:
    """(middle, weight 0..1) of the sounds that carry the highest stress of the speech."""
    most = max((phoneme.stress for phoneme in speech.phonemes), default=0)
    if most == 0:
        return []
    found: list[tuple[float, float, bool]] = []
    fresh = True
    for phoneme in speech.phonemes:
        if not phoneme.symbol and phoneme.end_s - phoneme.start_s >= PAUSE_S:
            fresh = True
        elif phoneme.stress == most:
            found.append(((phoneme.start_s + phoneme.end_s) / 2, _level(speech, phoneme), fresh))
            fresh = False
    loudest = max(level for _, level, _ in found) or 1.0
    return [
        (middle, min(level / loudest + (PHRASE_START if first else 0.0), 1.0))
        for middle, level, first in found
    ]


def _level(speech: Speech, phoneme: Phoneme) -> float:
    first, last = (int(t * speech.sample_rate) for t in (phoneme.start_s, phoneme.end_s))
    part = speech.pcm[first : max(last, first + 1)]
    level = float(np.sqrt(np.mean(part.astype(np.float64) ** 2))) if len(part) else 0.0
    return level if np.isfinite(level) else 0.0


def _chosen(stressed: Sequence[tuple[float, float]], rng: np.random.Generator) -> list[tuple[float, float]]:
    """The weightiest first, and then whatever is far enough from those that are taken."""
    taken: list[tuple[float, float]] = []
    for middle, weight in sorted(stressed, key=lambda beat: -beat[1]):
        apart = float(rng.uniform(*APART_S))
        if all(abs(middle - other) >= apart for other, _ in taken):
            taken.append((middle, weight))
    return sorted(taken)
