"""Which triangles are seen: the z-buffer that the rig compiler asks before it bakes textures."""

# mypy: allow-untyped-defs
# numba reads the types of the loops from their signatures
from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
FAR = np.float32(1e9)
"""Depth (m) of an empty pixel."""


@njit("void(f4[:,::1], f4[::1], i4[:,::1], i4[:,::1], f4[:,::1])", cache=True, nogil=True)
def identify(xy, depth, triangles, ids, zbuffer):
    """Which triangle is seen at each pixel (-1: none)."""
    height, width = zbuffer.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area >= -1e-6:
            continue
        for py in range(max(int(math.ceil(min(y0, y1, y2) - 0.5)), 0),
                        min(int(math.floor(max(y0, y1, y2) - 0.5)), height - 1) + 1):  # fmt: skip
            for px in range(max(int(math.ceil(min(x0, x1, x2) - 0.5)), 0),
                            min(int(math.floor(max(x0, x1, x2) - 0.5)), width - 1) + 1):  # fmt: skip
                fx, fy = px + 0.5 - x0, py + 0.5 - y0
                w1 = (fx * (y2 - y0) - (x2 - x0) * fy) / area
                w2 = ((x1 - x0) * fy - fx * (y1 - y0)) / area
                if w1 < -1e-4 or w2 < -1e-4 or w1 + w2 > 1.0001:
                    continue
                z = depth[a] + w1 * (depth[b] - depth[a]) + w2 * (depth[c] - depth[a])
                if z < zbuffer[py, px]:
                    zbuffer[py, px] = z
                    ids[py, px] = t


def seen(xy: F32, depth: F32, triangles: I32, size: int) -> tuple[I32, F32]:
    """Triangle ids int32[size, size] (-1: none) and depths float32[size, size] of a drawn mesh."""
    ids = np.full((size, size), -1, np.int32)
    zbuffer = np.full((size, size), FAR, np.float32)
    identify(xy, depth, np.ascontiguousarray(triangles), ids, zbuffer)
    return ids, zbuffer


@njit("void(f4[:,::1], f4[::1], i4[:,::1], f4[:,::1], f4[:,:,::1], f4[:,::1])", cache=True, nogil=True)
def paint(xy, depth, triangles, values, out, zbuffer):
    """Interpolate per-vertex values float32[n, k] over the nearest triangles into out float32[H, W, k]."""
    height, width = zbuffer.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area >= -1e-6:
            continue
        for py in range(max(int(math.ceil(min(y0, y1, y2) - 0.5)), 0),
                        min(int(math.floor(max(y0, y1, y2) - 0.5)), height - 1) + 1):  # fmt: skip
            for px in range(max(int(math.ceil(min(x0, x1, x2) - 0.5)), 0),
                            min(int(math.floor(max(x0, x1, x2) - 0.5)), width - 1) + 1):  # fmt: skip
                fx, fy = px + 0.5 - x0, py + 0.5 - y0
                w1 = (fx * (y2 - y0) - (x2 - x0) * fy) / area
                w2 = ((x1 - x0) * fy - fx * (y1 - y0)) / area
                if w1 < -1e-4 or w2 < -1e-4 or w1 + w2 > 1.0001:
                    continue
                z = depth[a] + w1 * (depth[b] - depth[a]) + w2 * (depth[c] - depth[a])
                if z < zbuffer[py, px]:
                    zbuffer[py, px] = z
                    for k in range(values.shape[1]):
                        out[py, px, k] = values[a, k] * (1 - w1 - w2) + values[b, k] * w1 + values[c, k] * w2
