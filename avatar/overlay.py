"""Pixel loops that lay clothes, hair, glints and lashes over the face; compiled like `raster`."""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import math

import numpy as np
from numba import njit

F = np.float32
HALF, ONE = F(0.5), F(1.0)


@njit("void(u1[:,:,::1], u1[:,:,::1], i8, f4)", cache=True, nogil=True, fastmath=True)
def cover(picture, layer, top, raised):
    """Lay a premultiplied RGBA layer over the picture from row `top` on, raised by `raised` ≥ 0 pixels."""
    rows, height = layer.shape[0], picture.shape[0]
    whole = int(raised)
    part = int((raised - F(whole)) * F(256))
    for y in range(max(-whole - 1, -top), height - top):
        # rows past the layer's end repeat its last one, so that lifting opens no gap below
        upper = min(y + whole, rows - 1)
        lower = min(upper + 1, rows - 1)
        for x in range(layer.shape[1]):
            before = np.int32(layer[upper, x, 3]) if upper >= 0 else np.int32(0)
            alpha = (before * (256 - part) + np.int32(layer[lower, x, 3]) * part + 128) >> 8
            if alpha == 0:
                continue
            rest = (255 - alpha) * 257
            for c in range(4):
                above = np.int32(layer[upper, x, c]) if upper >= 0 else np.int32(0)
                value = (above * (256 - part) + np.int32(layer[lower, x, c]) * part + 128) >> 8
                value += (np.int32(picture[top + y, x, c]) * rest + 32768) >> 16
                picture[top + y, x, c] = min(value, 255)


@njit(
    "void(u1[:,:,::1], u1[:,:,::1], f4[:,:,::1], i4[:,::1], i8, f4[::1])",
    cache=True,
    nogil=True,
    fastmath=True,
)
def drape(picture, layer, shift, spans, reach, cell):
    """Lay a premultiplied RGBA layer over the picture, moved by a coarse grid of pixel shifts.

    `shift` float32[G, G, 2]; its node (0, 0) lies at pixel (cell[0], cell[1]), cells are cell[2] px wide;
    a pixel shows the layer at its place minus the shift.
    `spans` int32[H, 4] bounds the layer in each row by two runs [a, b) and [c, d); `reach` px is the
    largest shift.
    """
    size_y, size_x = picture.shape[0], picture.shape[1]
    cells = shift.shape[0] - 1
    per_px = ONE / cell[2]
    for y in range(size_y):
        a = b = c = d = 0
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
        column = -1
        x = a - 1
        while x + 1 < d:
            x += 1
            if x == b:
                x = c
                if x >= d:
                    break
            gx = min(max((F(x) + HALF - cell[0]) * per_px, F(0)), F(cells))
            i = min(int(gx), cells - 1)
            if i != column:
                column = i
                ax = shift[j, i, 0] + (shift[j + 1, i, 0] - shift[j, i, 0]) * fy
                ay = shift[j, i, 1] + (shift[j + 1, i, 1] - shift[j, i, 1]) * fy
                bx = shift[j, i + 1, 0] + (shift[j + 1, i + 1, 0] - shift[j, i + 1, 0]) * fy - ax
                by = shift[j, i + 1, 1] + (shift[j + 1, i + 1, 1] - shift[j, i + 1, 1]) * fy - ay
            fx = gx - F(i)
            u = F(x) - ax - bx * fx
            v = F(y) - ay - by * fx
            iu, iv = int(u), int(v)
            if u < F(0) or v < F(0) or iu >= size_x - 1 or iv >= size_y - 1:
                continue
            a00, a01 = np.int32(layer[iv, iu, 3]), np.int32(layer[iv, iu + 1, 3])
            a10, a11 = np.int32(layer[iv + 1, iu, 3]), np.int32(layer[iv + 1, iu + 1, 3])
            if a00 + a01 + a10 + a11 == 0:
                continue
            fu = np.int32((u - F(iu)) * F(256))
            fv = np.int32((v - F(iv)) * F(256))
            k11 = fu * fv
            k01 = fu * 256 - k11
            k10 = fv * 256 - k11
            k00 = 65536 - k01 - k10 - k11
            alpha = (a00 * k00 + a01 * k01 + a10 * k10 + a11 * k11 + 32768) >> 16
            rest = (255 - alpha) * 257
            for ch in range(4):
                value = (layer[iv, iu, ch] * k00 + layer[iv, iu + 1, ch] * k01
                         + layer[iv + 1, iu, ch] * k10 + layer[iv + 1, iu + 1, ch] * k11 + 32768)  # fmt: skip
                value = (value >> 16) + ((picture[y, x, ch] * rest + 32768) >> 16)
                picture[y, x, ch] = min(value, 255)


@njit("void(u1[:,:,::1], f4[:,::1], f4, f4, f4, f4, f4)", cache=True, nogil=True, fastmath=True)
def glint(picture, zbuffer, x, y, depth, radius, strength):
    """A soft white disc at (x, y) px where nothing lies nearer than `depth`."""
    height, width = zbuffer.shape
    for py in range(max(int(y - radius * 2), 0), min(int(y + radius * 2) + 2, height)):
        for px in range(max(int(x - radius * 2), 0), min(int(x + radius * 2) + 2, width)):
            if zbuffer[py, px] < depth:
                continue
            dx, dy = F(px) + HALF - x, F(py) + HALF - y
            alpha = strength * min(max(F(1.25) - math.sqrt(dx * dx + dy * dy) / radius, F(0)), ONE)
            for c in range(4):
                value = F(picture[py, px, c])
                picture[py, px, c] = np.uint8(value + ((F(250) if c < 3 else F(255)) - value) * alpha + HALF)


@njit("void(u1[:,:,::1], f4[:,:,::1], f4, f4, f4[::1], f4[:,::1])", cache=True, nogil=True, fastmath=True)
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
                for c in range(4):
                    value = F(picture[py, px, c])
                    picture[py, px, c] = np.uint8(
                        value + ((colour[c] if c < 3 else F(255)) - value) * alpha + HALF
                    )


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
