"""A studio of processes: what draws and encodes shares no lock of Python's with what sends sound."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.face import Face
from agent.painter import Picture
from server.live.drawer import Drawer
from server.live.encoder import Codec, picture_packet
from server.live.errors import LiveError

if TYPE_CHECKING:
    from av.packet import Packet
    from numpy.typing import NDArray

    from avatar import Pose
    from server.live.desks import OpenDesk

PORTRAIT = 16 / 9
"""Height of the tallest picture by its width."""
READY_S = 60.0
"""Until a new process draws: the first start on a machine compiles what draws."""


class ProcessPlace:
    """A session's share of a drawing process; of another one when that ends.

    Args:
        drawers: all processes.
        face: number of the desk's.
        size: of the full picture, (width, height).
    """

    def __init__(self, drawers: Sequence[Drawer], face: int, size: tuple[int, int]) -> None:
        self.size = size
        self._drawers, self._face = drawers, face
        self._drawer = self._freest()
        self._drawer.sessions += 1
        self._closed = False

    @property
    def drawer(self) -> Drawer:
        """The process that draws for the session now."""
        if not self._drawer.ready.is_set() and not self._closed:
            self._drawer.sessions -= 1
            self._drawer = self._freest()
            self._drawer.sessions += 1
        return self._drawer

    def paint(self, pose: Pose, scale: float) -> Future[tuple[Picture, float]]:
        """Begin a picture."""
        return self.drawer.paint(self._face, pose, scale)

    def encoder(self, codec: Codec) -> ProcessEncoder:
        """Make an encoder for a new connection of the session."""
        return ProcessEncoder(self, codec)

    def close(self) -> None:
        """Give the place up; twice does no harm."""
        self._drawer.sessions -= not self._closed
        self._closed = True

    def _freest(self) -> Drawer:
        return min(self._drawers, key=lambda one: (not one.ready.is_set(), one.sessions))


class ProcessEncoder:
    """Encodes in the drawing process of a place; where that changes, the next picture is a key frame.

    Args:
        place: of the session.
        codec: "VP8" or "H264".
    """

    _made = 0

    def __init__(self, place: ProcessPlace, codec: Codec) -> None:
        ProcessEncoder._made += 1
        self._number = ProcessEncoder._made
        self._place, self._codec = place, codec

    async def encode(
        self, rgb: NDArray[np.uint8], index: int, *, size: tuple[int, int], bps: float, key: bool
    ) -> tuple[Packet[Any] | None, float]:
        """Have the process encode a picture.

        Raises:
            LiveError: it cannot.
        """
        made = await self._place.drawer.encode(
            self._number, self._codec, rgb, index, size=size, bps=bps, key=key
        )
        if not made.data:
            return None, made.took_s
        return picture_packet(made.data, index, key=made.key), made.took_s

    def close(self) -> None:
        """Forget what was encoded; twice does no harm."""
        self._place.drawer.forget(self._number)


class ProcessStudio:
    """Draws and encodes in processes of their own.

    Args:
        faces: desk → its face.
        count: how many processes.
        sessions: of the whole server.
    """

    def __init__(self, faces: Mapping[str, Face], count: int, sessions: int) -> None:
        self._numbers = {name: number for number, name in enumerate(faces)}
        widest = max(face.size for face in faces.values())
        room = -(-int(3 * widest * (widest * PORTRAIT + 2)) // 4096) * 4096
        numbered = dict(enumerate(faces.values()))
        self.drawers = [Drawer(numbered, -(-sessions // count) + 1, room) for _ in range(count)]

    async def ready(self, within_s: float = READY_S) -> None:
        """Wait until all processes draw.

        Raises:
            LiveError: one of them cannot, or takes too long.
        """
        try:
            async with asyncio.timeout(within_s):
                for drawer in self.drawers:
                    await drawer.ready.wait()
        except TimeoutError:
            failure = f"did not start within {within_s:g} s"
        else:
            failure = next((drawer.failure for drawer in self.drawers if drawer.failure), "")
        if failure:
            raise LiveError("studio_failed", f"a drawing process failed: {failure}", "see the server's log")

    def place(self, opened: OpenDesk) -> ProcessPlace:
        """Make room for a session at a desk, where there is most."""
        size = opened.renderer.width, opened.renderer.height
        return ProcessPlace(self.drawers, self._numbers[opened.id], size)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(drawer.close() for drawer in self.drawers))
