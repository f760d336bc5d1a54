"""Colours on the skin of the mesh: read from pictures, spread to what no picture shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.photo.template import SKIN, Template

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

DIFFUSIONS = 400
"""Rounds in which colour spreads from seen to hidden skin, one ring of vertices each."""


def sampled(picture: U8, xy: F32, blur_px: float) -> F32:
    """Colours float32[n, 3] of a blurred picture at points."""
    import cv2

    soft = cv2.GaussianBlur(picture, (0, 0), blur_px) if blur_px > 0 else picture
    at = (xy - 0.5).astype(np.float32)
    # remap takes at most 32767 columns: a column vector
    found = cv2.remap(soft, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[:, 0], np.float32)


def spread_over_skin(template: Template, values: F32, known: NDArray[np.bool_]) -> tuple[F32, I32]:
    """Per-vertex values, spread over the skin from where they are known, and the rings from there."""
    skin = template.triangles[template.kind == SKIN]
    edges = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
    edges = np.unique(np.sort(edges, 1), axis=0)
    edges = edges[~(known[edges].all(1))]
    out = np.where(known[:, None], values, values[known].mean(0)).astype(np.float64)
    have = known.copy()
    rings = np.where(known, 0, DIFFUSIONS).astype(np.int32)
    a, b = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
    count = len(values)
    for ring in range(1, DIFFUSIONS + 1):
        live = have[b]
        degree = np.bincount(a[live], minlength=count)
        change = ~known & (degree > 0)
        for c in range(out.shape[1]):
            total = np.bincount(a[live], out[b[live], c], minlength=count)
            out[change, c] = total[change] / degree[change]
        rings[change & ~have] = ring
        have |= change
    return out.astype(np.float32), rings


def filled(picture: F32, known: NDArray[np.bool_]) -> F32:
    """A picture float32[H, W, k] with what is not known made of what is near."""
    import cv2

    have = known.astype(np.float32)
    soft = cv2.GaussianBlur(picture * have[..., None], (0, 0), 4)
    near = soft / np.maximum(cv2.GaussianBlur(have, (0, 0), 4), 1e-3)[..., None]
    return np.where(known[..., None], picture, near).astype(np.float32)
