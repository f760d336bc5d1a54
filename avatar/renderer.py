"""What draws a rig: the interface that renderers share, and how to get one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError, RigError
from avatar.framing import Frame, Framing, frame_of
from avatar.pose import Pose

if TYPE_CHECKING:
    from avatar.rig import Rig

Picture = NDArray[np.uint8]
"""RGB uint8[H, W, 3]."""
Cutout = NDArray[np.uint8]
"""Straight RGBA uint8[H, W, 4]."""
Rgb = tuple[int, int, int]
Background = Rgb | tuple[Rgb, Rgb] | Picture | str | Path
"""A colour, a (top, bottom) gradient, an RGB picture or its file, or "blur:" before a file's path."""

DEFAULT_BACKGROUND: tuple[Rgb, Rgb] = ((238, 241, 245), (205, 213, 223))
"""A light grey-blue wall: colour at the top and at the bottom."""
BLUR = "blur:"
BLUR_SHARE = 0.02
"""Standard deviation of the blur in frame widths: shapes stay, details go, as behind a portrait lens."""


class Renderer(Protocol):
    """Draws poses of one rig in one frame; calls from several threads at once are allowed."""

    engine: str
    """How it draws and what, for example "numba/mira"."""
    size: int
    """The same as `width`."""
    width: int
    height: int
    """Pixels of a picture."""

    def draw(self, pose: Pose) -> Picture:
        """One frame, RGB uint8[height, width, 3], the caller's own."""

    def draw_many(self, poses: Iterable[Pose]) -> Picture:
        """Frames of several poses, RGB uint8[n, height, width, 3]."""

    def draw_rgba(self, pose: Pose) -> Cutout:
        """One frame without its background, straight RGBA uint8[height, width, 4].

        Transparent pixels are black. A photo's backdrop belongs to the person as far as the rig's matte
        says, and wholly where it has none.
        """


def load_renderer(
    rig: Rig,
    size: int = 512,
    background: Background | None = None,
    device: str = "cpu",
    framing: Framing = "square",
) -> Renderer:
    """Make a renderer.

    Args:
        rig: what `load_rig` returned.
        size: width of the picture in pixels, even, 64 to 2048.
        background: a colour, a (top, bottom) gradient, an RGB picture or its file (cut to the frame's shape),
            "blur:" before a file's path for the same out of focus, None for a light wall. A rig with a
            backdrop keeps it unless a background is named and the rig has a matte.
        device: "cpu", or "cuda", "cuda:1" … or "torch-cpu" with torch installed.
        framing: "square", or "portrait" for 9:16.

    Raises:
        AvatarError: wrong size, framing, device or background.
    """
    frame = frame_of(rig.manifest, size, framing)
    whole = background is None
    if device != "cpu":
        from avatar.torch_renderer import TorchRenderer, check_device

        check_device(device)
        wall = paint_background(background, frame.width, frame.height)
        return TorchRenderer(rig, frame, wall, keep_backdrop=whole, device=device)
    from avatar.cpu_renderer import CpuRenderer

    wall = paint_background(background, frame.width, frame.height)
    return CpuRenderer(rig, frame, wall, keep_backdrop=whole)


def paint_background(background: Background | None, width: int, height: int) -> Picture:
    """The background as RGB uint8[height, width, 3]; pictures are cut to the frame's shape in their middle.

    Raises:
        AvatarError: it is none of what `Background` allows.
    """
    if background is None:
        background = DEFAULT_BACKGROUND
    if isinstance(background, (str, Path)):
        words = str(background)
        picture = _fill(_read(words.removeprefix(BLUR)), width, height)
        return _blurred(picture) if words.startswith(BLUR) else picture
    if isinstance(background, np.ndarray):
        if background.ndim != 3 or background.shape[2] != 3 or background.dtype != np.uint8:
            raise InputError("a background picture must be RGB uint8[H, W, 3]")
        return _fill(background, width, height)
    colours = np.array(background, np.float32)
    top_colour, bottom_colour = (colours, colours) if colours.ndim == 1 else (colours[0], colours[1])
    if top_colour.shape != (3,) or colours.min() < 0 or colours.max() > 255:
        raise InputError("a background colour is (red, green, blue) with values from 0 to 255")
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    wall = top_colour * (1 - ramp) + bottom_colour * ramp
    return np.ascontiguousarray(np.broadcast_to(wall, (height, width, 3)).round().astype(np.uint8))


def _read(path: str) -> Picture:
    import cv2

    if path.startswith("#"):
        raise InputError(f"background {path} is no colour: write #rrggbb, for example #e9eef3")
    found = cv2.imread(path, cv2.IMREAD_COLOR) if Path(path).is_file() else None
    if found is None:
        raise InputError(f"background {path} is missing or not a picture: give a PNG or JPEG file")
    return np.ascontiguousarray(found[:, :, ::-1], np.uint8)


def _fill(picture: Picture, width: int, height: int) -> Picture:
    """The largest middle part of the picture that has the frame's shape, resized to it."""
    import cv2

    tall, wide = picture.shape[:2]
    share = min(wide / width, tall / height)
    across, down = max(round(width * share), 1), max(round(height * share), 1)
    left, top = (wide - across) // 2, (tall - down) // 2
    part = np.ascontiguousarray(picture[top : top + down, left : left + across])
    way = cv2.INTER_AREA if share > 1 else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(part, (width, height), interpolation=way), np.uint8)


def _blurred(picture: Picture) -> Picture:
    import cv2

    sigma = picture.shape[1] * BLUR_SHARE
    return np.ascontiguousarray(
        cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8
    )


__all__ = [
    "DEFAULT_BACKGROUND",
    "Background",
    "Cutout",
    "Frame",
    "Picture",
    "Renderer",
    "RigError",
    "load_renderer",
    "paint_background",
]
