"""Teeth, tongue and the cavity behind them, placed as one rigid piece behind a person's lips.

The warp that fits the skin knows nothing of what lies behind it: it would bend rows of teeth, and a turned
head would show sides of them for which there is no picture.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avatar.photo.fit import AXES, Fit
from avatar.photo.landmarks import INNER_LOWER, INNER_UPPER
from avatar.photo.template import INSIDE, Template

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

TURN_SHARE = 0.35
"""Share of the head's turn and nod that the teeth follow; they lean with it wholly."""
WIDTHS = (0.85, 1.15)
"""Limits of the mouth's width against the template's: teeth differ less than lips."""
BEHIND_M = 0.001
"""Teeth stay at least this far behind the closed lips."""
FARTHEST_M = 0.008
"""Farthest that they are moved back for it."""


def with_teeth(template: Template, fit: Fit) -> Fit:
    """The fit with the mouth's inside at rest and in its movements as rigid as in the template."""
    inside = np.unique(template.triangles[template.kind == INSIDE])
    lips = [*INNER_UPPER, *INNER_LOWER]
    own = template.landmarks(template.vertices)[lips].astype(np.float64)
    theirs = template.landmarks(fit.neutral)[lips].astype(np.float64)
    matrix = _facing(fit.similarity.matrix)
    wide = np.linalg.norm(theirs[0] - theirs[10]) / np.linalg.norm(own[0] - own[10]) / fit.similarity.scale
    scale = fit.similarity.scale * float(np.clip(wide, *WIDTHS))
    middle = own.mean(0)
    rest = scale * (template.vertices[inside] - middle) @ matrix.T + theirs.mean(0)
    rest[:, 2] += _back(rest, template.landmarks(fit.neutral)[lips], fit.similarity.scale)
    neutral, deltas = fit.neutral.copy(), fit.deltas.copy()
    neutral[inside] = rest
    place = np.full(len(template.vertices), -1)
    place[template.active] = np.arange(len(template.active))
    moving = place[inside][place[inside] >= 0]
    deltas[:, moving] = scale * template.deltas[:, moving] @ matrix.T.astype(np.float32)
    return replace(fit, neutral=neutral, deltas=deltas)


def _facing(matrix: F64) -> F64:
    """Rig axes to photo axes with turn and nod reduced to `TURN_SHARE`."""
    import cv2

    turn = cv2.Rodrigues(matrix @ AXES.T)[0].ravel()
    turn[:2] *= TURN_SHARE
    return np.asarray(cv2.Rodrigues(turn)[0] @ AXES, np.float64)


def _back(rest: F64, rim: F32, scale: float) -> float:
    """How far (px) the piece must go back so that nothing of it lies before the lips' inner rim."""
    order = np.argsort(rim[:, 0])
    x, depth = rim[order, 0], rim[order, 2]
    near = (rest[:, 0] > x[0]) & (rest[:, 0] < x[-1])
    if not near.any():
        return 0.0
    over = np.interp(rest[near, 0], x, depth) + BEHIND_M * scale - rest[near, 2]
    return float(np.clip(np.percentile(over, 99), 0, FARTHEST_M * scale))
