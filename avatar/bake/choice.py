"""Which picture gives each triangle its texture: the one that shows it best, in patches that are whole."""

from __future__ import annotations

import numpy as np

from avatar.bake.mesh import BODY, F32, I32, Mesh, screen_area
from avatar.bake.poses import KEY_POSES, SIDE_PIVOT_Y_M, SIDE_YAWS_DEG, SIDES
from avatar.seen import Seen

FRONT_GAIN = 1.8
"""So many times larger than the front, the sharpest and best lit, another picture must show a triangle."""
EAR_M, EAR_GAIN = (0.0735, -0.070, 0.030), 0.25
"""Ears (half width, bottom and top over the eyes): the front shows them at the edge of its picture only."""
NEIGHBOUR_WORTH = 0.7
"""A source that a neighbour has counts as twice as large (e^0.7) to a triangle."""
PATCH_ROUNDS = 60


def choose(mesh: Mesh, screens: dict[str, F32], sources: tuple[str, ...], size: int) -> I32:
    """Source of each triangle: 0 rest, 1… the keys in `sources`, 4 inner, 5 mouth cavity, 6, 7 the sides."""
    triangles = mesh.triangles
    areas = {key: screen_area(xy, triangles) for key, xy in screens.items()}
    visible = {}
    for key in ("rest", *sources):
        xy, depth = mesh.on_screen(mesh.posed(KEY_POSES.get(key, {})), size)
        zbuffer = Seen(xy, depth, triangles, size, size).zbuffer
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
    scores = np.full((8, len(triangles)), -np.inf, np.float32)
    scores[0] = np.where(visible["rest"], areas["rest"], 0) * FRONT_GAIN + 1e-6
    local = middle - np.array([0, 0, eye_z], np.float32)
    ear = (np.abs(local[:, 0]) > EAR_M[0]) & (local[:, 2] > EAR_M[1]) & (local[:, 2] < EAR_M[2])
    scores[0, ear] *= EAR_GAIN
    for i, key in enumerate(sources):
        there = visible[key] & body & (near_eye if key == "blink" else near_mouth)
        scores[i + 1] = np.where(there, areas[key], -np.inf)
    # the sides of the head: where the frontal picture shows a triangle at a slant or not at all
    flank = np.abs(middle[:, 0]) > 0.042
    turns = mesh.head_weight[triangles].min(1) > 0.93
    for i in range(len(SIDES)):
        xy, depth = from_side(mesh, SIDE_YAWS_DEG[i], size)
        area = screen_area(xy, triangles)
        zbuffer = Seen(xy, depth, triangles, size, size).zbuffer
        centre = np.clip(xy[triangles].mean(1).astype(int), 0, size - 1)
        shown = (depth[triangles].mean(1) < zbuffer[centre[:, 1], centre[:, 0]] + 0.002) & (area > 0)
        take = body & shown & turns & flank & (area > 1e-3)
        scores[6 + i] = np.where(take, area, -np.inf)
    source = _patches(triangles, scores)
    hidden = body & ~np.any([visible[k] for k in visible], axis=0)
    cavity = (
        hidden
        & (np.abs(middle[:, 0]) < 0.031)
        & (middle[:, 2] < mesh.mouth_z + 0.013)
        & (middle[:, 2] > mesh.mouth_z - 0.025)
    )
    source[cavity] = 5
    source[~body] = 4
    return source


def _patches(triangles: I32, scores: F32) -> I32:
    """The best source of each triangle; neighbours count, so that patches are whole and seams short."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    same = (edges[order[1:]] == edges[order[:-1]]).all(axis=1)
    pairs = np.stack([order[1:][same] // 3, order[:-1][same] // 3], 1)
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(scores > 0, np.log(scores), -np.inf)
    source = worth.argmax(0)
    # neighbours take turns, or two would swap for ever
    turn = np.random.default_rng(0).integers(0, 3, len(triangles))
    for k in range(PATCH_ROUNDS):
        votes = np.zeros_like(worth)
        np.add.at(votes, (source[pairs[:, 1]], pairs[:, 0]), NEIGHBOUR_WORTH)
        now = turn == k % 3
        source[now] = (worth + votes).argmax(0)[now]
    return np.asarray(source, np.int32)


def from_side(mesh: Mesh, yaw_deg: float, size: int) -> tuple[F32, F32]:
    """Pixels and depth as the camera sees them that stands `yaw_deg` round the head."""
    angle = np.radians(yaw_deg)
    x, y = mesh.vertices[:, 0], mesh.vertices[:, 1] - SIDE_PIVOT_Y_M
    turned = np.stack([
        x * np.cos(angle) + y * np.sin(angle),
        y * np.cos(angle) - x * np.sin(angle) + SIDE_PIVOT_Y_M,
        mesh.vertices[:, 2],
    ], -1).astype(np.float32)  # fmt: skip
    return mesh.on_screen(turned, size)
