"""What a photo does not show around the person: a wall that goes on, a crown rounded off, shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.matte import blurred, cut_out, disc, spread

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

INSET_PX = 1
"""Outermost pixels of a photo are mixed with what scaling found beyond them."""
FADE = 0.07
"""Beside a photo that cuts hair off, it ends within this, in picture sizes."""
SLOPE = 0.4
"""Shoulders that the photo cuts off fall by this much a unit sideways."""
CROWN = (0.16, 0.55)
"""Height of a crown that the photo cuts off, relative to half its width there: least and most."""
HAIR = 0.025
"""Thickness of hair over the bare head, in picture sizes."""
APART = 24.0
"""Distance in Lab from the hair below of what is no hair."""
NARROWS = 0.05
"""So far below the photo's upper rim (picture sizes) a head is wider than at the rim."""
FRINGE = 0.015
"""The hair above a cut crown is made of this much below, in picture sizes: deeper lies the forehead."""
HEM = 0.03
"""The same of clothes that the lower rim cuts off: farther up lies the neck."""
STRETCH = 0.3
"""Hair above and clothes below the photo are those within, mirrored and stretched by the reciprocal."""
GROWN = 0.012
"""The wall beside the person counts from this far on, in picture sizes."""
BLURS = ((0.004, 0.0), (0.012, 0.025), (0.03, 0.07))
"""Blur of the invented wall and from which distance to the photo, both in picture sizes."""
BODY_BLURS = ((0.003, 0.005), (0.008, 0.06))
"""The same for hair and clothes."""


@dataclass(frozen=True, slots=True)
class Margin:
    """A photo with all around it."""

    picture: U8
    """RGB uint8[S, S, 3]."""
    opacity: F32
    """float32[S, S]: the person's, as far as it was invented; inside the photo, what was given or found."""
    crown_cut: bool
    """Whether the photo's upper rim cuts the head off."""


def with_margin(
    crop: U8, inside: tuple[float, float, float, float], oval: F32, head_xy: F32, opacity: F32 | None
) -> Margin:
    """Fill in what lies outside the photo.

    The wall is mirrored at the photo's rim and blurs with its distance. What is the person's goes on: hair
    ends in a dome, shoulders fall, clothes go on downward.

    Args:
        crop: RGB uint8[S, S, 3], of which only the pixels in `inside` are read.
        inside: left, top, right and bottom of the photo in the crop, pixels.
        oval: float32[n, 2], the face's outline, pixels.
        head_xy: float32[n, 2], pixels of points on the bare head and shoulders.
        opacity: float32[S, S] of the person where the photo says it itself.
    """
    import cv2

    size = crop.shape[0]
    left, right = (_within(v, size, way) for v, way in ((inside[0], 1), (inside[2], -1)))
    top, bottom = (_within(v, size, way) for v, way in ((inside[1], 1), (inside[3], -1)))
    place = np.arange(size, dtype=np.float32)
    beyond_x = np.maximum(np.maximum(left - place, place - right + 1), 0)[None]
    above, below = np.maximum(top - place, 0)[:, None], np.maximum(place - bottom + 1, 0)[:, None]
    rows, columns = _mirrored(top, bottom, size), _mirrored(left, right, size)
    # the person, found in a picture that already goes on
    if opacity is None:
        face = np.zeros((size, size), np.uint8)
        cv2.fillPoly(face, [oval.round().astype(np.int32)], 1)
        opacity, _ = cut_out(
            _softened(crop[rows][:, columns], beyond_x, above + below, BLURS), face > 0, head_xy
        )
    grown = cv2.dilate((opacity > 0.02).astype(np.uint8), disc(GROWN * size)) > 0
    known = np.zeros((size, size), np.float32)
    known[top:bottom, left:right] = ~grown[top:bottom, left:right]
    plate = crop
    if known.any():
        plate = np.where(known[..., None] > 0, crop, spread(crop.astype(np.float32), known)).astype(np.uint8)
    wall = _softened(plate[rows][:, columns], beyond_x, above + below, BLURS)
    # the person goes on from the nearest column, falling; upward stretched, downward mirrored
    y = (place[:, None] - SLOPE * beyond_x).astype(np.float32)
    y = np.where(y < top, top + _fold(np.float32(STRETCH) * (top - y), FRINGE * size), y)
    y = np.where(y > bottom - 1, bottom - 1 - _fold(np.float32(STRETCH) * (y - bottom + 1), HEM * size), y)
    y = y.clip(top, bottom - 1).astype(np.float32)
    x = np.broadcast_to(place.clip(left, right - 1), (size, size)).astype(np.float32)
    body = np.asarray(cv2.remap(crop, x, y, cv2.INTER_LINEAR), np.uint8)
    body = _softened(body, beyond_x, above + below, BODY_BLURS)
    share = np.asarray(cv2.remap(opacity, x, y, cv2.INTER_LINEAR), np.float32)
    # hair ends beside the photo, shoulders go on
    chin = float(oval[:, 1].max())
    hair = smoothstep(0.0, 0.15 * size, chin - place)[:, None]
    share = share * (1 - hair * smoothstep(0.0, FADE * size, beyond_x))
    cut = _cut(crop, opacity, head_xy, top)
    cut[:left] = cut[right:] = False
    eyes = int(0.5 * (float(oval[:, 1].min()) + chin))
    widest = float((opacity[top : max(eyes, top + 1), left:right] > 0.5).sum(1).max()) / 2
    dome = _dome(cut, widest)
    edge = 0.006 * size
    share = np.where(above > 0, np.minimum(share, smoothstep(-edge, edge, dome[None] - above)), share)
    out = body * share[..., None] + wall * (1 - share[..., None])
    outside = (above + below + beyond_x) > 0
    return Margin(
        np.asarray(np.where(outside[..., None], out, crop).round().clip(0, 255), np.uint8),
        np.where(outside, share, opacity).astype(np.float32),
        bool(top > 0 and dome.max() > 0),
    )


def _within(edge: float, size: int, way: int) -> int:
    """A rim of the photo in whole pixels: inside the photo and the crop; the crop's own rim stays."""
    if edge <= 0 or edge >= size:
        return int(np.clip(edge, 0, size))
    return int(np.ceil(edge)) + INSET_PX if way > 0 else int(edge) - INSET_PX


def _mirrored(first: int, last: int, size: int) -> I32:
    """Indices int32[size] that run to and fro between first and last."""
    at = (np.arange(size) - first) % max(2 * (last - first - 1), 1)
    return (first + np.minimum(at, 2 * (last - first - 1) - at)).clip(first, last - 1).astype(np.int32)


def _fold(away: NDArray[np.floating[Any]], most: float) -> F32:
    """Distances that run to and fro between 0 and a most."""
    return np.asarray(most - np.abs(away % (2 * most) - most), np.float32)


def _softened(picture: U8, beyond_x: F32, beyond_y: F32, blurs: tuple[tuple[float, float], ...]) -> U8:
    """Blurred with the distance from the photo."""
    size = picture.shape[0]
    beyond = np.hypot(beyond_x, beyond_y) / size
    out = picture.astype(np.float32)
    for sigma, start in blurs:
        soft = blurred(out, sigma * size)
        share = smoothstep(start, start + 0.04, beyond)[..., None]
        out = out * (1 - share) + soft * share
    return np.asarray(out.round().clip(0, 255), np.uint8)


def _cut(crop: U8, opacity: F32, head_xy: F32, top: int) -> NDArray[np.bool_]:
    """Columns bool[S] in which the photo's upper rim cuts the head off."""
    import cv2

    size = crop.shape[0]
    skull = head_xy[head_xy[:, 1] < top + HAIR * size, 0]
    if top <= 0 or not len(skull):
        return np.zeros(size, bool)
    # heads narrow upward: what lies beyond the hair farther down is wall taken for hair
    cut = (opacity[top] > 0.5) & (opacity[top + int(NARROWS * size)] > 0.5)
    if head_xy[:, 1].min() > top - HAIR * size:
        # with the crown so near, the rim may show the wall above it: what differs from the hair below
        band = crop[top : top + int(3 * HAIR * size)]
        lab = blurred(cv2.cvtColor(band, cv2.COLOR_RGB2LAB).astype(np.float32), 0.006 * size)
        cut &= np.linalg.norm(lab[0] - lab[int(1.4 * HAIR * size)], axis=1) < APART
    return np.asarray(cut, bool)


def _dome(cut: NDArray[np.bool_], widest: float) -> F32:
    """How far (px) above the photo each column's hair goes on: the cap of a round of this half width."""
    at = np.flatnonzero(cut)
    if len(at) < HAIR * len(cut):
        return np.zeros(len(cut), np.float32)
    middle, half = (at[0] + at[-1]) / 2, (at[-1] - at[0] + 1) / 2
    widest = max(widest, half)
    tall = float(np.clip(widest - np.sqrt(widest**2 - half**2), CROWN[0] * half, CROWN[1] * half))
    place = np.arange(len(cut), dtype=np.float32)
    return np.asarray(tall * np.sqrt(np.clip(1 - ((place - middle) / half) ** 2, 0, 1)), np.float32)
