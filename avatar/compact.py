"""A rig's arrays as the CPU renderer's loops read them: small, and with all that can be known beforehand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar import raster
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]


def places(rig: Rig) -> F32:
    """Where triangles lie in the atlas and in the appearance maps, float32[T, 12]: see `raster.shade`."""
    found = np.empty((len(rig.triangles), 12), np.float32)
    border = np.array(rig.atlas.shape[1::-1], np.float32) - 1 - raster.INSIDE
    texels = np.clip(rig.uv - np.float32(0.5), raster.INSIDE, border)
    most = max(rig.map_size - 1 - raster.INSIDE, raster.INSIDE)
    corners = np.clip(rig.map_xy[rig.triangles], raster.INSIDE, most)
    for first, at in ((0, texels), (6, corners)):
        found[:, first : first + 2] = at[:, 0]
        found[:, first + 2 : first + 6] = (at[:, 1:] - at[:, :1]).reshape(-1, 4)
    return found


def kinds(rig: Rig) -> tuple[U8, U8]:
    """Of each triangle how it is shaded, and which tiles of the appearance maps it touches: see `raster`."""
    shaded = np.zeros(len(rig.triangles), np.uint8)
    lit = np.abs(rig.light - 1) > raster.UNSEEN
    for eye in rig.manifest.eyes.values():
        lit[eye.first : eye.first + eye.count] = True
    shaded[lit[rig.triangles].any(axis=1)] |= raster.LIT
    if not rig.map_size:
        return shaded, np.zeros((len(shaded), 4), np.uint8)
    corners = rig.map_xy[rig.triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    inside = (low >= raster.INSIDE).all(axis=1) & (high < rig.map_size - 1 - raster.INSIDE).all(axis=1)
    shaded[(rig.mapped > 0) & inside] |= raster.MAPPED
    # interpolation reads the next pixel too
    tiles = np.stack([low, high + 1 + raster.INSIDE], axis=2).clip(0, rig.map_size - 1) // raster.TILE
    return shaded, np.ascontiguousarray(tiles.reshape(-1, 4), np.uint8)


def short(rows: F32) -> tuple[NDArray[np.int16], F32]:
    """Rows in half the memory, which is what mixing waits for, and the size of each row's steps."""
    steps = np.abs(rows).max(axis=1, initial=1e-9) / np.float32(32767)
    return np.rint(rows / steps[:, None]).astype(np.int16), steps.astype(np.float32)


def occupied(rows: NDArray[np.int16]) -> U8:
    """uint8[K, chunks]: 0 where a run of `raster.CHUNK` numbers of a row is all zero."""
    size = raster.CHUNK
    starts = np.arange(0, max(rows.shape[1], 1), size)
    if not rows.size:
        return np.zeros((len(rows), -(-rows.shape[1] // size)), np.uint8)
    return np.ascontiguousarray(np.maximum.reduceat(rows != 0, starts, axis=1), np.uint8)


def packed(picture: U8) -> U32:
    """RGBA bytes as one number a pixel."""
    return picture.view(np.uint32)[:, :, 0]
