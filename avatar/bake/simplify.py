"""Leave out vertices that no picture misses: larger triangles where the face is smooth, drawn in less time.

Usage: `python -m avatar.bake.simplify RIG…` rewrites mesh.npz and rig.json, once after compiling.

A vertex is merged into a neighbour when the triangles that remain pass by it within a tolerance, at rest and
in every blendshape, and carry the texture, the light and the head's weight past it as it was.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.bake.merge import MOST, merge
from avatar.rig import Rig, load_rig

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

FINE_M, COARSE_M = 0.00025, 0.00110
"""Tolerances at lips and lids, and elsewhere: 0.3 and 1.3 px in a picture of 512 px."""
EYE_M = 0.00006
"""Tolerance of eyeballs: the shadow of the lids is drawn from vertex to vertex."""
FINE_REACH_M = 0.010
"""The finer one holds so far from lips and lash roots, and has passed into the other at twice that."""
DEPTH_SHARE = 0.5
"""What an error toward the camera counts: a head turned by 30° shows half of it."""
METRES_PER_MAP_PX = 0.0010
"""What a wrong place in the appearance maps counts for; roughly the size of a pixel there."""
METRES_PER_LIGHT, METRES_PER_WEIGHT = 0.01, 0.05
"""What light and head weight count for: 1 % of light as 0.1 mm; 1 % of weight as 0.5 mm."""
ROUNDS = 6
"""Passes over all vertices; the later ones find next to nothing."""


def traits_of(rig: Rig) -> F32:
    """float32[V, K]: all that a vertex carries but its places in the atlas, in metres of error at 1."""
    count = len(rig.vertices)
    shown = np.array([1, DEPTH_SHARE, 1], np.float32)
    deltas = np.zeros((count, len(rig.deltas) * 3), np.float32)
    deltas[rig.active] = (rig.deltas * shown).transpose(1, 0, 2).reshape(len(rig.active), -1)
    return np.concatenate(
        [
            rig.vertices * shown, deltas, rig.map_xy * METRES_PER_MAP_PX,
            rig.light[:, None] * METRES_PER_LIGHT, rig.head_weight[:, None] * METRES_PER_WEIGHT,
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip


def locked_of(rig: Rig) -> NDArray[np.bool_]:
    """bool[V]: vertices that must stay: roots of lashes, and one vertex of each lip's columns."""
    locked = np.zeros(len(rig.vertices), bool)
    locked[rig.lash_root] = True
    for vertices, columns, sign in ((rig.lips[0], rig.lips[1], 1), (rig.lips[2], rig.lips[3], -1)):
        for column in np.unique(columns):
            inside = vertices[columns == column]
            locked[inside[np.argmin(sign * rig.vertices[inside, 2])]] = True
    return locked


def tolerance_of(rig: Rig) -> NDArray[np.float64]:
    """float64[V]: how far the surface may be off, in metres: least about lips and lids."""
    near = rig.vertices[np.concatenate([rig.lips[0], rig.lips[2], rig.lash_root])]
    distance = np.full(len(rig.vertices), np.inf)
    for point in near:
        distance = np.minimum(distance, np.linalg.norm(rig.vertices - point, axis=1))
    share = np.clip((distance - FINE_REACH_M) / FINE_REACH_M, 0, 1)
    tolerance = np.asarray(FINE_M + (COARSE_M - FINE_M) * share)
    for eye in rig.manifest.eyes.values():
        tolerance[eye.first : eye.first + eye.count] = EYE_M
    return tolerance


def simplify(folder: Path) -> tuple[int, int]:
    """Rewrite a rig's mesh with fewer triangles.

    Returns:
        Number of triangles before and after.

    Raises:
        RigError: the rig cannot be read.
    """
    rig = load_rig(folder)
    count, before = len(rig.vertices), len(rig.triangles)
    triangles, uv = rig.triangles.astype(np.int64), rig.uv.astype(np.float64)
    about, degree = np.zeros((count, MOST), np.int64), np.zeros(count, np.int64)
    locked = locked_of(rig)
    crowded = np.bincount(triangles.reshape(-1), minlength=count) > MOST
    locked |= crowded
    for t, corners in enumerate(triangles):
        for v in corners:
            if degree[v] < MOST:
                about[v, degree[v]] = t
                degree[v] += 1
    locked[triangles[crowded[triangles].any(axis=1)].reshape(-1)] = True
    alive = np.ones(before, np.bool_)
    place = rig.vertices.astype(np.float64)
    merge(
        triangles, uv, rig.mapped, alive, about, degree, locked, place, traits_of(rig),
        tolerance_of(rig), ROUNDS,
    )  # fmt: skip

    with np.load(folder / "mesh.npz") as data:
        arrays: dict[str, NDArray[Any]] = {key: data[key] for key in data.files}
    used = np.zeros(count, bool)
    used[triangles[alive]] = True
    used[rig.lash_root] = True
    new = np.cumsum(used) - 1
    moving = used[rig.active]
    number = np.cumsum(alive) - 1
    arrays |= {key: arrays[key][used] for key in ("vertices", "head_weight", "light", "map_xy")}
    arrays |= {"deltas": arrays["deltas"][:, moving], "active": _as(new[rig.active[moving]])}
    arrays |= {"triangles": _as(new[triangles[alive]]), "mapped": arrays["mapped"][alive]}
    arrays["uv"] = uv[alive].astype(arrays["uv"].dtype)
    for key, part in zip(("mouth_triangles", "eye_triangles"), rig.detail, strict=True):
        arrays[key] = _as(number[part[alive[part]]])
    arrays["lash_root"] = _as(new[arrays["lash_root"]])
    for key in ("lip_upper", "lip_lower"):
        stays = used[arrays[key]]
        arrays[key], column = _as(new[arrays[key][stays]]), f"{key}_column"
        arrays[column] = arrays[column][stays]
    np.savez_compressed(folder / "mesh.npz", **arrays)  # type: ignore[arg-type]
    manifest = json.loads((folder / "rig.json").read_text(encoding="utf-8"))
    for eye in manifest["eyes"].values():
        first, end = eye["first"], eye["first"] + eye["count"]
        eye["first"], eye["count"] = int(used[:first].sum()), int(used[first:end].sum())
    (folder / "rig.json").write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return before, int(alive.sum())


def _as(indices: NDArray[Any]) -> I32:
    return np.ascontiguousarray(indices, np.int32)


def main() -> None:
    """Simplify the rigs that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rig", type=Path, nargs="+", help="rig folder")
    for folder in parser.parse_args().rig:
        before, after = simplify(folder)
        print(f"{folder.name}: {before} triangles, now {after}")  # noqa: T201


if __name__ == "__main__":
    main()
