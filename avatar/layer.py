"""A rig's painted layers, made ready for one picture size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]


def fit(layer: U8, wide: int, tall: int) -> U8:
    """A straight RGBA layer resized and premultiplied."""
    import cv2

    layer_f = layer.astype(np.float32)
    layer_f[:, :, :3] *= layer_f[:, :, 3:] / 255
    way = cv2.INTER_AREA if wide < layer.shape[1] else cv2.INTER_CUBIC
    resized = np.clip(cv2.resize(layer_f, (wide, tall), interpolation=way), 0, 255)
    resized[:, :, :3] = np.minimum(resized[:, :, :3], resized[:, :, 3:])
    return np.ascontiguousarray(resized.round().astype(np.uint8))


def spans(alpha: U8) -> NDArray[np.int32]:
    """Two runs [a, b) and [c, d) a row, int32[H, 4], that hold every pixel but the widest gap."""
    found = np.zeros((len(alpha), 4), np.int32)
    for y, row in enumerate(alpha):
        columns = np.flatnonzero(row)
        if len(columns):
            gaps = np.diff(columns)
            widest = int(gaps.argmax()) if len(gaps) else 0
            end = columns[widest] + 1
            found[y] = columns[0], end, columns[widest + 1] if len(gaps) else end, columns[-1] + 1
    return found


def tint(picture: U8, opacity: U8, colour: tuple[int, int, int]) -> U8:
    """The picture with a colour laid over it; `opacity` uint8[h, w] is resized to it."""
    import cv2

    size = (picture.shape[1], picture.shape[0])
    alpha = cv2.resize(opacity, size, interpolation=cv2.INTER_LINEAR)[..., None] / np.float32(255)
    mixed = picture * (1 - alpha) + np.array(colour, np.float32) * alpha
    return np.ascontiguousarray(mixed.round().astype(np.uint8))
