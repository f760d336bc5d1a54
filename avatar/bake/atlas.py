"""One atlas from the renders that show each triangle best, and how light changes with expression."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatar.bake import inside
from avatar.bake.mesh import BODY, F32, I32, LOWER_TEETH, TONGUE, UPPER_TEETH, Mesh, screen_area
from avatar.bake.picture import U8, blur, disc, light_of, read_rgba
from avatar.bake.poses import (
    INNER_POSE,
    KEY_BOX,
    KEY_POSES,
    SIDE_PIVOT_Y_M,
    SIDE_YAWS_DEG,
    SIDES,
    SPLIT_KEYS,
)
from avatar.bake.visibility import paint, seen
from avatar.geometry import smoothstep

LID_SHADE, LIP_SHADE = 0.08, 0.25
SIDE_GAIN = 1.8
"""How many times larger a view from the side must show a triangle than the front does."""
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
    crops = [
        np.clip(_without_fringe(keys[k])[top:bottom, left:right] * shadow[top:bottom, left:right], 0, 255)
        for k in sources
    ]
    crops.append(_without_fringe(inner)[top:bottom, left:right])
    sides = [_without_fringe(read_rgba(folder / f"{name}.png")) for name in SIDES]
    edge = [round(x * size) for x in SIDE_BOX]
    corner = size + wide * 4
    first_side = corner + inside.WIDTH
    across = edge[1] - edge[0]
    strip = inside.paint_strip()
    picture = np.zeros((max(size, tall, len(strip)), first_side + across * 2, 3), np.uint8)
    for i, view in enumerate(sides):
        view = _matched(mesh, view, SIDE_YAWS_DEG[i], _without_fringe(rest), size)
        left_edge = first_side + i * across
        picture[: edge[2], left_edge : left_edge + across] = view[: edge[2], edge[0] : edge[1]]
    picture[:size, :size] = _without_fringe(rest)
    for i, crop in enumerate(crops):
        picture[:tall, size + i * wide : size + (i + 1) * wide] = crop
    picture[: len(strip), corner:first_side] = strip

    screens = {
        "rest": mesh.on_screen(mesh.vertices, size)[0],
        "inner": mesh.on_screen(mesh.posed(INNER_POSE), size)[0],
    }
    for key in KEY_POSES:
        screens[key] = mesh.on_screen(mesh.posed(KEY_POSES[key]), size)[0]
    source = _choose(mesh, screens, sources, size)
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
        xy, _ = _from_side(mesh, SIDE_YAWS_DEG[i], size)
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
    mapped = (mesh.part == BODY) & np.isin(source, (0, 6, 7))
    return Atlas(picture, uv, mapped.astype(np.uint8), maps, names, map_xy.astype(np.float32), source)


def _shade_fold(mesh: Mesh, source: I32) -> None:
    """Darken upper lids and the inside of the lips, in place: what shows of them at rest lies in shadow."""
    count = np.maximum(np.bincount(mesh.triangles.ravel(), minlength=len(mesh.vertices)), 1)
    for sources, shade in (((1,), LID_SHADE), ((2, 3), LIP_SHADE)):
        own = np.zeros(len(mesh.vertices), np.float32)
        np.add.at(own, mesh.triangles[np.isin(source, sources)].ravel(), 1)
        mesh.light *= 1 - shade * (own / count) ** 2


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


def _matched(mesh: Mesh, view: U8, yaw_deg: float, rest: U8, size: int) -> U8:
    """A view from the side in the light of the front: shine differs from place to place, seams would show."""
    xy, depth = _from_side(mesh, yaw_deg, size)
    body = np.ascontiguousarray(mesh.triangles[mesh.part == BODY])
    front_xy, front_depth = mesh.on_screen(mesh.vertices, size)
    first, end = mesh.ranges[BODY]
    known = np.zeros(len(mesh.vertices), np.float32)
    ratio = np.ones((len(mesh.vertices), 3), np.float32)
    pictures = [blur(picture.astype(np.float32) + 3, size / 200) for picture in (rest, view)]
    colours, shown = [], []
    for picture, places, deep in zip(pictures, (front_xy, xy), (front_depth, depth), strict=True):
        _, zbuffer = seen(places, deep, body, size)
        at = np.clip(places.astype(int), 0, size - 1)
        colours.append(picture[at[:, 1], at[:, 0]])
        shown.append(deep < zbuffer[at[:, 1], at[:, 0]] + 0.002)
    both = shown[0] & shown[1]
    both[end:] = False
    known[both] = 1
    ratio[both] = np.clip(colours[0] / colours[1], 0.5, 2.0)[both]
    values = np.concatenate([ratio * known[:, None], known[:, None]], 1).astype(np.float32)
    painted = np.zeros((size, size, 4), np.float32)
    paint(xy, depth, body, values, painted, np.full((size, size), 1e9, np.float32))
    # where only this view sees, the ratio of the nearest seam goes on and fades
    weight, total = np.zeros((size, size), np.float32), np.zeros((size, size, 3), np.float32)
    for sigma, share in ((size / 150, 1.0), (size / 40, 0.05), (size / 12, 0.003)):
        weight += blur(painted[..., 3], sigma) * share
        total += blur(painted[..., :3], sigma) * share
    gain = (total + 1e-5) / (weight + 1e-5)[..., None]
    return np.clip(view * gain, 0, 255).astype(np.uint8)


def _from_side(mesh: Mesh, yaw_deg: float, size: int) -> tuple[F32, F32]:
    """Pixels and depth as the camera sees them that stands `yaw_deg` round the head."""
    angle = np.radians(yaw_deg)
    x, y = mesh.vertices[:, 0], mesh.vertices[:, 1] - SIDE_PIVOT_Y_M
    turned = np.stack([
        x * np.cos(angle) + y * np.sin(angle),
        y * np.cos(angle) - x * np.sin(angle) + SIDE_PIVOT_Y_M,
        mesh.vertices[:, 2],
    ], -1).astype(np.float32)  # fmt: skip
    return mesh.on_screen(turned, size)


def _choose(mesh: Mesh, screens: dict[str, F32], sources: tuple[str, ...], size: int) -> I32:
    """Source of each triangle: 0 rest, 1… the keys in `sources`, 4 inner, 5 mouth cavity, 6, 7 the sides."""
    triangles = mesh.triangles
    areas = {key: screen_area(xy, triangles) for key, xy in screens.items()}
    visible = {}
    for key in ("rest", *sources):
        xy, depth = mesh.on_screen(mesh.posed(KEY_POSES.get(key, {})), size)
        _, zbuffer = seen(xy, depth, triangles, size)
        centre = np.clip(xy[triangles].mean(1).astype(int), 0, size - 1)
        slack = {"rest": 0.0025, "blink": 0.0018}.get(key, 0.004)
        visible[key] = (depth[triangles].mean(1) < zbuffer[centre[:, 1], centre[:, 0]] + slack) & (
            areas[key] > 0
        )
    middle = mesh.vertices[triangles].mean(1)
    eye_z = float(mesh.eyes["left"][0][2])
    near_eye = (np.abs(middle[:, 2] - eye_z) < 0.03) & (np.abs(middle[:, 0]) < 0.065)
    near_mouth = (middle[:, 2] < mesh.mouth_z + 0.018) & (np.abs(middle[:, 0]) < 0.05)
    body = mesh.part == BODY
    source = np.zeros(len(triangles), np.int32)
    # rest is the sharpest and best lit: another render must show the triangle 1.8 times as large
    best = np.where(visible["rest"], areas["rest"], 0) * 1.8
    for i, key in enumerate(sources):
        area = np.where(visible[key], areas[key], 0) * (near_eye if key == "blink" else near_mouth)
        take = (area > best) & body
        source[take] = i + 1
        best = np.where(take, area, best)
    hidden = body & ~np.any([visible[k] for k in visible], axis=0)
    cavity = (
        hidden
        & (np.abs(middle[:, 0]) < 0.031)
        & (middle[:, 2] < mesh.mouth_z + 0.013)
        & (middle[:, 2] > mesh.mouth_z - 0.025)
    )
    source[cavity] = 5
    source[~body] = 4
    # the sides of the head: where the frontal picture shows a triangle at a slant or not at all
    frontal = np.where(visible["rest"], areas["rest"], 0)
    best = frontal * SIDE_GAIN + 1e-3
    flank = np.abs(middle[:, 0]) > 0.042
    for i in range(len(SIDES)):
        xy, depth = _from_side(mesh, SIDE_YAWS_DEG[i], size)
        area = screen_area(xy, triangles)
        _, zbuffer = seen(xy, depth, triangles, size)
        centre = np.clip(xy[triangles].mean(1).astype(int), 0, size - 1)
        shown = (depth[triangles].mean(1) < zbuffer[centre[:, 1], centre[:, 0]] + 0.002) & (area > 0)
        turns = mesh.head_weight[triangles].min(1) > 0.93
        take = body & shown & turns & flank & (area > best) & np.isin(source, (0, 6, 7))
        source[take] = 6 + i
        best = np.where(take, area, best)
    return source


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
    maps, names = [], []
    for key in KEY_POSES:
        moved = np.zeros((size, size, 2), np.float32)
        paint(
            screens["rest"],
            depth,
            body,
            screens[key] - screens["rest"],
            moved,
            np.full((size, size), 1e9, np.float32),
        )
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
        ratio = 1 + (ratio - 1) * sure
        change = cv2.medianBlur(cv2.remap(ratio, grid_x, grid_y, cv2.INTER_LINEAR) - 1, 3) * border[..., None]
        if key in SPLIT_KEYS:
            maps += [change * left_half, change * (1 - left_half)]
            names += [key + "Left", key + "Right"]
        else:
            maps.append(change)
            names.append(key)
    return np.stack(maps).astype(np.float32), names
