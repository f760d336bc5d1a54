"""Sound over the WebSocket, for networks that let no WebRTC through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from server.live.errors import LiveError
from server.live.link import Link
from server.live.protocol import DOWN_RATE_HZ
from speech.audio import Resampler

if TYPE_CHECKING:
    from agent.stage import LiveMoment

MEDIA_RATE_HZ = 48_000
"""Of the media clock's sound."""


class WireSound:
    """A sink that sends each moment's sound to a link, 16-bit little-endian mono at 24 kHz."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._resampler = Resampler(MEDIA_RATE_HZ, DOWN_RATE_HZ)

    def take(self, moment: LiveMoment) -> None:
        """Send one moment; never waits."""
        pcm = self._resampler.feed(moment.pcm.astype(np.float32) / 32768.0)
        if len(pcm):
            self._link.send_sound(np.clip(np.rint(pcm * 32767.0), -32768, 32767).astype("<i2").tobytes())


def sound_of(data: bytes) -> NDArray[np.float32]:
    """Return float32[n] of a binary message of 16-bit little-endian samples.

    Raises:
        LiveError: it is cut in the middle of a sample.
    """
    if len(data) % 2:
        raise LiveError(
            "bad_sound", f"{len(data)} bytes are no 16-bit samples", "send 16 kHz PCM16 little-endian, mono"
        )
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
