"""What draws a rig: the interface that renderers share, and how to get one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError, RigError
from avatar.pose import Pose

if TYPE_CHECKING:
    from avatar.rig import Rig

Picture = NDArray[np.uint8]
"""RGB uint8[H, W, 3]."""
Rgb = tuple[int, int, int]

SMALLEST_PX, LARGEST_PX = 64, 2048
"""Sizes that make sense: below, no lips are seen; above, textures are far too coarse."""
DEFAULT_BACKGROUND: tuple[Rgb, Rgb] = ((238, 241, 245), (205, 213, 223))
"""A light grey-blue wall: colour at the top and at the bottom."""


class Renderer(Protocol):
    """Draws poses of one rig at one size; calls from several threads at once are allowed."""

    engine: str
    """How it draws and what, for example "numba/mira"."""
    size: int
    """Side of the picture in pixels."""

    def draw(self, pose: Pose) -> Picture:
        """One frame, RGB uint8[size, size, 3], the caller's own."""

    def draw_many(self, poses: Iterable[Pose]) -> Picture:
        """Frames of several poses, RGB uint8[n, size, size, 3]."""


def load_renderer(
    rig: Rig,
    size: int = 512,
    background: Rgb | tuple[Rgb, Rgb] | Picture | str | Path | None = None,
    device: str = "cpu",
) -> Renderer:
    """Make a renderer.

    Args:
        rig: what `load_rig` returned.
        size: side of the square picture in pixels, 64 to 2048.
        background: a colour, a (top, bottom) gradient, an RGB picture or its file, None for a light wall.
        device: only "cpu" so far.

    Raises:
        AvatarError: wrong size, device or background.
    """
    if device != "cpu":
        raise AvatarError(f"no renderer for device {device!r}: use device='cpu'")
    if not SMALLEST_PX <= size <= LARGEST_PX or size % 2:
        raise AvatarError(
            f"size {size} is not an even number from {SMALLEST_PX} to {LARGEST_PX}: choose for example 512"
        )
    from avatar.cpu_renderer import CpuRenderer

    return CpuRenderer(rig, size, paint_background(background, size))


def paint_background(background: Rgb | tuple[Rgb, Rgb] | Picture | str | Path | None, size: int) -> Picture:
    """The background as RGB uint8[size, size, 3]; pictures are cut to the middle square."""
    import cv2

    if background is None:
        background = DEFAULT_BACKGROUND
    if isinstance(background, (str, Path)):
        found = cv2.imread(str(background), cv2.IMREAD_COLOR)
        if found is None:
            raise AvatarError(f"background {background} is missing or not a picture: give a PNG or JPEG file")
        background = np.ascontiguousarray(found[:, :, ::-1])
    if isinstance(background, np.ndarray):
        if background.ndim != 3 or background.shape[2] != 3 or background.dtype != np.uint8:
            raise AvatarError("a background picture must be RGB uint8[H, W, 3]")
        height, width = background.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = background[top : top + side, left : left + side]
        way = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        return np.ascontiguousarray(cv2.resize(square, (size, size), interpolation=way))
    colours = np.array(background, np.float32)
    top_colour, bottom_colour = (colours, colours) if colours.ndim == 1 else (colours[0], colours[1])
    if top_colour.shape != (3,) or colours.min() < 0 or colours.max() > 255:
        raise AvatarError("a background colour is (red, green, blue) with values from 0 to 255")
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    wall = top_colour * (1 - ramp) + bottom_colour * ramp
    return np.ascontiguousarray(np.broadcast_to(wall, (size, size, 3)).round().astype(np.uint8))


__all__ = ["DEFAULT_BACKGROUND", "Picture", "Renderer", "RigError", "load_renderer", "paint_background"]
