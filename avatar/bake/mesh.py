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

UPPER_TEETH_SHIFT_M = (0.0, -0.0028, -0.0065)
"""The mesh hides its upper teeth behind the lip: here they end 2 mm under it and stand right behind it."""
LOWER_TEETH_SHIFT_M = (0.0, -0.0005, -0.0015)
TONGUE_SHIFT_M = (0.0, 0.002, -0.0055)
"""A resting tongue lies lower than modelled; tongueOut brings it back up."""
EYE_SCALE = 0.985
"""Eyeballs a little smaller than the sockets, or lids would let them through."""
CORNEA_BULGE = 0.055
"""Height of the cornea in eyeball radii; the corneal disc ends at .48 radii."""
HEAD_PIVOT_M = (0.0, 0.005, 0.545)
"""Where the head turns on the neck."""


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
    for part, name in enumerate(PARTS):
        v = data[name + "/v"].astype(np.float32)
        d = data[name + "/d"].astype(np.float32)[order]
        q = data[name + "/quads"]
        if part == UPPER_TEETH:
            v = v + np.array(UPPER_TEETH_SHIFT_M, np.float32)
        elif part == LOWER_TEETH:
            v = v + np.array(LOWER_TEETH_SHIFT_M, np.float32)
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
    weight = smoothstep(0.50, 0.585, points[:, 2] + 0.25 * np.clip(points[:, 1] + 0.02, -0.05, 0.05))
    weight[ranges[BODY][1] :] = 1
    return Mesh(
        vertices=points, deltas=np.concatenate(deltas, 1), triangles=tri, part=part_ids, ranges=ranges,
        eyes=eyes, camera=camera, head_weight=weight, light=_light(points, ranges),
    )  # fmt: skip


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
    for part, level in ((UPPER_TEETH, 0.90), (LOWER_TEETH, 0.84), (TONGUE, 0.64)):
        first, end = ranges[part]
        p = points[first:end]
        depth = (p[:, 1] - p[:, 1].min()) / (np.ptp(p[:, 1]) + 1e-6)
        light[first:end] = level * (1 - 0.75 * depth) * (1 - 0.85 * smoothstep(0.009, 0.024, np.abs(p[:, 0])))
    return light
