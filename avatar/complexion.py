"""The texture as the face looks at rest, so that only what an expression changes is left to do in a frame."""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from avatar.expression import expression
from avatar.look import RATIO_HIGH, RATIO_LOW, map_weights
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

F, I4 = np.float32, np.int32
COARSER = 2
"""Texels a side that share one factor: a pixel of the appearance maps is larger still."""
MARGIN = 2
"""Steps of `COARSER` by which factors go on beyond the border of what they were painted for."""


@njit("void(f4[:,::1], u1[::1], f4[:,:,::1], f4[:,:,::1])", cache=True, nogil=True, fastmath=True)
def spread(places, mapped, ratio, out):
    """Carry the appearance map `ratio` to `out`, a coarser atlas, along the triangles of `raster.shade`."""
    height, width, size = out.shape[0], out.shape[1], ratio.shape[0]
    step = F(1) / F(COARSER)
    for t in range(places.shape[0]):
        if mapped[t] == 0:
            continue
        u0, v0 = (places[t, 0] + F(0.5)) * step, (places[t, 1] + F(0.5)) * step
        u1, v1 = places[t, 2] * step, places[t, 3] * step
        u2, v2 = places[t, 4] * step, places[t, 5] * step
        area = u1 * v2 - u2 * v1
        if area == F(0):
            continue
        scale = F(1) / area
        first_x, last_x = int(u0 + min(F(0), min(u1, u2))), int(u0 + max(F(0), max(u1, u2)))
        first_y, last_y = int(v0 + min(F(0), min(v1, v2))), int(v0 + max(F(0), max(v1, v2)))
        for y in range(max(first_y, 0), min(last_y + 1, height)):
            for x in range(max(first_x, 0), min(last_x + 1, width)):
                dx, dy = F(x) + F(0.5) - u0, F(y) + F(0.5) - v0
                w1, w2 = (dx * v2 - dy * u2) * scale, (dy * u1 - dx * v1) * scale
                if w1 < F(-0.01) or w2 < F(-0.01) or w1 + w2 > F(1.01):
                    continue
                p = min(max(places[t, 6] + w1 * places[t, 8] + w2 * places[t, 10], F(0)), F(size - 1.001))
                q = min(max(places[t, 7] + w1 * places[t, 9] + w2 * places[t, 11], F(0)), F(size - 1.001))
                i, j = int(p), int(q)
                fp, fq = p - F(i), q - F(j)
                for c in range(3):
                    above = ratio[j, i, c] + (ratio[j, i + 1, c] - ratio[j, i, c]) * fp
                    below = ratio[j + 1, i, c] + (ratio[j + 1, i + 1, c] - ratio[j + 1, i, c]) * fp
                    out[y, x, c] = above + (below - above) * fq


def at_rest(rig: Rig, places: F32) -> tuple[U8, F32]:
    """What a face looks like that waits.

    Args:
        rig: the face.
        places: float32[T, 12] as `raster.shade` takes them.

    Returns:
        The atlas with the appearance maps of the neutral expression in it, RGBA uint8[H, W, 4], and by what
        the maps' factors are to be multiplied, for they are in the atlas now, float32[N·N·3].
    """
    import cv2

    height, width = rig.atlas.shape[:2]
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[:, :, :3] = rig.atlas
    strengths = map_weights(rig.manifest.map_names, expression("neutral"))
    if not strengths.any():
        return rgba, np.ones(rig.maps.shape[1], np.float32)
    ratio = np.clip(1 + strengths @ rig.maps, RATIO_LOW, RATIO_HIGH).astype(np.float32)
    factors = np.zeros((-(-height // COARSER), -(-width // COARSER), 3), np.float32)
    spread(places, rig.mapped, ratio.reshape(rig.map_size, rig.map_size, 3), factors)
    for _ in range(MARGIN):
        factors = np.where(factors > 0, factors, cv2.dilate(factors, np.ones((3, 3), np.uint8)))
    factors[factors == 0] = 1
    whole = (factors.shape[1] * COARSER, factors.shape[0] * COARSER)
    fine = cv2.resize(factors, whole, interpolation=cv2.INTER_LINEAR)[:height, :width]
    rgba[:, :, :3] = cv2.multiply(rig.atlas, fine, dtype=cv2.CV_8U)
    return rgba, 1 / ratio
