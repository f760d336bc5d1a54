"""The layers of a rig: hair and clothes cleaned of the renderer's faults, lashes, and the hair's depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.bake.mesh import F32, I32, Mesh
from avatar.bake.picture import U8, blur, disc, light_of, read_rgba
from avatar.geometry import project, smoothstep

LASH_LENGTH = 0.5
"""Lashes shorter than they were grown: natural, and quicker to draw."""
GRID = 33
"""Nodes a side of the grid that carries the hair's depth: hair turns smoothly."""


def clean_hair(folder: Path) -> U8:
    """hair.png as one soft body: no single strands, no dots, no holes (straight RGBA)."""
    import cv2

    raw = read_rgba(folder / "hair.png")
    alpha = raw[:, :, 3].astype(np.float32) / 255
    size = alpha.shape[0]
    k = size / 640

    # strands one or two pixels wide vanish, gaps between strands close, crumbs go
    dense = (blur(alpha, 1.6 * k) > 0.52).astype(np.uint8)
    solid = cv2.morphologyEx(dense, cv2.MORPH_OPEN, disc(5 * k))
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, disc(4 * k))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < 400 * k * k:
            solid[labels == label] = 0
    # the shoulders cut the hair off: let it overlap them, or the wall shines through the seam
    shoulders = read_rgba(folder / "cloth.png")[:, :, 3] > 127
    solid = ((solid > 0) | ((cv2.dilate(solid, disc(11 * k)) > 0) & shoulders)).astype(np.uint8)
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, disc(5 * k))
    # contour rounded at the scale of a lock, then a soft rim as fine hair gives
    body = blur(solid.astype(np.float32), 5.0 * k)
    body = blur((body > 0.5).astype(np.float32), 2.2 * k)
    rim = smoothstep(0.22, 0.80, body)
    # at the parting and the hairline the painted scalp lies below: hair thins out there instead of ending
    rows = np.arange(size, dtype=np.float32)[:, None] / size
    thin = blur(alpha, 2.0 * k) * (1 - smoothstep(0.245, 0.27, rows))
    inner = cv2.erode(cv2.morphologyEx(solid, cv2.MORPH_CLOSE, disc(24 * k)), disc(3 * k))
    rim = np.maximum(rim, smoothstep(0.02, 0.5, thin) * blur(inner.astype(np.float32), 2 * k))
    colour = _fill_colour(
        raw[:, :, :3].astype(np.float32), (alpha > 0.6) & (cv2.erode(solid, disc(2 * k)) > 0), k
    )
    colour = _tone_hair(colour, k)
    return np.dstack([np.clip(colour, 0, 255), rim * 255]).round().astype(np.uint8)


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


def _tone_hair(colour: F32, k: float) -> F32:
    """Calm the orange of the rim lights: highlights keep their place but not their strength."""

    light = light_of(colour)
    broad = blur(light, 4 * k)
    gain = np.where(broad > 34, (34 + (broad - 34) * 0.55) / np.maximum(broad, 1), 1)
    toned = colour * gain[..., None]
    grey = light_of(toned)[..., None]
    return np.asarray(grey + (toned - grey) * 0.72 + np.array([3, 2, 2], np.float32), np.float32)


def clean_cloth(folder: Path) -> tuple[U8, int]:
    """cloth.png without its white rim and ragged collar (straight RGBA), cropped, and its first row."""
    import cv2

    raw = read_rgba(folder / "cloth.png")
    size = raw.shape[0]
    k = size / 640
    alpha = (raw[:, :, 3] > 127).astype(np.uint8)
    solid = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, disc(4 * k))
    padded = np.pad(np.asarray(solid, np.float32), 32, mode="edge")
    rim = smoothstep(0.30, 0.70, blur(_rounded(padded, 7 * k), 1.3 * k)[32:-32, 32:-32])
    colour = raw[:, :, :3].astype(np.float32)
    # the sheen of the weave washes out to white toward the silhouette: keep its texture, not its level
    light = light_of(colour)
    known = (solid > 0).astype(np.float32)
    weight = np.maximum(blur(known, 7 * k), 1e-3)
    broad = np.asarray(blur(light * known, 7 * k) / weight, np.float32)
    weave = np.clip(light / np.maximum(broad, 1), 0.75, 1.25)
    level = 30 + 40 * smoothstep(40, 150, broad) - 18 * smoothstep(120, 200, broad)
    shaded = (level * (0.65 + 0.35 * weave))[..., None] * np.array(CLOTH_TINT, np.float32)
    rows = np.flatnonzero(rim.max(axis=1) > 0.01)
    first = int(rows[0])
    layer = np.dstack([np.clip(shaded, 0, 255), rim * 255]).round().astype(np.uint8)
    return layer[first:], first


def _rounded(mask: F32, radius: float) -> F32:
    """The mask with its contour's corners rounded."""

    return np.asarray(blur(mask, radius) > 0.5, np.float32)


CLOTH_TINT = (0.62, 0.92, 1.30)
"""Colour of the clothes relative to their lightness: a muted navy."""


def hair_behind(hair: U8, mesh: Mesh) -> U8:
    """Opacity uint8[H, W] of the dark hair seen behind neck and cheeks when the head turns."""

    size = hair.shape[0]
    dense = hair[:, :, 3] > 128
    camera_y, camera_z, focal = mesh.camera
    last = int(size * (0.5 - (0.475 - camera_z) * focal / -camera_y))
    fill = np.zeros((size, size), np.float32)
    for y in range(int(size * 0.22), last):
        columns = np.flatnonzero(dense[y])
        if len(columns) > 2:
            fill[y, columns[0] + int(0.07 * size) : columns[-1] - int(0.07 * size)] = 255
    return blur(fill, size / 250).round().astype(np.uint8)


def hair_grid(strands: Path, mesh: Mesh) -> tuple[F32, F32]:
    """Points float32[33, 33, 3] on the hair under a picture grid, and how much each follows the head."""

    points = np.load(strands)["arr_0"].astype(np.float32).reshape(-1, 3)
    points = points[points[:, 2] > 0.40]
    camera_y, camera_z, focal = mesh.camera
    xy, _ = project(points, mesh.camera, 1)
    columns = np.clip((xy[:, 0] * (GRID - 1) + 0.5).astype(int), 0, GRID - 1)
    rows = np.clip((xy[:, 1] * (GRID - 1) + 0.5).astype(int), 0, GRID - 1)
    total, count = np.zeros((GRID, GRID), np.float32), np.zeros((GRID, GRID), np.float32)
    # strands are a sheet seen from its far side: move it 2 cm toward the viewer
    np.add.at(total, (rows, columns), points[:, 1] - 0.02)
    np.add.at(count, (rows, columns), 1)
    weight = blur(count.clip(0, 1), 1.2)
    mean = np.where(count > 0, total / np.maximum(count, 1), 0)
    y = blur(mean, 1.2) / np.maximum(weight, 1e-3)
    y = np.where(weight > 0.02, y, -0.02)
    row, column = np.mgrid[0:GRID, 0:GRID] / (GRID - 1.0)
    scale = focal / (y - camera_y)
    grid = np.stack([(column - 0.5) / scale, y, camera_z - (row - 0.5) / scale], -1).astype(np.float32)
    return grid, smoothstep(0.47, 0.60, grid[..., 2])


def lashes(folder: Path, mesh: Mesh, seen_vertices: I32) -> tuple[I32, F32, U8]:
    """Upper lashes: root vertex int32[n], points relative to it float32[n, 6, 3], side (0 left, 1 right)."""
    strands = np.load(folder / "lashes.npy").astype(np.float32)
    half = len(strands) // 2
    keep = np.concatenate([np.arange(170), half + np.arange(170)])
    side = (keep >= half).astype(np.uint8)
    strands = strands[keep]
    strands = strands[:, :1] + (strands - strands[:, :1]) * LASH_LENGTH
    distance = ((strands[:, None, 0] - mesh.vertices[seen_vertices][None]) ** 2).sum(-1)
    root = seen_vertices[distance.argmin(1)].astype(np.int32)
    return root, (strands - mesh.vertices[root][:, None]).astype(np.float32), side
