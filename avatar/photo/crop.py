"""The square of a photo that a rig is made of; what it does not show is filled in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.photo.eyes import SIDES
from avatar.photo.fit import find_similarity
from avatar.photo.landmarks import EYE_RIM, MESH_LANDMARKS, OVAL, FoundFace
from avatar.photo.margin import with_margin
from avatar.photo.template import Template

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

TEXTURE_PX = (512, 1024)
"""Least and largest side of the rig's picture."""
EYE_LINE = 0.40
"""Height of the eyes in the picture, as in the built-in rigs."""
LEAST_MARGIN = 0.004
"""A photo that ends this much (picture sizes) within the square is filled in around."""
CLOSE = 0.02
"""From here on it is said."""


def cropped(template: Template, picture: U8, face: FoundFace) -> tuple[U8, F32, float, tuple[str, ...]]:
    """The square crop, the landmarks in it, its magnification, and what was invented.

    Args:
        template: the template.
        picture: RGB uint8[H, W, 3], or uint8[H, W, 4] with the person's opacity; the crop is of its kind.
        face: the face to crop to.
    """
    import cv2

    marked = template.landmarks(template.vertices).astype(np.float64)
    similarity = find_similarity(marked, face.points[:MESH_LANDMARKS].astype(np.float64))
    camera_y, _, focal = (float(v) for v in template.camera)
    side = similarity.scale * (float(marked[:, 1].mean()) - camera_y) / focal
    eyes = np.mean([face.points[list(EYE_RIM[s]), :2].mean(0) for s in SIDES], axis=0)
    cheeks = face.points[[234, 454], 0].mean()
    # a turned head's middle lies behind the eyes
    left, top = 0.5 * (eyes[0] + cheeks) - side / 2, eyes[1] - EYE_LINE * side
    size = int(np.clip(side, *TEXTURE_PX)) // 2 * 2
    k = size / side
    height, width = picture.shape[:2]
    notes = []
    missing = max(-left, -top, left + side - width, top + side - height) / side
    if missing > CLOSE:
        notes.append(
            f"the photo is cut close: up to {missing * 100:.0f} % of the picture's side is filled in around "
            "it; head and shoulders with some room look better"
        )
    # area averaging keeps a large photo free of moiré
    source = (
        picture if k >= 1 else _as_u8(cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA))
    )
    kx, ky = source.shape[1] / width, source.shape[0] / height
    matrix = np.array([[k / kx, 0, -left * k], [0, k / ky, -top * k]], np.float64)
    # pixel centres lie at .5
    matrix[:, 2] += 0.5 * np.array([k / kx, k / ky]) - 0.5
    crop = _as_u8(
        cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )
    opacity = crop[..., 3:].copy()
    crop = np.ascontiguousarray(crop[..., :3])
    points = face.points.astype(np.float32).copy()
    points[:, :2] = (points[:, :2] - [left, top]) * k
    points[:, 2] *= k
    if missing > LEAST_MARGIN:
        inside = (-left * k, -top * k, (width - left) * k, (height - top) * k)
        head = (similarity(template.head_points)[:, :2] - [left, top]) * k
        margin = with_margin(
            crop, inside, points[list(OVAL), :2], head.astype(np.float32),
            opacity[..., 0].astype(np.float32) / np.float32(255) if opacity.size else None,
        )  # fmt: skip
        crop = margin.picture
        if opacity.size:
            opacity = (margin.opacity * 255).round().astype(np.uint8)[..., None]
        if margin.crown_cut:
            notes.append("the upper edge of the photo cuts the hair off: it is rounded off")
    return np.concatenate([crop, opacity], 2), points, max(k, 1.0), tuple(notes)


def _as_u8(picture: object) -> U8:
    return np.ascontiguousarray(picture, np.uint8)
