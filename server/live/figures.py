"""What a connection carries, in figures."""

from __future__ import annotations

from dataclasses import dataclass

from aiortc import RTCPeerConnection
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
            rtt_s = report.roundTripTime if report.roundTripTime is not None else rtt_s
            lost = max(lost, report.fractionLost / 256)
        elif isinstance(report, RTCTransportStats):
            received = report.bytesReceived
    return Totals(audio, video, received, rtt_s, lost)
