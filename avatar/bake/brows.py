"""Short hair of the face: eyebrows, lashes and beard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.bake.human import Human
from avatar.bake.person import Brows, Hair
from avatar.bake.skin import stubble_of
from avatar.bake.surface import Surface, tangential, unit

F64 = NDArray[np.float64]

ALONG_M = (-0.0165, -0.006, 0.006, 0.0155, 0.0235)
"""Where `Brows` gives heights: outward from the middle of the eye."""
UPPER_LASHES, LOWER_LASHES = 170, 80
"""Lashes of one lid; upper ones come first in `lashes`."""
BEARD = 120000
"""Roots of a beard before it is thinned toward its edges."""


def bent(root: F64, start: F64, curl: F64, length: F64, points: int) -> F64:
    """Strands float64[n, points, 3] that leave along `start` and bend by `curl`."""
    t = np.linspace(0, 1, points)[None, :, None]
    reach = length[:, None, None]
    return np.asarray(root[:, None] + start[:, None] * t * reach + curl[:, None] * t**2 * reach)


def brows(brow: Brows, surface: Surface, human: Human, rng: np.random.Generator) -> F64:
    """Both eyebrows, float64[n, 6, 3]: soft at the inner end, thinning at the outer."""
    eye = human.eye("l")[0]
    normals = surface.normals(surface.posed)
    out = []
    for sign in (1.0, -1.0):

        def shape(points: F64, sign: float = sign) -> tuple[F64, F64, F64]:
            x, z = points[:, 0] * sign - eye[0], points[:, 2] - eye[2]
            middle = np.interp(x, ALONG_M, brow.heights_m)
            half = np.interp(x, ALONG_M, brow.half_m, left=0, right=0)
            return x, z - middle, half

        x, off, half = shape(surface.rest)
        near = (np.abs(off) < half * 2.5 + 0.001) & (np.abs(x) < 0.03) & (surface.rest[:, 0] * sign > 0)
        near &= surface.rest[:, 1] < eye[1] + 0.02
        roots = surface.scatter(near.astype(np.float64) + 1e-12, 12000, rng)
        x, off, half = shape(roots.rest)
        along = (x - ALONG_M[0]) / (ALONG_M[-1] - ALONG_M[0])
        # the inner end fades in: single upright hairs, no edge
        keep = np.interp(along, [0.03, 0.10, 0.22, 0.85, 1], [0.0, 0.6, 1, 1, 0.5])
        inside = np.abs(off) < half * rng.uniform(0.55, 1.15, len(x))
        inside &= (
            (rng.random(len(x)) < keep) & (along > 0.03) & (along < 1) & (roots.rest[:, 1] < eye[1] + 0.012)
        )
        chosen = np.flatnonzero(inside)[: brow.strands]
        roots, along, off, half = roots.only(chosen), along[chosen], off[chosen], half[chosen]
        normal = unit(roots.at(normals))
        v = np.clip(off / np.maximum(half, 1e-4), -1, 1)
        angle = np.interp(along, [0, 0.15, 0.5, 1], [80, 55, 20, -20]) - v * np.interp(
            along, [0, 0.3, 1], [10, 30, 14]
        )
        angle = np.radians(angle + rng.normal(0, 8, len(angle)))
        start = np.stack([sign * np.cos(angle), np.zeros_like(angle), np.sin(angle)], 1)
        start = unit(tangential(start, normal))
        length = np.interp(along, [0, 0.2, 0.7, 1], [0.0045, 0.0068, 0.0062, 0.0040])
        length = length * rng.uniform(0.75, 1.15, len(length))
        out.append(bent(roots.posed - normal * 0.0003, start + normal * 0.20, -normal * 0.22, length, 6))
    return np.concatenate(out)


def lashes(human: Human, posed: F64, scale: float, rng: np.random.Generator) -> F64:
    """Lashes float64[2 · 250, 6, 3]: left upper, left lower, right upper, right lower lid."""
    out = []
    for side in "lr":
        centre, radius = human.eye(side)
        sign = 1.0 if side == "l" else -1.0
        for group, up, count in ((2, 1.0, UPPER_LASHES), (1, -1.0, LOWER_LASHES)):
            faces = np.array([f[:4] for f in human.groups[f"helper-{side}-eyelashes-{group}"]])
            triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
            strip = Surface(human.points, posed, triangles, np.zeros(len(posed)))
            roots = strip.scatter(np.ones(len(posed)), 6000, rng)
            # the helper is a ribbon: its edge at the lid is the one nearest to the eyeball
            distance = np.linalg.norm(roots.rest - centre, axis=1)
            near = np.flatnonzero(distance < np.quantile(distance, 0.22))
            roots = roots.only(near[rng.permutation(len(near))[:count]])
            at = roots.posed
            lateral = (at[:, 0] - centre[0]) / radius * sign
            start = unit(
                np.stack([(lateral * 0.55 + 0.15) * sign, -np.ones(count), np.full(count, 0.05 * up)], 1)
            )
            curl = np.tile([0.0, -0.1, 0.75 * up], (count, 1))
            length = (0.0062 if up > 0 else 0.0030) * scale * rng.uniform(0.75, 1.15, count)
            length = length * np.interp(lateral, [-1, -0.3, 0.6, 1], [0.55, 0.9, 1.15, 0.9])
            out.append(bent(at, start, curl, length, 6))
    return np.concatenate(out)


def beard(hair: Hair, surface: Surface, human: Human, rng: np.random.Generator) -> F64:
    """A short beard, float64[n, 5, 3], denser on chin and upper lip, that leaves the lips free."""
    eyes = human.brow_point
    density = stubble_of(surface.rest, eyes, human.chin) * (1 - surface.lips) ** 2
    x, z = np.abs(surface.rest[:, 0]), surface.rest[:, 2] - eyes[2]
    cheek = np.clip((x - 0.030) / 0.02, 0, 1) * np.clip((z + 0.085) / 0.02, 0, 1)
    density = density * (1 - 0.45 * cheek)
    roots = surface.scatter(density + 1e-12, BEARD, rng)
    roots = roots.only(np.flatnonzero(roots.at(density) > rng.uniform(0.1, 0.7, BEARD)))
    normal = unit(roots.at(surface.normals(surface.posed)))
    count = len(normal)
    down = tangential(np.tile([0.0, -0.25, -1.0], (count, 1)), normal) + rng.normal(0, 0.30, (count, 3))
    length = hair.beard_m * rng.uniform(0.5, 1.1, count)
    return bent(
        roots.posed - normal * 0.0003, unit(unit(down) * 0.8 + normal * 0.6), unit(down) * 0.4, length, 5
    )
