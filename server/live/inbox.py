"""The visitor's sound as it arrives: order, gaps, decoding, and bounds on what a client may send."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket
from av.packet import Packet
from numpy.typing import NDArray

from server.live.allowance import Allowance
from server.live.encoder import AUDIO_RATE, PACKET_SAMPLES

log = logging.getLogger(__name__)

HEARING_RATE = 16_000
PIECE_SAMPLES = 320
"""20 ms at 16 kHz."""

PATIENCE_PACKETS = 3
"""A packet that is 60 ms overdue is given up: waiting longer would delay every word after it."""

FILL_SAMPLES = AUDIO_RATE // 5 * 2
"""Gaps up to 0.4 s become silence of the same length; after longer ones the sound just goes on."""

PACKETS_PER_S = 110.0
"""Opus packets may be as short as 10 ms; more than this is no speech and goes unheard."""
BURST_PACKETS = 60.0
"""After a stall of the network, this many may come at once."""

_MOST_BYTES = 1275 * 3
"""An Opus packet of 60 ms can not be larger (RFC 6716, 3.4)."""


class AudioInbox:
    """Decodes Opus packets in order and hands on 16 kHz mono pieces of 20 ms, in the event loop.

    Packets in order leave at once; one that is missing is waited for while the next `PATIENCE_PACKETS`
    arrive, then silence takes its place, so a lost packet costs 60 ms once.

    Args:
        on_audio: gets float32[320] pieces, -1 to 1; must not block. What it raises is logged once
            and counted.
        now: seconds, any clock that only goes forward.

    Attributes:
        heard: pieces handed on.
        missing: packets that never came.
        refused: packets beyond the rate, too large, or not decodable.
        failures: exceptions of `on_audio`.
    """

    def __init__(self, on_audio: Callable[[NDArray[np.float32]], None], now: Callable[[], float]) -> None:
        self._on_audio = on_audio
        self._decoder: av.AudioCodecContext = av.CodecContext.create("libopus", "r")
        self._decoder.sample_rate = AUDIO_RATE
        self._decoder.layout = "mono"  # it mixes what was sent in stereo
        self._resampler = av.AudioResampler(
            format="flt", layout="mono", rate=HEARING_RATE, frame_size=PIECE_SAMPLES
        )
        self._waiting: dict[int, RtpPacket] = {}
        self._next: int | None = None
        self._end: int | None = None  # RTP time at which the sound so far ends
        self._pts = 0
        self._allowance = Allowance(PACKETS_PER_S, BURST_PACKETS, now)
        self.heard = 0
        self.missing = 0
        self.refused = 0
        self.failures = 0

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take one packet; what can be heard now is handed on before this returns.

        Returns:
            Always (False, None): there is never anything left for aiortc to decode.
        """
        if not self._allowance.take() or len(packet.payload) > _MOST_BYTES:
            self.refused += 1
            return False, None
        number = packet.sequence_number
        if self._next is None:
            self._next = number
        ahead = (number - self._next) & 0xFFFF
        if ahead >= 0x8000:
            behind = 0x10000 - ahead
            if behind < 1000:
                return False, None  # late or double
            ahead = 0x4000
        if ahead >= 0x400:  # the sender began anew
            self._waiting.clear()
            self._next, self._end = number, None
        self._waiting[number] = packet
        self._drain()
        return False, None

    def _drain(self) -> None:
        assert self._next is not None
        while self._waiting:
            packet = self._waiting.pop(self._next, None)
            if packet is None:
                if len(self._waiting) < PATIENCE_PACKETS:
                    return
                self.missing += 1
            else:
                self._decode(packet)
            self._next = (self._next + 1) & 0xFFFF

    def _decode(self, packet: RtpPacket) -> None:
        payload = packet.payload
        if not payload:
            return
        if self._end is not None:
            gap = (packet.timestamp - self._end) & 0xFFFFFFFF
            if 0 < gap <= FILL_SAMPLES:
                self._hand_on(np.zeros((1, gap), np.int16))
        try:
            frames = self._decoder.decode(Packet(bytes(payload)))
        except av.FFmpegError:
            self.refused += 1
            return
        samples = 0
        for frame in frames:
            samples += frame.samples
            self._hand_on(np.asarray(frame.to_ndarray(), np.int16))
        self._end = (packet.timestamp + (samples or PACKET_SAMPLES)) & 0xFFFFFFFF

    def _hand_on(self, mono: NDArray[np.int16]) -> None:
        frame = av.AudioFrame.from_ndarray(mono, format="s16", layout="mono")
        frame.sample_rate = AUDIO_RATE
        frame.time_base = Fraction(1, AUDIO_RATE)
        frame.pts = self._pts
        self._pts += mono.shape[1]
        for piece in self._resampler.resample(frame):
            self.heard += 1
            try:
                self._on_audio(piece.to_ndarray()[0].copy())
            except Exception:
                # Thrown from here it would end aiortc's receiving.
                if self.failures == 0:
                    log.exception("what listens to the visitor failed; the connection goes on")
                self.failures += 1
