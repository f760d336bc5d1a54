"""Merge a mesh's vertices into neighbours where nothing is lost: the loops behind `avatar.bake.simplify`.

A vertex inside a surface may go into any neighbour; one on a line to keep (the mesh's border, a seam of the
texture) only along that line; one where such lines meet or end stays.
"""

# mypy: allow-untyped-defs
# numba reads the types of the loops from their arguments
from __future__ import annotations

import numpy as np
from numba import njit

METRES_PER_TEXEL = 0.0004
"""What a wrong place in the atlas counts for; roughly the size of a texel there."""
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
def merge(triangles, uv, mapped, alive, about, degree, locked, place, traits, tolerance, rounds):
    """Merge vertices into neighbours, in place.

    Args:
        triangles: int64[T, 3] vertices of each triangle; rewritten.
        uv: float64[T, 3, 2] texels of their corners; rewritten.
        mapped: uint8[T] which triangles the appearance maps change.
        alive: bool[T] all true; false afterwards for triangles that are left out.
        about: int64[V, MOST] the triangles about each vertex; rewritten.
        degree: int64[V] how many those are, at most `MOST`; rewritten.
        locked: bool[V] vertices that stay.
        place: float64[V, 3] vertices in metres.
        traits: float32[V, K] what a vertex carries besides its places in the atlas, in metres of error at 1.
        tolerance: float64[V] how far the surface may be off, in metres.
        rounds: passes over all vertices, at least two; each allows more of the tolerance, the last all of it.
    """
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
