"""What a picture of a mesh shows: for each pixel the nearest triangle and the place within it."""

# mypy: allow-untyped-defs
# numba reads the types of the loop from its signature
from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
FAR = np.float32(1e9)
"""Depth of an empty pixel."""


SIGNATURE = "void(f4[:,::1], f4[::1], i4[:,::1], i4[:,::1], f4[:,:,::1], f4[:,::1])"


@lru_cache(maxsize=1)
def _compiled() -> Any:
    # loaded when something is drawn: photos that will not do are refused before
    from numba import njit

    return njit(SIGNATURE, cache=True, nogil=True)(_identify)


def _identify(xy, depth, triangles, ids, places, zbuffer):
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
                    places[py, px, 0] = 1 - w1 - w2
                    places[py, px, 1] = w1
                    places[py, px, 2] = w2


class Seen:
    """A drawn mesh.

    Args:
        xy: float32[V, 2], pixels with centres at .5; y points down, front triangles have negative area.
        depth: float32[V], nearer is smaller.
        triangles: int32[T, 3].
        height: of the picture, pixels.
        width: of the picture, pixels.
    """

    def __init__(self, xy: F32, depth: F32, triangles: I32, height: int, width: int) -> None:
        self.triangles = np.ascontiguousarray(triangles, np.int32)
        self.ids: I32 = np.full((height, width), -1, np.int32)
        """Triangle at each pixel, -1 where there is none."""
        self.places: F32 = np.zeros((height, width, 3), np.float32)
        """Barycentric place within it."""
        self.zbuffer: F32 = np.full((height, width), FAR, np.float32)
        _compiled()(
            np.ascontiguousarray(xy, np.float32), np.ascontiguousarray(depth, np.float32), self.triangles,
            self.ids, self.places, self.zbuffer,
        )  # fmt: skip

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Where something is drawn, bool[H, W]."""
        return np.asarray(self.ids >= 0)

    def painted(self, values: F32) -> F32:
        """Per-vertex values float32[V, k] as a picture float32[H, W, k], 0 where nothing is drawn."""
        out = np.zeros((*self.ids.shape, values.shape[1]), np.float32)
        hit = self.covered
        out[hit] = np.einsum("nk,nkc->nc", self.places[hit], values[self.triangles[self.ids[hit]]])
        return out

    def painted_corners(self, values: F32) -> F32:
        """Per-corner values float32[T, 3, k] as a picture float32[H, W, k], 0 where nothing is drawn."""
        out = np.zeros((*self.ids.shape, values.shape[2]), np.float32)
        hit = self.covered
        out[hit] = np.einsum("nk,nkc->nc", self.places[hit], values[self.ids[hit]])
        return out
