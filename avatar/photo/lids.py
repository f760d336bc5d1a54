"""Closed lids, which no photo of open eyes shows: painted with the colours around them, ended in lashes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.fit import Fit
from avatar.photo.skin import filled, sampled, spread_over_skin
from avatar.photo.template import BLINK_POSE, SKIN, Template, weight_vector
from avatar.seen import Seen

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

LID_LIGHT = 0.86
"""Skin around the eyes darker than this share of the typical is shadow, lash or brow, no colour for a lid."""
SOCKET_SHARE = 0.4
"""Share of that dark skin in a lid's colour all the same, or lids would shine out of deep sockets."""
LID_SHADE = 0.96
"""A closed lid's light against that of the skin around it."""
LID_CREASE = 0.9
"""The same under the brow, where the lid's round turns away from the light."""
LID_RINGS = 5
"""Rings of triangles over which the photo's skin passes into a painted lid …"""
LID_REACH = (1.15, 1.6)
"""… and distance from the eye's middle, in radii of the eyeball, within which it has to."""
LID_MOVES_M = (0.0006, 0.002)
"""What a blink moves down farther than this is the upper lid; the lower one stays the photo's."""
LASH_MOVES_M = (0.002, 0.005)
"""What it moves this much farther than the skin below ends in lashes."""
LASH_LINE_PX = 2.3
"""Half the width of the painted line of lashes, in pixels of the key picture (2.4 a millimetre)."""
LASH_LIGHT = 0.45
"""Light of that line against the skin's."""


def lid_share(template: Template, painted: NDArray[np.bool_], eye_open: NDArray[np.bool_]) -> F32:
    """How much of each vertex's colour is paint, float32[V] in [0, 1]: whole on lids, none around them.

    Args:
        template: the template.
        painted: bool[V], what the photo shows too small.
        eye_open: bool[V], what lies at the photo's open eyes.
    """
    lids = painted | eye_open & (lowered_by_blink(template) > LID_MOVES_M[1])
    own = _rings(template, lids.astype(np.float32), LID_RINGS)
    own *= 1 - smoothstep(*LID_REACH, from_eyes(template, template.vertices))
    own *= smoothstep(*LID_MOVES_M, lowered_by_blink(template))
    return np.asarray(own, np.float32)


def from_eyes(template: Template, points: F32) -> F32:
    """Distance of points float32[n, 3] from the nearer eye's middle, in eyeball radii; heights count more."""
    x, z = (points[:, None, axis] - template.eyes[None, :, axis] for axis in (0, 2))
    return np.asarray((np.hypot(x, z * 1.2) / template.eyes[:, 3]).min(1), np.float32)


def lowered_by_blink(template: Template) -> F32:
    """How far (m) a blink moves each vertex down."""
    return np.asarray(template.vertices[:, 2] - template.posed(weight_vector(BLINK_POSE))[:, 2], np.float32)


def _rings(template: Template, values: F32, count: int) -> F32:
    """Per-vertex values in [0, 1] that fall to 0 smoothly within some rings of triangles."""
    skin = template.triangles[template.kind == SKIN]
    out = values
    for ring in range(count):
        highest = out.copy()
        np.maximum.at(highest, skin.ravel(), np.repeat(out[skin].max(1), 3) * (1 - 1 / (count + 1 - ring)))
        out = highest
    return smoothstep(0.0, 1.0, out)


def blink_picture(template: Template, fit: Fit, picture: U8, known: NDArray[np.bool_], own: F32) -> U8:
    """Closed lids: colour spread from the skin around them as far as `own` says, else the photo; lashes."""
    import cv2

    colour = sampled(picture, fit.shown[:, :2], max(0.0007 * fit.similarity.scale, 0.5))
    light = colour.mean(1)
    around = np.zeros(len(light), bool)
    for x, _, z, radius in template.eyes:
        around |= np.hypot(template.vertices[:, 0] - x, template.vertices[:, 2] - z) < radius * 2.2
    if (known & around).any():
        below = template.vertices[:, 2] - float(template.eyes[:, 2].mean())
        cheek = known & around & (below < -0.015)
        typical = np.median(light[cheek if cheek.any() else known & around])
        bright = known & ~(around & (light < LID_LIGHT * typical))
        spread, _ = spread_over_skin(template, colour, bright if bright.any() else known)
        socket, _ = spread_over_skin(template, colour, known)
        spread += SOCKET_SHARE * (socket - spread)
        lowered = lowered_by_blink(template)
        rounding = smoothstep(0.0, 0.5 * float(lowered.max()), lowered)[:, None]
        spread = spread * (LID_CREASE + (LID_SHADE - LID_CREASE) * rounding)
    else:
        spread, _ = spread_over_skin(template, colour, known)
    posed = template.posed(weight_vector(BLINK_POSE))
    tall, wide = template.blink.shape[:2]
    skin = template.triangles[template.kind == SKIN]
    seen = Seen(template.blink_xy, posed[:, 1], skin, tall, wide)
    at = seen.painted(fit.shown[:, :2]) - 0.5
    photo = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = seen.painted(own[:, None])
    out = seen.painted(spread) * share + photo * (1 - share)
    out = filled(np.asarray(out, np.float32), seen.covered)
    return np.asarray(np.clip(out * _lashes(template, seen), 0, 255).round(), np.uint8)


def _lashes(template: Template, seen: Seen) -> F32:
    """Light float32[H, W, 1] of a dark line along the closed upper lids."""
    import cv2

    lowered = seen.painted(lowered_by_blink(template)[:, None])[..., 0]
    drop = lowered - np.pad(lowered, ((0, 2), (0, 0)), mode="edge")[2:]
    edge = drop > LASH_MOVES_M[0]
    if not edge.any():
        return np.ones((*lowered.shape, 1), np.float32)
    away, nearest = cv2.distanceTransformWithLabels(
        (~edge).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    drops = np.zeros(int(nearest.max()) + 1, np.float32)
    drops[nearest[edge]] = drop[edge]
    strength = smoothstep(*LASH_MOVES_M, cv2.GaussianBlur(drops[nearest], (0, 0), 3.0))
    line = np.exp(-((away / LASH_LINE_PX) ** 2)) * strength * (lowered > LASH_MOVES_M[0])
    return np.asarray(1 - (1 - LASH_LIGHT) * line[..., None], np.float32)
