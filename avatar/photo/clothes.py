"""Clothes on the mesh: a collar under the jaw stays with the chest, whatever the template's neck does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.fit import Fit
from avatar.photo.landmarks import OVAL
from avatar.photo.template import SKIN, Template

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

CHROMA_APART, LIGHT_APART = 13.0, 42.0
"""Distance (Lab) from the colour of the face beyond which the mesh shows clothes; a shadowed neck is skin."""
CHIN = 152
"""Landmark of the chin."""
THROAT_M = 0.018
"""Collars lie below this far above the chin's height."""
HOLD_M = 0.028
"""Skin follows the head wholly this far from its collar, and less nearer to it: so no gap opens between."""


def find_clothes(template: Template, fit: Fit, picture: U8) -> NDArray[np.bool_]:
    """Where below the mouth and outside the face the photo shows no skin, bool[S, S].

    Args:
        template: the template.
        fit: its fit to the photo.
        picture: RGB uint8[S, S, 3], the photo's crop.
    """
    import cv2

    oval = template.landmarks(fit.neutral)[list(OVAL), :2]
    middle = oval.mean(0)
    mouth = float(fit.neutral[template.lip_upper, 1].mean())
    face: U8 = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(face, [np.round(oval).astype(np.int32)], 1)
    core: U8 = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(core, [np.round(middle + 0.8 * (oval - middle)).astype(np.int32)], 1)
    lab = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)
    apart = lab - np.median(lab[core > 0], axis=0)
    other = (np.hypot(apart[..., 1], apart[..., 2]) > CHROMA_APART) | (np.abs(apart[..., 0]) > LIGHT_APART)
    below = np.arange(picture.shape[0])[:, None] > mouth
    return np.asarray(other & below & (face == 0))


def free_of(template: Template, fit: Fit, clothes: NDArray[np.bool_]) -> F32:
    """How little clothes hold what is near them, float32[S, S]: 0 on a collar, 1 well away from it."""
    import cv2

    chin = float(template.landmarks(fit.neutral)[CHIN, 1])
    # higher up along the jaw what is no skin is hair or the wall
    collar = clothes & (np.arange(len(clothes)) > chin - THROAT_M * fit.similarity.scale)[:, None]
    if not collar.any():
        return np.ones(clothes.shape, np.float32)
    away = cv2.distanceTransform((~collar).astype(np.uint8), cv2.DIST_L2, 5)
    return smoothstep(0.0, HOLD_M * fit.similarity.scale, np.asarray(away, np.float32))


def chest_weights(template: Template, fit: Fit, free: F32) -> F32:
    """How much each vertex follows the head, float32[V]: the template's, but for clothes around the neck."""
    skin = np.unique(template.triangles[template.kind == SKIN])
    at = np.clip(fit.neutral[skin, :2].astype(int), 0, len(free) - 1)
    weight = template.head_weight.copy()
    weight[skin] *= free[at[:, 1], at[:, 0]]
    return weight.astype(np.float32)
