"""A rig's painted layers, made ready for one frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar.framing import Frame
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

HAIR_BEHIND_RGB = (24, 19, 17)
"""Colour of the unlit hair behind neck and cheeks."""


def fit(layer: U8, frame: Frame, texture_size: int, top: int = 0, below: int = 0) -> U8:
    """What the frame shows of a straight RGBA layer, premultiplied, uint8[height + below, width, 4]."""
    layer_f = layer.astype(np.float32)
    layer_f[:, :, :3] *= layer_f[:, :, 3:] / 255
    shown = frame.cut(layer_f, texture_size, top, below)
    shown[:, :, :3] = np.minimum(shown[:, :, :3], shown[:, :, 3:])
    return np.ascontiguousarray(shown.round().astype(np.uint8))


def stage(rig: Rig, frame: Frame, background: U8 | None, keep_backdrop: bool) -> U8:
    """What stands behind the face, premultiplied RGBA uint8[height, width, 4].

    Args:
        rig: its backdrop and the hair behind its neck are laid over the background.
        frame: the window.
        background: RGB uint8[height, width, 3], or None for nothing.
        keep_backdrop: draw all of a backdrop even where the rig has a matte for the person in it.
    """
    side = rig.manifest.texture_size
    picture = np.zeros((frame.height, frame.width, 4), np.float32)
    if background is not None:
        picture[:, :, :3], picture[:, :, 3] = background, 255
    if rig.backdrop is not None:
        whole = rig.matte is None or keep_backdrop
        opacity = np.full(rig.backdrop.shape[:2], 255, np.uint8) if whole or rig.matte is None else rig.matte
        shown = fit(np.dstack([rig.backdrop, opacity]), frame, side).astype(np.float32)
        picture = picture * (1 - shown[:, :, 3:] / np.float32(255)) + shown
    if rig.behind.any():
        alpha = frame.cut(rig.behind, side)[..., None] / np.float32(255)
        picture = picture * (1 - alpha) + np.array((*HAIR_BEHIND_RGB, 255), np.float32) * alpha
    return np.ascontiguousarray(picture.round().astype(np.uint8))


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


def lanes(picture: U8) -> NDArray[np.uint64]:
    """RGB or RGBA uint8[H, W, 3 or 4] as uint64[H, W] of four channels in 16 bits each, for the loops."""
    wide = np.full((*picture.shape[:2], 4), 255, np.uint16)
    wide[:, :, : picture.shape[2]] = picture
    return wide.view("<u8")[:, :, 0].astype(np.uint64)
