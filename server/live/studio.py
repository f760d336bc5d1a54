"""Where faces are drawn and pictures encoded: the interface, and threads of this process that do both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Protocol

from agent.painter import Easels, Painter, ThreadPainter
from agent.presence import drawers
from agent.workers import Workers
from server.live.encoder import Codec, VideoEncoder

if TYPE_CHECKING:
    import numpy as np
    from av.packet import Packet
    from numpy.typing import NDArray

    from server.live.desks import OpenDesk

ENCODERS_A_CORE = 2
"""Threads that encode pictures, apart from the others: tools that hang cannot stop faces."""


class PictureEncoder(Protocol):
    """Turns the pictures of one connection into packets, somewhere else than on the event loop."""

    async def encode(
        self, rgb: NDArray[np.uint8], index: int, *, size: tuple[int, int], bps: float, key: bool
    ) -> tuple[Packet[Any] | None, float]:
        """Encode a picture as `server.live.encoder.VideoEncoder.encode` does; one at a time."""

    def close(self) -> None:
        """Forget what was encoded; twice does no harm."""


EncoderOf = Callable[[Codec], PictureEncoder]
"""Makes the encoder of a new connection."""


class Place(Painter, Protocol):
    """What one session has of a studio."""

    def encoder(self, codec: Codec) -> PictureEncoder:
        """Make an encoder for a new connection of the session."""

    def close(self) -> None:
        """Give the place up; twice does no harm."""


class Studio(Protocol):
    """Draws and encodes for all sessions of a server."""

    def place(self, opened: OpenDesk) -> Place:
        """Make room for a session at a desk."""

    async def close(self) -> None:
        """End it; what is under way is let go."""


class ThreadEncoder:
    """Encodes in threads of this process.

    Args:
        codec: "VP8" or "H264".
        pool: the threads; None: the event loop's own.
    """

    def __init__(self, codec: Codec, pool: Executor | None = None) -> None:
        self._encoder, self._pool = VideoEncoder(codec), pool

    async def encode(
        self, rgb: NDArray[np.uint8], index: int, *, size: tuple[int, int], bps: float, key: bool
    ) -> tuple[Packet[Any] | None, float]:
        """Have a thread encode a picture."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: self._encoder.encode(rgb, index, size=size, bps=bps, key=key)
        )

    def close(self) -> None:
        """Nothing is to be done."""


class ThreadPlace(ThreadPainter):
    """A session's share of this process's threads."""

    def __init__(self, easels: Easels, drawing: Executor, encoding: Executor) -> None:
        super().__init__(easels, drawing)
        self._encoding = encoding

    def encoder(self, codec: Codec) -> ThreadEncoder:
        """Make an encoder for a new connection of the session."""
        return ThreadEncoder(codec, self._encoding)

    def close(self) -> None:
        """Nothing is to be done."""


class ThreadStudio:
    """Threads of this process: quick to open, but they hold up the event loop now and then."""

    def __init__(self) -> None:
        self._drawing = Workers(drawers(), "draw", polite=True)
        self._encoding = Workers(ENCODERS_A_CORE * (os.cpu_count() or 1), "encode", polite=True)

    def place(self, opened: OpenDesk) -> ThreadPlace:
        """Make room for a session at a desk."""
        return ThreadPlace(opened.easels(), self._drawing, self._encoding)

    async def close(self) -> None:
        """End the threads."""
        for pool in (self._encoding, self._drawing):
            pool.shutdown(wait=False, cancel_futures=True)
