"""Pixel loops that lay clothes, hair, glints and lashes over the face; compiled like `raster`.

Layers are premultiplied and, like textures, uint64 with four channels of 16 bits.
"""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import math

import numpy as np
from numba import njit

F, I4, U4, U8 = np.float32, np.int32, np.uint32, np.uint64
HALF, ONE = F(0.5), F(1.0)
BYTES = U8(0x00FF00FF00FF00FF)
ROUND = U8(0x0080008000800080)
PAIR, PAIR_ROUND = U4(0x00FF00FF), U4(0x00800080)
OPAQUE = U4(0xFF000000)
"""Pixels from here on hide what lies below."""
NEXT = np.uintp(1)
S8, S16, S24, S48 = U8(8), U8(16), U8(24), U8(48)


@njit("u8(u4)", cache=True, nogil=True, inline="always")
def widen(pixel):
    """Four bytes to four lanes of 16 bits."""
    p = U8(pixel)
    p = (p | (p << U8(16))) & U8(0x0000FFFF0000FFFF)
    return (p | (p << U8(8))) & BYTES


@njit("u4(u8)", cache=True, nogil=True, inline="always")
def narrow(lanes):
    """Four lanes that hold bytes to four bytes."""
    p = (lanes | (lanes >> U8(8))) & U8(0x0000FFFF0000FFFF)
    return U4((p | (p >> U8(16))) & U8(0xFFFFFFFF))


@njit("u4(u4, u8)", cache=True, nogil=True, inline="always")
def over(pixel, lanes):
    """The pixel with premultiplied lanes (bytes) laid over it."""
    alpha = lanes >> S48
    rest = U8(256) - alpha - (alpha >> U8(7))
    return narrow(lanes + (((widen(pixel) * rest + ROUND) >> S8) & BYTES))


@njit("void(u4[:,::1], u4[:,::1], i4[:,::1], i8, f4)", cache=True, nogil=True, fastmath=True)
def cover(picture, layer, spans, top, raised):
    """Lay a layer (premultiplied RGBA bytes) over the picture from row `top` on, raised by `raised` ≥ 0 px.

    `spans` int32[rows + 1, 4] as in `drape`; its row n bounds what rows n - 1 and n of the layer hold.
    """
    rows, height = layer.shape[0], picture.shape[0]
    whole = int(raised)
    part = U4(int((raised - F(whole)) * F(256)))
    kept = U4(256) - part
    blended = np.empty(picture.shape[1], np.uint32)
    empty = np.zeros(picture.shape[1], np.uint32)
    for y in range(max(-whole - 1, -top), height - top):
        # rows past the layer's end repeat its last one, so that lifting opens no gap below
        upper = min(y + whole, rows - 1)
        lower = min(upper + 1, rows - 1)
        for run in range(2):
            first, last = spans[upper + 1, 2 * run], spans[upper + 1, 2 * run + 1]
            # slices are indexed from 0 and hold no branch, which lets the compiler use vector instructions
            above = layer[upper, first:last] if upper >= 0 else empty[first:last]
            below, out, line = layer[lower, first:last], picture[top + y, first:last], blended[: last - first]
            for x in range(line.shape[0]):
                m, n = above[x], below[x]
                even = ((m & PAIR) * kept + (n & PAIR) * part + PAIR_ROUND) >> U4(8)
                odd = ((m >> U4(8)) & PAIR) * kept + ((n >> U4(8)) & PAIR) * part + PAIR_ROUND
                line[x] = (even & PAIR) | (odd & ~PAIR)
            for x in range(line.shape[0]):
                value = line[x]
                if value >= OPAQUE:
                    out[x] = value
                elif value != U4(0):
                    out[x] = over(out[x], widen(value))


@njit("void(u4[:,::1], u8[:,::1], f4[:,:,::1], i4[:,::1], i8, f4[::1])",
      cache=True, nogil=True, fastmath=True, boundscheck=False)  # fmt: skip
def drape(picture, layer, shift, spans, reach, cell):
    """Lay a layer over the picture, moved by a coarse grid of pixel shifts.

    `shift` float32[G, G, 2]; its node (0, 0) lies at pixel (cell[0], cell[1]), cells are cell[2] px wide;
    a pixel shows the layer at its place minus the shift, or the layer's edge where that lies outside.
    `spans` int32[H, 4] bounds the layer in each row by two runs [a, b) and [c, d); `reach` px is the
    largest shift.
    """
    size_y, size_x = picture.shape
    cells = shift.shape[0] - 1
    per_px = ONE / cell[2]
    limit_u, limit_v = ((size_x - 1) << 16) - 1, ((size_y - 1) << 16) - 1
    for y in range(size_y):
        # what may land on this row comes from the rows within reach
        first, last = size_x, 0
        inner_first, inner_last = 0, size_x
        for row in range(max(y - reach, 0), min(y + reach + 1, size_y)):
            if spans[row, 3] > spans[row, 0]:
                first = min(first, spans[row, 0])
                last = max(last, spans[row, 3])
                inner_first = max(inner_first, spans[row, 1])
                inner_last = min(inner_last, spans[row, 2])
        if last <= first:
            continue
        a, d = max(first - reach, 0), min(last + reach, size_x)
        b, c = min(inner_first + reach, d), max(inner_last - reach, a)
        if b >= c:
            b = c = d
        gy = min(max((F(y) + HALF - cell[1]) * per_px, F(0)), F(cells))
        j = min(int(gy), cells - 1)
        fy = gy - F(j)
        for run in range(2):
            x, stop = (a, b) if run == 0 else (c, d)
            while x < stop:
                # one cell after another: within a cell and a row the shift is linear
                i = min(max(int((F(x) + HALF - cell[0]) * per_px), 0), cells - 1)
                border = int(math.ceil(cell[0] + F(i + 1) * cell[2] - HALF))
                end = stop if i == cells - 1 else min(max(border, x + 1), stop)
                ax = shift[j, i, 0] + (shift[j + 1, i, 0] - shift[j, i, 0]) * fy
                ay = shift[j, i, 1] + (shift[j + 1, i, 1] - shift[j, i, 1]) * fy
                bx = shift[j, i + 1, 0] + (shift[j + 1, i + 1, 0] - shift[j, i + 1, 0]) * fy - ax
                by = shift[j, i + 1, 1] + (shift[j + 1, i + 1, 1] - shift[j, i + 1, 1]) * fy - ay
                gx = min(max((F(x) + HALF - cell[0]) * per_px, F(0)), F(cells)) - F(i)
                u, du = F(x) - ax - bx * gx, ONE - bx * per_px
                v, dv = F(y) - ay - by * gx, -by * per_px
                fixed_u, step_u = int(u * F(65536)), int(du * F(65536))
                fixed_v, step_v = int(v * F(65536)), int(dv * F(65536))
                for px in range(x, end):
                    at_u, at_v = min(max(fixed_u, 0), limit_u), min(max(fixed_v, 0), limit_v)
                    fixed_u += step_u
                    fixed_v += step_v
                    iu, iv = np.uintp(at_u >> 16), np.uintp(at_v >> 16)
                    fu, fv = (at_u >> 8) & 255, (at_v >> 8) & 255
                    t00, t01 = layer[iv, iu], layer[iv, iu + NEXT]
                    t10, t11 = layer[iv + NEXT, iu], layer[iv + NEXT, iu + NEXT]
                    if t00 | t01 | t10 | t11 == U8(0):
                        continue
                    k11 = (fu * fv) >> 8
                    lanes = (t00 * U8(256 - fu - fv + k11) + t01 * U8(fu - k11)
                             + t10 * U8(fv - k11) + t11 * U8(k11) + ROUND)  # fmt: skip
                    lanes = (lanes >> S8) & BYTES
                    if lanes >> S48 == U8(255):
                        picture[y, px] = narrow(lanes)
                    else:
                        picture[y, px] = over(picture[y, px], lanes)
                x = end


@njit("u4(u4, f4, f4, f4, f4)", cache=True, nogil=True, inline="always")
def toward(pixel, red, green, blue, alpha):
    """The pixel mixed with an opaque colour."""
    r, g = F(I4(pixel & U4(255))), F(I4((pixel >> U4(8)) & U4(255)))
    b, a = F(I4((pixel >> U4(16)) & U4(255))), F(I4(pixel >> U4(24)))
    r, g = r + (red - r) * alpha + HALF, g + (green - g) * alpha + HALF
    b, a = b + (blue - b) * alpha + HALF, a + (F(255) - a) * alpha + HALF
    return U4(U4(I4(r)) | (U4(I4(g)) << U4(8)) | (U4(I4(b)) << U4(16)) | (U4(I4(a)) << U4(24)))


@njit("void(u4[:,::1], f4[:,::1], f4[:,::1], f4[::1], f4[::1], f4[::1])",
      cache=True, nogil=True, fastmath=True)  # fmt: skip
def glints(picture, zbuffer, spots, depths, radii, strengths):
    """Soft white discs at `spots` float32[n, 2] px where nothing lies nearer than their depths."""
    height, width = zbuffer.shape
    for n in range(spots.shape[0]):
        x, y, radius = spots[n, 0], spots[n, 1], radii[n]
        if strengths[n] <= F(0):
            continue
        for py in range(max(int(y - radius * 2), 0), min(int(y + radius * 2) + 2, height)):
            for px in range(max(int(x - radius * 2), 0), min(int(x + radius * 2) + 2, width)):
                if zbuffer[py, px] < depths[n]:
                    continue
                dx, dy = F(px) + HALF - x, F(py) + HALF - y
                alpha = min(max(F(1.25) - math.sqrt(dx * dx + dy * dy) / radius, F(0)), ONE)
                if alpha > F(0):
                    picture[py, px] = toward(picture[py, px], F(250), F(250), F(250), strengths[n] * alpha)


@njit("void(f4[:,::1], i4[::1], f4[:,:,::1], u1[::1], f4[:,::1], f4[:,:,::1])", cache=True, nogil=True)
def swing(vertices, roots, points, side, turn, out):
    """Points float32[n, k, 3] of lashes on their roots; `turn` holds cosine and sine of each side's lid."""
    for n in range(roots.shape[0]):
        root, c, s = roots[n], turn[side[n], 0], turn[side[n], 1]
        for p in range(points.shape[1]):
            y, z = points[n, p, 1], points[n, p, 2]
            out[n, p, 0] = vertices[root, 0] + points[n, p, 0]
            out[n, p, 1] = vertices[root, 1] + y * c - z * s
            out[n, p, 2] = vertices[root, 2] + z * c + y * s


@njit("void(u4[:,::1], f4[:,:,::1], f4, f4, f4[::1], f4[:,::1])", cache=True, nogil=True, fastmath=True)
def stroke(picture, lines, thickness, strength, colour, mask):
    """Draw tapering antialiased polylines float32[n, k, 2]; overlapping lines do not add up.

    `mask` is scratch of the picture's size, all zero before and after.
    """
    height, width = mask.shape
    points = lines.shape[1]
    low_x, high_x, low_y, high_y = width, 0, height, 0
    for n in range(lines.shape[0]):
        for p in range(points - 1):
            ax, ay, bx, by = lines[n, p, 0], lines[n, p, 1], lines[n, p + 1, 0], lines[n, p + 1, 1]
            radius = thickness * (ONE - F(0.75) * F(p) / F(points - 1))
            dx, dy = bx - ax, by - ay
            length = dx * dx + dy * dy + F(1e-9)
            first_x = max(int(min(ax, bx) - radius - ONE), 0)
            last_x = min(int(max(ax, bx) + radius + ONE), width - 1)
            first_y = max(int(min(ay, by) - radius - ONE), 0)
            last_y = min(int(max(ay, by) + radius + ONE), height - 1)
            low_x, high_x = min(low_x, first_x), max(high_x, last_x)
            low_y, high_y = min(low_y, first_y), max(high_y, last_y)
            for py in range(first_y, last_y + 1):
                for px in range(first_x, last_x + 1):
                    qx, qy = F(px) + HALF - ax, F(py) + HALF - ay
                    t = min(max((qx * dx + qy * dy) / length, F(0)), ONE)
                    ex, ey = qx - t * dx, qy - t * dy
                    alpha = radius + HALF - math.sqrt(ex * ex + ey * ey)
                    alpha = min(max(alpha, F(0)), min(ONE, radius * F(2)))
                    if alpha > mask[py, px]:
                        mask[py, px] = alpha
    for py in range(low_y, high_y + 1):
        for px in range(low_x, high_x + 1):
            alpha = mask[py, px] * strength
            if alpha > F(0):
                mask[py, px] = F(0)
                picture[py, px] = toward(picture[py, px], colour[0], colour[1], colour[2], alpha)


@njit("void(u1[:,:,::1])", cache=True, nogil=True)
def straighten(picture):
    """Turn premultiplied RGBA into straight RGBA, in place."""
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            alpha = np.int32(picture[y, x, 3])
            if alpha == 0 or alpha == 255:
                continue
            for c in range(3):
                picture[y, x, c] = min((np.int32(picture[y, x, c]) * 255 + alpha // 2) // alpha, 255)
