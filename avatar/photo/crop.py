"""The square of a photo that a rig is made of; what the photo does not show is filled with its wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.clothes import CHIN
from avatar.photo.eyes import SIDES
from avatar.photo.fit import find_similarity
from avatar.photo.landmarks import EYE_RIM, MESH_LANDMARKS, FoundFace
from avatar.photo.template import Template

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

TEXTURE_PX = (512, 1024)
"""Least and largest side of the rig's picture."""
EYE_LINE = 0.40
"""Height of the eyes in the picture, as in the built-in rigs."""
FADE = 0.07
"""Above a photo that cuts the crown off, hair ends within this, in picture sizes."""
APART = 40.0
"""Distance in RGB from the wall of what is a part of the person along the photo's upper rim."""


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
    if missing > 0.02:
        notes.append(
            f"the photo is cut close: up to {missing * 100:.0f} % of the picture's side is filled in around "
            "it; head and shoulders with some room look better"
        )
    if -top / side > 0.02:
        notes.append("where the upper edge of the photo cuts the hair off, it is rounded off")
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
    # above a photo there is wall; beside and below it the person goes on
    opacity[: int(max(-top * k, 0))] = 0
    if missing > 0.02:
        inside = (-left * k, -top * k, (width - left) * k, (height - top) * k)
        crop = _softened(_walled(crop, inside, (face.points[CHIN, 1] - top) * k), inside)
    points = face.points.astype(np.float32).copy()
    points[:, :2] = (points[:, :2] - [left, top]) * k
    points[:, 2] *= k
    return np.concatenate([crop, opacity], 2), points, max(k, 1.0), tuple(notes)


def _as_u8(picture: object) -> U8:
    return np.ascontiguousarray(picture, np.uint8)


def _walled(crop: U8, inside: tuple[float, float, float, float], chin: float) -> U8:
    """Above and beside the photo, down to the chin, its rim fades to the colours of its corners."""
    import cv2

    size = crop.shape[0]
    left, top, right, _ = inside
    place = np.arange(size, dtype=np.float32) + 0.5
    first, last = int(max(left, 0)), int(min(right, size))
    rows = slice(int(max(top, 0)), int(max(top, 0)) + max(size // 16, 2))
    wide = max((last - first) // 24, 2)
    corners = [
        np.median(part.reshape(-1, 3), axis=0)
        for part in (crop[rows, first : first + wide], crop[rows, last - wide : last])
    ]
    across = np.clip((place - first) / max(last - first, 1), 0, 1)[None, :, None]
    wall = corners[0] * (1 - across) + corners[1] * across
    # what is no wall along the upper rim is a cut crown: it is rounded off
    rim = crop[rows.start].astype(np.float32)
    apart = np.linalg.norm(cv2.GaussianBlur(rim[None], (0, 0), 0.01 * size) - wall, axis=2)[0]
    crown = np.flatnonzero((apart > APART) & (place > first) & (place < last))
    dome = np.zeros(size, np.float32)
    if len(crown):
        middle, half = (crown[0] + crown[-1]) / 2, max((crown[-1] - crown[0]) / 2, 1)
        dome = FADE * size * np.sqrt(np.clip(1 - ((place - middle) / half) ** 2, 0, 1))
    beyond = (top - place)[:, None] - dome[None]
    above = smoothstep(-0.02 * size, 0.01 * size, beyond) * (place < top)[:, None]
    beside = smoothstep(0.0, FADE * size, np.maximum(left - place, place - right))[None]
    beside = beside * smoothstep(0.0, 0.2 * size, chin - place)[:, None]
    share = np.maximum(above, beside)[..., None]
    # along the rim only, so that it goes on where the photo ends
    soft = cv2.GaussianBlur(crop, (0, 0), sigmaX=0.004 * size, sigmaY=0.01)
    filled = soft * (1 - share) + wall * share
    outside = (place < top)[:, None] | ((place < left) | (place > right))[None]
    out = np.where(outside[..., None], filled, crop)
    return np.asarray(out.round().clip(0, 255), np.uint8)


def _softened(crop: U8, inside: tuple[float, float, float, float]) -> U8:
    """Invented margins blur with their distance from the photo, or the seam would show."""
    import cv2

    size = crop.shape[0]
    left, top, right, bottom = inside
    place = np.arange(size, dtype=np.float32) + 0.5
    beyond_x = np.maximum(np.maximum(left - place, place - right), 0)
    beyond_y = np.maximum(np.maximum(top - place, place - bottom), 0)
    beyond = np.hypot(beyond_x[None], beyond_y[:, None]) / size
    out = crop.astype(np.float32)
    for sigma, start in ((0.006, 0.0), (0.02, 0.02), (0.05, 0.08)):
        soft = cv2.GaussianBlur(out, (0, 0), sigma * size)
        share = np.clip((beyond - start) / 0.02, 0, 1)[..., None]
        out = out * (1 - share) + soft * share
    return np.asarray(out.round(), np.uint8)
