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

FINE_M, COARSE_M = 0.00025, 0.00110
"""Tolerances at lips and lids, and elsewhere: 0.3 and 1.3 px in a picture of 512 px."""
EYE_M = 0.00006
"""Tolerance of eyeballs: the shadow of the lids is drawn from vertex to vertex."""
FINE_REACH_M = 0.010
"""The finer one holds so far from lips and lash roots, and has passed into the other at twice that."""
DEPTH_SHARE = 0.5
"""What an error toward the camera counts: a head turned by 30° shows half of it."""
METRES_PER_TEXEL, METRES_PER_MAP_PX = 0.0004, 0.0010
"""What a wrong place in the atlas or in the appearance maps counts for; roughly the size of a texel there."""
METRES_PER_LIGHT, METRES_PER_WEIGHT = 0.01, 0.05
"""What light and head weight count for: 1 % of light as 0.1 mm; 1 % of weight as 0.5 mm."""
ROUNDS = 6
"""Passes over all vertices; the later ones find next to nothing."""
SAME_TEXEL = 0.01
"""Texels within which two places in the atlas are the same."""
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
def _edge(a, b, triangles, uv, mapped, about, degree, sides):
    """What holds along the edge from a to b.

    `sides` float64[2, 4] gets the place in the atlas of a and of b, in each triangle along the edge.

    Returns:
        Number of triangles along the edge, or -1 for an edge that no vertex may leave; and whether the edge
        is a line to keep: the mesh ends there, or the texture or what maps change does.
    """
    shared, first = 0, -1
    for k in range(degree[a]):
        t = about[a, k]
        at_a = at_b = -1
        for c in range(3):
            if triangles[t, c] == a:
                at_a = c
            elif triangles[t, c] == b:
                at_b = c
        if at_b < 0:
            continue
        if shared == 2:
            return -1, True
        for c in range(2):
            sides[shared, c] = uv[t, at_a, c]
            sides[shared, 2 + c] = uv[t, at_b, c]
        if shared == 0:
            first = t
        elif mapped[t] != mapped[first]:
            return 2, True
        shared += 1
    if shared < 2:
        return shared, True
    return 2, np.abs(sides[0] - sides[1]).max() > SAME_TEXEL


@njit(cache=True)
def _plane(a, triangles, about, degree, place, axes):
    """Two directions across the surface at a, float64[2, 3]; False where it has no area."""
    normal = np.zeros(3)
    for k in range(degree[a]):
        t = triangles[about[a, k]]
        normal += np.cross(place[t[1]] - place[t[0]], place[t[2]] - place[t[0]])
    length = np.sqrt((normal * normal).sum())
    if length == 0:
        return False
    normal /= length
    axis = np.zeros(3)
    axis[np.argmin(np.abs(normal))] = 1.0
    axes[0] = np.cross(normal, axis)
    axes[0] /= np.sqrt((axes[0] * axes[0]).sum())
    axes[1] = np.cross(normal, axes[0])
    return True


@njit(cache=True)
def _cost(a, b, other, ends, triangles, uv, about, degree, place, traits, tolerance):
    """Error in metres of merging a into b, or a large number where that would fold the surface.

    `other` is the other end of the line to keep on which a lies, or -1; `ends` float64[2, 2, 4] are the
    sides of the edges to b and to it.
    """
    axes = np.empty((2, 3))
    if not _plane(a, triangles, about, degree, place, axes):
        return 1e9
    worst = 1e9
    corner = np.empty(3, np.int64)
    x, y = np.empty(3), np.empty(3)
    for k in range(degree[a]):
        t = triangles[about[a, k]]
        if t[0] == b or t[1] == b or t[2] == b:
            for c in range(3):
                if t[c] != a and t[c] != b and degree[t[c]] == 1:
                    return 1e9  # a tip would be lost
            continue
        longest, at_a = 0.0, 0
        for c in range(3):
            if t[c] == a:
                at_a = c
            corner[c] = b if t[c] == a else t[c]
            from_a = place[corner[c]] - place[a]
            x[c], y[c] = (from_a * axes[0]).sum(), (from_a * axes[1]).sum()
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        for c in range(3):
            n = (c + 1) % 3
            longest = max(longest, (x[n] - x[c]) ** 2 + (y[n] - y[c]) ** 2)
        if area < SLIVER * longest:
            return 1e9
        w1 = -x[0] * (y[2] - y[0]) / area + y[0] * (x[2] - x[0]) / area
        w2 = x[0] * (y[1] - y[0]) / area - y[0] * (x[1] - x[0]) / area
        if other >= 0 or w1 < -1e-6 or w2 < -1e-6 or w1 + w2 > 1 + 1e-6:
            continue
        worst = 0.0
        where = uv[about[a, k]]
        for c in range(2):
            value = np.empty(3)
            for n in range(3):
                value[n] = ends[0, 0, 2 + c] if n == at_a else where[n, c]
            there = value[0] * (1 - w1 - w2) + value[1] * w1 + value[2] * w2
            worst = max(worst, abs(there - where[at_a, c]) * METRES_PER_TEXEL)
        for i in range(traits.shape[1]):
            there = (
                traits[corner[0], i] * (1 - w1 - w2) + traits[corner[1], i] * w1 + traits[corner[2], i] * w2
            )
            worst = max(worst, abs(there - traits[a, i]))
            if worst > tolerance:
                return 1e9
    if other < 0:
        return worst
    along = place[other] - place[b]
    share = ((place[a] - place[b]) * along).sum() / max((along * along).sum(), 1e-18)
    if share <= 0 or share >= 1:
        return 1e9
    worst = 0.0
    for i in range(traits.shape[1]):
        worst = max(worst, abs(traits[b, i] + (traits[other, i] - traits[b, i]) * share - traits[a, i]))
    for c in range(2):
        for side in range(2):
            start, end = ends[0, side, 2 + c], ends[1, side, 2 + c]
            worst = max(worst, abs(start + (end - start) * share - ends[0, side, c]) * METRES_PER_TEXEL)
    return worst


@njit(cache=True)
def _same_sides(ends):
    """Bring the sides of two edges that meet in a vertex into the same order; False where they differ."""
    straight = np.abs(ends[0, :, :2] - ends[1, :, :2]).max()
    if straight <= SAME_TEXEL:
        return True
    crossed = max(
        np.abs(ends[0, 0, :2] - ends[1, 1, :2]).max(), np.abs(ends[0, 1, :2] - ends[1, 0, :2]).max()
    )
    if crossed > SAME_TEXEL:
        return False
    first = ends[1, 0].copy()
    ends[1, 0] = ends[1, 1]
    ends[1, 1] = first
    return True


@njit(cache=True)
def _merge(triangles, uv, mapped, alive, about, degree, locked, place, traits, tolerance, rounds):
    """Merge vertices in place; `alive` says which triangles remain."""
    spent = np.zeros(len(place), np.float64)
    gone = np.zeros(len(place), np.bool_)
    ring, other = np.empty(2 * MOST, np.int64), np.empty(2 * MOST, np.int64)
    lines = np.empty(2, np.int64)
    ends, kept = np.zeros((2, 2, 4)), np.zeros((2, 4))
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
            special = 0
            for i in range(count):
                shared, is_line = _edge(a, ring[i], triangles, uv, mapped, about, degree, ends[0])
                if shared < 0:
                    special = 9
                elif is_line:
                    if special < 2:
                        lines[special] = ring[i]
                    special += 1
            if special != 0 and special != 2:
                continue
            for i in range(count):
                b = ring[i]
                if special and b != lines[0] and b != lines[1]:
                    continue
                shared, _ = _edge(a, b, triangles, uv, mapped, about, degree, ends[0])
                if degree[b] + degree[a] - 2 * shared > MOST:
                    continue
                far = -1
                if special:
                    far = lines[0] if b == lines[1] else lines[1]
                    too, _ = _edge(a, far, triangles, uv, mapped, about, degree, ends[1])
                    if too != shared:
                        continue
                    if shared == 1:
                        ends[0, 1], ends[1, 1] = ends[0, 0], ends[1, 0]
                    if not _same_sides(ends):
                        continue
                near = 0
                others = _ring(b, triangles, about, degree, other)
                for j in range(others):
                    for k in range(count):
                        near += other[j] == ring[k]
                if near != shared:
                    continue
                cost = _cost(a, b, far, ends, triangles, uv, about, degree, place, traits, best)
                if cost < best:
                    best, target = cost, b
                    kept[:] = ends[0]
            if target < 0:
                continue
            b = target
            for i in range(count):
                spent[ring[i]] = max(spent[ring[i]], best + spent[a])
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
                            side = 0 if np.abs(uv[t, c] - kept[0, :2]).max() <= SAME_TEXEL else 1
                            uv[t, c] = kept[side, 2:]
                    about[b, degree[b]] = t
                    degree[b] += 1
            gone[a], degree[a] = True, 0


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
    _merge(
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
