"""Clothes on the mesh: a collar under the jaw stays with the chest, whatever the template's neck does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.photo.fit import Fit
from avatar.photo.landmarks import OVAL
from avatar.photo.template import SKIN, Template

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

CHROMA_APART, LIGHT_APART = 13.0, 42.0
"""Distance (Lab) from the colour of the face beyond which the mesh shows clothes: a shadowed neck stays skin."""
STAYS = 0.08
"""Share of the template's weight that clothes keep."""
ROUNDS = 3
"""Rounds of smoothing over the neck's edges, so that a collar does not tear off."""


def chest_weights(template: Template, fit: Fit, picture: U8) -> F32:
    """How much each vertex follows the head, float32[V]: the template's, but for clothes around the neck.

    Args:
        template: the template.
        fit: its fit to the photo.
        picture: RGB uint8[S, S, 3], the photo's crop.
    """
    import cv2

    weight = template.head_weight.copy()
    oval = np.ascontiguousarray(template.landmarks(fit.neutral)[list(OVAL), :2])
    chin = float(oval[:, 1].max())
    mouth = float(fit.neutral[template.lip_upper, 1].mean())
    skin = np.unique(template.triangles[template.kind == SKIN])
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)
    size = picture.shape[0]
    at = np.clip(fit.shown[:, :2].astype(int), 0, size - 1)
    colour = lab[at[:, 1], at[:, 0]]
    inside = np.zeros(len(weight), bool)
    # an oval that is a little smaller: the chin's own edge belongs to the head
    for v in skin:
        x, y = (float(c) for c in fit.neutral[v, :2])
        inside[v] = cv2.pointPolygonTest(oval, (x, y), True) > 0.004 * size
    face = np.zeros(len(weight), bool)
    face[skin] = inside[skin]
    if not face.any():
        return weight
    usual = np.median(colour[face & (fit.neutral[:, 1] > mouth - 0.5 * (chin - mouth))], axis=0)
    apart = colour - usual
    cloth = (np.hypot(apart[:, 1], apart[:, 2]) > CHROMA_APART) | (np.abs(apart[:, 0]) > LIGHT_APART)
    neck = np.zeros(len(weight), bool)
    neck[skin] = ~inside[skin] & (fit.neutral[skin, 1] > mouth)
    weight[neck & cloth] *= STAYS
    edges = template.triangles[template.kind == SKIN][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    a, b = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
    count = np.maximum(np.bincount(a, minlength=len(weight)), 1)
    for _ in range(ROUNDS):
        mean = np.bincount(a, weight[b], minlength=len(weight)) / count
        weight = np.where(neck, mean, weight).astype(np.float32)
    return np.minimum(weight, template.head_weight).astype(np.float32)
