"""Business clothes: shirt or blouse, jacket with lapels, cardigan, tie, cut from shells of the body."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.human import Human
from avatar.bake.nodes import Colour, Shader
from avatar.bake.outline import inside_polygon, smooth, to_line
from avatar.bake.person import Outfit
from avatar.bake.shell import Radius, Shell, Top, cut, loft, make_shell
from avatar.bake.surface import Surface

F64 = NDArray[np.float64]

ROLL = {
    "suit": smooth([(0.064, 0.060), (0.058, 0.0), (0.044, -0.080), (0.020, -0.200), (-0.004, -0.300)]),
    "blazer": smooth([(0.066, 0.060), (0.062, 0.0), (0.052, -0.080), (0.026, -0.190), (-0.004, -0.280)]),
    "cardigan": smooth([(0.060, 0.060), (0.052, 0.0), (0.036, -0.080), (0.016, -0.150), (0.0, -0.200)]),
}
"""The jacket's opening, from the side of the neck to the button: (from the middle, over the throat) in m."""
LAPEL = {
    "suit": [
        (0.096, -0.020),
        (0.099, -0.030),
        (0.088, -0.110),
        (0.058, -0.220),
        (0.020, -0.290),
        (-0.004, -0.305),
    ],
    "blazer": [
        (0.094, -0.028),
        (0.096, -0.036),
        (0.084, -0.110),
        (0.056, -0.200),
        (0.022, -0.268),
        (-0.004, -0.285),
    ],
}
"""The outer edge of the lapel, from its tip to the button."""
NECK_GAP_M = {"suit": 0.014, "blazer": 0.014, "cardigan": 0.015}
"""How far from the neck the jacket ends; a collar covers the gap."""
COLLAR_GAP_M = {"suit": 0.0125, "blazer": 0.009}
"""How far from the neck the jacket's collar stands: a suit's leaves room for the shirt's."""
LINING_GLOW, CLOTH_GLOW = 0.45, 0.18
"""Light that cloth gives off, in its own colour: no lamp reaches the inside of a collar; it turned black."""
SHIRT_GAP_M = {"suit": 0.016, "cardigan": 0.006}
"""How far from the neck the shirt ends under its collar."""
TUCK_M = 0.003
"""So far a shirt's collar goes on under a suit's, which would stick out through it farther back."""
GORGE = ((0.050, 0.012), (0.080, -0.008), (0.096, -0.020))
"""Seam between collar and lapel; the notch opens outward of its second point."""
COLLAR_TIP = (0.100, 0.008)


def fabric(name: str, colour: Colour, weave: float, rough: float = 0.82, glow: float = 0.0) -> Any:
    """Woven or knitted cloth that is cut away where the attribute keep is negative; seams are darker."""
    shader = Shader(name)
    at = shader.node("TexCoord").outputs["Object"]
    knit = shader.node(
        "TexWave", {"Vector": at, "Scale": 230.0 if weave > 0.4 else 720.0, "Distortion": 1.0, "Detail": 2.0}
    ).outputs["Fac"]
    grain = shader.noise(at, 900.0, 2.0)
    folds = shader.noise(at, 9.0, 2.0)
    bump = shader.node("Bump", {
        "Strength": weave, "Distance": 0.0007, "Height": shader.math("ADD", knit, grain),
    })  # fmt: skip
    bump = shader.node("Bump", {
        "Strength": 0.35, "Distance": 0.012, "Height": folds, "Normal": bump.outputs[0],
    })  # fmt: skip
    tone = shader.ramp(grain, 0.3, 0.7, 0.82, 1.12)
    seam = shader.ramp(shader.attribute("seam"), 0.0, 1.0, 1.0, 0.45)
    shade = shader.node(
        "CombineColor", {c: shader.math("MULTIPLY", tone, seam) for c in ("Red", "Green", "Blue")}
    )
    base = shader.mix(1.0, colour, shade.outputs[0], "MULTIPLY")
    cloth = shader.node("BsdfPrincipled", {
        "Base Color": base, "Roughness": rough, "Sheen Weight": 0.20, "Sheen Roughness": 0.5,
        "Specular IOR Level": 0.25, "Normal": bump.outputs[0],
        "Emission Color": base, "Emission Strength": glow,
    })  # fmt: skip
    gone = shader.math("LESS_THAN", shader.attribute("keep"), 0.0)
    mixed = shader.node("MixShader", {"Fac": gone})
    shader.feed(mixed.inputs[1], cloth.outputs[0])
    shader.feed(mixed.inputs[2], shader.node("BsdfTransparent").outputs[0])
    return shader.finish(mixed.outputs[0])


def dress(outfit: Outfit, human: Human, skin: Surface) -> list[Any]:
    """Put the outfit on; gives its objects."""
    under = make_shell(human, 0.0035, outfit.pad_m * 0.4)
    over = make_shell(human, 0.0095, outfit.pad_m, rounds=10, over=under)
    shirt = fabric("shirt", outfit.shirt, 0.12, 0.75)
    jacket = fabric("jacket", outfit.jacket, outfit.weave, glow=CLOTH_GLOW)
    things = []
    if outfit.kind == "blazer":
        neckline = smooth([(0.072, 0.060), (0.070, 0.010), (0.055, -0.035), (0.020, -0.060), (-0.01, -0.063)])
        keep = np.where(under.front, -_left_of(under.u, under.h, neckline), 0.05)
        keep = np.minimum(keep, under.from_neck - 0.070)
        things.append(cut("blouse", under, keep, 0.0, shirt, {"seam": _band(keep, 0.006, 0.0012)}))
    else:
        # under the collar the shirt ends; over the shoulders it goes on up to the neck
        keep = np.maximum(0.022 - under.h, under.from_neck - _neck_m(under, skin) - SHIRT_GAP_M[outfit.kind])
        keep = np.minimum(under.from_neck - 0.060, keep)
        things.append(cut("shirt", under, keep, 0.0, shirt, {"seam": _placket(under)}))
        collar = _shirt_collar(under, skin, shirt)
        if outfit.kind == "suit":
            _tuck(collar, under, ROLL["suit"])
        things += collar
    if outfit.tie is not None:
        things += _tie(under, fabric("tie", outfit.tie, 0.20, 0.55))
    roll = ROLL[outfit.kind]
    opening = np.where(over.front, -_left_of(over.u, over.h, roll), 0.05)
    keep = np.minimum(opening, over.from_neck - _neck_m(over, skin) - NECK_GAP_M[outfit.kind])
    if outfit.kind == "cardigan":
        band = _band(keep, 0.022, 0.0016)
        things.append(cut("jacket", over, keep, np.where(np.abs(keep - 0.011) < 0.011, 0.0012, 0.0), jacket,
                          {"seam": band}))  # fmt: skip
        return things
    things.append(cut("jacket", over, keep, 0.0, jacket))
    things += _lapels(outfit, over, jacket)
    if outfit.kind == "blazer":
        # without a shirt's collar in it, the inside shows
        jacket = fabric("lined", outfit.jacket, outfit.weave, glow=LINING_GLOW)
    things += _jacket_collar(over, skin, jacket, COLLAR_GAP_M[outfit.kind])
    return things


def _neck_m(shell: Shell, skin: Surface) -> float:
    """Radius of the neck at the height of a collar."""
    near = np.abs(skin.rest[:, 2] - shell.pit_z - 0.045) < 0.008
    sideways = near & (np.abs(skin.rest[:, 1] - shell.axis_y) < 0.03)
    return float(np.quantile(np.abs(skin.rest[sideways, 0]), 0.8))


def _left_of(u: F64, h: F64, line: list[tuple[float, float]]) -> F64:
    """Distance to a line that falls toward the middle: positive between the middle and the line."""
    points = np.array(line)[::-1]
    at = np.interp(h, points[:, 1], points[:, 0])
    away = to_line(u, h, line)
    return np.where(u < at, away, -away)


def _band(keep: F64, width: float, seam: float) -> F64:
    """1 on a seam that follows the edge at a distance."""
    return np.asarray(np.exp(-(((keep - width) / seam) ** 2)))


def _placket(shell: Shell) -> F64:
    edge = np.exp(-(((shell.points[:, 0] + 0.016) / 0.0011) ** 2))
    return np.asarray(0.5 * edge * shell.front * (shell.h < -0.01))


def _lapels(outfit: Outfit, shell: Shell, material: Any) -> list[Any]:
    roll, outer = ROLL[outfit.kind], LAPEL[outfit.kind]
    seam_h = GORGE[0][1]
    start = (float(np.interp(-seam_h, [-h for _, h in roll], [u for u, _ in roll])), seam_h)
    lapel = [start, GORGE[1], *outer, (-0.004, outer[-1][1]), *(p for p in roll[::-1] if p[1] < start[1])]
    top = [(0.070, 0.034), (0.080, 0.041), (0.091, 0.038), (0.099, 0.024)]
    collar = [*top, COLLAR_TIP, GORGE[1], start, *(p for p in roll[::-1] if start[1] < p[1] < 0.028)]
    things = []
    for name, corners, lift in (("lapel", lapel, 0.0042), ("collar", collar, 0.0052)):
        keep = inside_polygon(shell.u, shell.h, corners)
        keep = np.where(shell.front, keep, -0.05)
        # the lapel rolls: it stands off most near its fold
        fold = np.exp(-to_line(shell.u, shell.h, roll) / 0.012)
        stitch = 0.35 * _band(keep, 0.0045, 0.0007)
        gorge = _band(to_line(shell.u, shell.h, GORGE[:2]), 0.0, 0.0009)
        things.append(
            cut(name, shell, keep, lift + 0.003 * fold, material, {"seam": np.maximum(stitch, gorge)})
        )
    return things


def _jacket_collar(shell: Shell, skin: Surface, material: Any, gap_m: float) -> list[Any]:
    neck = Radius(skin.rest[np.abs(skin.rest[:, 2] - shell.pit_z - 0.03) < 0.09], shell.axis_y)
    top = Top(shell)

    def edge(angle: F64, v: F64) -> tuple[F64, F64, F64]:
        degrees = np.degrees(angle)
        # the rim lies on the shoulders, the fold stands over it round the neck
        near = neck(angle, np.full_like(angle, shell.pit_z + 0.045)) + gap_m
        outer = near + np.interp(degrees, [58, 100, 180], [0.016, 0.018, 0.018])
        rim = top(outer * np.sin(angle), shell.axis_y - outer * np.cos(angle))
        fold = rim + np.interp(degrees, [58, 70, 105, 140, 180], [0.012, 0.017, 0.018, 0.020, 0.022])
        inner = neck(angle, fold) + gap_m
        z = fold + (rim - 0.004 - fold) * v + 0.003 * np.sin(np.pi * np.minimum(v * 2, 1))
        return angle, inner + (outer - inner) * v**0.7, z

    return list(loft("collar back", edge, (58, 180), shell.axis_y, material))


def _shirt_collar(shell: Shell, skin: Surface, material: Any) -> list[Any]:
    neck = Radius(skin.rest[np.abs(skin.rest[:, 2] - shell.pit_z - 0.03) < 0.09], shell.axis_y)
    outside = Radius(shell.points[np.abs(shell.h) < 0.12], shell.axis_y)
    low, tip = 2.0, 26.0

    def edge(angle: F64, v: F64) -> tuple[F64, F64, F64]:
        degrees = np.degrees(angle)
        fold = shell.pit_z + np.interp(degrees, [0, 60, 120, 180], [0.032, 0.056, 0.078, 0.084])
        rim = shell.pit_z + np.interp(
            degrees, [low, 12, 30, 60, 110, 180], [-0.036, -0.026, -0.008, 0.014, 0.034, 0.040]
        )
        drawn = np.interp(degrees, [low, 30, 70, 180], [tip, 45, 74, 180])
        moved = np.radians(degrees + (drawn - degrees) * v)
        z = fold + (rim - fold) * v
        inner = neck(angle, fold) + 0.0045
        outer = np.clip(outside(np.radians(drawn), rim) + 0.0035, inner + 0.005, inner + 0.030)
        return moved, inner + (outer - inner) * v**0.8, z + 0.002 * np.sin(np.pi * np.minimum(v * 3, 1))

    def stand(angle: F64, v: F64) -> tuple[F64, F64, F64]:
        fold = shell.pit_z + np.interp(np.degrees(angle), [0, 60, 120, 180], [0.032, 0.056, 0.078, 0.084])
        z = fold - 0.020 * v
        return angle, neck(angle, fold) + 0.0035 + 0.001 * v, z

    return [
        *loft("shirt collar", edge, (low, 180), shell.axis_y, material),
        *loft("shirt stand", stand, (0, 180), shell.axis_y, material),
    ]


def _tuck(collar: list[Any], shell: Shell, roll: list[tuple[float, float]]) -> None:
    """Cut a shirt's collar a little behind the edge of the jacket, in place."""
    for thing in collar:
        points = np.array([vertex.co[:] for vertex in thing.data.vertices])
        u, h = np.abs(points[:, 0]), points[:, 2] - shell.pit_z
        # over the shoulder it goes on round the neck
        room = np.interp(h, [0.010, 0.028], [TUCK_M, 0.05])
        keep = (_left_of(u, h, roll) + room).astype(np.float32)
        thing.data.attributes["keep"].data.foreach_set("value", keep)


def _tie(shell: Shell, material: Any) -> list[Any]:
    knot = [(0.0, 0.022), (0.0165, 0.022), (0.0185, 0.016), (0.0120, -0.026), (0.0095, -0.030), (0.0, -0.031)]
    blade = [
        (0.0, -0.018),
        (0.0110, -0.024),
        (0.015, -0.045),
        (0.030, -0.190),
        (0.040, -0.360),
        (0.0, -0.360),
    ]
    full_knot = knot + [(-u, h) for u, h in knot[::-1]]
    full_blade = blade + [(-u, h) for u, h in blade[::-1]]
    x, h = shell.points[:, 0], shell.h
    things = []
    for name, corners, lift, round_m in (
        ("blade", full_blade, 0.004, 0.004),
        ("knot", full_knot, 0.0075, 0.008),
    ):
        keep = np.where(shell.front, inside_polygon(x, h, corners), -0.05)
        bulge = np.sqrt(np.clip(keep / 0.016, 0, 1)) * round_m
        things.append(cut(name, shell, keep, lift + bulge, material))
    return things
