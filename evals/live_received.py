"""What a client got over WebRTC, told by the packets that came: pictures, gaps, sound that is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
"""Of sound on WebRTC."""
BUFFER_MS = 100.0
"""What a browser's jitter buffer bridges; sound that comes later than that leaves a gap."""
_KEY_FRAME = b"\x9d\x01\x2a"
"""Start code of a VP8 key frame (RFC 6386, 9.1); width and height follow."""


@dataclass(slots=True)
class Arrivals:
    """Counts packets in the place of aiortc's jitter buffer, which then gives nothing to decode."""

    kind: str
    at_s: list[float] = field(default_factory=list)
    stamp: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    """Of each packet of sound, in its clock."""
    widths: set[int] = field(default_factory=set)

    def add(self, packet: Any) -> tuple[bool, None]:
        """Take a packet: the first of each picture, every one of the sound."""
        if self.kind == "video":
            at = packet.payload.find(_KEY_FRAME, 0, 40)
            if at >= 0:
                self.widths.add(int.from_bytes(packet.payload[at + 3 : at + 5], "little") & 0x3FFF)
        if not self.stamp or packet.timestamp != self.stamp[-1]:
            self.at_s.append(time.monotonic())
            self.stamp.append(packet.timestamp)
            self.length.append(opus_length(packet.payload) if self.kind == "audio" else 0)
        return False, None


def opus_length(packet: bytes) -> int:
    """Samples at 48 kHz in an Opus packet as we send them (RFC 6716, 3.1): one frame, or two."""
    if not packet:
        return 0
    mode, frames = packet[0] >> 3, (1, 2, 2, 0)[packet[0] & 3]
    if mode < 12:
        return frames * (480, 960, 1920, 2880)[mode & 3]
    return frames * ((480, 960)[mode & 1] if mode < 16 else (120, 240, 480, 960)[mode & 3])


@dataclass(frozen=True, slots=True)
class Received:
    """What one client got in the measured time."""

    fps: float
    longest_ms: float
    """Between two pictures."""
    freezes: int
    """Of these, more than 200 ms."""
    late_ms_p99: float
    """How much later than the earliest the sound came."""
    gaps: int
    """Places where the sound came later than a browser's buffer bridges, or is missing."""
    missing_ms: float
    """Of sound that was never sent: the media clock left it out."""
    widths: tuple[int, ...]
    """Of the pictures, where a key frame told: of the whole connection."""
    turns: int


def received(
    audio: Arrivals,
    video: Arrivals,
    begin_s: float,
    end_s: float,
    turns: int,
    *,
    buffer_ms: float = BUFFER_MS,
) -> Received:
    """Sum up what came between two times."""
    shown = _between(np.array(video.at_s), begin_s, end_s)
    gaps_ms = 1e3 * np.diff(np.concatenate([[begin_s], shown, [end_s]]))
    at = np.array(audio.at_s)
    inside = (at >= begin_s) & (at < end_s)
    at = at[inside]
    if not len(at):
        nothing = 1e3 * (end_s - begin_s)
        return Received(
            len(shown) / (end_s - begin_s),
            float(gaps_ms.max()),
            int(np.sum(gaps_ms > 200.0)),
            float("inf"),
            1,
            nothing,
            tuple(sorted(video.widths)),
            turns,
        )
    stamps = np.array(audio.stamp, np.int64)[inside]
    steps = (np.diff(stamps) + 2**31) % 2**32 - 2**31
    stamps_ms = np.concatenate([[0], np.cumsum(steps)]) / (RATE_HZ / 1e3)
    late_ms = 1e3 * (at - at[0]) - stamps_ms
    late_ms = late_ms - late_ms.min()
    late = late_ms > buffer_ms
    ended = 1e3 * (end_s - at[-1]) > 2 * buffer_ms
    missing = np.maximum(steps - np.array(audio.length, np.int64)[inside][:-1], 0)
    lost = missing > 0
    return Received(
        fps=len(shown) / (end_s - begin_s),
        longest_ms=float(gaps_ms.max()),
        freezes=int(np.sum(gaps_ms > 200.0)),
        late_ms_p99=float(np.percentile(late_ms, 99)),
        gaps=int(np.sum(late[1:] & ~late[:-1])) + int(np.sum(lost)) + int(ended),
        missing_ms=float(np.sum(missing)) / (RATE_HZ / 1e3),
        widths=tuple(sorted(video.widths)),
        turns=turns,
    )


def _between(times: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    return times[(times >= begin) & (times < end)]
