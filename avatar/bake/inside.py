"""The inside of the mouth, painted, for no render shows it well: teeth, gums, tongue and cavity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.bake.mesh import F32, I32, TONGUE, UPPER_TEETH, Mesh
from avatar.geometry import smoothstep

WIDTH = 160
"""Texels of the strip's width; the teeth patches spread `SPAN_MM` over it."""
SPAN_MM = 64.0
PATCH_TALL = 48
PATCH_MM = 14.0
"""Height of a patch of teeth and what it shows."""
CAVITY_RGB = (44, 15, 17)
TONGUE_RGB = (204, 106, 106)
TOOTH_RGB = (240, 232, 216)
GUM_RGB = (196, 104, 102)
UPPER_GAPS_MM = (0.0, 8.0, 14.2, 21.0, 27.0)
LOWER_GAPS_MM = (0.0, 5.0, 10.4, 16.6, 22.6)
"""Where one tooth ends and the next begins, from the middle outward."""
CROWN_MM = (8.8, 7.6)
"""Visible height of upper and lower teeth before the gum begins."""
CAVITY_ROWS, TONGUE_ROWS = (0, 24), (24, 48)
UPPER_ROW = 56
LOWER_ROW = UPPER_ROW + PATCH_TALL + 8
CAVITY_UV = np.array([WIDTH / 2, 12], np.float32)


def paint_strip() -> NDArray[np.uint8]:
    """The strip RGB uint8[h, 160, 3]: cavity, tongue, upper teeth, lower teeth, from top to bottom."""
    strip = np.zeros((LOWER_ROW + PATCH_TALL + 4, WIDTH, 3), np.float32)
    strip[:] = CAVITY_RGB
    strip[TONGUE_ROWS[0] : TONGUE_ROWS[1]] = TONGUE_RGB
    strip[UPPER_ROW - 3 : UPPER_ROW + PATCH_TALL + 3] = _teeth(UPPER_GAPS_MM, CROWN_MM[0])
    strip[LOWER_ROW - 3 : LOWER_ROW + PATCH_TALL + 3] = _teeth(LOWER_GAPS_MM, CROWN_MM[1])[::-1]
    return strip.round().astype(np.uint8)


def _teeth(gaps_mm: tuple[float, ...], crown_mm: float) -> F32:
    """A patch float32[54, 160, 3] with the gum above and the biting edge below, three rows of margin."""
    x = np.abs((np.arange(WIDTH) + 0.5) / WIDTH - 0.5) * SPAN_MM
    up = PATCH_MM - (np.arange(-3, PATCH_TALL + 3) + 0.5) / PATCH_TALL * PATCH_MM
    apart = np.min([np.abs(x - gap) for gap in gaps_mm], axis=0)
    shade = 1 - 0.14 * np.exp(-((apart / 0.45) ** 2)) - 0.05 * np.exp(-((apart / 1.4) ** 2))
    # gums arch over each tooth
    line = crown_mm - 1.2 * np.exp(-((apart / 1.3) ** 2))
    gum = smoothstep(-0.35, 0.35, (up[:, None] - line[None]).astype(np.float32))[..., None]
    tooth = np.array(TOOTH_RGB, np.float32) * shade[None, :, None]
    # enamel is a little translucent at the edge
    tooth = tooth * (1 - 0.08 * smoothstep(1.6, 0.0, up.astype(np.float32)))[:, None, None]
    return np.asarray(tooth * (1 - gum) + np.array(GUM_RGB, np.float32) * gum, np.float32)


def strip_uv(mesh: Mesh, part: int, triangles: I32) -> F32:
    """Texels float32[t, 3, 2] within the strip for triangles of teeth or tongue."""
    first, end = mesh.ranges[part]
    if part == TONGUE:
        middle = np.array([WIDTH / 2, sum(TONGUE_ROWS) / 2], np.float32)
        return np.broadcast_to(middle, (*triangles.shape, 2)).astype(np.float32)
    points = mesh.vertices[triangles] * 1000
    u = (points[..., 0] / SPAN_MM + 0.5) * WIDTH
    heights = mesh.vertices[first:end, 2] * 1000
    if part == UPPER_TEETH:
        v = UPPER_ROW + (1 - (points[..., 2] - heights.min()) / PATCH_MM) * PATCH_TALL
    else:
        front = mesh.vertices[first:end, 2][np.abs(mesh.vertices[first:end, 0]) < 0.004].max() * 1000
        v = LOWER_ROW + (front - points[..., 2]) / PATCH_MM * PATCH_TALL
    top = UPPER_ROW if part == UPPER_TEETH else LOWER_ROW
    return np.stack([np.clip(u, 1, WIDTH - 1), np.clip(v, top - 2, top + PATCH_TALL + 2)], -1).astype(
        np.float32
    )


__all__ = ["CAVITY_UV", "WIDTH", "paint_strip", "strip_uv"]
