"""The mesh of a rig: parts put together, eyeballs added, shapes, and what can never be seen cut away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.geometry import BLENDSHAPE_INDEX, eye_matrix, head_matrix, project, smoothstep
from avatar.pose import ARKIT_BLENDSHAPES

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

BODY, UPPER_TEETH, LOWER_TEETH, TONGUE, LEFT_EYE, RIGHT_EYE = range(6)
PARTS = ("body", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")

TEETH_SHOWN_M = 0.0030
"""The upper teeth end so far under the line of the lips: the base mesh hides them behind the lip."""
TEETH_BEHIND_M = (0.0152, 0.0192)
"""How far the front of the upper and of the lower teeth stands behind the foremost point of the lips."""
LOWER_TEETH_DROP_M = 0.0015
TONGUE_SHIFT_M = (0.0, 0.002, -0.0055)
"""A resting tongue lies lower than modelled; tongueOut brings it back up."""
EYE_SCALE = 0.985
"""Eyeballs a little smaller than the sockets, or lids would let them through."""
CORNEA_BULGE = 0.055
"""Height of the cornea in eyeball radii; the corneal disc ends at .48 radii."""
HEAD_PIVOT_M = (0.0, 0.005, 0.545)
"""Where the head turns on the neck: every bake has its eyes at the same place."""
NECK_M = 0.060
"""Over this height the neck passes the head's turning on to the chest."""


@dataclass
class Mesh:
    """A face under construction; arrays as in `avatar.rig.Rig`, deltas for the vertices before the eyes."""

    vertices: F32
    deltas: F32
    triangles: I32
    part: I32
    """Part of each triangle: BODY … RIGHT_EYE."""
    ranges: dict[int, tuple[int, int]]
    """Part → first vertex and end."""
    eyes: dict[str, tuple[F32, float]]
    """Side "left" or "right" → centre (m) and radius (m)."""
    camera: tuple[float, float, float]
    head_weight: F32
    light: F32
    mouth_z: float
    """Height (m) of the line between the lips."""
    chin_z: float

    def posed(self, weights: dict[str, float]) -> F32:
        """Vertices float32[n, 3] with blendshapes and the eyeball rotations they imply, head straight."""
        vertices = self.vertices.copy()
        for name, weight in weights.items():
            vertices[: self.deltas.shape[1]] += weight * self.deltas[BLENDSHAPE_INDEX[name]]
        return vertices

    def turned(self, vertices: F32, head: tuple[float, float, float]) -> F32:
        """Vertices after a head rotation in degrees."""
        pivot = np.array(HEAD_PIVOT_M, np.float32)
        local = vertices - pivot
        turned = local + (local @ head_matrix(head).T - local) * self.head_weight[:, None]
        return np.asarray(turned + pivot, np.float32)

    def gazed(self, vertices: F32, left_deg: float, up_deg: float) -> F32:
        """Vertices with both eyeballs turned."""
        out = vertices.copy()
        for side, part in (("left", LEFT_EYE), ("right", RIGHT_EYE)):
            first, end = self.ranges[part]
            centre = self.eyes[side][0]
            out[first:end] = (out[first:end] - centre) @ eye_matrix(left_deg, up_deg).T + centre
        return out

    def on_screen(self, vertices: F32, size: int) -> tuple[F32, F32]:
        """Pixels and depth, as `geometry.project`."""
        return project(vertices, self.camera, size)


def assemble(bake: Path) -> Mesh:
    """Read mesh.npz of a bake folder and build the whole face."""
    data = np.load(bake / "mesh.npz")
    order = [list(map(str, data["names"])).index(name) for name in ARKIT_BLENDSHAPES]
    camera_y, camera_z, focal = (float(v) for v in data["cam"][1:])
    vertices, deltas, quads, kinds, ranges, offset = [], [], [], [], {}, 0
    skin, jaw = data["body/v"].astype(np.float32), data["body/d"][order[BLENDSHAPE_INDEX["jawOpen"]]]
    eye_z = float(data["eye_l"][2])
    mouth_z, lips_y = _mouth(skin, jaw.astype(np.float32), eye_z)
    chin_z = _chin(skin, eye_z)
    for part, name in enumerate(PARTS):
        v = data[name + "/v"].astype(np.float32)
        d = data[name + "/d"].astype(np.float32)[order]
        q = data[name + "/quads"]
        if part == UPPER_TEETH:
            down = mouth_z - TEETH_SHOWN_M - float(v[:, 2].min())
            v = v + np.array([0, lips_y + TEETH_BEHIND_M[0] - v[:, 1].min(), down], np.float32)
        elif part == LOWER_TEETH:
            v = v + np.array([0, lips_y + TEETH_BEHIND_M[1] - v[:, 1].min(), -LOWER_TEETH_DROP_M], np.float32)
        elif part == TONGUE:
            v = v + np.array(TONGUE_SHIFT_M, np.float32)
            d[BLENDSHAPE_INDEX["tongueOut"]] -= np.array(TONGUE_SHIFT_M, np.float32)
        vertices.append(v)
        deltas.append(d)
        quads.append(q + offset)
        kinds.append(np.full(len(q), part))
        ranges[part] = (offset, offset + len(v))
        offset += len(v)
    all_quads, kind = np.concatenate(quads), np.concatenate(kinds)
    triangles = [all_quads[:, [0, 1, 2]], all_quads[:, [0, 2, 3]]]
    part_of = [kind, kind]
    eyes = {}
    for side, part, key in (("left", LEFT_EYE, "eye_l"), ("right", RIGHT_EYE, "eye_r")):
        centre, radius = data[key][:3].astype(np.float32), float(data[key][3]) * EYE_SCALE
        ball, faces = _eyeball()
        vertices.append(ball * np.float32(radius) + centre)
        triangles.append(faces + offset)
        part_of.append(np.full(len(faces), part))
        ranges[part] = (offset, offset + len(ball))
        eyes[side] = (centre, radius)
        offset += len(ball)
    points = np.concatenate(vertices).astype(np.float32)
    tri, part_ids = np.concatenate(triangles).astype(np.int32), np.concatenate(part_of).astype(np.int32)
    camera = (camera_y, camera_z, focal)
    flip = (part_ids >= LEFT_EYE) & (_area(project(points, camera, 1)[0], tri) > 0)
    tri[flip] = tri[flip][:, [0, 2, 1]]
    # the jaw turns with the head, the nape hangs on to it higher up
    top = chin_z - 0.006 + 0.035 * smoothstep(-0.03, 0.06, points[:, 1])
    weight = smoothstep(0, 1, ((points[:, 2] - top + NECK_M) / NECK_M).astype(np.float32))
    weight[ranges[BODY][1] :] = 1
    return Mesh(
        vertices=points, deltas=np.concatenate(deltas, 1), triangles=tri, part=part_ids, ranges=ranges,
        eyes=eyes, camera=camera, head_weight=weight, light=_light(points, ranges),
        mouth_z=mouth_z, chin_z=chin_z,
    )  # fmt: skip


def _mouth(skin: F32, jaw: F32, eye_z: float) -> tuple[float, float]:
    """Height of the line between the lips and depth of their foremost point, from what the jaw carries."""
    carried = -jaw[:, 2] / float((-jaw[:, 2]).max())
    middle = (np.abs(skin[:, 0]) < 0.006) & (skin[:, 2] < eye_z - 0.048) & (skin[:, 2] > eye_z - 0.105)
    low, high = eye_z - 0.090, eye_z - 0.054
    near = middle & (skin[:, 2] > low) & (skin[:, 2] < high)
    lips_y = float(skin[near, 1].min())
    outside = near & (skin[:, 1] < lips_y + 0.007)
    upper = skin[outside & (carried <= 0.5), 2].min()
    lower = skin[outside & (carried > 0.5), 2].max()
    return float(upper + lower) / 2, lips_y


def _chin(skin: F32, eye_z: float) -> float:
    """Height of the underside of the chin: where the front of the face falls back to the neck."""
    middle = skin[np.abs(skin[:, 0]) < 0.015]
    heights = eye_z - np.arange(0.085, 0.17, 0.003)
    front = [middle[np.abs(middle[:, 2] - z) < 0.004, 1].min(initial=9) for z in heights]
    back = np.flatnonzero(np.array(front) > min(front[:4]) + 0.025)
    return float(heights[back[0]]) if len(back) else eye_z - 0.115


def prune(mesh: Mesh, keep: NDArray[np.bool_]) -> tuple[Mesh, I32]:
    """The mesh with only the triangles in `keep`, and old index → new index (-1: gone) of the vertices."""
    triangles = mesh.triangles[keep]
    used = np.zeros(len(mesh.vertices), bool)
    used[triangles] = True
    for part in (LEFT_EYE, RIGHT_EYE):
        used[slice(*mesh.ranges[part])] = True
    new = np.full(len(used), -1, np.int32)
    new[used] = np.arange(used.sum(), dtype=np.int32)
    before = np.concatenate([[0], np.cumsum(used)])
    movable = used[: mesh.deltas.shape[1]]
    return (
        Mesh(
            vertices=mesh.vertices[used], deltas=mesh.deltas[:, movable], triangles=new[triangles],
            part=mesh.part[keep],
            ranges={p: (int(before[a]), int(before[b])) for p, (a, b) in mesh.ranges.items()},
            eyes=mesh.eyes, camera=mesh.camera, head_weight=mesh.head_weight[used], light=mesh.light[used],
            mouth_z=mesh.mouth_z, chin_z=mesh.chin_z,
        ),
        new,
    )  # fmt: skip


def screen_area(xy: F32, triangles: I32) -> F32:
    """Doubled area float32[t] in px², positive when turned to the camera."""
    return -_area(xy, triangles)


def _area(xy: F32, t: I32) -> F32:
    a, b, c = xy[t[:, 0]], xy[t[:, 1]], xy[t[:, 2]]
    return np.asarray(
        (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]), np.float32
    )


def _eyeball(rings: int = 18, spokes: int = 32) -> tuple[F32, I32]:
    """Front cap of a unit eyeball that looks along -y: rings × spokes vertices, triangles."""
    theta = np.linspace(0, 1.35, rings)[1:, None]
    phi = np.linspace(0, 2 * np.pi, spokes + 1)[None, :-1]
    away = np.sin(theta) + 0 * phi
    y = -np.cos(theta) - CORNEA_BULGE * np.maximum(0, 1 - (away / 0.48) ** 2)
    points = np.stack([away * np.cos(phi), y, away * np.sin(phi)], -1).reshape(-1, 3)
    points = np.concatenate([[[0, -1 - CORNEA_BULGE, 0]], points]).astype(np.float32)
    faces = [(0, 1 + (j + 1) % spokes, 1 + j) for j in range(spokes)]
    for i in range(rings - 2):
        for j in range(spokes):
            a, b = 1 + i * spokes + j, 1 + i * spokes + (j + 1) % spokes
            faces += [(a, b, b + spokes), (a, b + spokes, a + spokes)]
    return np.asarray(points, np.float32), np.array(faces, np.int32)


def _light(points: F32, ranges: dict[int, tuple[int, int]]) -> F32:
    """Fixed light per vertex: teeth and tongue darken toward the throat and the cheeks."""
    light = np.ones(len(points), np.float32)
    for part, level in ((UPPER_TEETH, 0.90), (LOWER_TEETH, 0.84), (TONGUE, 0.96)):
        first, end = ranges[part]
        p = points[first:end]
        depth = (p[:, 1] - p[:, 1].min()) / (np.ptp(p[:, 1]) + 1e-6)
        light[first:end] = level * (1 - 0.75 * depth) * (1 - 0.85 * smoothstep(0.009, 0.024, np.abs(p[:, 0])))
    return light
