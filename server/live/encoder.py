"""Encoders: pictures to VP8 or H.264 packets, sound to Opus packets, one encode each.

They are our own because aiortc's run at rates and settings of their own (H.264 with x264's slow
default, VP8 with a filter against camera noise, Opus in stereo) and each costs a thread hop a packet.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any, Literal

import av
import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

VIDEO_CLOCK_HZ = 90_000
VIDEO_TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)
AUDIO_RATE = 48_000
AUDIO_TIME_BASE = Fraction(1, AUDIO_RATE)
MOMENT_TICKS = 3600
"""40 ms at the video clock."""
MOMENT_SAMPLES = 1920
"""40 ms at 48 kHz."""
PACKET_SAMPLES = 960
"""20 ms, Opus' usual packet."""
FRAMES_PER_S = 25

AUDIO_BPS = 40_000
"""Opus, mono, wide-band speech with in-band repair: transparent for a voice."""
EXPECTED_LOSS_PERCENT = "10"
"""Makes Opus carry a rough copy of each packet in the next one, which browsers use to fill gaps."""

EFFORT = "5"
"""Of Opus, 0 to 10, as phones use it: 14 ms a second of speech instead of 20 at 10."""

SETTLED = 8
"""Silent moments after which Opus makes the same packets for ever: the last ones are then sent again."""

RATE_STEP = 1.25
"""A new bit rate restarts the encoder, which costs a key frame: only steps of this size are worth it."""

Codec = Literal["VP8", "H264"]


def stepped_rate(bps: float) -> int:
    """Round a bit rate down to a power of `RATE_STEP`."""
    return round(RATE_STEP ** int(np.floor(np.log(max(bps, 1.0)) / np.log(RATE_STEP) + 1e-9)))


def even_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Scale a picture's size to even numbers of at least 16, as both codecs need."""
    return max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2)


class VideoEncoder:
    """Turns RGB pictures into packets of one codec; belongs to one connection and one thread at a time.

    Attributes:
        codec: "VP8" or "H264".
    """

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self._context: av.VideoCodecContext | None = None
        self._made_for: tuple[int, int, int] = (0, 0, 0)

    def encode(
        self, rgb: NDArray[np.uint8], index: int, *, size: tuple[int, int], bps: float, key: bool
    ) -> tuple[Packet[Any] | None, float]:
        """Encode a picture.

        Args:
            rgb: [H, W, 3], of any size.
            index: of the media clock; gives the packet's time.
            size: width and height to send, even.
            bps: wanted bits a second; used in steps of `RATE_STEP`.
            key: make it a key frame.

        Returns:
            The packet with its time (None where the encoder left the picture out to keep its rate), and
            the seconds of wall time that it took.
        """
        started = time.perf_counter()
        wanted = (*size, stepped_rate(bps))
        if self._context is None or wanted != self._made_for:
            self._context = _context(self.codec, *wanted)
            self._made_for = wanted
        frame = _yuv(rgb, size)
        frame.pts = index
        frame.time_base = Fraction(1, FRAMES_PER_S)
        kinds = av.video.frame.PictureType
        frame.pict_type = kinds.I if key else kinds.NONE
        made = self._context.encode(frame)
        packet = None
        if made:
            data = b"".join(bytes(part) for part in made)
            packet = picture_packet(data, index, key=made[0].is_keyframe)
        return packet, time.perf_counter() - started


def picture_packet(data: bytes, index: int, *, key: bool) -> Packet[Any]:
    """Return an encoded picture as a packet with the time of its moment."""
    packet: Packet[Any] = Packet(data)
    packet.is_keyframe = key
    packet.pts = packet.dts = index * MOMENT_TICKS
    packet.time_base = VIDEO_TIME_BASE
    return packet


def _yuv(rgb: NDArray[np.uint8], size: tuple[int, int]) -> av.VideoFrame:
    """Scale and convert; OpenCV does both in a fifth of swscale's time (0.3 ms for 512x512)."""
    import cv2

    if (rgb.shape[1], rgb.shape[0]) != size:
        halved = size[0] * 2 == rgb.shape[1] and size[1] * 2 == rgb.shape[0]
        rgb = np.asarray(
            cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if halved else cv2.INTER_LINEAR), np.uint8
        )
    planes = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def _context(codec: Codec, width: int, height: int, bps: int) -> av.VideoCodecContext:
    context: av.VideoCodecContext
    if codec == "VP8":
        context = av.CodecContext.create("libvpx", "w")
        context.qmin, context.qmax = 2, 56
        context.options = {
            "deadline": "realtime",
            "cpu-used": "-6",  # faster ones blur the lips
            "lag-in-frames": "0",
            "minrate": str(bps),  # with maxrate the same: constant rate
            "maxrate": str(bps),
            "bufsize": str(bps),
            "overshoot-pct": "15",
            "undershoot-pct": "100",
            "noise-sensitivity": "0",  # a drawn picture has no camera noise; the filter costs a fifth
            "static-thresh": "1",
        }
    else:
        context = av.CodecContext.create("libx264", "w")
        context.profile = "Baseline"
        context.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "level": "31",
            "maxrate": str(bps),
            "bufsize": str(bps // 2),  # half a second: key frames do not flood the network
            "forced-idr": "1",
            "x264-params": "scenecut=0",
        }
    context.width, context.height = width, height
    context.bit_rate = bps
    context.pix_fmt = "yuv420p"
    context.gop_size = 3000  # key frames come when asked for
    context.thread_count = 1
    context.framerate = Fraction(FRAMES_PER_S, 1)
    context.time_base = Fraction(1, FRAMES_PER_S)
    return context


class AudioEncoder:
    """Turns 40 ms pieces of speech into Opus packets: 0.3 ms a packet, so it runs where it is called.

    Attributes:
        joined: whether the last piece became one packet, not two.
    """

    def __init__(self) -> None:
        self.joined = False
        self._context = _opus(PACKET_SAMPLES)
        self._quiet = 0
        self._silence: list[bytes] = []

    def encode(self, pcm: NDArray[np.int16], index: int, *, joined: bool = False) -> list[Packet[Any]]:
        """Encode one moment's sound.

        Args:
            pcm: int16[1920], 48 kHz mono.
            index: of the media clock; gives the packets' times.
            joined: make one packet of it; what was said before must have died away.

        Returns:
            Two packets of 20 ms, or one of 40 ms.

        Raises:
            ValueError: the sound is not 40 ms long.
        """
        if pcm.shape != (MOMENT_SAMPLES,):
            raise ValueError(f"a moment holds {MOMENT_SAMPLES} samples, not {pcm.shape}")
        size = MOMENT_SAMPLES if joined else PACKET_SAMPLES
        if joined != self.joined:
            self.joined, self._context, self._quiet = joined, _opus(size), 0
        self._quiet = 0 if pcm.any() else self._quiet + 1
        start = index * MOMENT_SAMPLES
        if self._quiet <= SETTLED:
            self._silence = [
                bytes(packet)
                for at in range(0, MOMENT_SAMPLES, size)
                for packet in self._context.encode(_sound(pcm[at : at + size], start + at))
            ]
        packets: list[Packet[Any]] = []
        for number, data in enumerate(self._silence):
            packet: Packet[Any] = Packet(data)
            packet.pts = packet.dts = start + number * size
            packet.time_base = AUDIO_TIME_BASE
            packets.append(packet)
        return packets


def _sound(pcm: NDArray[np.int16], at: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pcm[None]), format="s16", layout="mono")
    frame.sample_rate = AUDIO_RATE
    frame.time_base = AUDIO_TIME_BASE
    frame.pts = at
    return frame


def _opus(samples: int) -> av.AudioCodecContext:
    context: av.AudioCodecContext = av.CodecContext.create("libopus", "w")
    context.bit_rate = AUDIO_BPS
    context.format = "s16"
    context.layout = "mono"
    context.sample_rate = AUDIO_RATE
    context.time_base = AUDIO_TIME_BASE
    context.options = {
        "application": "voip",
        "fec": "1",
        "packet_loss": EXPECTED_LOSS_PERCENT,
        "compression_level": EFFORT,
        "frame_duration": str(1000 * samples // AUDIO_RATE),
    }
    return context
