"""Flat outlines of garments: signed distances of points to polygons and to curves, in metres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def inside_polygon(u: F64, h: F64, corners: Sequence[tuple[float, float]]) -> F64:
    """Distance to the outline of a polygon: positive inside, negative outside."""
    points = np.array(corners)
    nearest = np.full(u.shape, np.inf)
    inside = np.zeros(u.shape, bool)
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        nearest = np.minimum(nearest, to_segment(u, h, a, b))
        crosses = (a[1] > h) != (b[1] > h)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = a[0] + (h - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        inside ^= crosses & (u < at)
    return np.asarray(np.where(inside, nearest, -nearest), np.float64)


def to_segment(u: F64, h: F64, a: F64, b: F64) -> F64:
    """Distance to a straight line from a to b."""
    way = b - a
    along = np.clip(((u - a[0]) * way[0] + (h - a[1]) * way[1]) / max(float(way @ way), 1e-12), 0, 1)
    return np.asarray(np.hypot(u - a[0] - along * way[0], h - a[1] - along * way[1]))


def to_line(u: F64, h: F64, corners: Sequence[tuple[float, float]]) -> F64:
    """Distance to an open line through the corners."""
    points = np.array(corners)
    pairs = zip(points[:-1], points[1:], strict=True)
    return np.asarray(np.min([to_segment(u, h, a, b) for a, b in pairs], axis=0), np.float64)


def smooth(corners: Sequence[tuple[float, float]], rounds: int = 3) -> list[tuple[float, float]]:
    """An open line with its corners cut off again and again (Chaikin), ends kept."""
    points = np.array(corners, float)
    for _ in range(rounds):
        a, b = points[:-1], points[1:]
        cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return [(float(u), float(h)) for u, h in points]
