"""One picture for the whole face: the photo, and what it does not show painted to match it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.photo.eyes import PATCH_PX
from avatar.photo.fit import Fit
from avatar.photo.lids import blink_picture, from_eyes, lid_share
from avatar.photo.skin import filled, sampled, spread_over_skin
from avatar.photo.template import (
    INSIDE,
    LEFT_EYE,
    LINING,
    MOUTH_POSE,
    RIGHT_EYE,
    SKIN,
    Template,
    weight_vector,
)
from avatar.seen import Seen

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

PHOTO, MOUTH_KEY, BLINK_KEY, TEETH = range(4)
SHARPER = {1: 6.0, 2: 2.5}
"""Around the mouth and the eyes, a painted piece replaces the photo where it is this many times as large."""
HIDDEN_M = 0.0025
"""Skin this much behind the foremost is hidden."""
EDGE_M = 0.0011
"""Width along an open mouth where teeth tinge the photo's lips."""
LASH_M = 0.0022
"""Width along the lids where lashes darken the photo's skin."""
EDGE_PHOTO_PX = 1.8
"""… and at least this many pixels of the photo: its own blur mixes neighbours."""
GAIN_LIMITS = (0.25, 2.6)
TEETH_MATCH = 0.6
"""Share of the photo's light that the teeth take over."""
GREY = 6.0
"""Mean span of the skin's three channels below which the photo is black and white."""
TEMPLATE_SKIN_LIGHT = 165.0
"""Mean of the template's own skin: how its teeth were lit."""


@dataclass(frozen=True, slots=True)
class Texture:
    """The atlas and where each triangle finds its piece."""

    atlas: U8
    uv: F32
    mapped: U8


def paint_texture(
    template: Template,
    fit: Fit,
    picture: U8,
    balls: dict[str, U8],
    ball_uv: dict[str, F32],
    magnified: float = 1.0,
) -> Texture:
    """Build the atlas.

    Args:
        template: the template.
        fit: its fit to the photo.
        picture: RGB uint8[S, S, 3], the photo's crop.
        balls: the eyeballs' pictures.
        ball_uv: side → float32[n, 2], texel of each of the eyeball's vertices in its picture.
        magnified: pixels of the crop for each pixel of the photo.
    """
    size = picture.shape[0]
    skin = template.kind == SKIN
    seen = Seen(fit.shown[:, :2], fit.shown[:, 2], template.triangles[skin], size, size)
    source = np.full(len(template.kind), PHOTO, np.int32)
    source[(template.kind == INSIDE) | (template.kind == LINING)] = TEETH
    scale = fit.similarity.scale
    opening = _openings(template, seen)
    middle = template.vertices[template.triangles].mean(1)
    eye_z = float(template.eyes[:, 2].mean())
    near_mouth = (
        (np.abs(middle[:, 0]) < 0.036) & (middle[:, 2] < eye_z - 0.045) & (middle[:, 2] > eye_z - 0.095)
    )
    away = from_eyes(template, middle)
    near_eye = away < 1.25
    shown = _shown(template, fit, seen, size)
    area = _area(fit.shown[:, :2], template.triangles) * shown
    blurred = EDGE_PHOTO_PX * magnified
    opening["mouth"] = _with_teeth(picture, opening["mouth"], 0.5 * max(EDGE_M * scale, blurred))
    mouth_open = _near(opening["mouth"], max(EDGE_M * scale, blurred), fit.shown[:, :2])
    eye_open = _near(opening["eyes"], max(LASH_M * scale, blurred), fit.shown[:, :2])
    for key, zone, xy, edge in (
        (MOUTH_KEY, near_mouth, template.mouth_xy, mouth_open),
        (BLINK_KEY, near_eye, template.blink_xy, None),
    ):
        unit = (scale / 2450.0) ** 2  # the key pictures show 2450 px a metre
        take = skin & zone & (_area(xy, template.triangles) * unit > area * SHARPER[key])
        if edge is not None:
            take |= skin & zone & edge[template.triangles].any(1)
        source[take] = key
    painted: NDArray[np.bool_] = np.zeros(len(template.vertices), bool)
    painted[template.triangles[source == BLINK_KEY]] = True
    own = lid_share(template, painted, eye_open)
    # whole lids come from one picture, in which photo and paint mix: seams between triangles would show
    source[skin & (own[template.triangles] > 0).any(1)] = BLINK_KEY
    trusted = np.zeros(len(template.vertices), bool)
    trusted[template.triangles[skin & (source == PHOTO) & shown]] = True
    mouth = _mouth_picture(template, fit, picture, trusted & ~mouth_open)
    trusted[template.triangles[shown & (source == BLINK_KEY) & (own[template.triangles] < 1).all(1)]] = True
    blink = blink_picture(template, fit, picture, trusted & ~eye_open & (own < 1), own)
    teeth = _lit_teeth(template, picture, seen)
    pieces = [picture, mouth, blink, teeth, balls["left"], balls["right"]]
    atlas, corners = _pack(pieces)
    uv = fit.shown[:, :2][template.triangles].astype(np.float32)
    for key, xy, at in ((MOUTH_KEY, template.mouth_xy, 1), (BLINK_KEY, template.blink_xy, 2)):
        own = source == key
        tall, wide = pieces[at].shape[:2]
        inside = np.clip(xy[template.triangles[own]], 1, [wide - 2, tall - 2])
        uv[own] = inside + corners[at]
    own = source == TEETH
    uv[own] = template.inside_uv[own] + corners[3]
    for eye, (side, kind) in enumerate((("left", LEFT_EYE), ("right", RIGHT_EYE))):
        own = template.kind == kind
        first = int(template.eye_spans[eye, 0])
        uv[own] = np.clip(ball_uv[side][template.triangles[own] - first], 1, PATCH_PX - 2) + corners[4 + eye]
    mapped = (skin & (source == PHOTO)).astype(np.uint8)
    return Texture(atlas, np.ascontiguousarray(uv, np.float32), mapped)


def _openings(template: Template, seen: Seen) -> dict[str, NDArray[np.bool_]]:
    """Pixels within the face that no skin covers: between the lips, and between the lids."""
    import cv2

    holes = (~seen.covered).astype(np.uint8)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(holes, connectivity=4)
    found = {"mouth": np.zeros(holes.shape, bool), "eyes": np.zeros(holes.shape, bool)}
    if not seen.covered.any():
        return found
    rows = np.flatnonzero(seen.covered.any(1))
    half = rows[0] + 0.62 * (rows[-1] - rows[0])
    for label in range(1, count):
        left, top, wide, tall, area = stats[label]
        touches = left == 0 or top == 0 or left + wide == holes.shape[1] or top + tall == holes.shape[0]
        if touches or area < 3:
            continue
        # template heights: eyes lie in the upper part of the mesh, the mouth in the lower
        ring = cv2.dilate((labels == label).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        around = seen.ids[ring & seen.covered]
        if len(around):
            z = template.vertices[seen.triangles[around], 2].mean()
            eye_z = template.eyes[:, 2].mean()
            found["eyes" if z > eye_z - 0.03 else "mouth"] |= labels == label
        else:
            found["eyes" if middles[label][1] < half else "mouth"] |= labels == label
    return found


def _with_teeth(picture: U8, opening: NDArray[np.bool_], edge: float) -> NDArray[np.bool_]:
    """The opening of the mouth, grown by pixels beside it that look like its teeth and not like the lips."""
    import cv2

    if opening.sum() < 12:
        return opening
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    away = cv2.distanceTransform((~opening).astype(np.uint8), cv2.DIST_L2, 5)
    beside, lips = (away > 0) & (away <= 5 * edge), (away > 5 * edge) & (away <= 8 * edge)
    light = lab[..., 0]
    teeth = opening & (light >= np.percentile(light[opening], 50))
    of_teeth, of_lips = lab[teeth].mean(0), np.median(lab[lips], axis=0)
    nearer = np.linalg.norm(lab - of_teeth, axis=2) < np.linalg.norm(lab - of_lips, axis=2)
    grown = (opening | (beside & nearer)).astype(np.uint8)
    count, labels = cv2.connectedComponents(grown)
    touching = np.unique(labels[opening])
    return np.asarray(np.isin(labels, touching[touching > 0]) if count > 1 else opening)


def _near(mask: NDArray[np.bool_], reach: float, xy: F32) -> NDArray[np.bool_]:
    """Which points lie in or within `reach` px of a mask."""
    import cv2

    if not mask.any():
        return np.zeros(len(xy), bool)
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    column = np.clip(xy[:, 0].astype(int), 0, mask.shape[1] - 1)
    row = np.clip(xy[:, 1].astype(int), 0, mask.shape[0] - 1)
    return np.asarray(away[row, column] <= reach)


def _shown(template: Template, fit: Fit, seen: Seen, size: int) -> NDArray[np.bool_]:
    """Triangles that the photo shows."""
    middle = fit.shown[template.triangles].mean(1)
    cell = np.clip(middle[:, :2].astype(int), 0, size - 1)
    front = middle[:, 2] < seen.zbuffer[cell[:, 1], cell[:, 0]] + HIDDEN_M * fit.similarity.scale
    inside = (middle[:, :2] >= 0).all(1) & (middle[:, :2] < size).all(1)
    return np.asarray(front & inside & (_area(fit.shown[:, :2], template.triangles) > 0))


def _area(xy: F32, t: I32) -> F32:
    """Doubled area in px², positive when turned to the viewer."""
    a, b, c = xy[t[:, 0]], xy[t[:, 1]], xy[t[:, 2]]
    area = (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) - (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])
    return np.asarray(area, np.float32)


def _mouth_picture(template: Template, fit: Fit, picture: U8, known: NDArray[np.bool_]) -> U8:
    """The template's open mouth with the colours of this person's lips."""
    photo = sampled(picture, fit.shown[:, :2], max(0.0007 * fit.similarity.scale, 0.5))
    own = sampled(template.mouth, template.mouth_xy, 1.7)
    tall, wide = template.mouth.shape[:2]
    within = (template.mouth_xy > 2).all(1) & (template.mouth_xy < [wide - 3, tall - 3]).all(1)
    gain = np.clip((photo + 4) / (own + 4), *GAIN_LIMITS)
    gain, _ = spread_over_skin(template, gain, known & within)
    posed = template.posed(weight_vector(MOUTH_POSE))
    skin = template.triangles[template.kind == SKIN]
    seen = Seen(template.mouth_xy, posed[:, 1], skin, tall, wide)
    out = template.mouth * filled(seen.painted(gain), seen.covered)
    return np.asarray(np.clip(out, 0, 255).round(), np.uint8)


def _lit_teeth(template: Template, picture: U8, seen: Seen) -> U8:
    """Teeth and tongue in the light of the photo."""
    light = float(picture[seen.covered].mean()) if seen.covered.any() else TEMPLATE_SKIN_LIGHT
    gain = 1 + TEETH_MATCH * (np.clip(light / TEMPLATE_SKIN_LIGHT, 0.5, 1.15) - 1)
    inside = template.inside.astype(np.float32)
    if seen.covered.any() and float(np.ptp(picture[seen.covered], axis=1).mean()) < GREY:
        inside = np.repeat(inside.mean(2, keepdims=True), 3, axis=2)
    return np.asarray(np.clip(inside * gain, 0, 255).round(), np.uint8)


def _pack(pieces: list[U8]) -> tuple[U8, list[F32]]:
    """One picture: the first piece at the left, the others in columns beside it; corner of each piece."""
    tall = pieces[0].shape[0]
    corners = [np.zeros(2, np.float32)]
    left = pieces[0].shape[1] + 2
    top, column = 0, 0
    places = [(0, 0)]
    for piece in pieces[1:]:
        if top and top + piece.shape[0] > tall:
            left, top, column = left + column + 2, 0, 0
        places.append((left, top))
        corners.append(np.array([left, top], np.float32))
        top += piece.shape[0] + 2
        column = max(column, piece.shape[1])
    height = max(tall, *(y + p.shape[0] for (_, y), p in zip(places, pieces, strict=True)))
    atlas = np.zeros((height, left + column, 3), np.uint8)
    for (x, y), piece in zip(places, pieces, strict=True):
        atlas[y : y + piece.shape[0], x : x + piece.shape[1]] = piece
    return atlas, corners
