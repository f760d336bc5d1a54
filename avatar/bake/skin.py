"""The skin of a person as a Cycles material, with lips, flush, spots, pores and the lines of age."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.human import Human
from avatar.bake.nodes import Colour, Shader
from avatar.bake.person import Skin

LINES_SIDE = 1024
LINES_SPAN_M = 0.16
"""The picture of lines covers 16 cm around the middle between the eyes, seen from the front."""
LINE_WIDTH_M = 0.0018

HALF_LINES_MM: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (0.7, ((17, -37), (24, -46), (30, -57), (32, -67))),
    (0.22, ((27, -70), (31, -77), (32, -84))),
    (0.5, ((46, 1), (51, 5), (57, 8))),
    (0.6, ((47, -2), (53, -2), (59, -1))),
    (0.5, ((46, -5), (52, -8), (57, -12))),
    (0.6, ((14, -10), (22, -16), (32, -17), (41, -12))),
    (0.4, ((12, -13), (20, -21), (28, -25))),
    (0.4, ((0, 42), (14, 43), (26, 41), (34, 38))),
    (0.45, ((0, 50), (14, 52), (26, 50), (36, 46))),
    (0.35, ((0, 58), (12, 59), (24, 58))),
    (0.2, ((6, 16), (7, 23), (7, 30))),
)
"""Strength and points (mm from the middle between the eyes: outward, up) of each line, mirrored."""


def skin_material(skin: Skin, human: Human) -> Any:
    """Material that reads the vertex attributes rest, flush, scalp and stubble."""
    shader = Shader("skin")
    at = shader.attribute("rest", "Vector")
    # blotches of blood and of pigment, at three scales
    broad = shader.ramp(shader.noise(at, 30.0, 4.0), 0.35, 0.68)
    colour = shader.mix(broad, skin.base, _times(skin.base, (1.05, 0.90, 0.86)))
    fine = shader.ramp(shader.noise(at, 130.0, 4.0), 0.52, 0.74, 0.0, skin.spots)
    colour = shader.mix(fine, colour, _times(skin.base, (0.84, 0.64, 0.54)))
    pale = shader.ramp(shader.noise(at, 75.0, 3.0), 0.55, 0.8, 0.0, 0.25)
    colour = shader.mix(pale, colour, _times(skin.base, (1.10, 1.12, 1.10)))
    flush = shader.math("MULTIPLY", shader.attribute("flush"), skin.flush_share)
    colour = shader.mix(flush, colour, skin.flush)
    lips = shader.picture(human.textures / "mpfb_lips.jpg")
    lids = shader.picture(human.textures / "mpfb_eyelids.jpg")
    inside = shader.picture(human.textures / "mpfb_inside-mouth.jpg")
    colour = shader.mix(shader.math("MULTIPLY", lids, 0.30), colour, skin.lids)
    grain = shader.ramp(shader.noise(at, 420.0, 3.0), 0.3, 0.7, 0.75, 1.0)
    red = shader.math("MULTIPLY", shader.math("MULTIPLY", lips, skin.lips_share), grain)
    colour = shader.mix(red, colour, skin.lips)
    colour = shader.mix(shader.math("MULTIPLY", shader.attribute("stubble"), skin.stubble), colour,
                        _times(skin.base, (0.40, 0.42, 0.46)))  # fmt: skip
    colour = shader.mix(inside, colour, (0.30, 0.055, 0.05))
    colour = shader.mix(shader.attribute("scalp"), colour, shader.attribute("cap", "Color"))
    lines = _lines(shader, at)
    colour = shader.mix(
        shader.math("MULTIPLY", lines, 0.14 * skin.lines), colour, _times(skin.base, (0.6, 0.45, 0.4))
    )
    rough = shader.ramp(lips, 0.0, 1.0, skin.roughness, 0.36)
    # a beard breaks up the shine of the skin under it
    rough = shader.math(
        "ADD", rough, shader.math("MULTIPLY", shader.attribute("stubble"), 0.4 * skin.stubble)
    )
    oily = shader.ramp(shader.noise(at, 210.0), 0.3, 0.7, -0.05, 0.05)
    pores = shader.node("TexVoronoi", {"Vector": at, "Scale": 950.0}).outputs["Distance"]
    height = shader.math("ADD", pores, shader.noise(at, 520.0))
    bump = shader.node("Bump", {"Strength": 0.12, "Distance": 0.0006, "Height": height})
    ageing = shader.node("Bump", {
        "Strength": min(1.0, skin.lines), "Distance": 0.0012,
        "Height": shader.math("MULTIPLY", lines, -1.0), "Normal": bump.outputs[0],
    })  # fmt: skip
    surface = shader.node("BsdfPrincipled", {
        "Base Color": colour, "Subsurface Weight": 1.0, "Subsurface Scale": 0.0045,
        "Subsurface Radius": (1.0, 0.36, 0.2), "Roughness": shader.math("ADD", rough, oily), "IOR": 1.4,
        "Specular IOR Level": 0.40, "Coat Weight": 0.02, "Coat Roughness": 0.35,
        "Normal": ageing.outputs[0] if skin.lines else bump.outputs[0],
    })  # fmt: skip
    return shader.finish(surface.outputs[0])


def flush_of(points: NDArray[np.float64], eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """How flushed each point at rest is, float64[n] in [0, 1]: cheeks, nose tip, chin, ears."""
    x, y, z = (points - eyes).T
    cheek = np.exp(-0.5 * (((np.abs(x) - 0.040) / 0.017) ** 2 + ((z + 0.040) / 0.014) ** 2)) * (y < 0.06)
    nose = 0.65 * np.exp(-0.5 * (x**2 + (z + 0.036) ** 2) / 0.011**2) * (y < 0.0)
    chin = 0.35 * np.exp(-0.5 * (x**2 + (z + 0.092) ** 2) / 0.012**2) * (y < 0.02)
    ear = 0.5 * (np.abs(x) > 0.072) * (z > -0.06) * (z < 0.03)
    return np.asarray(np.max([cheek, nose, chin, ear], axis=0))


def stubble_of(points: NDArray[np.float64], eyes: NDArray[np.float64], low: float) -> NDArray[np.float64]:
    """Where a beard grows, float64[n] in [0, 1]: jaw, chin, upper lip.

    `low` is the height of the chin over the eyes (m).
    """
    x, y, z = np.abs(points[:, 0]), points[:, 1] - eyes[1], points[:, 2] - eyes[2]
    line = np.interp(
        x, [0.0, 0.012, 0.026, 0.045, 0.060, 0.070], [-0.050, -0.050, -0.054, -0.058, -0.038, 0.0]
    )
    under = 1 / (1 + np.exp((z - line) / 0.0035))
    neck = 1 / (1 + np.exp(-(z - low + 0.003 - 0.25 * np.clip(y - 0.02, 0, 0.1)) / 0.006))
    ear = 1 / (1 + np.exp((y - 0.062) / 0.005))
    return np.asarray(under * neck * ear)


def _times(colour: Colour, factors: Colour) -> Colour:
    return (colour[0] * factors[0], colour[1] * factors[1], colour[2] * factors[2])


def _lines(shader: Shader, at: Any) -> Any:
    """The lines of age, seen from the front, as a grey value: 1 in the middle of a line."""
    import bpy

    picture = bpy.data.images.new("lines", LINES_SIDE, LINES_SIDE, float_buffer=True, is_data=True)
    depth = paint_lines()
    rgba = np.repeat(depth[::-1, :, None], 4, axis=2).astype(np.float32)
    rgba[..., 3] = 1
    picture.pixels.foreach_set(rgba.ravel())
    split = shader.node("SeparateXYZ", {"Vector": shader.attribute("face", "Vector")})
    place = shader.node("CombineXYZ", {
        "X": shader.math("ADD", shader.math("DIVIDE", split.outputs["X"], LINES_SPAN_M), 0.5),
        "Y": shader.math("ADD", shader.math("DIVIDE", split.outputs["Z"], LINES_SPAN_M), 0.5),
    })  # fmt: skip
    node = shader.node("TexImage", {"Vector": place.outputs[0]}, extension="CLIP")
    node.image = picture
    return node.outputs["Color"]


def paint_lines() -> NDArray[np.float64]:
    """The lines as float64[1024, 1024], first row on top."""
    step = LINES_SPAN_M / LINES_SIDE
    half = np.arange(LINES_SIDE) - (LINES_SIDE - 1) / 2
    x, z = np.meshgrid(half * step, -half * step)
    out = np.zeros_like(x)
    for strength, points in HALF_LINES_MM:
        line = np.array(points) / 1000
        for side in (1.0, -1.0):
            near = np.full_like(x, np.inf)
            fade = np.zeros_like(x)
            for i in range(len(line) - 1):
                a, b = line[i] * (side, 1.0), line[i + 1] * (side, 1.0)
                along = np.clip(
                    ((x - a[0]) * (b[0] - a[0]) + (z - a[1]) * (b[1] - a[1])) / ((b - a) @ (b - a)), 0, 1
                )
                away = np.hypot(x - a[0] - along * (b[0] - a[0]), z - a[1] - along * (b[1] - a[1]))
                fade = np.where(away < near, (i + along) / (len(line) - 1), fade)
                near = np.minimum(near, away)
            # a line ends softly
            ends = np.clip(np.minimum(fade if points[0][0] else 1.0, 1 - fade) / 0.25, 0.15, 1)
            out = np.maximum(out, strength * ends * np.exp(-((near / LINE_WIDTH_M) ** 2)))
    return np.asarray(out)
