"""What makes pictures of a live face: the interface, and threads of this process that do it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar import Pose, Renderer
from avatar.lettering import Lettering

Picture = NDArray[np.uint8]
"""RGB[H, W, 3]"""


class Painter(Protocol):
    """Makes one session's pictures, somewhere else than on the event loop."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the full picture in pixels."""

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Begin a picture; never blocks.

        Args:
            pose: what it shows.
            scale: wanted share of the full size; the full size where there is nothing for that share.

        Returns:
            The picture, not to be written to, and when it was done on `time.perf_counter`'s clock. Cancelled
            in time, it is not painted at all.

        Raises:
            Exception: whatever keeps it from being begun.
        """


@dataclass(frozen=True, slots=True)
class _Easel:
    """Where pictures of one size are made."""

    renderer: Renderer
    lettering: Lettering


class Easels:
    """Renderers of one face at several sizes: they make a picture when asked, and return when it is done.

    Args:
        renderer: draws the full size.
        smaller: draw smaller pictures, by their share of the full size.
        ai_label: whether the honest label "AI" is written onto pictures.
    """

    def __init__(
        self,
        renderer: Renderer,
        *,
        smaller: Mapping[float, Renderer] = MappingProxyType({}),
        ai_label: bool = True,
    ) -> None:
        self.size = (renderer.width, renderer.height)
        self._easels = {
            scale: _Easel(
                one, Lettering(size=one.width, height=one.height, ai_label=ai_label, captions=False)
            )
            for scale, one in {**smaller, 1.0: renderer}.items()
        }

    def draw(self, pose: Pose, scale: float = 1.0) -> tuple[Picture, float]:
        """Draw; returns the picture and when it was done."""
        easel = self._easels.get(scale) or self._easels[1.0]
        picture = easel.lettering.draw(easel.renderer.draw(pose))
        return picture, time.perf_counter()


class ThreadPainter:
    """Paints in threads of this process.

    Args:
        easels: may be shared by sessions.
        pool: the threads; may be shared as well.
    """

    def __init__(self, easels: Easels, pool: Executor) -> None:
        self.size = easels.size
        self._easels, self._pool = easels, pool

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Have a thread paint."""
        return self._pool.submit(self._easels.draw, pose, scale)
