"""What a connection carries, in figures."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCPeerConnection
from aiortc.rtcrtpsender import RTT_ALPHA
from aiortc.stats import RTCOutboundRtpStreamStats, RTCRemoteInboundRtpStreamStats, RTCTransportStats


@dataclass(frozen=True, slots=True)
class LineStats:
    """What a connection carries; a second old at most.

    Attributes:
        state: as `Peer` tells it.
        codec: of the video, "" without.
        step: rung of the quality ladder.
        audio_bps: bits a second sent, sound.
        video_bps: bits a second sent, pictures.
        allowed_bps: what the pictures may use.
        received_bps: bits a second received, everything.
        fps: pictures sent in the last second.
        encode_ms: mean wall time of an encode in the last second.
        rtt_ms: round trip; None before the first report.
        lost: share of packets that the client missed in its last report, 0 to 1.
        late: pictures left out because the encoder was busy, since the connection began.
        key_frames: sent, since the connection began.
        heard_s: seconds of the visitor's sound.
        missing: packets of it that never came.
        refused: packets of it that were too many, too large or broken.
    """

    state: str = "new"
    codec: str = ""
    step: str = ""
    audio_bps: float = 0.0
    video_bps: float = 0.0
    allowed_bps: float = 0.0
    received_bps: float = 0.0
    fps: float = 0.0
    encode_ms: float = 0.0
    rtt_ms: float | None = None
    lost: float = 0.0
    late: int = 0
    key_frames: int = 0
    heard_s: float = 0.0
    missing: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Since the connection began: bytes; round trip in seconds; share lost in the client's last report."""

    audio: int = 0
    video: int = 0
    received: int = 0
    rtt_s: float | None = None
    lost: float = 0.0


def newest_trip(before_s: float | None, after_s: float | None) -> float | None:
    """Take aiortc's smoothing off its round trip: a queue must be seen when it builds up and when it is gone.

    Args:
        before_s: its figure a second ago, seconds.
        after_s: its figure now.

    Returns:
        The newest measurement, seconds; None where there is no new one.
    """
    if after_s is None or before_s == after_s:
        return None
    if before_s is None:
        return after_s
    return max(0.0, (after_s - RTT_ALPHA * before_s) / (1.0 - RTT_ALPHA))


async def totals_of(connection: RTCPeerConnection) -> Totals:
    """Read a connection's counters."""
    audio = video = received = 0
    rtt_s: float | None = None
    lost = 0.0
    for report in (await connection.getStats()).values():
        if isinstance(report, RTCOutboundRtpStreamStats):
            if report.kind == "audio":
                audio = report.bytesSent
            else:
                video = report.bytesSent
        elif isinstance(report, RTCRemoteInboundRtpStreamStats):
            if report.kind == "audio" and report.roundTripTime is not None:
                rtt_s = report.roundTripTime  # pictures pause, and aiortc's figure is wrong then
            lost = max(lost, report.fractionLost / 256)
        elif isinstance(report, RTCTransportStats):
            received = report.bytesReceived
    return Totals(audio, video, received, rtt_s, lost)
