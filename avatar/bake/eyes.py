"""Eyeballs with iris, limbal ring and a cornea that bulges; without reflections, which the renderer draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.mesh import CORNEA_BULGE, EYE_SCALE
from avatar.bake.nodes import Colour, Shader
from avatar.geometry import LOOK_OUT_DEG, LOOK_UP_DEG

PUPIL, IRIS = 0.135, 0.375
"""Edges as distances from the axis of sight, in the units of the shader (1.11 eyeball radii)."""


def eye_material(iris: Colour) -> Any:
    """Material of a unit eyeball that looks along -y."""
    shader = Shader("eye")
    split = shader.node("SeparateXYZ", {"Vector": shader.node("TexCoord").outputs["Object"]})
    x, z = split.outputs["X"], split.outputs["Z"]
    axis = shader.math(
        "SQRT", shader.math("ADD", shader.math("MULTIPLY", x, x), shader.math("MULTIPLY", z, z))
    )
    away = shader.math("MULTIPLY", axis, 0.92)
    # fibres of the iris: noise stretched along the radius
    angle = shader.math("MULTIPLY", shader.math("ARCTAN2", z, x), 6.0)
    radius = shader.math("MULTIPLY", away, 3.0)
    place = shader.node("CombineXYZ", {"X": angle, "Y": radius})
    fibres = shader.ramp(shader.noise(place.outputs[0], 2.5, 5.0), 0.3, 0.7, -0.05, 0.05)
    within = shader.math("MULTIPLY", shader.math("LESS_THAN", away, IRIS - 0.02),
                         shader.math("GREATER_THAN", away, PUPIL + 0.02))  # fmt: skip
    value = shader.math("ADD", away, shader.math("MULTIPLY", fibres, within))
    ramp = shader.node("ValToRGB", {"Fac": value})
    stops: tuple[tuple[float, Colour], ...] = (
        (0.0, (0.002, 0.002, 0.002)), (PUPIL, (0.002, 0.002, 0.002)), (PUPIL + 0.03, _times(iris, 1.9)),
        (0.66 * IRIS, _times(iris, 1.35)), (0.84 * IRIS, _times(iris, 0.85)),
        (0.93 * IRIS, _times(iris, 0.28)),
        (IRIS, _times(iris, 0.18)), (IRIS + 0.035, (0.55, 0.50, 0.48)), (0.60, (0.70, 0.66, 0.64)),
        (0.95, (0.62, 0.46, 0.42)),
    )  # fmt: skip
    elements = ramp.color_ramp.elements
    elements[0].position, elements[0].color = stops[0][0], (*stops[0][1], 1)
    elements[1].position, elements[1].color = stops[-1][0], (*stops[-1][1], 1)
    for position, colour in stops[1:-1]:
        elements.new(position).color = (*colour, 1)
    surface = shader.node("BsdfPrincipled", {
        "Base Color": ramp.outputs["Color"], "Roughness": 0.30, "Subsurface Weight": 0.12,
        "Subsurface Scale": 0.002, "Specular IOR Level": 0.05,
    })  # fmt: skip
    return shader.finish(surface.outputs[0])


def add_eye(
    side: str, centre: NDArray[np.float64], radius: float, material: Any, weights: Mapping[str, float]
) -> Any:
    """The eyeball of side "l" or "r", turned as the ARKit weights say."""
    import bpy

    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=48, radius=1, location=tuple(centre))
    ball = bpy.context.object
    ball.name = f"eye_{side}"
    points = np.array([vertex.co[:] for vertex in ball.data.vertices])
    away = np.hypot(points[:, 0], points[:, 2])
    bulge = CORNEA_BULGE * np.maximum(0, 1 - (away / 0.48) ** 2)
    points[:, 1] -= np.where(points[:, 1] < 0, bulge, 0)
    ball.data.vertices.foreach_set("co", points.astype(np.float32).ravel())
    ball.data.polygons.foreach_set("use_smooth", [True] * len(ball.data.polygons))
    ball.scale = (radius * EYE_SCALE,) * 3
    ball.data.materials.append(material)
    name, sign = ("Left", 1) if side == "l" else ("Right", -1)
    up = weights.get("eyeLookUp" + name, 0) - weights.get("eyeLookDown" + name, 0)
    out = weights.get("eyeLookOut" + name, 0) - weights.get("eyeLookIn" + name, 0)
    ball.rotation_euler = (-math.radians(LOOK_UP_DEG) * up, 0, math.radians(LOOK_OUT_DEG) * out * sign)
    return ball


def _times(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
