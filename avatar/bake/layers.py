"""The layers of a rig: hair and clothes cleaned of the renderer's faults, lashes, and the hair's depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.bake.brows import LOWER_LASHES, UPPER_LASHES
from avatar.bake.mesh import BODY, F32, I32, NECK_M, Mesh
from avatar.bake.picture import U8, blur, disc, read_rgba
from avatar.geometry import project, smoothstep
from avatar.seen import Seen

LASH_LENGTH = 0.5
"""Lashes shorter than they were grown: natural, and quicker to draw."""
LASH_GAP_M = 0.00032
"""Closer than this lashes run together into a bar, most of all on a closed lid."""
LASH_OUTMOST = 0.74
"""Lashes end so many eyeball radii outward of its middle: in the corner of the lids they would lie across."""
GRID = 33
"""Nodes a side of the grid that carries the hair's depth: hair turns smoothly."""


FRONT_SHARE = 0.6
"""The depth of hair in a cell is that of the strand before which so many of the visible ones lie."""
WIDEST_M, CROWN_M = 0.125, 0.085
"""How far behind the eyes the head is widest, and how far over them its crown begins."""
DEPTH_SIZE = 360
"""Pixels a side of the picture in which hair before and behind the head is told apart."""


def clean_hair(folder: Path) -> U8:
    """hair.png (straight RGBA) with colours carried on outward: no dark rim shows when it is resized."""
    raw = read_rgba(folder / "hair.png")
    k = len(raw) / 640
    alpha = raw[:, :, 3].astype(np.float32) / 255
    # single strands are finer than a pixel: calm their dots, keep the body's edge
    alpha = np.maximum(smoothstep(0.06, 0.94, blur(alpha, 0.7 * k)), (alpha > 0.97) * alpha)
    alpha *= _main_part(alpha > 0.04)
    colour = _fill_colour(raw[:, :, :3].astype(np.float32), raw[:, :, 3] > 150, k)
    return np.dstack([np.clip(colour, 0, 255), alpha * 255]).round().astype(np.uint8)


def _main_part(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected part, bool[H, W]: strands that come through an ear lie apart."""
    import cv2

    count, labels, boxes, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8), connectivity=8)
    if count < 2:
        return there
    return np.asarray(labels == 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax()), np.bool_)


def outline_only(hair: U8, mesh: Mesh) -> U8:
    """The layer without its lower edge on the face: the skin's texture shows that hair already."""
    import cv2

    size = len(hair)
    xy, depth = mesh.on_screen(mesh.vertices, size)
    ids = Seen(xy, depth, mesh.triangles, size, size).ids
    dense = cv2.morphologyEx((hair[:, :, 3] > 100).astype(np.uint8), cv2.MORPH_CLOSE, disc(size / 120))
    # distance to the skin that is bare of hair, for what lies on the head; the outline keeps its edge
    inside = cv2.erode((ids >= 0).astype(np.uint8), disc(size / 120))
    bare = ((dense == 0) & (inside > 0)).astype(np.uint8)
    away = cv2.distanceTransform(1 - bare, cv2.DIST_L2, 5)
    out = hair.copy()
    fade = smoothstep(size / 180, size / 45, np.asarray(away, np.float32))
    out[:, :, 3] = (hair[:, :, 3] * np.where(cv2.dilate(inside, disc(2)) > 0, fade, 1)).round()
    return out


def _fill_colour(colour: F32, known: NDArray[np.bool_], k: float) -> F32:
    """Colours where known, spread outward elsewhere."""

    have = known.astype(np.float32)
    out = colour * have[..., None]
    for sigma in (1.2, 3.0, 8.0, 20.0):
        weight = blur(have, sigma * k)
        near = blur(out * have[..., None], sigma * k) / np.maximum(weight, 1e-4)[..., None]
        fill = (have == 0) & (weight > 0.02)
        out[fill] = near[fill]
        have[fill] = 1
    return np.asarray(out, np.float32)


def clean_cloth(folder: Path) -> tuple[U8, int]:
    """cloth.png without its rim of background (straight RGBA), from its first row down, and that row."""
    raw = read_rgba(folder / "cloth.png")
    k = raw.shape[1] / 640
    alpha = raw[:, :, 3].astype(np.float32) / 255
    colour = _fill_colour(raw[:, :, :3].astype(np.float32), raw[:, :, 3] > 235, k)
    rows = np.flatnonzero((alpha > 0.02).any(axis=1))
    first = int(rows[0])
    layer = np.dstack([np.clip(colour, 0, 255), alpha * 255]).round().astype(np.uint8)
    return layer[first:], first


def inside_collar(cloth: U8, first: int) -> U8:
    """Opacity uint8[H, W] of the dark inside of a collar, seen beside the neck when the head turns."""
    size = cloth.shape[1]
    fill = np.zeros((size, size), np.float32)
    tuck = round(size / 40)
    for y in range(first, size):
        solid = cloth[y - first, :, 3] > 200
        left, right = np.flatnonzero(solid[: size // 2]), np.flatnonzero(solid[size // 2 :])
        if len(left) and len(right):
            # only between the two sides of the neck, and as far under each as there is cloth
            edges = left[-1], size // 2 + right[0]
            gaps = np.flatnonzero(~solid[: edges[0]]), np.flatnonzero(~solid[edges[1] :])
            start = max(edges[0] - tuck, gaps[0][-1] + 2 if len(gaps[0]) else 0)
            end = min(edges[1] + tuck, edges[1] + gaps[1][0] - 2 if len(gaps[1]) else size)
            fill[y, start:end] = 255
    return blur(fill, size / 400).round().astype(np.uint8)


def uncovered(cloth: U8, first: int, mesh: Mesh) -> NDArray[np.bool_]:
    """Triangles that the clothes do not hide for good, bool[t]."""
    import cv2

    size = cloth.shape[1]
    opaque = np.zeros((max(size * 2, first + len(cloth)), size), np.uint8)
    opaque[first : first + len(cloth)] = cloth[:, :, 3] > 250
    opaque[first + len(cloth) :] = opaque[first + len(cloth) - 1]
    # what may come out from under the collar when the head turns stays
    deep = cv2.erode(np.pad(opaque, ((0, 0), (40, 40)), mode="edge"), disc(size * 0.03))[:, 40:-40]
    xy, _ = mesh.on_screen(mesh.vertices, size)
    x = np.clip(xy[:, 0].astype(int), 0, size - 1)
    y = np.clip(xy[:, 1].astype(int), 0, len(deep) - 1)
    hidden = (deep[y, x] > 0) | (xy[:, 0] < 0) | (xy[:, 0] >= size)
    return np.asarray(~hidden[mesh.triangles].all(axis=1) | (mesh.part != BODY), np.bool_)


def hair_grid(strands: Path, mesh: Mesh) -> tuple[F32, F32]:
    """Points float32[33, 33, 3] on the hair under a picture grid, and how much each follows the head."""

    points = np.load(strands)["arr_0"].astype(np.float32).reshape(-1, 3)
    camera_y, camera_z, focal = mesh.camera
    xy, depth = project(points, mesh.camera, 1)
    # hair on the far side of the head shows nowhere
    head, head_depth = mesh.on_screen(mesh.vertices, DEPTH_SIZE)
    zbuffer = Seen(head, head_depth, mesh.triangles, DEPTH_SIZE, DEPTH_SIZE).zbuffer
    at = np.clip((xy * DEPTH_SIZE).astype(int), 0, DEPTH_SIZE - 1)
    shown = depth < zbuffer[at[:, 1], at[:, 0]] + 0.008
    # beside the head, only what lies before its widest part; over it, all
    widest = mesh.eyes["left"][0][1] + WIDEST_M
    shown &= (points[:, 1] < widest) | (points[:, 2] > mesh.eyes["left"][0][2] + CROWN_M)
    points, xy = points[shown], xy[shown]
    columns = np.clip((xy[:, 0] * (GRID - 1) + 0.5).astype(int), 0, GRID - 1)
    rows = np.clip((xy[:, 1] * (GRID - 1) + 0.5).astype(int), 0, GRID - 1)
    cell = rows * GRID + columns
    order = np.lexsort((points[:, 1], cell))
    first = np.searchsorted(cell[order], np.arange(GRID * GRID))
    count = np.bincount(cell, minlength=GRID * GRID)
    pick = np.clip(first + (count * FRONT_SHARE).astype(int), 0, len(points) - 1)
    front = np.where(count > 0, points[order[pick], 1], 0).reshape(GRID, GRID).astype(np.float32)
    known = (count > 0).astype(np.float32).reshape(GRID, GRID)
    y, weight = front, known
    # beyond the hair the depth of its edge goes on
    for sigma in (0.7, 1.5, 4.0):
        share = blur(known, sigma)
        near = blur(front * known, sigma) / np.maximum(share, 1e-4)
        y = np.where((weight == 0) & (share > 0.02), near, y)
        weight = np.maximum(weight, (share > 0.02).astype(np.float32))
    y = blur(np.where(weight > 0, y, -0.02).astype(np.float32), 1.0)
    row, column = np.mgrid[0:GRID, 0:GRID] / (GRID - 1.0)
    scale = focal / (y - camera_y)
    grid = np.stack([(column - 0.5) / scale, y, camera_z - (row - 0.5) / scale], -1).astype(np.float32)
    return grid, smoothstep(0, 1, (grid[..., 2] - mesh.chin_z + NECK_M) / NECK_M)


def lashes(folder: Path, mesh: Mesh, seen_vertices: I32) -> tuple[I32, F32, U8]:
    """Upper lashes: root vertex int32[n], points relative to it float32[n, 6, 3], side (0 left, 1 right)."""
    strands = np.load(folder / "lashes.npy").astype(np.float32)
    half = UPPER_LASHES + LOWER_LASHES
    kept = []
    for first, eye, sign in ((0, "left", 1.0), (half, "right", -1.0)):
        centre, radius = mesh.eyes[eye]
        outward = (strands[first : first + UPPER_LASHES, 0, 0] - centre[0]) / radius * sign
        near = np.flatnonzero(outward < LASH_OUTMOST)
        kept.append(near[_apart(strands[first + near, 0, 0])] + first)
    keep = np.concatenate(kept)
    side = (keep >= half).astype(np.uint8)
    strands = strands[keep]
    strands = strands[:, :1] + (strands - strands[:, :1]) * LASH_LENGTH
    distance = ((strands[:, None, 0] - mesh.vertices[seen_vertices][None]) ** 2).sum(-1)
    root = seen_vertices[distance.argmin(1)].astype(np.int32)
    return root, (strands - mesh.vertices[root][:, None]).astype(np.float32), side


def _apart(x: F32) -> I32:
    """Indices of the lashes that stand far enough from the one before, across the lid."""
    kept: list[int] = []
    for i in np.argsort(x).tolist():
        if not kept or x[i] - x[kept[-1]] >= LASH_GAP_M:
            kept.append(i)
    return np.array(kept, np.int32)
