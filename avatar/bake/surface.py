"""A skin surface that strands grow on: fine vertices at rest and in a pose, sampled at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles with two sets of vertices: `rest` says where things are, `posed` where they are drawn."""

    rest: F64
    posed: F64
    triangles: I64
    lips: F64
    """float64[n]: 1 on the red of the lips."""

    def normals(self, points: F64) -> F64:
        """Unit vertex normals of one of the two sets."""
        a, b, c = (points[self.triangles[:, i]] for i in range(3))
        face = np.cross(b - a, c - a)
        out = np.zeros_like(points)
        for corner in range(3):
            np.add.at(out, self.triangles[:, corner], face)
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    def scatter(self, density: F64, count: int, rng: np.random.Generator) -> Scatter:
        """`count` points drawn with a density given per vertex."""
        corners = self.triangles
        a, b, c = (self.rest[corners[:, i]] for i in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * density[corners].mean(1)
        chosen = rng.choice(len(corners), count, p=area / area.sum())
        u, v = np.sqrt(rng.random(count)), rng.random(count)
        weight = np.stack([1 - u, u * (1 - v), u * v], 1)
        return Scatter(self, corners[chosen], weight)


@dataclass(frozen=True, slots=True)
class Scatter:
    """Points on a surface that move with it."""

    surface: Surface
    corners: I64
    weight: F64

    def at(self, values: F64) -> F64:
        """Per-vertex values at the points."""
        picked = values[self.corners]
        weight = self.weight if picked.ndim == 2 else self.weight[:, :, None]
        return np.asarray((picked * weight).sum(1))

    def only(self, keep: NDArray[np.bool_] | I64) -> Scatter:
        """Some of the points."""
        return Scatter(self.surface, self.corners[keep], self.weight[keep])

    @property
    def rest(self) -> F64:
        """Where the points are at rest."""
        return self.at(self.surface.rest)

    @property
    def posed(self) -> F64:
        """Where the points are in the pose."""
        return self.at(self.surface.posed)


def unit(vectors: F64) -> F64:
    """Vectors of length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def tangential(vectors: F64, normals: F64) -> F64:
    """Vectors laid into the surface."""
    return np.asarray(vectors - normals * (vectors * normals).sum(-1, keepdims=True))
