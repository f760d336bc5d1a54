"""Cloth that hangs on a body: smooth offset shells of the torso, and collars lofted round the neck."""

# mypy: disable-error-code="import-untyped"
# scipy has no types of its own; it is part of the baking environment only
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.human import Human
from avatar.bake.nodes import add_attribute, add_mesh, evaluated, points_of, quads_of
from avatar.bake.surface import Surface
from avatar.geometry import smoothstep

F64 = NDArray[np.float64]

BOTTOM_M = 0.62
"""The shell reaches so far below the eyes: farther than any picture shows."""
THICKNESS_M = 0.0016
APART_M = 0.0055
"""How far a stiff shell stays off the one below."""
STIFF_ROUNDS = 60
LIMIT_M = 0.34
"""Half width of the shell: arms beyond are out of the picture."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Fine vertices of the clothed torso, before any garment is cut from them."""

    points: F64
    normals: F64
    quads: NDArray[np.int64]
    pit_z: float
    """Height of the pit of the throat, from which garments are measured."""
    axis_y: float
    """Depth of the upright axis through the neck."""

    @property
    def u(self) -> F64:
        """Distance from the middle, to either side."""
        return np.abs(self.points[:, 0])

    @property
    def h(self) -> F64:
        """Height over the pit of the throat."""
        return self.points[:, 2] - self.pit_z

    @property
    def front(self) -> NDArray[np.bool_]:
        """Vertices before the neck's axis."""
        return self.points[:, 1] < self.axis_y

    @property
    def from_neck(self) -> F64:
        """Distance from the neck's axis."""
        return np.hypot(self.points[:, 0], self.points[:, 1] - self.axis_y)


def make_shell(
    human: Human, ease_m: float, pad_m: float, rounds: int = 6, over: Shell | None = None
) -> Shell:
    """A smooth shell `ease_m` over the body with shoulders built up by `pad_m`, stiffer when over another."""
    import bpy

    eyes = human.brow_point
    faces = [
        face
        for face in human.groups["body"]
        if eyes[2] - BOTTOM_M < human.points[list(face), 2].mean() < eyes[2] - 0.125
        and np.abs(human.points[list(face), 0]).max() < LIMIT_M
    ]
    used = sorted({v for face in faces for v in face})
    place = {v: i for i, v in enumerate(used)}
    faces = [tuple(place[v] for v in face) for face in faces]
    points = human.points[used]
    triangles = np.array([t for f in faces for t in ((f[0], f[1], f[2]), (f[0], f[2], f[-1]))])
    body = Surface(points, points, triangles, np.zeros(len(points)))
    points = points + body.normals(points) * ease_m
    edges = np.array([(f[i - 1], f[i]) for f in faces for i in range(len(f))])
    edges = np.concatenate([edges, edges[:, ::-1]])
    count = np.bincount(edges[:, 0], minlength=len(points))[:, None]
    for _ in range(rounds):
        mean = np.zeros_like(points)
        np.add.at(mean, edges[:, 0], points[edges[:, 1]])
        points = 0.5 * points + 0.5 * mean / count
    points = points + body.normals(points) * ease_m * 0.8
    joint = human.joint("l-shoulder")
    # the pad lies on top of the shoulder and runs out toward the neck
    x, z = (np.abs(points[:, i]).astype(np.float32) for i in (0, 2))
    reach = smoothstep(0.05, joint[0], x) * (1 - smoothstep(joint[0], joint[0] + 0.06, x))
    points[:, 2] += pad_m * reach * smoothstep(joint[2] - 0.12, joint[2] + 0.02, z)
    thing = add_mesh("shell", points, faces, bpy.data.materials.new("none"), levels=3)
    mesh = evaluated(thing)
    fine, quads = points_of(mesh), quads_of(mesh)
    bpy.data.objects.remove(thing)
    halves = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    if over is not None:
        fine = _relaxed(fine, quads, STIFF_ROUNDS)
        apart = ((fine - over.points) * over.normals).sum(1)
        fine = fine + over.normals * np.maximum(APART_M - apart, 0)[:, None]
        fine = _relaxed(fine, quads, 4)
    surface = Surface(fine, fine, halves, np.zeros(len(fine)))
    return Shell(fine, surface.normals(fine), quads, pit_height(human), float(human.joint("neck")[1]))


def _relaxed(points: F64, quads: NDArray[np.int64], rounds: int) -> F64:
    """Every point moved half-way to the mean of its neighbours, `rounds` times."""
    from scipy.sparse import coo_matrix, diags

    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    both = np.concatenate([edges, edges[:, ::-1]])
    links = coo_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), (len(points), len(points))).tocsr()
    step = diags(1 / np.maximum(np.asarray(links.sum(1)).ravel(), 1)) @ links
    for _ in range(rounds):
        points = 0.5 * points + 0.5 * (step @ points)
    return points


def pit_height(human: Human) -> float:
    """Height of the pit of the throat: where the front of the neck lies farthest back."""
    eyes = human.brow_point
    body = human.points[human.vertices("body")]
    middle = body[np.abs(body[:, 0]) < 0.02]
    heights = np.arange(-0.24, -0.13, 0.004) + eyes[2]
    front = [middle[np.abs(middle[:, 2] - z) < 0.010, 1].min(initial=9) for z in heights]
    return float(heights[int(np.argmax(np.where(np.array(front) < 9, front, -9)))])


def cut(
    name: str, shell: Shell, keep: F64, lift: F64 | float, material: Any, extra: dict[str, F64] | None = None
) -> Any:
    """A garment: the shell where `keep` (signed distance, m) is positive, lifted off it by `lift` metres."""
    used = (keep[shell.quads] > -0.004).any(axis=1)
    points = shell.points + shell.normals * np.reshape(lift, (-1, 1))
    thing = add_mesh(name, points, shell.quads[used].tolist(), material)
    add_attribute(thing, "keep", keep)
    for key, values in (extra or {}).items():
        add_attribute(thing, key, values)
    solid = thing.modifiers.new("solid", "SOLIDIFY")
    solid.thickness, solid.offset = THICKNESS_M, 1.0
    return thing


class Radius:
    """Distance of a surface from the neck's axis, by direction and height."""

    def __init__(self, points: F64, axis_y: float) -> None:
        from scipy.spatial import cKDTree

        angle = np.arctan2(points[:, 0], axis_y - points[:, 1])
        self._distance = np.hypot(points[:, 0], points[:, 1] - axis_y)
        self._tree = cKDTree(np.stack([angle * 0.07, points[:, 2]], 1))

    def __call__(self, angle: F64, z: F64) -> F64:
        """Metres, at angles in radians (0: to the front)."""
        away, near = self._tree.query(np.stack([angle * 0.07, z], -1), k=6)
        weight = 1 / (away + 1e-4)
        return np.asarray((self._distance[near] * weight).sum(-1) / weight.sum(-1))


class Top:
    """Height of the upper side of a shell over each place."""

    def __init__(self, shell: Shell) -> None:
        from scipy.spatial import cKDTree

        upper = (shell.normals[:, 2] > 0.12) & (shell.h > -0.10) & (shell.from_neck > 0.05)
        self._z = shell.points[upper, 2]
        self._tree = cKDTree(shell.points[upper, :2])

    def __call__(self, x: F64, y: F64) -> F64:
        """Metres; the highest of what lies nearby."""
        _, near = self._tree.query(np.stack([x, y], -1), k=5)
        return np.asarray(self._z[near].max(-1))


def loft(
    name: str,
    edge: Callable[[F64, F64], tuple[F64, F64, F64]],
    span_deg: Sequence[float],
    axis_y: float,
    material: Any,
    steps: tuple[int, int] = (120, 12),
) -> Any:
    """A collar: `edge(angle, v)` gives drawn angle, radius and height, from fold (v = 0) to rim (v = 1)."""
    angles = np.radians(np.linspace(span_deg[0], span_deg[1], steps[0]))
    grid, v = np.meshgrid(angles, np.linspace(0, 1, steps[1]), indexing="ij")
    parts = []
    for sign in (1.0, -1.0):
        drawn, radius, z = edge(grid, v)
        x, y = sign * radius * np.sin(drawn), axis_y - radius * np.cos(drawn)
        points = np.stack([x, y, z], -1).reshape(-1, 3)
        i, j = np.meshgrid(np.arange(steps[0] - 1), np.arange(steps[1] - 1), indexing="ij")
        a = (i * steps[1] + j).ravel()
        faces = np.stack([a, a + 1, a + steps[1] + 1, a + steps[1]], 1)
        parts.append(add_mesh(f"{name} {sign:+.0f}", points, faces[:, :: int(sign)].tolist(), material))
    for thing in parts:
        add_attribute(thing, "keep", np.full(len(thing.data.vertices), 1.0))
        solid = thing.modifiers.new("solid", "SOLIDIFY")
        solid.thickness, solid.offset = THICKNESS_M, 0.0
        smooth = thing.modifiers.new("subdivision", "SUBSURF")
        smooth.levels = smooth.render_levels = 1
    return parts
