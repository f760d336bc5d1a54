"""Pixel loops of the CPU renderer: compiled by numba, free of the GIL, one thread each.

Signatures are explicit, so importing compiles everything once; the machine code is cached on disk.
Pictures and textures are uint32[H, W], RGBA in bytes from the lowest on. Positions are pixels with centres
at .5; depth is in metres from the camera.
"""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import numpy as np
from numba import njit

F, I4, I8, U1, U4, U8 = np.float32, np.int32, np.int64, np.uint8, np.uint32, np.uint64
HALF, ONE = F(0.5), F(1.0)
EDGE = F(-1e-4)
"""Barycentric slack: neighbouring triangles overlap by a hair instead of leaving cracks."""
FLAT = F(-1e-6)
"""Doubled area in px² above which a triangle counts as turned away (y points down)."""
FAR = F(1e9)
"""Depth (m) of a pixel that shows the background."""
TINY = F(1e-12)
"""Keeps a division by the slope of an edge that runs along a row from failing."""
INSIDE = F(0.02)
"""Pixels by which places in a texture keep from its border: `EDGE` makes interpolation overshoot."""
CHUNK = 256
"""Numbers that `mix` keeps in the fastest cache while it adds rows to them."""
LANE = U8(0xFFFF)
S16, S32 = U8(16), U8(32)
PAIR, ROUND = U4(0x00FF00FF), U4(0x00800080)
MIDDLE = U4(1 << 22)
MAPPED, LIT = U1(1), U1(2)
"""Kinds of triangles: appearance maps may change them; the light on their corners is not 1."""
UNIT = 2048
"""Steps to which a factor of 1 is kept: with 4 bits of weight they fill 16 bits up to a factor of 1.99."""
HIGHEST = F(1.99)
TILE = 8
"""Pixels a side of what is switched off as one in the appearance maps."""
UNSEEN = F(0.003)
"""Change of colour that nobody sees: at most half a step of 255 on skin."""
FIXED, STEEPEST = F(65536), F(1e9)
"""Steps of a texel in which places move along a row, and the most of them a pixel."""
NEXT = np.uintp(1)
"""The neighbour of an unsigned index: unsigned, it is not checked for counting from the end."""


@njit("i4(f4)", cache=True, nogil=True, inline="always")
def floor(x):
    """Largest whole number up to x; no call, as `math.floor` is, for which loops save registers."""
    whole = I4(x)
    return whole - I4(F(whole) > x)


@njit("i4(f4)", cache=True, nogil=True, inline="always")
def ceil(x):
    """Smallest whole number from x on."""
    whole = I4(x)
    return whole + I4(F(whole) < x)


@njit("void(i2[:,::1], f4[::1], u1[:,::1], f4[::1], f4, f4, f4[::1])", cache=True, nogil=True, fastmath=True)
def mix(rows, weights, occupied, base, low, high, out):
    """out = clip(base + Σ weights · rows, low, high).

    `occupied` uint8[K, chunks] is 0 where a row holds nothing but zeros in a run of `CHUNK` numbers.
    """
    for chunk in range(occupied.shape[1]):
        first = chunk * CHUNK
        last = min(first + CHUNK, out.shape[0])
        # slices are indexed from 0, which lets the compiler use vector instructions
        part, start = out[first:last], base[first:last]
        for i in range(part.shape[0]):
            part[i] = start[i]
        for k in range(weights.shape[0]):
            weight = weights[k]
            if weight == F(0) or occupied[k, chunk] == 0:
                continue
            row = rows[k, first:last]
            for i in range(part.shape[0]):
                part[i] += weight * F(row[i])
        for i in range(part.shape[0]):
            part[i] = min(max(part[i], low), high)


@njit("void(f4[::1], i4[::1], f4[:,::1])", cache=True, nogil=True)
def scatter(moved, active, vertices):
    """vertices[active] = moved, float32[n·3]."""
    for i in range(active.shape[0]):
        for c in range(3):
            vertices[active[i], c] = moved[3 * i + c]


@njit("void(f4[:,::1], f4[:,::1], f4[::1], f4, f4, i8, f4[:,::1], f4[::1])",
      cache=True, nogil=True, fastmath=True)  # fmt: skip
def turn_eye(ball, M, centre, radius, blink, first, vertices, light):
    """Turn an eyeball (points about its centre) by M into `vertices[first:]`, and shade it.

    The upper lid throws a shadow that comes down with it; the corners of the eye are darker.
    """
    low, high = F(0.05) - F(0.6) * blink, F(0.72) - F(0.6) * blink
    for i in range(ball.shape[0]):
        x, y, z = ball[i, 0], ball[i, 1], ball[i, 2]
        tx = M[0, 0] * x + M[0, 1] * y + M[0, 2] * z
        tz = M[2, 0] * x + M[2, 1] * y + M[2, 2] * z
        vertices[first + i, 0] = tx + centre[0]
        vertices[first + i, 1] = M[1, 0] * x + M[1, 1] * y + M[1, 2] * z + centre[1]
        vertices[first + i, 2] = tz + centre[2]
        s = min(max((tz / radius - low) / (high - low), F(0)), ONE)
        e = min(max((abs(tx) / radius - F(0.30)) / F(0.55), F(0)), ONE)
        shadow = ONE - F(0.55) * s * s * (F(3) - F(2) * s)
        light[first + i] = F(0.93) * shadow * (ONE - F(0.22) * e * e * (F(3) - F(2) * e))


@njit("void(f4[:,::1], f4[::1], f4[:,::1], f4[::1], f4, f4[::1], f4[:,::1], f4[::1])",
      cache=True, nogil=True, fastmath=True)  # fmt: skip
def place(vertices, head_weight, M, pivot, lift, camera, xy, depth):
    """Turn the head by M about `pivot`, lift (m), project; camera = (y, z, focal px, centre x and y px)."""
    for i in range(vertices.shape[0]):
        x = vertices[i, 0] - pivot[0]
        y = vertices[i, 1] - pivot[1]
        z = vertices[i, 2] - pivot[2]
        w = head_weight[i]
        rx = M[0, 0] * x + M[0, 1] * y + M[0, 2] * z
        ry = M[1, 0] * x + M[1, 1] * y + M[1, 2] * z
        rz = M[2, 0] * x + M[2, 1] * y + M[2, 2] * z
        d = y + (ry - y) * w + pivot[1] - camera[0]
        k = camera[2] / d
        xy[i, 0] = camera[3] + k * (x + (rx - x) * w + pivot[0])
        xy[i, 1] = camera[4] - k * (z + (rz - z) * w + pivot[2] + lift - camera[1])
        depth[i] = d


@njit("void(f4[:,::1], i4[:,::1], u1[::1], i8[:,::1], i8, i8, i8, i4[:,::1], i8[::1], i8[::1])",
      cache=True, nogil=True, fastmath=True)  # fmt: skip
def cull(xy, triangles, group, boxes, zoom, width, height, listed, counts, bounds):
    """List the triangles that may show: row 0 of `listed` for the picture, rows 1 and 2 for the boxes.

    `group` holds bit 1 or 2 for triangles that the first or second box (left, top, right, bottom px) draws,
    `zoom` times finer; what lies wholly inside such a box is left out of the picture. `bounds` becomes the
    (left, top, right, bottom) px of what is listed for the picture.
    """
    counts[:] = 0
    outer_x, outer_y, far_x, far_y = F(width), F(height), F(0), F(0)
    fine = F(zoom)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        if (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0) >= FLAT:
            continue
        low_x, high_x = min(x0, min(x1, x2)), max(x0, max(x1, x2))
        low_y, high_y = min(y0, min(y1, y2)), max(y0, max(y1, y2))
        inside = False
        g = group[t]
        if g != 0:
            for k in range(2):
                if (g >> k) & 1 == 0:
                    continue
                left, top, right, bottom = F(boxes[k, 0]), F(boxes[k, 1]), F(boxes[k, 2]), F(boxes[k, 3])
                if high_x < left or low_x > right or high_y < top or low_y > bottom:
                    continue
                inside |= low_x >= left and high_x <= right and low_y >= top and high_y <= bottom
                if (ceil(low_x * fine - HALF) <= floor(high_x * fine - HALF)
                        and ceil(low_y * fine - HALF) <= floor(high_y * fine - HALF)):  # fmt: skip
                    listed[1 + k, counts[1 + k]] = t
                    counts[1 + k] += 1
        if inside or high_x < F(0) or high_y < F(0) or low_x > F(width) or low_y > F(height):
            continue
        if (ceil(low_x - HALF) <= floor(high_x - HALF)
                and ceil(low_y - HALF) <= floor(high_y - HALF)):  # fmt: skip
            listed[0, counts[0]] = t
            counts[0] += 1
            outer_x, outer_y = min(outer_x, low_x), min(outer_y, low_y)
            far_x, far_y = max(far_x, high_x), max(far_y, high_y)
    bounds[0], bounds[1] = int(max(outer_x, F(0))), int(max(outer_y, F(0)))
    bounds[2], bounds[3] = int(min(far_x, F(width))), int(min(far_y, F(height)))


@njit("void(f4[::1], f4[::1], u8[:,::1], u1[:,::1])", cache=True, nogil=True, fastmath=True)
def pack(ratio, beyond, out, active):
    """Pack ratio × beyond, float32[N·N·3], for `shade`: uint64[N, N], three times 16 bits in 1 / `UNIT`.

    `active` uint8[N / TILE, N / TILE], rounded up, becomes 0 where all of a tile is as good as 1.
    """
    size = out.shape[0]
    unit = F(UNIT)
    for tile_y in range(active.shape[0]):
        for tile_x in range(active.shape[1]):
            most = F(0)
            first, last = tile_x * TILE, min(tile_x * TILE + TILE, size)
            for y in range(tile_y * TILE, min(tile_y * TILE + TILE, size)):
                start, end = (y * size + first) * 3, (y * size + last) * 3
                row, also, packed = ratio[start:end], beyond[start:end], out[y, first:last]
                for x in range(packed.shape[0]):
                    r = min(row[3 * x] * also[3 * x], HIGHEST)
                    g = min(row[3 * x + 1] * also[3 * x + 1], HIGHEST)
                    b = min(row[3 * x + 2] * also[3 * x + 2], HIGHEST)
                    most = max(most, max(abs(r - ONE), max(abs(g - ONE), abs(b - ONE))))
                    low = U4(I4(r * unit + HALF)) | (U4(I4(g * unit + HALF)) << U4(16))
                    packed[x] = U8(low) | (U8(I4(b * unit + HALF)) << S32)
            active[tile_y, tile_x] = most > UNSEEN


@njit("void(f4[:,::1], f4[::1], f4[::1], i4[:,::1], f4[:,::1], u1[::1], u1[:,::1], u4[:,::1], u8[:,::1],"
      " u1[:,::1], i4[::1], i8, f4, f4, f4, u4[:,::1], f4[:,::1])",
      cache=True, nogil=True, fastmath=True, boundscheck=False)  # fmt: skip
def shade(
    xy, depth, light, triangles, places, kinds, tiles, atlas, ratio, active, listed, count, left, top, zoom,
    out, zbuffer,
):  # fmt: skip
    """Draw the first `count` of the `listed` triangles, which face the camera, into `out`; nearest wins.

    Pixel (left, top) of the picture becomes the corner of `out`, magnified by `zoom`. `places`
    float32[T, 12] holds (u, v) in `atlas` of the first corner and the way to the two others, then the same
    in `ratio`; places keep `INSIDE` the border. Colour is atlas, × light where `kinds` has bit `LIT`, and
    × ratio where it has bit `MAPPED` and one of the triangle's `tiles` (first and last column, first and
    last row) is `active`. `zbuffer` must be prepared with `FAR`.
    """
    height, width = zbuffer.shape
    for n in range(count):
        t = listed[n]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = (xy[a, 0] - left) * zoom, (xy[a, 1] - top) * zoom
        x1, y1 = (xy[b, 0] - left) * zoom, (xy[b, 1] - top) * zoom
        x2, y2 = (xy[c, 0] - left) * zoom, (xy[c, 1] - top) * zoom
        first_x = max(ceil(min(x0, min(x1, x2)) - HALF), 0)
        last_x = min(floor(max(x0, max(x1, x2)) - HALF), width - 1)
        first_y = max(ceil(min(y0, min(y1, y2)) - HALF), 0)
        last_y = min(floor(max(y0, max(y1, y2)) - HALF), height - 1)
        if first_x > last_x or first_y > last_y:
            continue
        scale = ONE / ((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0))
        z0 = depth[a]
        z1, z2 = depth[b] - z0, depth[c] - z0
        w1x, w1y = (y2 - y0) * scale, (x0 - x2) * scale
        w2x, w2y = (y0 - y1) * scale, (x1 - x0) * scale
        kind = kinds[t]
        if kind & MAPPED:
            used = U1(0)
            for j in range(tiles[t, 2], tiles[t, 3] + 1):
                for i in range(tiles[t, 0], tiles[t, 1] + 1):
                    used |= active[j, i]
            if used == 0:
                kind &= LIT
        is_mapped = kind & MAPPED != 0
        l0 = l1 = l2 = F(0)
        if kind & LIT:
            l0 = light[a]
            l1, l2 = light[b] - l0, light[c] - l0
        u0, v0, u1, v1, u2, v2 = (places[t, 0], places[t, 1], places[t, 2], places[t, 3],
                                  places[t, 4], places[t, 5])  # fmt: skip
        p0, q0, p1, q1, p2, q2 = (places[t, 6], places[t, 7], places[t, 8], places[t, 9],
                                  places[t, 10], places[t, 11])  # fmt: skip
        zx = w1x * z1 + w2x * z2
        ux = I8(min(max((w1x * u1 + w2x * u2) * FIXED, -STEEPEST), STEEPEST))
        vx = I8(min(max((w1x * v1 + w2x * v2) * FIXED, -STEEPEST), STEEPEST))
        step_x, step_y, most = F(first_x) + HALF - x0, F(first_y) + HALF - y0, F(last_x - first_x)
        w1 = step_x * w1x + step_y * w1y
        w2 = step_x * w2x + step_y * w2y
        # where along a row each weight becomes 0, and how far that moves from row to row
        w0x = -w1x - w2x
        r0, r1, r2 = ONE / (w0x + TINY), ONE / (w1x + TINY), ONE / (w2x + TINY)
        e0, e1, e2 = (EDGE - ONE + w1 + w2) * r0, (EDGE - w1) * r1, (EDGE - w2) * r2
        d0, d1, d2 = (w1y + w2y) * r0, -w1y * r1, -w2y * r2
        # two edges bound a run on one side, the third on the other: name them b, c and a
        if (w0x >= F(0)) == (w1x >= F(0)):
            ea, da, on_left = e2, d2, w2x >= F(0)
            eb, db, ec, dc = e0, d0, e1, d1
        elif (w0x >= F(0)) == (w2x >= F(0)):
            ea, da, on_left = e1, d1, w1x >= F(0)
            eb, db, ec, dc = e0, d0, e2, d2
        else:
            ea, da, on_left = e0, d0, w0x >= F(0)
            eb, db, ec, dc = e1, d1, e2, d2
        for py in range(np.uintp(first_y), np.uintp(last_y + 1)):
            row = F(I4(py) - I4(first_y))
            one, two, three = ea + row * da, eb + row * db, ec + row * dc
            if on_left:
                begin, end = max(one, F(0)), min(min(two, three), most)
            else:
                begin, end = max(max(two, three), F(0)), min(one, most)
            if begin > end:
                continue
            skipped, last = ceil(begin), I4(end)
            if last < skipped:
                continue
            along = F(skipped)
            w1 = (step_x + along) * w1x + (step_y + row) * w1y
            w2 = (step_x + along) * w2x + (step_y + row) * w2y
            z = z0 + w1 * z1 + w2 * z2 - zx
            u = I8((u0 + w1 * u1 + w2 * u2) * FIXED) - ux
            v = I8((v0 + w1 * v1 + w2 * v2) * FIXED) - vx
            w1, w2 = w1 - w1x, w2 - w2x
            start = np.uintp(first_x + skipped)
            count_x = last - skipped + 1
            for px in range(start, start + np.uintp(count_x)):
                z += zx
                u += ux
                v += vx
                w1 += w1x
                w2 += w2x
                if z >= zbuffer[py, px]:
                    continue
                zbuffer[py, px] = z
                iu, iv = np.uintp(u >> I8(16)), np.uintp(v >> I8(16))
                fu, fv = I4(u >> I8(8)) & I4(255), I4(v >> I8(8)) & I4(255)
                corner = (fu * fv) >> I4(8)
                ju, jv = iu + NEXT, iv + NEXT
                k00, k01 = U4(I4(256) - fu - fv + corner), U4(fu - corner)
                k10, k11 = U4(fv - corner), U4(corner)
                m00, m01, m10, m11 = atlas[iv, iu], atlas[iv, ju], atlas[jv, iu], atlas[jv, ju]
                # 8.8 bits each: red and blue, and green shifted like them
                outer = (m00 & PAIR) * k00 + (m01 & PAIR) * k01 + (m10 & PAIR) * k10 + (m11 & PAIR) * k11
                inner = (((m00 >> U4(8)) & PAIR) * k00 + ((m01 >> U4(8)) & PAIR) * k01
                         + ((m10 >> U4(8)) & PAIR) * k10 + ((m11 >> U4(8)) & PAIR) * k11)  # fmt: skip
                if kind == 0:
                    out[py, px] = (((outer + ROUND) >> U4(8)) & PAIR) | ((inner + ROUND) & ~PAIR)
                    continue
                # 8.8 bits × 1.15 bits make 23 bits behind the point
                red, green, blue = outer & U4(0xFFFF), inner & U4(0xFFFF), outer >> U4(16)
                if is_mapped:
                    p = p0 + w1 * p1 + w2 * p2
                    q = q0 + w1 * q1 + w2 * q2
                    whole_p, whole_q = I4(p), I4(q)
                    ip, iq = np.uintp(whole_p), np.uintp(whole_q)
                    fp, fq = I4((p - F(whole_p)) * F(16)), I4((q - F(whole_q)) * F(16))
                    both = (fp * fq) >> I4(4)
                    jp, jq = ip + NEXT, iq + NEXT
                    factor = (ratio[iq, ip] * U8(I4(16) - fp - fq + both) + ratio[iq, jp] * U8(fp - both)
                              + ratio[jq, ip] * U8(fq - both) + ratio[jq, jp] * U8(both))  # fmt: skip
                    red *= U4(factor & LANE)
                    green *= U4((factor >> S16) & LANE)
                    blue *= U4((factor >> S32) & LANE)
                else:
                    red, green, blue = red << U4(15), green << U4(15), blue << U4(15)
                if kind & LIT:
                    lit = l0 + w1 * l1 + w2 * l2
                    red, green, blue = U4(F(red) * lit), U4(F(green) * lit), U4(F(blue) * lit)
                r = min((red + MIDDLE) >> U4(23), U4(255))
                g = min((green + MIDDLE) >> U4(23), U4(255))
                h = min((blue + MIDDLE) >> U4(23), U4(255))
                out[py, px] = U4(r | (g << U4(8)) | (h << U4(16)) | U4(0xFF000000))
