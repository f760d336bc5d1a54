"""Which pictures a bake consists of, and the mesh that goes with them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from avatar.bake import scene as scenes
from avatar.bake.human import Human
from avatar.bake.light import (
    CAMERA_Y_M,
    CAMERA_Z_M,
    DISTANCE_M,
    TALL,
    VIEW_M,
    border,
    dim_rims,
    frame,
    place_camera,
)
from avatar.bake.nodes import evaluated, points_of, quads_of
from avatar.bake.person import Person
from avatar.bake.poses import INNER_POSE, KEY_BOX, KEY_POSES, SHARP_KEYS, SIDE_YAWS_DEG, SIDES

MESH_LEVELS = 1
"""Subdivisions of the mesh that is drawn at run time: 13 000 triangles of skin."""
ACCESSORY_SAMPLES = 8
ON_SKIN = ("buzz",)
"""Hair so short that it belongs to the texture of the skin; its layer only gives the outline."""


def render_person(person: Person, human: Human, out: Path, size: int, samples: int) -> None:
    """Render everything that `avatar.bake.compile_rig` needs; what is there already is kept.

    Args:
        person: who.
        human: the base mesh in the person's shape.
        out: folder, made if need be.
        size: side in pixels of the square picture.
        samples: light paths a pixel of the picture of the face.
    """
    out.mkdir(parents=True, exist_ok=True)
    made = {"person": person.name, "title": person.title, "size": size, "samples": samples,
            "hair_on_skin": person.hair.style in ON_SKIN}  # fmt: skip
    (out / "bake.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    if not (out / "mesh.npz").is_file():
        _write_mesh(person, human, out)
    layers = ("skin_rest", "hair", "cloth", *SIDES)
    if any(not (out / f"{name}.png").is_file() for name in layers):
        _render_layers(person, human, out, size, samples)
    for name, weights in {"rest": {}, **KEY_POSES}.items():
        path = out / f"key_{name}.png"
        if not path.is_file():
            # clothes throw little light on the face, and take long to make: keys go without
            scenes.build(person, human, weights, whole=False, samples=ACCESSORY_SAMPLES)
            frame(size if name in SHARP_KEYS else size // 2)
            border(*KEY_BOX)
            _render(path)
    if not (out / "inner.png").is_file():
        scene = scenes.build(person, human, INNER_POSE, whole=False, samples=ACCESSORY_SAMPLES)
        _show([*scene.eyes.values(), *(thing for thing, _ in scene.inside.values())])
        frame(size)
        border(*KEY_BOX)
        _render(out / "inner.png")


def _render_layers(person: Person, human: Human, out: Path, size: int, samples: int) -> None:
    import bpy

    scene = scenes.build(person, human, samples=samples)
    np.save(out / "lashes.npy", scene.lash_points.astype(np.float32))
    strands = scene.hair_points
    np.savez_compressed(out / "hair.npz", strands[:, :: max(1, strands.shape[1] // 8)].astype(np.float16))
    frame(size)
    # the face under its hair's shadow, without the hair; short hair stays, for it lies on the skin
    scene.lashes.hide_render = True
    for thing in scene.hair:
        thing.visible_camera = person.hair.style in ON_SKIN
    _render(out / "skin_rest.png")
    for thing in scene.hair:
        thing.visible_camera = True
    dim_rims(person.hair.rim)
    for name, yaw_deg in zip(SIDES, SIDE_YAWS_DEG, strict=True):
        place_camera(yaw_deg)
        frame(size)
        _render(out / f"{name}.png")
    place_camera()
    frame(size)
    _hold_out(scene.hair)
    _render(out / "hair.png")
    dim_rims(1 / person.hair.rim)
    _hold_out(scene.clothes)
    bpy.context.scene.cycles.samples = ACCESSORY_SAMPLES
    frame(size, TALL)
    border(0, 1, 0.5, TALL)
    for thing in scene.hair:
        thing.visible_camera = False
    _render(out / "cloth.png")


def _render(path: Path) -> None:
    import bpy

    if path.is_file():
        return
    settings = bpy.context.scene.render
    settings.image_settings.file_format, settings.image_settings.color_mode = "PNG", "RGBA"
    # a half-written picture must not pass for a finished one
    part = path.with_suffix(".part.png")
    settings.filepath = str(part.resolve())
    bpy.ops.render.render(write_still=True)
    part.rename(path)


def _drawn() -> Iterable[Any]:
    import bpy

    return [thing for thing in bpy.context.scene.objects if thing.type in ("MESH", "CURVES")]


def _hold_out(shown: list[Any]) -> None:
    """Everything else hides what lies behind it, but is not drawn."""
    for thing in _drawn():
        thing.is_holdout = thing not in shown


def _show(shown: list[Any]) -> None:
    for thing in _drawn():
        thing.hide_render = thing not in shown


def _write_mesh(person: Person, human: Human, out: Path) -> None:
    """mesh.npz: vertices, quads and texture places of each part, and what each ARKit shape adds."""
    import bpy

    scene = scenes.build(person, human, whole=False)
    parts: dict[str, tuple[Any, Any]] = {"body": (scene.body, scene.kept), **scene.inside}
    arrays: dict[str, Any] = {}
    for name, (thing, used) in parts.items():
        for modifier in thing.modifiers:
            modifier.levels = MESH_LEVELS
        mesh = evaluated(thing)
        rest, quads = points_of(mesh), quads_of(mesh)
        uv = np.empty(len(mesh.loops) * 2, np.float32)
        mesh.uv_layers[0].data.foreach_get("uv", uv)
        base = human.points[used]
        deltas = np.zeros((len(human.units), *rest.shape), np.float16)
        for i, unit in enumerate(human.units.values()):
            if np.abs(unit[used]).max() > 1e-7:
                thing.data.vertices.foreach_set("co", (base + unit[used]).astype(np.float32).ravel())
                thing.data.update()
                moved = evaluated(thing)
                deltas[i] = points_of(moved) - rest
                bpy.data.meshes.remove(moved)
        arrays |= {f"{name}/v": rest.astype(np.float32), f"{name}/quads": quads.astype(np.int32),
                   f"{name}/uvq": uv.reshape(-1, 4, 2), f"{name}/d": deltas}  # fmt: skip
    for side in "lr":
        centre, radius = human.eye(side)
        arrays[f"eye_{side}"] = np.array([*centre, radius])
    arrays["names"] = np.array(list(human.units))
    arrays["cam"] = np.array([0, CAMERA_Y_M, CAMERA_Z_M, DISTANCE_M / VIEW_M])
    np.savez_compressed(out / "mesh.npz", **arrays)
