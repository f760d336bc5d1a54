"""Camera and the three lights: a warm key, a cool fill, rims that part the head from the wall."""

from __future__ import annotations

import math
from typing import Any

from avatar.bake.nodes import Colour
from avatar.bake.poses import SIDE_PIVOT_Y_M

CAMERA_Y_M, CAMERA_Z_M = -1.81, 0.632
DISTANCE_M = 1.75
"""From the camera to the plane in which `VIEW_M` is measured."""
VIEW_M = 0.42
"""Width of what the square picture shows at that distance."""
TALL = 1.45
"""Height of the picture of the clothes, in sizes of the square picture."""

LIGHTS: tuple[tuple[str, tuple[float, float, float], float, float, Colour], ...] = (
    ("key", (0.85, -1.05, 1.28), 0.75, 21.0, (1.0, 0.955, 0.90)),
    ("fill", (-1.20, -1.15, 0.70), 1.5, 5.0, (0.90, 0.95, 1.0)),
    ("rim left", (0.28, 1.40, 1.30), 0.5, 5.0, (0.96, 0.98, 1.0)),
    ("rim right", (-0.32, 1.40, 1.35), 0.6, 6.0, (1.0, 0.97, 0.94)),
    ("chest", (0.10, -1.0, 0.05), 0.8, 2.4, (1.0, 0.98, 0.96)),
)
"""Name, place (m), diameter (m), power (W), colour."""


def place_camera(yaw_deg: float = 0.0) -> None:
    """The camera of the rig, or one that stands `yaw_deg` round the head, to the person's left."""
    import bpy

    data = bpy.data.cameras.new("camera")
    camera = bpy.data.objects.new("camera", data)
    scene = bpy.context.scene
    scene.collection.objects.link(camera)
    scene.camera = camera
    angle = math.radians(yaw_deg)
    away = SIDE_PIVOT_Y_M - CAMERA_Y_M
    camera.location = (away * math.sin(angle), SIDE_PIVOT_Y_M - away * math.cos(angle), CAMERA_Z_M)
    camera.rotation_euler = (math.radians(90), 0, angle)
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = 36
    data.lens = 36 * DISTANCE_M / VIEW_M
    data.clip_start = 0.05


def frame(size: int, tall: float = 1.0) -> None:
    """Picture size; a tall picture goes on below the square one."""
    import bpy

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size, round(size * tall)
    scene.render.use_border = False
    scene.camera.data.shift_y = -(round(size * tall) - size) / 2 / size


def border(left: float, right: float, top: float, bottom: float) -> None:
    """Render only this part of the picture (sizes of the square, from the top left)."""
    import bpy

    render = bpy.context.scene.render
    tall = render.resolution_y / render.resolution_x
    render.use_border, render.use_crop_to_border = True, False
    render.border_min_x, render.border_max_x = left, right
    render.border_min_y, render.border_max_y = 1 - bottom / tall, 1 - top / tall


def dim_rims(share: float) -> None:
    """Leave only a share of the light from behind."""
    import bpy

    for light in bpy.data.lights:
        if light.name.startswith("rim"):
            light.energy *= share


def light_scene(strength: float, samples: int) -> None:
    """Lights, world and the renderer's settings."""
    import bpy
    from mathutils import Vector

    scene = bpy.context.scene
    target = Vector((0.0, -0.06, 0.622))
    for name, place, diameter, power, colour in LIGHTS:
        data = bpy.data.lights.new(name, "AREA")
        data.shape, data.size = "DISK", diameter
        data.energy, data.color = power * strength, colour
        light = bpy.data.objects.new(name, data)
        scene.collection.objects.link(light)
        light.location = place
        light.rotation_euler = (target - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    world = bpy.data.worlds.new("world")
    scene.world = world
    world.use_nodes = True
    background: Any = world.node_tree.nodes["Background"]
    background.inputs[0].default_value = (0.86, 0.91, 1.0, 1.0)
    background.inputs[1].default_value = 0.20 * strength
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.samples, cycles.seed = samples, 7
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.03
    cycles.max_bounces, cycles.transparent_max_bounces = 6, 10
    cycles.caustics_reflective = cycles.caustics_refractive = False
    scene.cycles_curves.shape = "RIBBONS"
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = 0.15
