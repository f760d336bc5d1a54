"""Pixel loops for what `raster` has drawn: finer patches brought back into the picture, outlines softened.

Pictures and depths are as in `raster`.
"""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import numpy as np
from numba import njit

from avatar.raster import FAR

F, I4, U4 = np.float32, np.int32, np.uint32


@njit("void(u4[:,::1], f4[:,::1], i8, i8, u4[:,::1], f4[:,::1])", cache=True, nogil=True)
def shrink(patch, depth, left, top, picture, zbuffer):
    """Average 2 × 2 pixels of `patch` into the picture at (left, top), which counts as covered there.

    Where the patch drew nothing, its `depth` is `FAR` and the picture stays.
    """
    low, two = U4(0x00FF00FF), U4(0x00020002)
    for y in range(patch.shape[0] // 2):
        upper, lower = patch[2 * y], patch[2 * y + 1]
        over, under = depth[2 * y], depth[2 * y + 1]
        out = picture[top + y, left : left + patch.shape[1] // 2]
        covered = zbuffer[top + y, left : left + patch.shape[1] // 2]
        for x in range(out.shape[0]):
            i, j = 2 * x, 2 * x + 1
            a, b, c, d = upper[i], upper[j], lower[i], lower[j]
            if max(max(over[i], over[j]), max(under[i], under[j])) == FAR:
                was = out[x]
                a, b = was if over[i] == FAR else a, was if over[j] == FAR else b
                c, d = was if under[i] == FAR else c, was if under[j] == FAR else d
            even = U4(U4((a & low) + (b & low) + (c & low) + (d & low) + two) >> U4(2)) & low
            a, b, c, d = a >> U4(8), b >> U4(8), c >> U4(8), d >> U4(8)
            odd = U4(U4((a & low) + (b & low) + (c & low) + (d & low) + two) >> U4(2)) & low
            out[x] = U4(even | (odd << U4(8)))
            covered[x] = F(0)


@njit("i8(f4[:,::1], i8[::1], i4[:,::1])", cache=True, nogil=True)
def edges(zbuffer, box, found):
    """List the pixels (y, x) in and about `box` that have a neighbour on the other side of an outline."""
    left, top, right, bottom = box
    count, room = 0, found.shape[0]
    first, last = max(left - 1, 1), min(right + 2, zbuffer.shape[1] - 1)
    top, bottom = max(top - 1, 1), min(bottom + 2, zbuffer.shape[0] - 1)
    # of three rows at a time, with a pixel more at each side: which are covered
    size = max(last - first, 0)
    covered = np.empty((3, size + 2), np.uint8)
    marks = np.zeros(size // 8 * 8 + 8, np.uint8)
    eights = marks.view(np.uint64)
    for y in range(top - 1, bottom + 1):
        row, out = zbuffer[y, first - 1 : last + 1], covered[y % 3]
        for x in range(out.shape[0]):
            out[x] = row[x] < FAR
        if y <= top:
            continue
        # slices are indexed from 0, which lets the compiler use vector instructions
        above, below = covered[(y - 2) % 3, 1 : size + 1], covered[y % 3, 1 : size + 1]
        middle = covered[(y - 1) % 3]
        before, here, after = middle[:size], middle[1 : size + 1], middle[2 : size + 2]
        for x in range(here.shape[0]):
            marks[x] = (
                (here[x] ^ above[x]) | (here[x] ^ below[x]) | (here[x] ^ before[x]) | (here[x] ^ after[x])
            )
        for n in range(eights.shape[0]):
            if eights[n] == 0:
                continue
            for x in range(8 * n, min(8 * n + 8, size)):
                if marks[x] != 0 and count < room:
                    found[count, 0], found[count, 1] = y - 1, first + x
                    count += 1
    return count


@njit("void(u4[:,::1], u4[:,::1], f4[:,::1], i4[:,::1], i8)", cache=True, nogil=True)
def soften(picture, behind, zbuffer, found, count):
    """Blend the face into what is behind it along its outline, by how much of 3 × 3 pixels it covers."""
    for outside in (True, False):  # first what reads its neighbours, then those themselves
        for n in range(count):
            y, x = found[n, 0], found[n, 1]
            if (zbuffer[y, x] == FAR) != outside:
                continue
            total, red, green, blue, alpha = I4(0), I4(0), I4(0), I4(0), I4(0)
            for j in range(-1, 2):
                for i in range(-1, 2):
                    if zbuffer[y + j, x + i] == FAR:
                        continue
                    weight = I4((2 - abs(i)) * (2 - abs(j)))
                    value = picture[y + j, x + i]
                    total += weight
                    red += weight * I4(value & U4(255))
                    green += weight * I4((value >> U4(8)) & U4(255))
                    blue += weight * I4((value >> U4(16)) & U4(255))
                    alpha += weight * I4(value >> U4(24))
            if total == 0:
                continue
            if not outside:
                value = picture[y, x]
                red, green = total * I4(value & U4(255)), total * I4((value >> U4(8)) & U4(255))
                blue, alpha = total * I4((value >> U4(16)) & U4(255)), total * I4(value >> U4(24))
            rest, below = I4(16) - total, behind[y, x]
            red = (red + rest * I4(below & U4(255)) + I4(8)) >> I4(4)
            green = (green + rest * I4((below >> U4(8)) & U4(255)) + I4(8)) >> I4(4)
            blue = (blue + rest * I4((below >> U4(16)) & U4(255)) + I4(8)) >> I4(4)
            alpha = (alpha + rest * I4(below >> U4(24)) + I4(8)) >> I4(4)
            picture[y, x] = U4(red) | (U4(green) << U4(8)) | (U4(blue) << U4(16)) | (U4(alpha) << U4(24))
