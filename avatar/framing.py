"""Framing: which window of the face's picture a renderer shows, and at how many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError

if TYPE_CHECKING:
    from avatar.rig import Manifest

Framing = Literal["square", "portrait"]
"""The whole picture, or a 9:16 window of it that may go on below."""
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
SMALLEST_PX, LARGEST_PX = 64, 2048
"""Widths that make sense: below, no lips are seen; above, textures are far too coarse."""
PORTRAIT = 16 / 9
"""Height of a portrait in widths."""
HEIGHT_STEP_PX = 8
"""Portrait heights are multiples of this: halves and quarters of them stay whole for video."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A window of the picture, drawn at `width` × `height` pixels."""

    width: int
    height: int
    left: float
    top: float
    """Corner of the window in sides of the picture."""
    scale: float
    """Pixels that a side of the picture would have."""

    @property
    def origin(self) -> tuple[float, float]:
        """Pixel (x, y) at which the picture's top left corner lies; ≤ 0 when the window cuts it off."""
        return -self.left * self.scale, -self.top * self.scale

    def cut(
        self, layer: NDArray[np.uint8] | NDArray[np.float32], texture_size: int, top: int = 0, below: int = 0
    ) -> NDArray[np.float32]:
        """What the frame shows of a layer, float32[height + below, width, channels].

        Args:
            layer: premultiplied where it has an opacity; its edges are repeated outward to the left, to the
                right and below.
            texture_size: pixels of the layer to a side of the picture.
            top: row of the picture where the layer begins, in the layer's pixels; nothing lies above it.
            below: further rows under the frame.
        """
        import cv2

        ratio = self.scale / texture_size
        source: Any = np.ascontiguousarray(layer, np.float32)
        if len(source) == 0:
            return np.zeros((self.height + below, self.width, *layer.shape[2:]), np.float32)
        wide, tall = round(source.shape[1] * ratio), max(round(source.shape[0] * ratio), 1)
        if ratio < 1:  # shrinking averages areas; what is left to do is a fraction of a pixel
            source = cv2.resize(source, (wide, tall), interpolation=cv2.INTER_AREA)
        across, down = source.shape[1] / layer.shape[1], source.shape[0] / layer.shape[0]
        x, y = self.origin
        y += top * ratio
        # pixel p of the frame shows texel (p + ½ - origin) / zoom - ½ of the source
        zoom_x, zoom_y = ratio / across, ratio / down
        way = cv2.INTER_CUBIC if ratio > 1 else cv2.INTER_LINEAR
        matrix = np.array(
            [[1 / zoom_x, 0, (0.5 - x) / zoom_x - 0.5], [0, 1 / zoom_y, (0.5 - y) / zoom_y - 0.5]]
        )
        shown = cv2.warpAffine(
            source, matrix, (self.width, self.height + below),
            flags=way | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        shown[: max(round(y), 0)] = 0
        return np.clip(shown, 0, 255)


def frame_of(manifest: Manifest, size: int, framing: Framing = "square") -> Frame:
    """The frame that a rig gets.

    Args:
        manifest: the rig's, which says where its portrait lies.
        size: width in pixels, even, 64 to 2048.
        framing: "square" for size × size; "portrait" for 9:16, height in steps of 8 px (512 → 912).

    Raises:
        AvatarError: no such framing, or a size that makes no sense.
    """
    if framing not in FRAMINGS:
        raise InputError(f"no framing {framing!r}: choose one of {', '.join(FRAMINGS)}")
    if not SMALLEST_PX <= size <= LARGEST_PX or size % 2:
        raise InputError(
            f"size {size} is not an even number from {SMALLEST_PX} to {LARGEST_PX}: choose for example 512"
        )
    if framing == "square":
        return Frame(size, size, 0.0, 0.0, float(size))
    left, top, width = manifest.portrait
    height = round(size * PORTRAIT / HEIGHT_STEP_PX) * HEIGHT_STEP_PX
    return Frame(size, height, left, top, size / width)
