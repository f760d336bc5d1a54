"""One picture for the whole face: the photo, and what it does not show painted to match it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.eyes import PATCH_PX
from avatar.photo.fit import Fit
from avatar.photo.seen import Seen
from avatar.photo.template import (
    BLINK_POSE,
    INSIDE,
    LEFT_EYE,
    MOUTH_POSE,
    RIGHT_EYE,
    SKIN,
    Template,
    weight_vector,
)

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
DIFFUSIONS = 400
"""Rounds in which colour spreads from seen to hidden skin, one ring of vertices each."""
GAIN_LIMITS = (0.25, 2.6)
TEETH_MATCH = 0.6
"""Share of the photo's light that the teeth take over."""
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
    source[template.kind == INSIDE] = TEETH
    scale = fit.similarity.scale
    opening = _openings(template, seen)
    middle = template.vertices[template.triangles].mean(1)
    eye_z = float(template.eyes[:, 2].mean())
    near_mouth = (
        (np.abs(middle[:, 0]) < 0.036) & (middle[:, 2] < eye_z - 0.045) & (middle[:, 2] > eye_z - 0.095)
    )
    away = _from_eyes(template, middle)
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
    lids = np.zeros(len(template.vertices), bool)
    lids[template.triangles[source == BLINK_KEY]] = True
    lids |= eye_open & (_lowered(template) > LID_MOVES_M[1])
    own = _rings(template, lids.astype(np.float32), LID_RINGS)
    own *= 1 - smoothstep(*LID_REACH, _from_eyes(template, template.vertices))
    own *= smoothstep(*LID_MOVES_M, _lowered(template))
    # whole lids come from one picture, in which photo and paint mix: seams between triangles would show
    source[skin & (own[template.triangles] > 0).any(1)] = BLINK_KEY
    trusted = np.zeros(len(template.vertices), bool)
    trusted[template.triangles[skin & (source == PHOTO) & shown]] = True
    mouth = _mouth_picture(template, fit, picture, trusted & ~mouth_open)
    trusted[template.triangles[shown & (source == BLINK_KEY) & (own[template.triangles] < 1).all(1)]] = True
    blink = _blink_picture(template, fit, picture, trusted & ~eye_open & (own < 1), own)
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


def _sampled(picture: U8, xy: F32, blur_px: float) -> F32:
    """Colours float32[n, 3] of a blurred picture at points."""
    import cv2

    soft = cv2.GaussianBlur(picture, (0, 0), blur_px) if blur_px > 0 else picture
    at = (xy - 0.5).astype(np.float32)
    # remap takes at most 32767 columns: a column vector
    found = cv2.remap(soft, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[:, 0], np.float32)


def _spread(template: Template, values: F32, known: NDArray[np.bool_]) -> tuple[F32, I32]:
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


def _mouth_picture(template: Template, fit: Fit, picture: U8, known: NDArray[np.bool_]) -> U8:
    """The template's open mouth with the colours of this person's lips."""
    photo = _sampled(picture, fit.shown[:, :2], max(0.0007 * fit.similarity.scale, 0.5))
    own = _sampled(template.mouth, template.mouth_xy, 1.7)
    tall, wide = template.mouth.shape[:2]
    within = (template.mouth_xy > 2).all(1) & (template.mouth_xy < [wide - 3, tall - 3]).all(1)
    gain = np.clip((photo + 4) / (own + 4), *GAIN_LIMITS)
    gain, _ = _spread(template, gain, known & within)
    posed = template.posed(weight_vector(MOUTH_POSE))
    skin = template.triangles[template.kind == SKIN]
    seen = Seen(template.mouth_xy, posed[:, 1], skin, tall, wide)
    out = template.mouth * _filled(seen.painted(gain), seen.covered)
    return np.asarray(np.clip(out, 0, 255).round(), np.uint8)


def _from_eyes(template: Template, points: F32) -> F32:
    """Distance of points float32[n, 3] from the nearer eye's middle, in eyeball radii; heights count more."""
    x, z = (points[:, None, axis] - template.eyes[None, :, axis] for axis in (0, 2))
    return np.asarray((np.hypot(x, z * 1.2) / template.eyes[:, 3]).min(1), np.float32)


def _lowered(template: Template) -> F32:
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


def _blink_picture(template: Template, fit: Fit, picture: U8, known: NDArray[np.bool_], own: F32) -> U8:
    """Closed lids: colour spread from the skin around them as far as `own` says, else the photo; lashes."""
    import cv2

    colour = _sampled(picture, fit.shown[:, :2], max(0.0007 * fit.similarity.scale, 0.5))
    light = colour.mean(1)
    around = np.zeros(len(light), bool)
    for x, _, z, radius in template.eyes:
        around |= np.hypot(template.vertices[:, 0] - x, template.vertices[:, 2] - z) < radius * 2.2
    if (known & around).any():
        below = template.vertices[:, 2] - float(template.eyes[:, 2].mean())
        cheek = known & around & (below < -0.015)
        typical = np.median(light[cheek if cheek.any() else known & around])
        bright = known & ~(around & (light < LID_LIGHT * typical))
        spread, _ = _spread(template, colour, bright if bright.any() else known)
        socket, _ = _spread(template, colour, known)
        spread += SOCKET_SHARE * (socket - spread)
        lowered = _lowered(template)
        rounding = smoothstep(0.0, 0.5 * float(lowered.max()), lowered)[:, None]
        spread = spread * (LID_CREASE + (LID_SHADE - LID_CREASE) * rounding)
    else:
        spread, _ = _spread(template, colour, known)
    posed = template.posed(weight_vector(BLINK_POSE))
    tall, wide = template.blink.shape[:2]
    skin = template.triangles[template.kind == SKIN]
    seen = Seen(template.blink_xy, posed[:, 1], skin, tall, wide)
    at = seen.painted(fit.shown[:, :2]) - 0.5
    photo = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = seen.painted(own[:, None])
    out = seen.painted(spread) * share + photo * (1 - share)
    out = _filled(np.asarray(out, np.float32), seen.covered)
    return np.asarray(np.clip(out * _lashes(template, seen), 0, 255).round(), np.uint8)


def _lashes(template: Template, seen: Seen) -> F32:
    """Light float32[H, W, 1] of a dark line along the closed upper lids."""
    import cv2

    lowered = seen.painted(_lowered(template)[:, None])[..., 0]
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


def _filled(picture: F32, known: NDArray[np.bool_]) -> F32:
    import cv2

    have = known.astype(np.float32)
    soft = cv2.GaussianBlur(picture * have[..., None], (0, 0), 4)
    near = soft / np.maximum(cv2.GaussianBlur(have, (0, 0), 4), 1e-3)[..., None]
    return np.where(known[..., None], picture, near).astype(np.float32)


def _lit_teeth(template: Template, picture: U8, seen: Seen) -> U8:
    """Teeth and tongue in the light of the photo."""
    light = float(picture[seen.covered].mean()) if seen.covered.any() else TEMPLATE_SKIN_LIGHT
    gain = 1 + TEETH_MATCH * (np.clip(light / TEMPLATE_SKIN_LIGHT, 0.5, 1.15) - 1)
    return np.asarray(np.clip(template.inside * gain, 0, 255).round(), np.uint8)


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
