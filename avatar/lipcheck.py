"""Do the lips close where they must? Measured on the rig's own lip vertices, not on weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import weights_of
from avatar.pose import Pose
from avatar.rig import Rig
from avatar.viseme import is_bilabial
from speech.timeline import Phoneme

F32 = NDArray[np.float32]

CLOSED_MM = 0.15
"""A lip gap up to this much counts as closed: a tenth of a pixel in a picture of 512."""
MUST_CLOSE_S = 0.060
"""Bilabials longer than this must reach full closure."""


@dataclass(frozen=True, slots=True)
class Closure:
    """How one /p b m/ was spoken."""

    symbol: str
    start_s: float
    end_s: float
    gap_mm: float
    """Smallest lip gap over the frames within the sound (or the frame nearest to its middle)."""
    required: bool
    """True for sounds longer than `MUST_CLOSE_S`."""

    @property
    def closed(self) -> bool:
        """True when the lips met."""
        return self.gap_mm <= CLOSED_MM


def lip_gap_mm(rig: Rig, poses: Sequence[Pose]) -> F32:
    """Lip opening float32[n] in mm: the widest over the columns of the mouth, negative when pressed together.

    Zero is two lips that just touch; the resting mouth overlaps a little.
    """
    if not poses:
        return np.zeros(0, np.float32)
    upper, upper_column, lower, lower_column = rig.lips
    place = np.full(len(rig.vertices), -1, np.int64)
    place[rig.active] = np.arange(len(rig.active))
    weights = np.stack([weights_of(pose) for pose in poses])

    def heights(vertices: NDArray[np.int32]) -> F32:
        rest = rig.vertices[vertices, 2]
        moving = place[vertices] >= 0
        out = np.repeat(rest[None], len(poses), 0)
        out[:, moving] += weights @ rig.deltas[:, place[vertices[moving]], 2]
        return out

    above, below = heights(upper), heights(lower)
    columns = sorted(set(upper_column.tolist()) & set(lower_column.tolist()))
    gaps = [above[:, upper_column == c].min(1) - below[:, lower_column == c].max(1) for c in columns]
    return np.asarray(np.max(gaps, axis=0) * 1000, np.float32)


def closures(
    rig: Rig, poses: Sequence[Pose], phonemes: Sequence[Phoneme], fps: float = 25.0
) -> list[Closure]:
    """Every /p b m/ of a speech and how far the lips stood apart; frame i of `poses` shows (i + ½) / fps."""
    gaps = lip_gap_mm(rig, poses)
    times = (np.arange(len(poses)) + 0.5) / fps
    found = []
    for phoneme in phonemes:
        if not is_bilabial(phoneme.symbol) or not len(times):
            continue
        inside = (times >= phoneme.start_s) & (times <= phoneme.end_s)
        if not inside.any():
            inside[np.abs(times - (phoneme.start_s + phoneme.end_s) / 2).argmin()] = True
        length = phoneme.end_s - phoneme.start_s
        found.append(
            Closure(
                phoneme.symbol,
                phoneme.start_s,
                phoneme.end_s,
                float(gaps[inside].min()),
                length > MUST_CLOSE_S,
            )
        )
    return found


def unclosed(
    rig: Rig, poses: Sequence[Pose], phonemes: Sequence[Phoneme], fps: float = 25.0
) -> list[Closure]:
    """The /p b m/ longer than 60 ms at which the lips did not meet: empty when the speech is well spoken."""
    return [c for c in closures(rig, poses, phonemes, fps) if c.required and not c.closed]
