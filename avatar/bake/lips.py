"""The lips of a rig: which vertices meet when the mouth closes, and closing it fully at rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.bake.mesh import BODY, F32, I32, Mesh
from avatar.geometry import BLENDSHAPE_INDEX, smoothstep

LIP_DEPTH_M = 0.014
"""What lies farther back than this behind the foremost lip point is the inside of the mouth."""
COLUMN_M = 0.0045
COLUMNS = 9
"""Lips are measured in nine columns, 4.5 mm apart: the whole mouth but its corners."""
OVERLAP_M = 0.0005
"""How much the lips overlap at rest after sealing: the raster would show specks through a touching line."""


def lip_columns(mesh: Mesh) -> tuple[I32, I32, I32, I32]:
    """Lip vertices by column from the face's right to its left: upper, their columns, lower, their columns.

    A vertex belongs to the lower lip when the jaw carries it; only the front of the lips counts.
    """
    points, carried, region = _region(mesh)
    half = COLUMNS // 2
    column = np.round(points[:, 0] / COLUMN_M).astype(np.int32) + half
    region = (
        region
        & (column >= 0)
        & (column < COLUMNS)
        & (np.abs(points[:, 0] - (column - half) * COLUMN_M) < 0.0016)
    )
    is_lower = carried > _split(points[:, 0])
    lower = np.flatnonzero(region & is_lower).astype(np.int32)
    upper = np.flatnonzero(region & ~is_lower).astype(np.int32)
    first = np.int32(mesh.ranges[BODY][0])
    return upper + first, column[upper], lower + first, column[lower]


def seal_lips(mesh: Mesh) -> None:
    """Move the resting lips together until they overlap by a quarter of a millimetre, in place."""
    points, carried, region = _region(mesh)
    split = _split(points[:, 0])
    upper, lower = region & (carried <= split), region & (carried > split)
    centres = np.arange(-0.020, 0.0201, 0.002)
    gaps, lines = [], []
    for x in centres:
        near = np.abs(points[:, 0] - x) < 0.0018
        above, below = points[near & upper, 2], points[near & lower, 2]
        if len(above) and len(below):
            gaps.append(above.min() - below.max())
            lines.append((above.min() + below.max()) / 2)
        else:
            gaps.append(np.nan)
            lines.append(np.nan)
    gap, line = np.array(gaps), np.array(lines)
    known = np.isfinite(gap)
    gap_at = np.interp(points[:, 0], centres[known], np.clip(gap[known], 0, 0.002))
    line_at = np.interp(points[:, 0], centres[known], line[known])
    first, end = mesh.ranges[BODY]
    near_line = np.exp(-(((points[:, 2] - line_at) / 0.0035) ** 2)) * region
    # at the corners both lips are one skin: nothing to close
    ends = 1 - smoothstep(0.0205, 0.0235, np.abs(points[:, 0]))
    side = np.where(carried > split, 1, -1)
    mesh.vertices[first:end, 2] += (side * (gap_at / 2 + OVERLAP_M) * near_line * ends).astype(np.float32)


def _split(x: F32) -> F32:
    """How far the jaw carries the skin at the lip line: below, it is the upper lip, above, the lower."""
    return np.asarray(
        np.interp(np.abs(x), [0, 0.010, 0.014, 0.018, 0.020], [0.5, 0.45, 0.38, 0.355, 0.365]), np.float32
    )


def _region(mesh: Mesh) -> tuple[F32, F32, NDArray[np.bool_]]:
    """Body vertices, how far the jaw carries each (0..1), and which are lips."""
    first, end = mesh.ranges[BODY]
    points = mesh.vertices[first:end]
    drop = -mesh.deltas[BLENDSHAPE_INDEX["jawOpen"], first:end, 2]
    carried = drop / float(drop.max())
    height = points[:, 2] - mesh.mouth_z
    region = (np.abs(points[:, 0]) < 0.027) & (np.abs(height) < 0.02)
    # lips curve back toward the corners: the front is measured beside each vertex
    front = np.full(len(points), np.inf)
    for low in np.arange(-0.028, 0.028, 0.002):
        band = region & (points[:, 0] >= low - 0.001) & (points[:, 0] < low + 0.003)
        inside = (points[:, 0] >= low) & (points[:, 0] < low + 0.002)
        if band.any():
            front[inside] = points[band, 1].min()
    return points, np.asarray(carried, np.float32), region & (points[:, 1] < front + LIP_DEPTH_M)
