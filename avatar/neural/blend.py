"""Cutting a face out of a frame for a lip model, and laying what the model changed over the frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FEATHER = 0.055
"""Softness of the mask's edge (deviation of its blur) in heights of the box."""
RIM_REACH = 0.2
"""How far a difference of colour at the rim is carried inward (deviation of a blur), in sides of the face."""
RIM_LIMIT = 24 / 255
"""Rim differences beyond this are another shape, a jaw that moved, and not another colour."""
SAME, CHANGED = 6 / 255, 24 / 255
"""Where the model agrees with the frame up to `SAME`, its detail stays; from `CHANGED` on, none does."""
LOST_REACH = 0.03
"""Sides of the face over which a change counts: lines of the old mouth must not shine through the new one."""
MASK_PX = 128
"""Side of the mask before it is enlarged; it is soft, more would not be seen."""
_SHIFT = 4
"""Bits of fraction that OpenCV takes in the corners of a polygon."""


def cut_face(frame: U8, box: F32, size: int) -> F32:
    """The face as the model is shown it.

    Args:
        frame: RGB uint8[H, W, 3].
        box: float32[4], left, top, right, bottom in pixels; what lies outside the frame repeats its edge.
        size: side of the result in pixels.

    Returns:
        float32[size, size, 3], red, green, blue in [0, 1].
    """
    import cv2

    wide, tall = float(box[2] - box[0]), float(box[3] - box[1])
    zoom = max(1, math.ceil(max(wide, tall) / size))  # whole steps, which are then averaged: no aliasing
    side = size * zoom
    sx, sy = wide / side, tall / side
    matrix = np.array([[sx, 0, box[0] + sx / 2 - 0.5], [0, sy, box[1] + sy / 2 - 0.5]])
    fine = cv2.warpAffine(
        frame,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    face = cv2.resize(fine.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(face / np.float32(255))


def model_input(face: F32) -> F32:
    """A cut face float32[S, S, 3] as models take it, float32[6, S, S] BGR: lower half black, then whole."""
    whole = np.ascontiguousarray(face[:, :, ::-1].transpose(2, 0, 1))
    masked = whole.copy()
    masked[:, face.shape[0] // 2 :] = 0
    return np.concatenate([masked, whole])


def lay_over(frame: U8, face: F32, spoken: F32, box: F32, lower: F32) -> U8:
    """The frame with the model's lips, without a seam; outside the lower face it stays as it is, bit for bit.

    Not the model's picture is laid over the frame but what it changed of the face that it was shown: skin
    that it left alone keeps the frame's detail, of which its small picture has none. A difference of colour
    along the rim of the mask is carried inward and taken off.

    Args:
        frame: RGB uint8[H, W, 3], not written to.
        face: what `cut_face` gave.
        spoken: what the model made of it, float32[3, S, S] in [0, 1], blue, green, red.
        box: as for `cut_face`.
        lower: float32[n, 2], the lower face's convex hull in pixels.

    Returns:
        A new frame.
    """
    import cv2

    out = frame.copy()
    corner, span = box[:2], box[2:] - box[:2]
    reach = np.concatenate([np.maximum(lower.min(axis=0), corner), np.minimum(lower.max(axis=0), box[2:])])
    left, top = max(math.floor(reach[0]), 0), max(math.floor(reach[1]), 0)
    right, bottom = min(math.ceil(reach[2]), frame.shape[1]), min(math.ceil(reach[3]), frame.shape[0])
    if right - left < 2 or bottom - top < 2:
        return out

    def enlarged(picture: F32, way: int) -> F32:
        # pixel p of the part shows pixel (p + ½ - corner) · zoom - ½ of the picture of the box
        x, y = picture.shape[0] / span
        matrix = np.array(
            [[x, 0, (left + 0.5 - corner[0]) * x - 0.5], [0, y, (top + 0.5 - corner[1]) * y - 0.5]]
        )
        flags, shape = way | cv2.WARP_INVERSE_MAP, (right - left, bottom - top)
        return np.asarray(
            cv2.warpAffine(picture, matrix, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        )

    mask = soft_mask((lower - corner) / span)
    small = np.asarray(cv2.resize(mask, face.shape[:2], interpolation=cv2.INTER_LINEAR), np.float32)
    change = spoken.transpose(1, 2, 0)[:, :, ::-1] - face
    change = (change - rim_colour(change, small)) * np.float32(255)
    reach_px = max(round(LOST_REACH * face.shape[0]), 1)
    wide = cv2.dilate(np.abs(change).max(axis=2), np.ones((2 * reach_px + 1,) * 2, np.uint8))
    amount = cv2.GaussianBlur(wide, (0, 0), reach_px / 2)
    lost = np.clip((amount / np.float32(255) - SAME) / (CHANGED - SAME), 0, 1)
    layers = enlarged(np.ascontiguousarray(np.dstack([change, lost]), np.float32), cv2.INTER_CUBIC)
    part = out[top:bottom, left:right]
    detail = part - enlarged(face * np.float32(255), cv2.INTER_CUBIC)
    changed = layers[..., :3] - detail * np.clip(layers[..., 3:], 0, 1)
    blended = part + enlarged(mask, cv2.INTER_LINEAR)[..., None] * changed
    part[...] = np.clip(np.rint(blended), 0, 255).astype(np.uint8)
    return out


def soft_mask(hull: F32) -> F32:
    """Opacity of the model's lips over the box: 1 inside the hull, soft inward from its edge, 0 outside.

    Args:
        hull: float32[n, 2], corners in sizes of the box from its top left corner; it is cut off at the box.

    Returns:
        float32[MASK_PX, MASK_PX].
    """
    import cv2

    deviation = FEATHER * MASK_PX
    margin = math.ceil(3 * deviation)  # empty, so that the box's own edges are soft, too
    canvas = np.zeros((MASK_PX, MASK_PX), np.uint8)
    corners = np.rint((hull * MASK_PX - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(canvas, corners, 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    padded = np.pad(canvas.astype(np.float32) / np.float32(255), margin)
    blurred = cv2.GaussianBlur(padded, (0, 0), deviation)[margin:-margin, margin:-margin]
    ramp = np.clip(2 * blurred - 1, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def rim_colour(change: F32, mask: F32) -> F32:
    """What the model changed of the colour along the rim of the mask, carried inward; float32[S, S, 3]."""
    import cv2

    rim = 4 * mask * (1 - mask) + np.float32(1e-6)
    deviation = RIM_REACH * change.shape[0]
    seen = np.clip(change, -RIM_LIMIT, RIM_LIMIT) * rim[..., None]
    carried = cv2.GaussianBlur(seen, (0, 0), deviation) / cv2.GaussianBlur(rim, (0, 0), deviation)[..., None]
    return np.asarray(carried, np.float32)
