"""A bake folder of a face-like ellipsoid, so that the rig compiler can be tested without Blender."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from avatar.bake.brows import LOWER_LASHES, UPPER_LASHES
from avatar.bake.light import CAMERA_Y_M, CAMERA_Z_M, DISTANCE_M, VIEW_M
from avatar.bake.poses import KEY_POSES, SIDES
from avatar.pose import ARKIT_BLENDSHAPES

CENTRE = np.array([0.0, -0.02, 0.65])
RADII = np.array([0.075, 0.125, 0.115])
EYE_Z = 0.6733925
MOUTH_Z = EYE_Z - 0.062
SIZE = 160
CLOTH_TOP = 120


def _skin(rows: int = 240, columns: int = 150) -> tuple[np.ndarray, np.ndarray]:
    tilt, turn = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, rows), np.linspace(-np.pi, np.pi, columns), indexing="ij"
    )
    way = np.stack([np.sin(tilt) * np.sin(turn), -np.sin(tilt) * np.cos(turn), np.cos(tilt)], -1)
    points = (CENTRE + way * RADII).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = (i * columns + j).ravel()
    return points, np.stack([a, a + columns, a + columns + 1, a + 1], 1)


def _bar(centre: np.ndarray, half: np.ndarray, columns: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """The front and the upper side of a bar that lies across the mouth."""
    x = np.linspace(-1, 1, columns)
    rows = [
        np.stack([x, np.full(columns, y), np.full(columns, z)], -1) for y, z in ((-1, -1), (-1, 1), (1, 1))
    ]
    a = np.concatenate([row * columns + np.arange(columns - 1) for row in (0, 1)])
    quads = np.stack([a, a + 1, a + columns + 1, a + columns], 1)
    return np.concatenate(rows) * half + centre, quads


def write_bake(folder: Path, skin_rgb: tuple[int, int, int] = (200, 150, 120)) -> Path:
    """Fill the folder; the jaw carries everything under the middle of the mouth."""
    folder.mkdir(parents=True, exist_ok=True)
    lips = np.array([0.0, -0.118, MOUTH_Z])
    parts = {
        "body": _skin(),
        "helper-upper-teeth": _bar(lips + (0, 0.02, 0.006), np.array([0.02, 0.008, 0.006])),
        "helper-lower-teeth": _bar(lips + (0, 0.022, -0.008), np.array([0.02, 0.008, 0.006])),
        "helper-tongue": _bar(lips + (0, 0.03, -0.004), np.array([0.015, 0.015, 0.003])),
    }
    arrays: dict[str, np.ndarray] = {}
    for name, (points, quads) in parts.items():
        deltas = np.zeros((52, *points.shape), np.float16)
        carried = 1 / (1 + np.exp((points[:, 2] - MOUTH_Z) / 0.004)) * (points[:, 1] < -0.05)
        if name == "helper-upper-teeth":
            carried = carried * 0
        deltas[ARKIT_BLENDSHAPES.index("jawOpen"), :, 2] = -0.03 * carried
        arrays |= {
            f"{name}/v": points.astype(np.float32),
            f"{name}/quads": quads,
            f"{name}/uvq": np.zeros((len(quads), 4, 2), np.float32),
            f"{name}/d": deltas,
        }
    for side, x in (("l", 0.029), ("r", -0.029)):
        arrays[f"eye_{side}"] = np.array([x, -0.110, EYE_Z, 0.014])
    np.savez_compressed(
        folder / "mesh.npz",
        names=np.array(ARKIT_BLENDSHAPES),
        cam=np.array([0, CAMERA_Y_M, CAMERA_Z_M, DISTANCE_M / VIEW_M]),
        **arrays,
    )
    lash = np.zeros((2 * (UPPER_LASHES + LOWER_LASHES), 6, 3), np.float32) + (0.03, -0.12, EYE_Z)
    np.save(folder / "lashes.npy", lash)
    np.savez_compressed(folder / "hair.npz", _skin()[0][None].astype(np.float16))
    row, column = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    head = ((column - 0.5) / 0.2) ** 2 + ((row - 0.45) / 0.3) ** 2 < 1
    face = np.dstack([np.full((SIZE, SIZE, 3), skin_rgb[::-1]), head * 255]).astype(np.uint8)
    for name in ("skin_rest", "inner", *SIDES, "key_rest", *(f"key_{key}" for key in KEY_POSES)):
        small = face if name in ("skin_rest", "inner", "key_rest", *SIDES) else face[::2, ::2]
        cv2.imwrite(str(folder / f"{name}.png"), small)
    hair = np.dstack([np.full((SIZE, SIZE, 3), 30), (head & (row < 0.28)) * 255]).astype(np.uint8)
    cv2.imwrite(str(folder / "hair.png"), hair)
    cloth = np.full((round(SIZE * 1.45), SIZE, 4), (90, 60, 40, 255), np.uint8)
    cloth[:CLOTH_TOP] = 0
    cv2.imwrite(str(folder / "cloth.png"), cloth)
    made = {"person": "egg", "title": "Egg", "size": SIZE, "samples": 1, "hair_on_skin": False}
    (folder / "bake.json").write_text(json.dumps(made), encoding="utf-8")
    return folder
