"""Words on the picture: captions and the honest label "AI"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB[H, W, 3]"""
Layer = NDArray[np.float32]
"""(grey level 0..255, opacity 0..1)[h, w, 2]"""

_PART = re.compile(
    r"\s*(?:[\u3400-\u9fff]|[^\s\u3400-\u9fff，。！？；：、”’」』）》]+)[，。！？；：、”’」』）》]*|\s*\S"
)
"""What a line may not break in: a word, or a Chinese character, with the marks that follow it."""
LABEL = "AI"
_FONT = "uni"
"""OpenCV's embedded font with Latin and Chinese letters: nothing to install."""
_SHADE = 0.62
"""Darkness of the box behind the words: white on it is read on any background."""


class Lettering:
    """Draws captions and the label; one instance serves several threads."""

    def __init__(
        self, *, size: int, height: int | None = None, ai_label: bool = True, captions: bool = True
    ) -> None:
        """Prepare for pictures of `size` × `height` pixels (square if no height is given)."""
        self._size = size
        self._height = size if height is None else height
        self._captions = captions
        self._caption_layer = lru_cache(maxsize=16)(self._make_caption)
        self._label = self._make_label() if ai_label else None

    def draw(self, picture: Picture, caption: str = "") -> Picture:
        """Write onto the picture itself and return it.

        Args:
            picture: RGB[height, size, 3].
            caption: what is being said; at most about 76 letters or 30 Chinese characters.
        """
        if self._label is not None:
            _blend(picture, *self._label)
        if self._captions and caption:
            _blend(picture, *self._caption_layer(caption))
        return picture

    def _make_label(self) -> tuple[Layer, int, int]:
        layer = _box([LABEL], max(11, self._size // 36))
        margin = self._size // 40
        return layer, self._size - margin - layer.shape[1], margin

    def _make_caption(self, caption: str) -> tuple[Layer, int, int]:
        pixels = max(12, self._size // 25)
        lines = _wrap(caption, pixels, round(self._size * 0.92))
        layer = _box(lines, pixels)
        return layer, (self._size - layer.shape[1]) // 2, self._height - self._size // 36 - layer.shape[0]


def _blend(picture: Picture, layer: Layer, x: int, y: int) -> None:
    """Put a layer onto a picture, cropped to it."""
    x, y = max(x, 0), max(y, 0)
    under = picture[y : y + layer.shape[0], x : x + layer.shape[1]]
    over = layer[: under.shape[0], : under.shape[1]]
    grey, opacity = over[..., :1], over[..., 1:]
    under[:] = (under * (1 - opacity) + grey * opacity + 0.5).astype(np.uint8)


def _wrap(text: str, pixels: int, width: int) -> list[str]:
    """Break a caption into balanced lines that fit."""
    total = _width(text, pixels)
    count = max(1, -(-total // width))
    lines = [""]
    for part in _PART.findall(text):
        if lines[-1] and _width((lines[-1] + part).rstrip(), pixels) > min(width, total / count * 1.15):
            lines.append("")
        lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines if line.strip()]


def _width(text: str, pixels: int) -> int:
    import cv2

    x, _, width, _ = cv2.getTextSize((0, 0), text, (0, 0), _face(), pixels)
    return int(x + width)


def _box(lines: list[str], pixels: int) -> Layer:
    """Draw white words on a dark box with round corners."""
    import cv2

    step, pad = round(pixels * 1.35), round(pixels * 0.45)
    width = max(_width(line, pixels) for line in lines) + 2 * pad
    height = step * len(lines) + pad
    words = np.zeros((height, width, 3), np.uint8)
    for number, line in enumerate(lines):
        x = (width - _width(line, pixels)) // 2
        base = pad // 2 + step * number + round(pixels * 1.05)
        cv2.putText(words, line, (x, base), (255, 255, 255), _face(), pixels)
    box = np.zeros((height, width), np.uint8)
    cv2.rectangle(box, (pad, 0), (width - 1 - pad, height - 1), 255, -1)
    cv2.rectangle(box, (0, pad), (width - 1, height - 1 - pad), 255, -1)
    for x in (pad, width - 1 - pad):
        for y in (pad, height - 1 - pad):
            cv2.circle(box, (x, y), pad, 255, -1, cv2.LINE_AA)
    ink = words[..., 0].astype(np.float32) / 255
    opacity = np.maximum(ink, _SHADE * box.astype(np.float32) / 255)
    grey = np.where(opacity > 0, 255 * ink / np.maximum(opacity, 1e-6), 0).clip(0, 255)
    return np.stack([grey, opacity], -1).astype(np.float32)


@lru_cache(maxsize=1)
def _face() -> Any:
    import cv2

    return cv2.FontFace(_FONT)
