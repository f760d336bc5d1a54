"""Leave out vertices that no picture misses: larger triangles where the face is smooth, drawn in less time.

Usage: `python -m avatar.bake.simplify RIG…` rewrites mesh.npz and rig.json, once after compiling.

A vertex is merged into a neighbour when the triangles that remain pass by it within a tolerance, at rest and
in every blendshape, and carry the texture, the light and the head's weight past it as it was.
"""

# mypy: allow-untyped-defs
# numba reads the types of the loops from their arguments
from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from avatar.rig import Rig, load_rig

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

FINE_M, COARSE_M = 0.00020, 0.00070
"""Tolerances around mouth and eyes, and elsewhere: 0.24 and 0.82 px in a picture of 512 px."""
METRES_PER_TEXEL, METRES_PER_MAP_PX = 0.0004, 0.0010
"""What a wrong place in the atlas or in the appearance maps counts for; roughly the size of a texel there."""
METRES_PER_LIGHT, METRES_PER_WEIGHT = 0.01, 0.05
"""What light and head weight count for: 1 % of light as 0.1 mm; 1 % of weight as 0.5 mm."""
ROUNDS = 6
"""Passes over all vertices; the later ones find next to nothing."""
MOST = 24
"""Triangles about one vertex; none gets more."""
SLIVER = 0.02
"""Doubled area over squared longest edge below which a triangle is too thin."""


@njit(cache=True)
def _ring(a, triangles, about, degree, ring):
    """Neighbours of a vertex into `ring`; returns how many."""
    count = 0
    for k in range(degree[a]):
        for c in range(3):
            v = triangles[about[a, k], c]
            if v == a:
                continue
            known = False
            for i in range(count):
                known |= ring[i] == v
            if not known and count < ring.shape[0]:
                ring[count] = v
                count += 1
    return count


@njit(cache=True)
def _cost(a, b, triangles, about, degree, place, traits, tolerance):
    """Error in metres of merging a into b, or a large number where that would fold the surface."""
    normal = np.zeros(3)
    for k in range(degree[a]):
        t = triangles[about[a, k]]
        normal += np.cross(place[t[1]] - place[t[0]], place[t[2]] - place[t[0]])
    length = np.sqrt((normal * normal).sum())
    if length == 0:
        return 1e9
    normal /= length
    axis = np.zeros(3)
    axis[np.argmin(np.abs(normal))] = 1.0
    across = np.cross(normal, axis)
    across /= np.sqrt((across * across).sum())
    up = np.cross(normal, across)
    found, worst = False, 1e9
    for k in range(degree[a]):
        t = triangles[about[a, k]]
        if t[0] == b or t[1] == b or t[2] == b:
            continue
        corner = np.empty(3, np.int64)
        x, y = np.empty(3), np.empty(3)
        longest = 0.0
        for c in range(3):
            corner[c] = b if t[c] == a else t[c]
            from_a = place[corner[c]] - place[a]
            x[c], y[c] = (from_a * across).sum(), (from_a * up).sum()
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        for c in range(3):
            n = (c + 1) % 3
            longest = max(longest, (x[n] - x[c]) ** 2 + (y[n] - y[c]) ** 2)
        if area < SLIVER * longest:
            return 1e9
        w1 = -x[0] * (y[2] - y[0]) / area + y[0] * (x[2] - x[0]) / area
        w2 = x[0] * (y[1] - y[0]) / area - y[0] * (x[1] - x[0]) / area
        if w1 < -1e-6 or w2 < -1e-6 or w1 + w2 > 1 + 1e-6:
            continue
        found, worst = True, 0.0
        for i in range(traits.shape[1]):
            there = (
                traits[corner[0], i] * (1 - w1 - w2) + traits[corner[1], i] * w1 + traits[corner[2], i] * w2
            )
            worst = max(worst, abs(there - traits[a, i]))
            if worst > tolerance:
                return 1e9
    return worst if found else 1e9


@njit(cache=True)
def _merge(triangles, uv, alive, about, degree, locked, place, traits, tolerance, rounds):
    """Merge vertices in place; `alive` says which triangles remain."""
    spent = np.zeros(len(place), np.float64)
    gone = np.zeros(len(place), np.bool_)
    ring, other = np.empty(2 * MOST, np.int64), np.empty(2 * MOST, np.int64)
    for turn in range(rounds):
        share = min(1.0, (turn + 1) / (rounds - 1))
        for a in range(len(place)):
            if locked[a] or gone[a] or degree[a] == 0:
                continue
            room = tolerance[a] * share - spent[a]
            if room <= 0:
                continue
            best, target = room, -1
            count = _ring(a, triangles, about, degree, ring)
            for i in range(count):
                b = ring[i]
                shared, u, v = 0, 0.0, 0.0
                agree = True
                for k in range(degree[a]):
                    t = about[a, k]
                    for c in range(3):
                        if triangles[t, c] == b:
                            if shared and abs(uv[t, c, 0] - u) + abs(uv[t, c, 1] - v) > 0.01:
                                agree = False
                            shared, u, v = shared + 1, uv[t, c, 0], uv[t, c, 1]
                if shared != 2 or not agree or degree[b] + degree[a] - 4 > MOST:
                    continue
                near = 0
                others = _ring(b, triangles, about, degree, other)
                for j in range(others):
                    for k in range(count):
                        near += other[j] == ring[k]
                if near != 2:
                    continue
                cost = _cost(a, b, triangles, about, degree, place, traits, best)
                if cost < best:
                    best, target = cost, b
            if target < 0:
                continue
            b = target
            for i in range(count):
                spent[ring[i]] = max(spent[ring[i]], best + spent[a])
            u, v = 0.0, 0.0
            for k in range(degree[a]):
                for c in range(3):
                    if triangles[about[a, k], c] == b:
                        u, v = uv[about[a, k], c, 0], uv[about[a, k], c, 1]
            for k in range(degree[a]):
                t = about[a, k]
                if triangles[t, 0] == b or triangles[t, 1] == b or triangles[t, 2] == b:
                    alive[t] = False
                    for c in range(3):
                        w = triangles[t, c]
                        if w == a:
                            continue
                        for i in range(degree[w]):
                            if about[w, i] == t:
                                degree[w] -= 1
                                about[w, i] = about[w, degree[w]]
                                break
                else:
                    for c in range(3):
                        if triangles[t, c] == a:
                            triangles[t, c] = b
                            uv[t, c, 0], uv[t, c, 1] = u, v
                    about[b, degree[b]] = t
                    degree[b] += 1
            gone[a], degree[a] = True, 0


def traits_of(rig: Rig) -> F32:
    """float32[V, K]: everything that a vertex carries, in metres of error at 1."""
    count = len(rig.vertices)
    deltas = np.zeros((count, len(rig.deltas) * 3), np.float32)
    deltas[rig.active] = rig.deltas.transpose(1, 0, 2).reshape(len(rig.active), -1)
    uv = np.zeros((count, 2), np.float32)
    uv[rig.triangles.reshape(-1)] = rig.uv.reshape(-1, 2)
    return np.concatenate(
        [
            rig.vertices, deltas, uv * METRES_PER_TEXEL, rig.map_xy * METRES_PER_MAP_PX,
            rig.light[:, None] * METRES_PER_LIGHT, rig.head_weight[:, None] * METRES_PER_WEIGHT,
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip


def locked_of(rig: Rig) -> NDArray[np.bool_]:
    """bool[V]: vertices that must stay: eyeballs, lips, lash roots, seams, borders."""
    locked = np.zeros(len(rig.vertices), bool)
    for eye in rig.manifest.eyes.values():
        locked[eye.first : eye.first + eye.count] = True
    locked[rig.lips[0]] = locked[rig.lips[2]] = locked[rig.lash_root] = True
    corner, flat = rig.triangles.reshape(-1), rig.uv.reshape(-1, 2)
    detail = np.zeros(len(rig.triangles), np.int32)
    for bit, part in enumerate(rig.detail):
        detail[part] += 1 << bit
    marks = np.column_stack([flat, np.repeat(rig.mapped, 3)[:, None], np.repeat(detail, 3)[:, None]])
    one = np.zeros((len(rig.vertices), 4), np.float64)
    one[corner] = marks
    locked[corner[(np.abs(marks - one[corner]) > 0.01).any(axis=1)]] = True
    edges = np.sort(rig.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    pairs, times = np.unique(edges, axis=0, return_counts=True)
    locked[pairs[times != 2].reshape(-1)] = True
    return locked


def simplify(folder: Path) -> tuple[int, int]:
    """Rewrite a rig's mesh with fewer triangles.

    Returns:
        Number of triangles before and after.

    Raises:
        RigError: the rig cannot be read.
    """
    rig = load_rig(folder)
    count, before = len(rig.vertices), len(rig.triangles)
    triangles, uv = rig.triangles.astype(np.int64), rig.uv.copy()
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
    tolerance = np.full(count, COARSE_M)
    for part in rig.detail:
        tolerance[rig.triangles[part].reshape(-1)] = FINE_M
    alive = np.ones(before, np.bool_)
    place = rig.vertices.astype(np.float64)
    _merge(triangles, uv, alive, about, degree, locked, place, traits_of(rig), tolerance, ROUNDS)

    with np.load(folder / "mesh.npz") as data:
        arrays: dict[str, NDArray[Any]] = {key: data[key] for key in data.files}
    used = np.zeros(count, bool)
    used[triangles[alive]] = True
    for eye in rig.manifest.eyes.values():
        used[eye.first : eye.first + eye.count] = True
    for kept in (rig.lips[0], rig.lips[2], rig.lash_root):
        used[kept] = True
    new = np.cumsum(used) - 1
    moving = used[rig.active]
    number = np.cumsum(alive) - 1
    arrays |= {key: arrays[key][used] for key in ("vertices", "head_weight", "light", "map_xy")}
    arrays |= {"deltas": arrays["deltas"][:, moving], "active": _as(new[rig.active[moving]])}
    arrays |= {"triangles": _as(new[triangles[alive]]), "mapped": arrays["mapped"][alive]}
    arrays["uv"] = uv[alive].astype(arrays["uv"].dtype)
    for key, part in zip(("mouth_triangles", "eye_triangles"), rig.detail, strict=True):
        arrays[key] = _as(number[part[alive[part]]])
    for key in ("lip_upper", "lip_lower", "lash_root"):
        arrays[key] = _as(new[arrays[key]])
    np.savez_compressed(folder / "mesh.npz", **arrays)  # type: ignore[arg-type]
    manifest = json.loads((folder / "rig.json").read_text(encoding="utf-8"))
    for eye in manifest["eyes"].values():
        eye["first"] = int(new[eye["first"]])
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
