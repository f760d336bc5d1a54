"""What hangs over the face in one frame, as the CPU renderer lays it: cloth and hair, and what they hide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avatar import compact, overlay, raster
from avatar.framing import Frame
from avatar.layer import fit, lanes, spans
from avatar.look import rise_px
from avatar.rig import Rig

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]

COVER_REACH_PX = 8
"""Step in which the reach of hair is rounded up when asking what it hides for certain."""


class Drape:
    """Cloth and hair of a rig in one frame; threads share it.

    Args:
        rig: whose.
        frame: the window.
    """

    def __init__(self, rig: Rig, frame: Frame) -> None:
        side, below = rig.manifest.texture_size, rise_px(rig, frame)
        hair = fit(rig.hair, frame, side)
        self._hair = lanes(hair) if hair.any() else None
        self._hair_spans = spans(hair[:, :, 3])
        nodes = rig.hair_weight.shape[0] - 1
        self._cell = np.array([*frame.origin, frame.scale / nodes], np.float32)
        cloth = fit(rig.cloth, frame, side, rig.cloth_top, below)
        rows = np.flatnonzero(cloth[:, :, 3].any(axis=1))
        self._top = int(rows[0]) if len(rows) else len(cloth)
        cloth = np.ascontiguousarray(cloth[self._top :])
        self._cloth = compact.packed(cloth)
        bounds = np.pad(cloth[:, :, 3], ((1, 1), (0, 0)), mode="edge" if len(cloth) else "constant")
        self._cloth_spans = spans(np.maximum(bounds[:-1], bounds[1:]))
        self._rise = 2 * below + 1
        self._opaque_hair = (hair[:, :, 3] == 255).astype(np.uint8)
        self._opaque_cloth = np.zeros_like(self._opaque_hair)
        shown = max(frame.height - self._top - below, 0)
        self._opaque_cloth[self._top : self._top + shown] = cloth[:shown, :, 3] == 255
        self._hidden: dict[int, F32] = {}

    def hidden(self, reach: int) -> F32:
        """The z-buffer to begin with: 0 where hair or cloth hide everything for certain, else `FAR`.

        Args:
            reach: pixels by which hair may lie elsewhere than at rest.
        """
        import cv2

        step = -(-reach // COVER_REACH_PX) * COVER_REACH_PX
        hidden = self._hidden.get(step)
        if hidden is None:
            still = np.ones((2 * step + 3, 2 * step + 3), np.uint8)
            rise = np.ones((self._rise, 1), np.uint8)
            edge = cv2.BORDER_CONSTANT
            hair = np.asarray(cv2.erode(self._opaque_hair, still, borderType=edge, borderValue=0))
            cloth = np.asarray(cv2.erode(self._opaque_cloth, rise, borderType=edge, borderValue=0))
            hidden = np.where((hair > 0) | (cloth > 0), np.float32(0), raster.FAR)
            self._hidden[step] = hidden
        return hidden

    def lay_cloth(self, picture: U32, raised_px: float) -> None:
        """Lay the cloth over a picture, in place, raised by a breath."""
        if self._top < len(picture):
            overlay.cover(picture, self._cloth, self._cloth_spans, self._top, np.float32(raised_px))

    def lay_hair(self, picture: U32, shift: F32, reach: int) -> None:
        """Lay the hair over a picture, in place.

        Args:
            picture: premultiplied RGBA as one number a pixel.
            shift: float32[G, G, 2] px by which the nodes of the hair's grid move.
            reach: the farthest of that in whole pixels, rounded up.
        """
        if self._hair is not None:
            overlay.drape(picture, self._hair, shift, self._hair_spans, reach, self._cell)
