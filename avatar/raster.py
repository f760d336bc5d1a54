"""Pixel loops of the CPU renderer: compiled by numba, free of the GIL, one thread each.

Signatures are explicit, so importing compiles everything once; the machine code is cached on disk.
Pictures are uint8[H, W, C]; positions are pixels with centres at .5; depth is in metres from the camera.
"""

# mypy: allow-untyped-defs
# numba reads the types from the signatures
from __future__ import annotations

import math

import numpy as np
from numba import njit

F = np.float32
HALF, ONE = F(0.5), F(1.0)
EDGE = F(-1e-4)
"""Barycentric slack: neighbouring triangles overlap by a hair instead of leaving cracks."""
FLAT = F(-1e-6)
"""Doubled area in px² above which a triangle counts as turned away (y points down)."""


@njit("void(f4[:,:,::1], f4[::1], i4[::1], f4[:,::1])", cache=True, nogil=True, fastmath=True)
def deform(deltas, weights, active, vertices):
    """vertices[active] += Σ weights · deltas; shapes without weight cost nothing."""
    for shape in range(weights.shape[0]):
        weight = weights[shape]
        if weight == F(0):
            continue
        rows = deltas[shape]
        for i in range(active.shape[0]):
            v = active[i]
            vertices[v, 0] += weight * rows[i, 0]
            vertices[v, 1] += weight * rows[i, 1]
            vertices[v, 2] += weight * rows[i, 2]


@njit("void(f4[:,::1], f4[::1], f4[::1])", cache=True, nogil=True, fastmath=True)
def blend_maps(maps, weights, ratio):
    """Appearance factors ratio = clip(1 + Σ weights · maps), pictures flattened to rows."""
    ratio[:] = ONE
    for k in range(weights.shape[0]):
        weight = weights[k]
        if weight == F(0):
            continue
        row = maps[k]
        for i in range(ratio.shape[0]):
            ratio[i] += weight * row[i]
    for i in range(ratio.shape[0]):
        ratio[i] = min(max(ratio[i], F(0.35)), F(1.8))


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


@njit("void(f4[:,::1], f4[::1], f4[:,::1], f4[::1], i4[:,::1], f4[:,:,::1], u1[::1], u1[:,:,::1],"
      " f4[:,:,::1], i4[::1], i8[::1], f4, f4, f4, u1[:,:,::1], f4[:,::1])",
      cache=True, nogil=True, fastmath=True)  # fmt: skip
def shade(
    xy, depth, map_xy, light, triangles, uv, mapped, atlas, ratio, order, hole, left, top, zoom, out, zbuffer
):
    """Draw the triangles listed in `order` into `out`, nearest wins.

    Pixel (left, top) of the picture becomes the corner of `out`, magnified by `zoom`. Colour is
    atlas × light, and × ratio where `mapped`. `zbuffer` must be prepared with a large depth.
    Triangles that lie wholly in the rectangle `hole` (left, top, right, bottom, px of `out`) are left out.
    """
    height, width = zbuffer.shape
    atlas_h, atlas_w = atlas.shape[0], atlas.shape[1]
    ratio_h, ratio_w = ratio.shape[0], ratio.shape[1]
    for n in range(order.shape[0]):
        t = order[n]
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = (xy[a, 0] - left) * zoom, (xy[a, 1] - top) * zoom
        x1, y1 = (xy[b, 0] - left) * zoom, (xy[b, 1] - top) * zoom
        x2, y2 = (xy[c, 0] - left) * zoom, (xy[c, 1] - top) * zoom
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area >= FLAT:
            continue
        first_x = max(int(math.ceil(min(x0, min(x1, x2)) - HALF)), 0)
        last_x = min(int(math.floor(max(x0, max(x1, x2)) - HALF)), width - 1)
        first_y = max(int(math.ceil(min(y0, min(y1, y2)) - HALF)), 0)
        last_y = min(int(math.floor(max(y0, max(y1, y2)) - HALF)), height - 1)
        if first_x > last_x or first_y > last_y:
            continue
        if first_x >= hole[0] and first_y >= hole[1] and last_x < hole[2] and last_y < hole[3]:
            continue
        scale = ONE / area
        z0 = depth[a]
        z1, z2 = depth[b] - z0, depth[c] - z0
        w1x, w1y = (y2 - y0) * scale, (x0 - x2) * scale
        w2x, w2y = (y0 - y1) * scale, (x1 - x0) * scale
        u0, v0 = uv[t, 0, 0] - HALF, uv[t, 0, 1] - HALF
        u1, v1 = uv[t, 1, 0] - uv[t, 0, 0], uv[t, 1, 1] - uv[t, 0, 1]
        u2, v2 = uv[t, 2, 0] - uv[t, 0, 0], uv[t, 2, 1] - uv[t, 0, 1]
        l0 = light[a]
        l1, l2 = light[b] - l0, light[c] - l0
        is_mapped = mapped[t] != 0
        p0, q0 = map_xy[a, 0], map_xy[a, 1]
        p1, q1 = map_xy[b, 0] - p0, map_xy[b, 1] - q0
        p2, q2 = map_xy[c, 0] - p0, map_xy[c, 1] - q0
        step_x = F(first_x) + HALF - x0
        for py in range(first_y, last_y + 1):
            step_y = F(py) + HALF - y0
            w1 = step_x * w1x + step_y * w1y - w1x
            w2 = step_x * w2x + step_y * w2y - w2x
            for px in range(first_x, last_x + 1):
                w1 += w1x
                w2 += w2x
                if w1 < EDGE or w2 < EDGE or w1 + w2 > ONE - EDGE:
                    continue
                z = z0 + w1 * z1 + w2 * z2
                if z >= zbuffer[py, px]:
                    continue
                zbuffer[py, px] = z
                u = u0 + w1 * u1 + w2 * u2
                v = v0 + w1 * v1 + w2 * v2
                iu = min(max(int(u), 0), atlas_w - 2)
                iv = min(max(int(v), 0), atlas_h - 2)
                fu, fv = u - F(iu), v - F(iv)
                lit = l0 + w1 * l1 + w2 * l2
                k11 = fu * fv * lit
                k01 = fu * lit - k11
                k10 = fv * lit - k11
                k00 = lit - k01 - k10 - k11
                red = (F(atlas[iv, iu, 0]) * k00 + F(atlas[iv, iu + 1, 0]) * k01
                       + F(atlas[iv + 1, iu, 0]) * k10 + F(atlas[iv + 1, iu + 1, 0]) * k11)  # fmt: skip
                green = (F(atlas[iv, iu, 1]) * k00 + F(atlas[iv, iu + 1, 1]) * k01
                         + F(atlas[iv + 1, iu, 1]) * k10 + F(atlas[iv + 1, iu + 1, 1]) * k11)  # fmt: skip
                blue = (F(atlas[iv, iu, 2]) * k00 + F(atlas[iv, iu + 1, 2]) * k01
                        + F(atlas[iv + 1, iu, 2]) * k10 + F(atlas[iv + 1, iu + 1, 2]) * k11)  # fmt: skip
                if is_mapped:
                    p = p0 + w1 * p1 + w2 * p2
                    q = q0 + w1 * q1 + w2 * q2
                    ip, iq = int(p), int(q)
                    if ip >= 0 and iq >= 0 and ip < ratio_w - 1 and iq < ratio_h - 1:
                        fp, fq = p - F(ip), q - F(iq)
                        m11 = fp * fq
                        m01, m10 = fp - m11, fq - m11
                        m00 = ONE - m01 - m10 - m11
                        red *= (ratio[iq, ip, 0] * m00 + ratio[iq, ip + 1, 0] * m01
                                + ratio[iq + 1, ip, 0] * m10 + ratio[iq + 1, ip + 1, 0] * m11)  # fmt: skip
                        green *= (ratio[iq, ip, 1] * m00 + ratio[iq, ip + 1, 1] * m01
                                  + ratio[iq + 1, ip, 1] * m10 + ratio[iq + 1, ip + 1, 1] * m11)  # fmt: skip
                        blue *= (ratio[iq, ip, 2] * m00 + ratio[iq, ip + 1, 2] * m01
                                 + ratio[iq + 1, ip, 2] * m10 + ratio[iq + 1, ip + 1, 2] * m11)  # fmt: skip
                out[py, px, 0] = np.uint8(min(red + HALF, F(255)))
                out[py, px, 1] = np.uint8(min(green + HALF, F(255)))
                out[py, px, 2] = np.uint8(min(blue + HALF, F(255)))
                out[py, px, 3] = np.uint8(255)


@njit("void(u1[:,:,::1], i8, i8, i8, u1[:,:,::1])", cache=True, nogil=True)
def enlarge(picture, left, top, zoom, patch):
    """Fill `patch` with the picture's pixels from (left, top), each repeated zoom × zoom."""
    for y in range(patch.shape[0]):
        for x in range(patch.shape[1]):
            for c in range(4):
                patch[y, x, c] = picture[top + y // zoom, left + x // zoom, c]


@njit("void(u1[:,:,::1], i8, i8, i8, u1[:,:,::1])", cache=True, nogil=True)
def shrink(patch, zoom, left, top, picture):
    """Average zoom × zoom pixels of `patch` back into the picture at (left, top)."""
    count = zoom * zoom
    for y in range(patch.shape[0] // zoom):
        for x in range(patch.shape[1] // zoom):
            for c in range(4):
                total = count // 2
                for j in range(zoom):
                    for i in range(zoom):
                        total += patch[y * zoom + j, x * zoom + i, c]
                picture[top + y, left + x, c] = np.uint8(total // count)
