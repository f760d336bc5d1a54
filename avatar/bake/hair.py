"""Hair on the head: where it grows, which way it lies, and strands that follow the skull."""

# mypy: disable-error-code="import-untyped"
# scipy has no types of its own; it is part of the baking environment only
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.nodes import Shader, plain
from avatar.bake.person import Hair
from avatar.bake.surface import Scatter, Surface, tangential, unit

F64 = NDArray[np.float64]

HEAD_CENTRE_M = (0.0, 0.085, 0.022)
"""Middle of the skull, from the middle between the eyes."""
AZIMUTHS_DEG = (0, 25, 45, 62, 75, 88, 100, 115, 140, 180)
"""From the forehead (0) past the ear to the nape (180): where hairlines are given."""
EDGE_M = 0.0022
"""How gradually hair begins at the hairline."""
KNOT_M = (0.0, 0.070, 0.078)
"""Where tied hair is gathered, from the middle of the skull: high at the back, so that the knot shows."""
LOCKS = 900
"""Strands gather in so many locks."""


def hair_material(
    name: str, melanin: float, redness: float, roughness: float = 0.30, scatter: float = 0.25
) -> Any:
    """The physical hair shader; `scatter` varies colour from strand to strand.

    Black hair (melanin 1) is opaque instead: thin physical strands glow orange against a rim light.
    """
    if melanin >= 1:
        return plain(name, (0.013, 0.011, 0.010), 0.55, Specular_IOR_Level=0.3)
    shader = Shader(name)
    node = shader.node("BsdfHairPrincipled", parametrization="MELANIN")
    for key, value in {
        "Melanin": melanin, "Melanin Redness": redness, "Roughness": roughness, "Radial Roughness": 0.5,
        "Random Color": scatter, "Random Roughness": 0.2,
    }.items():  # fmt: skip
        node.inputs[key].default_value = value
    return shader.finish(node.outputs[0])


def grey_material(name: str, colour: tuple[float, float, float]) -> Any:
    """Hair without pigment, which the melanin shader would show as blond."""
    shader = Shader(name)
    node = shader.node("BsdfHairPrincipled", {"Color": colour}, parametrization="COLOR")
    for key, value in {"Roughness": 0.38, "Radial Roughness": 0.6, "Random Roughness": 0.2}.items():
        node.inputs[key].default_value = value
    return shader.finish(node.outputs[0])


def growth(hair: Hair, points: F64, eyes: F64, inside_m: float = 0.0, edge_m: float = EDGE_M) -> F64:
    """How densely hair grows at points at rest, float64[n] in [0, 1]; `inside_m` moves the hairline up."""
    local = points - eyes
    from_centre = local - np.array(HEAD_CENTRE_M)
    azimuth = np.degrees(np.arctan2(np.abs(from_centre[:, 0]), -from_centre[:, 1]))
    height = local[:, 2]
    line = np.interp(azimuth, AZIMUTHS_DEG, hair.hairline_m)
    out = 1 / (1 + np.exp(-(height - line - inside_m) / edge_m))
    out[_is_ear(local, hair.style == "buzz")] = 0
    out[(height < -0.015) & (azimuth > 78) & (azimuth < 122)] = 0
    out[height < -0.080] = 0
    return np.asarray(out)


def _is_ear(local: F64, cropped: bool) -> NDArray[np.bool_]:
    """Which points, from the middle between the eyes, belong to the ears, or lie too near for combed hair."""
    from_centre = local - np.array(HEAD_CENTRE_M)
    azimuth = np.degrees(np.arctan2(np.abs(from_centre[:, 0]), -from_centre[:, 1]))
    # an ear's upper end stands out from the head: cropped hair goes on right over it
    half, top = (
        (np.interp(local[:, 2], [0.002, 0.004], [0.0735, 0.0775]), 0.014) if cropped else (0.0735, 0.012)
    )
    beside = (np.abs(local[:, 0]) > half) & (local[:, 2] < top) & (local[:, 2] > -0.07)
    return np.asarray(beside & (azimuth > 70) & (azimuth < 125))


def grow(hair: Hair, surface: Surface, eyes: F64, rng: np.random.Generator) -> F64:
    """Strands float64[n, k, 3] of the hairstyle."""
    roots = surface.scatter(growth(hair, surface.rest, eyes) + 1e-9, round(hair.strands * 1.15), rng)
    density = roots.at(growth(hair, surface.rest, eyes))
    roots = roots.only(np.flatnonzero(density > rng.uniform(0.3, 0.75, len(density)))[: hair.strands])
    if hair.style == "buzz":
        return coils(hair, roots, eyes, rng)
    return _combed(hair, roots, surface, eyes, rng)


def coils(hair: Hair, roots: Scatter, eyes: F64, rng: np.random.Generator, points: int = 7) -> F64:
    """Very short curls that stand off the skin, shorter toward the hairline."""
    count = len(roots.weight)
    normal = unit(roots.at(roots.surface.normals(roots.surface.posed)))
    inner = growth(hair, roots.rest, eyes, 0.022)
    length = hair.length_m * (0.45 + 0.55 * inner) * rng.uniform(0.8, 1.15, count)
    lean = unit(tangential(rng.normal(0, 1, (count, 3)), normal))
    across = np.cross(normal, lean)
    t = np.linspace(0, 1, points)[None, :, None]
    phase = rng.uniform(0, 2 * np.pi, count)[:, None, None]
    turn = phase + t * 2 * np.pi * 1.3
    coil = (
        0.16 * length[:, None, None] * (np.cos(turn) - np.cos(phase)) * lean[:, None]
        + 0.16 * length[:, None, None] * (np.sin(turn) - np.sin(phase)) * across[:, None]
    )
    stand = (
        normal[:, None] * t * length[:, None, None] + lean[:, None] * t**1.5 * 0.35 * length[:, None, None]
    )
    return np.asarray(roots.posed[:, None] - normal[:, None] * 0.0008 + stand + coil)


def _direction(hair: Hair, at: F64, normal: F64, eyes: F64, side: F64) -> F64:
    """Unit vectors float64[n, 3] in which hair is combed at points near the skull."""
    local = at - eyes - np.array(HEAD_CENTRE_M)
    if hair.style == "tied":
        # everything runs to the knot, from the parting outward first
        toward = unit(np.array(KNOT_M) - local)
        front = np.clip((-local[:, 1] - 0.01) / 0.07, 0, 1)[:, None]
        away = np.stack([side * 0.85, np.full(len(at), 0.55), np.full(len(at), -0.10)], 1)
        mixed = toward * (1 - 0.72 * front) + away * 0.72 * front
    else:
        # off the parting to the sides, back at the temples, down at the back
        back = np.clip((local[:, 1] + 0.02) / 0.09, 0, 1)[:, None]
        low = np.clip((0.03 - local[:, 2]) / 0.06, 0, 1)[:, None]
        top = np.stack([side * 0.80, np.full(len(at), 0.50), np.full(len(at), -0.05)], 1)
        flank = np.stack([side * 0.05, np.full(len(at), 0.75), np.full(len(at), -0.65)], 1)
        behind = np.stack([0.25 * np.sign(local[:, 0]), np.full(len(at), 0.25), np.full(len(at), -1.0)], 1)
        mixed = (top * (1 - low) + flank * low) * (1 - back) + behind * back
    return unit(tangential(mixed, normal))


def _combed(hair: Hair, roots: Scatter, surface: Surface, eyes: F64, rng: np.random.Generator) -> F64:
    """Strands that lie on the skull along `_direction`, at a height that swells behind the hairline."""
    from scipy.spatial import cKDTree

    steps = 26 if hair.style == "tied" else 18
    head = (surface.rest[:, 2] > eyes[2] - 0.10) & ~_is_ear(surface.rest - eyes, False)
    skull = surface.scatter(head.astype(float), 60000, rng)
    base, tree = skull.rest, cKDTree(skull.rest)
    normals = unit(skull.at(surface.normals(surface.rest)))
    root = roots.rest
    count = len(root)
    locks = cKDTree(root[rng.choice(count, LOCKS, replace=False)]).query(root)[1]
    lock_noise = rng.normal(0, 1, (LOCKS, 3))
    inner = growth(hair, root, eyes, 0.010)
    # the parting is a line, blurred by single strands
    side = np.where(root[:, 0] - hair.part_m + rng.normal(0, 0.0018, count) > 0, 1.0, -1.0)
    at_part = np.exp(-(((root[:, 0] - hair.part_m) / 0.010) ** 2)) * (root[:, 1] < eyes[1] + 0.10)
    top = np.clip((root[:, 2] - eyes[2] - 0.02) / 0.06, 0, 1)
    lift = hair.volume_m * (0.35 + 0.65 * top) * (0.25 + 0.75 * inner) * (1 - 0.30 * at_part)
    lift = lift * rng.uniform(0.15, 1.0, count) + 0.0003 * np.abs(lock_noise[locks, 0])
    length = hair.length_m * rng.uniform(0.85, 1.0, count) * (1 + 0.05 * lock_noise[locks, 1])
    if hair.style == "crop":
        # sides and nape are cut shorter than the top
        length = length * np.interp(root[:, 2] - eyes[2], [-0.06, 0.0, 0.05], [0.25, 0.42, 1.0])
    step = length / (steps - 1)
    out = np.zeros((count, steps, 3))
    nearest = tree.query(root)[1]
    p = root - normals[nearest] * 0.0010
    out[:, 0] = p
    heading = np.zeros((count, 3))
    nearest = tree.query(p)[1]
    for k in range(1, steps):
        normal = normals[nearest]
        wanted = _direction(hair, p, normal, eyes, side)
        wanted = wanted + 0.10 * tangential(lock_noise[locks], normal) * 0.5
        if k == 1:
            heading = unit(wanted + normal * (0.25 + 0.6 * inner[:, None]))
        rise = np.minimum(1.0, k / (0.35 * steps))
        height = ((p - base[nearest]) * normal).sum(1)
        target = lift * np.sin(rise * np.pi / 2)
        correct = np.clip((target - height) / step, -0.8, 0.9)[:, None] * normal
        heading = unit(0.45 * heading + 0.55 * (unit(wanted) + correct))
        p = p + heading * step[:, None]
        nearest = tree.query(p)[1]
        sunk = ((p - base[nearest]) * normals[nearest]).sum(1)
        p = p + normals[nearest] * np.maximum(0.0004 - sunk, 0)[:, None]
        if hair.style == "tied":
            # what has reached the knot stays in it
            reached = np.linalg.norm(p - eyes - np.array(HEAD_CENTRE_M) - np.array(KNOT_M), axis=1) < 0.02
            step = np.where(reached, step * 0.35, step)
        out[:, k] = p
    t = np.linspace(0, 1, steps)[None, :, None]
    centre = np.zeros((LOCKS, steps, 3))
    np.add.at(centre, locks, out)
    centre /= np.maximum(np.bincount(locks, minlength=LOCKS), 1)[:, None, None]
    gather = 0.30 if hair.style == "tied" else 0.40
    out = out + (centre[locks] - out) * gather * t**1.2 * rng.random((count, 1, 1)) ** 0.5
    return np.asarray(out + np.cumsum(rng.normal(0, 0.00010, out.shape), axis=1) * t)


def bun(rng: np.random.Generator, eyes: F64, strands: int = 5000) -> F64:
    """The knot of tied hair: strands wound round a flat ball."""
    centre = eyes + np.array(HEAD_CENTRE_M) + np.array(KNOT_M) + np.array([0.0, 0.010, 0.006])
    k = 22
    start = rng.uniform(0, 2 * np.pi, strands)
    tilt = rng.normal(0, 0.9, strands)
    radius = 0.031 * rng.uniform(0.86, 1.0, strands)
    angle = start[:, None] + np.linspace(0, 2.4, k)[None]
    u = np.cos(angle) * np.cos(tilt)[:, None]
    w = np.sin(angle)
    v = np.cos(angle) * np.sin(tilt)[:, None]
    ball = np.stack([u * 1.15, v * 0.8, w], -1) * radius[:, None, None]
    return np.asarray(centre + ball)
