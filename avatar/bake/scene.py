"""One person put together in Blender: body, eyes, teeth, hair and clothes, at rest or in a pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake import brows, clothes, hair
from avatar.bake.eyes import add_eye, eye_material
from avatar.bake.human import Human
from avatar.bake.light import light_scene, place_camera
from avatar.bake.nodes import add_attribute, add_curves, add_mesh, evaluated, plain, points_of, quads_of
from avatar.bake.person import Person
from avatar.bake.skin import flush_of, skin_material, stubble_of
from avatar.bake.surface import Surface

F64 = NDArray[np.float64]

SEED = 7
LEVELS = 2
"""Subdivisions of the skin."""
BUST_M = 0.30
"""How far below the eyes skin is kept: no neckline is deeper."""
HALF_M = 0.125
TEETH: dict[str, tuple[tuple[float, float, float], float]] = {
    "helper-upper-teeth": ((0.80, 0.76, 0.69), 0.18),
    "helper-lower-teeth": ((0.78, 0.74, 0.66), 0.18),
    "helper-tongue": ((0.52, 0.16, 0.15), 0.35),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What was built, by what it is."""

    body: Any
    kept: NDArray[np.int64]
    """Indices of the base mesh's vertices that the body object holds."""
    eyes: dict[str, Any]
    inside: dict[str, tuple[Any, NDArray[np.int64]]]
    hair: list[Any]
    brows: Any
    lashes: Any
    lash_points: F64
    hair_points: F64
    clothes: list[Any]


def build(
    person: Person,
    human: Human,
    weights: Mapping[str, float] | None = None,
    whole: bool = True,
    samples: int = 12,
) -> Scene:
    """An empty Blender filled with the person, lit and framed.

    Args:
        person: who.
        human: the base mesh in the person's shape.
        weights: ARKit shapes of the pose.
        whole: with hair of the head, lashes and clothes; the key pictures need the bare face.
        samples: light paths a pixel.
    """
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    rng = np.random.default_rng(SEED)
    pose = dict(weights or {})
    posed = human.posed(pose)
    eyes = human.brow_point
    body, kept = _body(person, human, posed, bare=not whole)
    surface = _surface(human, body, kept, posed)
    # the renderer draws the reflections of eyes; baked ones would light up the lids
    materials = eye_material(person.iris)
    balls = {side: add_eye(side, *human.eye(side), materials, pose) for side in "lr"}
    inside = {name: _inside(human, posed, name, *TEETH[name]) for name in TEETH}
    brow_hair = plain("brow", person.brows.colour, 0.6, Specular_IOR_Level=0.2)
    brow_points = brows.brows(person.brows, surface, human, rng)
    brow = add_curves("brows", brow_points, (person.brows.radius_m, 0.00003), brow_hair)
    lash_points = brows.lashes(human, posed, person.lash_length, rng)
    lash = None
    if whole:
        lash = add_curves(
            "lashes", lash_points, (0.00010, 0.00002), hair.hair_material("lash", 1.0, 0.05, 0.4)
        )
    if person.hair.beard_m:
        beard_points = brows.beard(person.hair, surface, human, rng)
        add_curves(
            "beard",
            beard_points,
            (0.00006, 0.00004),
            hair.hair_material("beard", person.hair.melanin, 0, 0.5),
        )
    worn = clothes.dress(person.outfit, human, surface) if whole else []
    strands = np.zeros((0, 1, 3))
    head: list[Any] = []
    if whole:
        strands, head = _hair(person, surface, eyes, np.random.default_rng(SEED + 1))
    light_scene(person.key_light, samples)
    place_camera()
    return Scene(body, kept, balls, inside, head, brow, lash, lash_points, strands, worn)


def _body(person: Person, human: Human, posed: F64, bare: bool) -> tuple[Any, NDArray[np.int64]]:
    eyes = human.brow_point
    faces: list[tuple[int, ...]] = []
    corners: list[int] = []
    for face, uv in zip(human.groups["body"], human.uv["body"], strict=True):
        points = human.points[list(face)]
        if points[:, 2].mean() > eyes[2] - BUST_M and np.abs(points[:, 0]).min() < HALF_M:
            faces.append(face)
            corners += uv
    kept = np.array(sorted({v for face in faces for v in face}))
    place = {v: i for i, v in enumerate(kept.tolist())}
    body = add_mesh("body", posed[kept], [[place[v] for v in face] for face in faces],
                    skin_material(person.skin, human), human.uv_points[corners], LEVELS)  # fmt: skip
    rest = human.points[kept]
    local = rest - eyes
    # where coils stand apart, skin shows: it darkens up to their edge; combed hair covers its own
    inset_m = 0.0015 if person.hair.style == "buzz" else 0.005
    scalp = np.zeros(len(kept)) if bare else hair.growth(person.hair, rest, eyes, inset_m, 0.0035)
    stubble = stubble_of(rest, eyes, human.chin)
    for name, values in (
        ("rest", rest), ("face", local), ("flush", flush_of(rest, eyes)), ("stubble", stubble),
        ("scalp", scalp * 0.96), ("cap", np.tile(person.hair.cap, (len(kept), 1))),
    ):  # fmt: skip
        add_attribute(body, name, values)
    return body, kept


def _surface(human: Human, body: Any, kept: NDArray[np.int64], posed: F64) -> Surface:
    """The subdivided skin at rest and posed, in the same order."""
    from PIL import Image

    fine = evaluated(body)
    drawn = points_of(fine)
    quads = quads_of(fine)
    body.data.vertices.foreach_set("co", human.points[kept].astype(np.float32).ravel())
    body.data.update()
    rest = points_of(evaluated(body))
    body.data.vertices.foreach_set("co", posed[kept].astype(np.float32).ravel())
    body.data.update()
    uv = np.empty(len(fine.loops) * 2, np.float32)
    fine.uv_layers[0].data.foreach_get("uv", uv)
    with Image.open(human.textures / "mpfb_lips.jpg") as picture:
        mask = np.asarray(picture.convert("L"), np.float64) / 255
    tall, wide = mask.shape
    column = np.clip((uv[0::2] * wide).astype(int), 0, wide - 1)
    row = np.clip(((1 - uv[1::2]) * tall).astype(int), 0, tall - 1)
    lips = np.zeros(len(rest))
    np.maximum.at(lips, quads.ravel(), mask[row, column])
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Surface(rest, drawn, triangles, lips)


def _inside(
    human: Human, posed: F64, name: str, colour: tuple[float, float, float], roughness: float
) -> tuple[Any, NDArray[np.int64]]:
    used = np.array(human.vertices(name))
    place = {v: i for i, v in enumerate(used.tolist())}
    faces = [[place[v] for v in face] for face in human.groups[name]]
    uv = human.uv_points[[c for face in human.uv[name] for c in face]]
    material = plain(name, colour, roughness, Subsurface_Weight=0.4, Subsurface_Scale=0.002)
    return add_mesh(name, posed[used], faces, material, uv, LEVELS), used


def _hair(person: Person, surface: Surface, eyes: F64, rng: np.random.Generator) -> tuple[F64, list[Any]]:
    style = person.hair
    strands = hair.grow(style, surface, eyes, rng)
    dark = hair.hair_material("hair", style.melanin, style.redness)
    if style.grey:
        dark = hair.grey_material("dark hair", (0.10, 0.095, 0.095))
    radius = (0.00013, 0.00007) if style.style == "buzz" else (0.00016, 0.00006)
    things = []
    if style.grey:
        white = rng.random(len(strands)) < style.grey
        pale = hair.grey_material("white hair", (0.60, 0.60, 0.61))
        things.append(add_curves("hair white", strands[white], radius, pale))
        things.append(add_curves("hair", strands[~white], radius, dark))
    else:
        things.append(add_curves("hair", strands, radius, dark))
    if style.style == "tied":
        things.append(add_curves("bun", hair.bun(rng, eyes), radius, dark))
    return strands, things
