"""One atlas from the renders that show each triangle best, and how light changes with expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatar.bake import inside
from avatar.bake.choice import choose, from_side
from avatar.bake.mesh import BODY, F32, I32, LEFT_EYE, LOWER_TEETH, TONGUE, UPPER_TEETH, Mesh
from avatar.bake.picture import U8, blur, disc, light_of, read_rgba
from avatar.bake.poses import (
    INNER_POSE,
    KEY_BOX,
    KEY_POSES,
    SIDE_YAWS_DEG,
    SIDES,
    SPLIT_KEYS,
)
from avatar.bake.seam import matched, seam_gain
from avatar.geometry import smoothstep
from avatar.seen import Seen

LIP_SHADE = 0.25
SIDE_BOX = (0.18, 0.82, 0.80)
"""Left, right and bottom of what is kept of the views from the side: the head, in picture sizes."""

MAP_SIZE = 192
"""Pixels of an appearance map's side: wrinkles and lip shading are low frequency."""


@dataclass
class Atlas:
    """What `bake` found: the texture and where each triangle finds its piece."""

    picture: U8
    uv: F32
    mapped: U8
    maps: F32
    map_names: list[str]
    map_xy: F32
    source: I32


def bake(mesh: Mesh, folder: Path) -> Atlas:
    """Choose each triangle's texture among the renders and measure the appearance maps."""
    rest = read_rgba(folder / "skin_rest.png")
    keys = {name: _grown(read_rgba(folder / f"key_{name}.png"), len(rest)) for name in ("rest", *KEY_POSES)}
    inner = read_rgba(folder / "inner.png")
    size = rest.shape[0]
    left, right, top, bottom = (int(round(edge * size)) for edge in KEY_BOX)
    wide, tall = right - left, bottom - top

    # the key renders are bald: give them the shadow that the hair throws at rest
    def soft(picture: U8) -> F32:
        return blur(light_of(picture[:, :, :3].astype(np.float32)) + 2, size / 45)[..., None]

    shadow = np.clip(soft(rest) / soft(keys["rest"]), 0.3, 1.5)
    sources = ("blink", "ee", "jaw")
    bare = [np.clip(_without_fringe(keys[k]) * shadow, 0, 255) for k in sources]
    lids = bare[0]
    crops = [view[top:bottom, left:right] for view in (*bare, _without_fringe(inner))]
    screens = {
        "rest": mesh.on_screen(mesh.vertices, size)[0],
        "inner": mesh.on_screen(mesh.posed(INNER_POSE), size)[0],
    }
    for key in KEY_POSES:
        screens[key] = mesh.on_screen(mesh.posed(KEY_POSES[key]), size)[0]
    source = choose(mesh, screens, sources, size)
    sides = [_without_fringe(read_rgba(folder / f"{name}.png")) for name in SIDES]
    edge = [round(x * size) for x in SIDE_BOX]
    corner = size + wide * 4
    first_side = corner + inside.WIDTH
    across = edge[1] - edge[0]
    strip = inside.paint_strip()
    picture = np.zeros((max(size, tall, len(strip)), first_side + across * 2, 3), np.uint8)
    front = _without_fringe(rest)
    for i, view in enumerate(sides):
        view = matched(mesh, view, SIDE_YAWS_DEG[i], front, size)
        left_edge = first_side + i * across
        picture[: edge[2], left_edge : left_edge + across] = view[: edge[2], edge[0] : edge[1]]
    picture[:size, :size] = front
    for i, crop in enumerate(crops):
        if i == 0:
            gain = seam_gain(mesh, source, 1, (screens["rest"], front), (screens["blink"], lids), size)
            crop = np.clip(crop * gain[top:bottom, left:right], 0, 255)
        picture[:tall, size + i * wide : size + (i + 1) * wide] = crop
    picture[: len(strip), corner:first_side] = strip

    uv = np.zeros((len(mesh.triangles), 3, 2), np.float32)
    for i, key in enumerate(("rest", *sources, "inner")):
        corners = screens[key][mesh.triangles]
        if i:
            corners = corners - np.array([left, top], np.float32)
            corners[..., 0] = np.clip(corners[..., 0], 1, wide - 2) + size + (i - 1) * wide
            corners[..., 1] = np.clip(corners[..., 1], 1, tall - 2)
        uv[source == i] = corners[source == i]
    uv[source == 5] = np.array([corner, 0], np.float32) + inside.CAVITY_UV
    for i in range(len(SIDES)):
        xy, _ = from_side(mesh, SIDE_YAWS_DEG[i], size)
        corners = xy[mesh.triangles]
        corners[..., 0] = np.clip(corners[..., 0] - edge[0], 1, across - 2) + first_side + i * across
        corners[..., 1] = np.clip(corners[..., 1], 1, edge[2] - 2)
        uv[source == 6 + i] = corners[source == 6 + i]
    for part in (UPPER_TEETH, LOWER_TEETH, TONGUE):
        own = mesh.part == part
        uv[own] = inside.strip_uv(mesh, part, mesh.triangles[own]) + np.array([corner, 0], np.float32)
    _shade_fold(mesh, source)
    maps, names = _appearance(mesh, keys, screens, size)
    side = max(wide, tall)
    map_xy = (screens["rest"] - np.array([left, top], np.float32)) / side * (MAP_SIZE - 1)
    mapped = (mesh.part == BODY) & np.isin(source, (0, 1, 6, 7))
    return Atlas(picture, uv, mapped.astype(np.uint8), maps, names, map_xy.astype(np.float32), source)


def _shade_fold(mesh: Mesh, source: I32) -> None:
    """Darken the inside of the lips, in place: what shows of it at rest lies in shadow."""
    count = np.maximum(np.bincount(mesh.triangles.ravel(), minlength=len(mesh.vertices)), 1)
    own = np.zeros(len(mesh.vertices), np.float32)
    np.add.at(own, mesh.triangles[np.isin(source, (2, 3))].ravel(), 1)
    mesh.light *= 1 - LIP_SHADE * (own / count) ** 2


def _without_fringe(picture: U8) -> U8:
    """RGB with the colours near the silhouette replaced by their neighbours inside."""
    import cv2

    outside = cv2.dilate((picture[:, :, 3] < 250).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    within = (~outside).astype(np.float32)
    colour = picture[:, :, :3].astype(np.float32)
    for sigma in (2.0, 6.0, 20.0, 60.0):
        weight = blur(within, sigma)
        near = blur(colour * within[..., None], sigma) / np.maximum(weight, 1e-3)[..., None]
        fill = outside & (weight > 2e-3) & (within == 0)
        colour[fill] = near[fill]
        within[fill] = 1
    return np.clip(colour, 0, 255).astype(np.uint8)


def _grown(picture: U8, size: int) -> U8:
    """A picture brought to the size of the others: keys that only feed maps are rendered smaller."""
    import cv2

    if len(picture) == size:
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def _appearance(mesh: Mesh, keys: dict[str, U8], screens: dict[str, F32], size: int) -> tuple[F32, list[str]]:
    """How much brighter the skin is in each key pose, float32[m, 192, 192, 3]: 0 is as at rest."""
    import cv2

    left, right, top, bottom = (int(round(edge * size)) for edge in KEY_BOX)
    side = max(right - left, bottom - top)
    grid_y, grid_x = np.mgrid[0:MAP_SIZE, 0:MAP_SIZE].astype(np.float32) / (MAP_SIZE - 1) * side
    border = smoothstep(
        0, 30, np.minimum(np.minimum(grid_x, side - grid_x), np.minimum(grid_y, side - grid_y))
    )
    grid_x, grid_y = grid_x + left, grid_y + top
    left_half = smoothstep(size / 2 - 14, size / 2 + 14, grid_x)[..., None]
    pixel_y, pixel_x = np.mgrid[0:size, 0:size].astype(np.float32)
    depth = mesh.on_screen(mesh.vertices, size)[1]
    body = np.ascontiguousarray(mesh.triangles[mesh.part == BODY])
    base = blur(keys["rest"][:, :, :3].astype(np.float32) + 3, 1.6)
    # between the lids the eye is seen: there the skin's own change goes on
    ids = Seen(screens["rest"], depth, mesh.triangles, size, size).ids
    eye = ((ids >= 0) & (mesh.part[ids] >= LEFT_EYE)).astype(np.uint8)
    skin = 1 - cv2.dilate(eye, disc(size / 360)).astype(np.float32)
    nearby = blur(skin, size / 150)[..., None] + 1e-3
    maps, names = [], []
    body_seen = Seen(screens["rest"], depth, body, size, size)
    for key in KEY_POSES:
        moved = body_seen.painted(screens[key] - screens["rest"])
        seen_here = cv2.remap(
            keys[key][:, :, :3], pixel_x + moved[..., 0], pixel_y + moved[..., 1], cv2.INTER_LINEAR
        ).astype(np.float32)
        ratio = np.clip(blur(seen_here + 3, 1.6) / base, 0.45, 1.6)
        # near the silhouette a shifted edge would pass for light
        there = cv2.remap(
            keys[key][:, :, 3], pixel_x + moved[..., 0], pixel_y + moved[..., 1], cv2.INTER_LINEAR
        )
        solid = ((there > 250) & (keys["rest"][:, :, 3] > 250)).astype(np.uint8)
        sure = blur(cv2.erode(solid, disc(size / 70)).astype(np.float32), size / 120)[..., None]
        ratio = (ratio - 1) * sure * skin[..., None]
        ratio = 1 + np.where(skin[..., None] > 0, ratio, blur(ratio, size / 150) / nearby)
        change = cv2.medianBlur(cv2.remap(ratio, grid_x, grid_y, cv2.INTER_LINEAR) - 1, 3) * border[..., None]
        if key in SPLIT_KEYS:
            maps += [change * left_half, change * (1 - left_half)]
            names += [key + "Left", key + "Right"]
        else:
            maps.append(change)
            names.append(key)
    return np.stack(maps).astype(np.float32), names
