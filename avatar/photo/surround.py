"""Everything of the photo but the face: hair, ears, neck and background, carried along by a smooth grid.

The picture around the face is one layer, drawn over the mesh with a soft-edged hole where the face shows. A
grid of points with depth says how each part follows the head: as the face does beside it, less and less
farther out. Where the grid stands still the layer ends, and the same picture below takes over unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import smoothstep
from avatar.photo.matte import LEAST_EDGE, beyond_person, cut_out, without_person
from avatar.seen import Seen

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

GRID = 65
"""Nodes a side of the grid: fine enough to tell a collar from the jaw above it."""
FEATHER = 0.010
"""Width of the soft edge between face and surroundings, in picture sizes."""
REACH = 0.16
"""How far beyond the head the picture still follows it, in picture sizes."""
RIM = 0.035
"""Beside the face, within about this (picture sizes), the layer lies as deep as the face's own rim."""
CHEST = 0.15
"""Share of the head's motion that clothes beside it take up."""
CUT_REACH = 0.40
"""The same where the person is cut out and the background stays still."""
STRIP = 0.008
"""Clothes narrower than twice this (picture sizes) are none."""
UNDER = 0.006
"""How far clothes go on under the face's edge, in picture sizes."""
STILL = 0.02
"""Weight below which the layer moves less than a pixel."""
ROUNDS = 3
"""Rounds of smoothing of the nodes outside the face."""


@dataclass(frozen=True, slots=True)
class Surround:
    """The layers around the face."""

    hair: U8
    """RGBA uint8[S, S, 4], straight."""
    backdrop: U8
    """RGB uint8[S, S, 3]."""
    grid: F32
    """float32[65, 65, 3], metres."""
    weight: F32
    """float32[65, 65]: 1 follows the head, 0 stands still."""
    person: F32 | None
    """float32[S, S]: opacity of the person in the photo; None where it could not be told."""
    matte: U8 | None
    """uint8[S, S]: opacity of the person in the backdrop; None where the person could not be cut out."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Who is where in the picture."""

    seen: Seen
    """The neutral mesh."""
    face: NDArray[np.bool_]
    """bool[S, S]: the mesh without the holes of eyes and mouth."""
    person: F32 | None
    """float32[S, S]: opacity of the person; None where it could not be told."""
    clothes: NDArray[np.bool_]
    """bool[S, S]: what stays with the chest."""


def find_outline(
    picture: U8,
    xy: F32,
    depth: F32,
    triangles: I32,
    head_xy: F32,
    clothes: NDArray[np.bool_],
    opacity: F32 | None = None,
) -> Outline:
    """Cut the person out and keep of the clothes what is theirs.

    Args:
        picture: RGB uint8[S, S, 3], the photo's crop.
        xy: float32[V, 2], pixels of the neutral mesh.
        depth: float32[V], metres from the camera.
        triangles: int32[T, 3], of everything that the mesh draws.
        head_xy: float32[n, 2], pixels of points on the whole head and shoulders.
        clothes: bool[S, S], what may stay with the chest.
        opacity: float32[S, S] of the person where the photo says it itself.
    """
    import cv2

    size = picture.shape[0]
    seen = Seen(xy, depth, triangles, size, size)
    face = _whole(seen.covered)
    person, trust = cut_out(picture, face, head_xy) if opacity is None else (opacity, 1.0)
    if trust < LEAST_EDGE:
        return Outline(seen, face, None, clothes)
    # the wall beside the jaw is no skin either, but must not hold the jaw's rim back
    clothes = clothes & (cv2.dilate((person > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    # strips along the jaw are its own mixed outline
    thin = 2 * round(STRIP * size) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thin, thin))
    clothes = cv2.morphologyEx(clothes.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    return Outline(seen, face, person, clothes)


def build_surround(
    picture: U8,
    outline: Outline,
    depth: F32,
    head_weight: F32,
    head_xy: F32,
    head_depth: F32,
    head_points_weight: F32,
    camera: tuple[float, float, float],
    free: F32,
) -> Surround:
    """Build the layers.

    Args:
        picture: RGB uint8[S, S, 3], the photo's crop.
        outline: what `find_outline` found.
        depth: float32[V], metres from the camera.
        head_weight: float32[V].
        head_xy: float32[n, 2], pixels of points on the whole head and shoulders.
        head_depth: float32[n], metres from the camera.
        head_points_weight: float32[n].
        camera: y and z (m) and focal length (picture sizes).
        free: float32[S, S], how little the clothes hold what is near them.
    """
    import cv2

    size = picture.shape[0]
    seen, face, person, clothes = outline.seen, outline.face, outline.person, outline.clothes
    edge = max(FEATHER * size, 3.0)
    # clothes lie below the face, in the backdrop: a chin that sinks goes in front of its collar
    beside = ~face if person is None else ~face & ~clothes
    away = np.asarray(cv2.distanceTransform((~beside).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    shown = 1 - smoothstep(0.4 * edge, 1.6 * edge, away)
    values = seen.painted(np.stack([depth, head_weight], 1))
    grid_depth, grid_weight = _grid(
        size,
        seen.covered,
        values,
        head_xy,
        head_depth,
        head_points_weight,
        REACH if person is None else CUT_REACH,
        clothes,
        free,
    )
    spread = _pixels(grid_weight, size)
    backdrop, matte = picture.copy(), None
    if person is not None:
        # the layer reaches a little farther than what is painted over below it
        bare = 1 - cv2.GaussianBlur((clothes & ~face).astype(np.float32), (0, 0), 1.0)
        alpha = shown * person * bare * (spread > STILL / 4)
        # a little of what lies under the face's edge stays too, or the seam beside the collar would show
        side = 2 * round(UNDER * size) + 1
        kept = cv2.dilate((clothes & ~face).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        moves = person * (spread > STILL) * ~kept
        backdrop = without_person(picture, person, (spread > STILL) & ~kept)
        still = np.asarray(cv2.erode(person - moves, np.ones((3, 3), np.uint8)), np.float32)
        matte = (still * 255).round().clip(0, 255).astype(np.uint8)
    else:
        alpha = shown * smoothstep(0.0, 0.03, spread)
    # unmixed along the outline, or a rim of the old background would show before another
    own = picture if person is None else beyond_person(picture, person)
    hair = np.dstack([own.astype(np.float32), alpha * 255]).round().astype(np.uint8)
    row, column = np.mgrid[0:GRID, 0:GRID].astype(np.float32) / (GRID - 1)
    camera_y, camera_z, focal = camera
    scale = focal / grid_depth
    grid = np.stack([(column - 0.5) / scale, grid_depth + camera_y, camera_z - (row - 0.5) / scale], -1)
    return Surround(hair, backdrop, grid.astype(np.float32), grid_weight, person, matte)


def _whole(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The face without the holes of eyes and mouth."""
    import cv2

    outlines, _ = cv2.findContours(covered.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros(covered.shape, np.uint8)
    cv2.drawContours(out, [max(outlines, key=cv2.contourArea)] if outlines else [], -1, 1, cv2.FILLED)
    return out > 0


def _pixels(grid: F32, size: int) -> F32:
    """A grid whose outer nodes lie on the picture's border, sampled so that cv2.resize keeps them there."""
    import cv2

    place = (np.arange(size, dtype=np.float32) + 0.5) / size * (GRID - 1)
    x, y = np.meshgrid(place, place)
    return np.asarray(cv2.remap(grid.astype(np.float32), x, y, cv2.INTER_LINEAR), np.float32)


def _grid(
    size: int,
    covered: NDArray[np.bool_],
    values: F32,
    head_xy: F32,
    head_depth: F32,
    head_weight: F32,
    reach: float,
    clothes: NDArray[np.bool_],
    free: F32,
) -> tuple[F32, F32]:
    """Depth (m) and weight of each node."""
    step = size / (GRID - 1)
    depth, weight = np.zeros((GRID, GRID), np.float32), np.zeros((GRID, GRID), np.float32)
    known = np.zeros((GRID, GRID), bool)
    away = np.full((GRID, GRID), np.inf, np.float32)
    for j in range(GRID):
        for i in range(GRID):
            x, y = i * step, j * step
            rows = slice(int(max(y - step / 3, 0)), int(min(y + step / 3, size - 1)) + 1)
            columns = slice(int(max(x - step / 3, 0)), int(min(x + step / 3, size - 1)) + 1)
            here = covered[rows, columns]
            gaps = np.hypot(head_xy[:, 0] - x, head_xy[:, 1] - y)
            away[j, i] = gaps.min()
            if here.mean() > 0.5:
                depth[j, i], weight[j, i] = values[rows, columns][here].mean(0)
                known[j, i] = True
                away[j, i] = 0
                continue
            # around the face, the mean of the bare head near by: single points would make the grid bumpy
            share = np.exp(-0.5 * ((gaps - away[j, i]) / (1.2 * step)) ** 2)
            depth[j, i] = (share * head_depth).sum() / share.sum()
            weight[j, i] = (share * head_weight).sum() / share.sum()
    # right beside the mesh the layer must move as its rim does
    nearest, gap = _nearest(known)
    rim = np.exp(-((gap * step / size / RIM) ** 2)).astype(np.float32)
    depth = depth + (depth[nearest] - depth) * rim
    weight = weight + (weight[nearest] - weight) * rim
    nodes = np.minimum((np.arange(GRID) * step).astype(int), size - 1)
    weight = np.where(~known & clothes[nodes[:, None], nodes], weight * CHEST, weight)
    depth, weight = _smoothed(depth, known), _smoothed(weight, known)
    fade = 1 - smoothstep(0.25 * reach * size, reach * size, away)
    weight = weight * fade * np.where(known, 1.0, free[nodes[:, None], nodes])
    weight[:, 0] = weight[:, -1] = weight[-1] = 0
    return depth, weight.astype(np.float32)


def _nearest(known: NDArray[np.bool_]) -> tuple[tuple[I32, I32], F32]:
    """Row and column of the nearest known node of each, and the distance in nodes."""
    import cv2

    gap, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(known)
    place = np.zeros(int(labels.max()) + 1, np.int32)
    place[labels[rows, columns]] = np.arange(len(rows), dtype=np.int32)
    which = place[labels]
    return (rows[which].astype(np.int32), columns[which].astype(np.int32)), np.asarray(gap, np.float32)


def _smoothed(values: F32, known: NDArray[np.bool_]) -> F32:
    """The field with its unknown nodes brought nearer to the mean of their neighbours."""
    out = values
    for _ in range(ROUNDS):
        padded = np.pad(out, 1, mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        out = np.where(known, values, 0.5 * out + 0.5 * mean).astype(np.float32)
    return out
