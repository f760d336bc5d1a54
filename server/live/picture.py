"""The sending side of the picture: which frames to encode, how, and when to give up on one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from server.live import crowd
from server.live.encoder import FRAMES_PER_S, Codec, even_size
from server.live.errors import LiveError
from server.live.quality import Bandwidth, Ladder, QualitySettings, Step
from server.live.studio import EncoderOf
from server.live.tracks import PacketTrack

log = logging.getLogger(__name__)

KEY_FRAME_GAP_S = 0.3
"""Key frames are ten times as large: a client that asks all the time gets three a second."""
RATE_RISE = 1.5
"""A new rate restarts the encoder with a key frame: not for less than this, …"""
RATE_USED = 0.7
"""… and not for a picture that does not even use the rate it has."""
HOLD_S = 0.030
"""From a moment's sound leaving to its picture leaving. Browsers play sound some 30 to 60 ms later than the
picture that came with it (longer buffer, slower output) and take half a minute to notice; a hold that is
always the same also keeps the time of an encode, which varies, out of what they take for the skew."""
LATE_S = 1.0 / FRAMES_PER_S
"""An encode that takes longer than a frame lasts can not keep up."""


class PictureSender:
    """Encodes the newest frame whenever the encoder is free; frames that come meanwhile replace each other.

    Args:
        codec: to encode with.
        track: where packets go.
        size: of the full picture, (width, height).
        encoder: makes what encodes.
        quality: numbers of the ladder.

    Attributes:
        late: frames that were not drawn in time, or left out because the encoder was busy, plus encodes
            longer than a frame.
        key_frames: sent.
        fps: frames sent in the last second.
        encode_ms: mean wall time of an encode in the last second.
    """

    def __init__(
        self,
        codec: Codec,
        track: PacketTrack,
        *,
        size: tuple[int, int],
        encoder: EncoderOf,
        quality: QualitySettings,
    ) -> None:
        self.codec = codec
        self.track = track
        self.late = 0
        self.key_frames = 0
        self.fps = 0.0
        self.encode_ms = 0.0
        self._loop = asyncio.get_running_loop()
        self._encoder = encoder(codec)
        self._bandwidth = Bandwidth(quality)
        self._rate_bps = self._bandwidth.allowed_bps
        self._size = size
        self._ladder = Ladder(pixels=size[0] * size[1], settings=quality, rung=crowd.best_rung())
        self._waiting: tuple[int, NDArray[np.uint8], float] | None = None
        self._came = asyncio.Event()
        self._last: NDArray[np.uint8] | None = None
        self._index = -FRAMES_PER_S
        self._key_wanted = True
        self._key_at_s = -KEY_FRAME_GAP_S
        self._estimate_bps: float | None = None
        self._due = self._due_late = self._encodes = self._sent = 0
        self._encode_s = 0.0

    @property
    def step(self) -> Step:
        """The rung of the quality ladder in use."""
        return self._ladder.step

    @property
    def allowed_bps(self) -> float:
        """Bits a second that the picture may use."""
        return self._bandwidth.allowed_bps

    def want_key(self) -> None:
        """Make the next frame a key frame; the last one again, if there is no newer."""
        self._key_wanted = True

    def estimated(self, bps: int) -> None:
        """Note what the receiver says that its network can carry, bits a second."""
        self._estimate_bps = float(bps)

    def keep(self, frame: NDArray[np.uint8] | None) -> None:
        """Remember a frame without sending it, for the first key frame."""
        if frame is not None:
            self._last = frame

    def take(self, index: int, frame: NDArray[np.uint8] | None) -> None:
        """Send a frame if it is its turn; never blocks.

        Args:
            index: of the media clock.
            frame: RGB[H, W, 3]; None: there is no new one.
        """
        self.keep(frame)
        every = self.step.every
        if self._key_due():
            frame = self._last
        elif every == 0 or index - self._index < every:
            return
        if frame is None:
            # its drawing is late: this machine is too slow, whatever the encoder says
            if self._last is not None:
                self.late += 1
                self._due += 1
                self._due_late += 1
            return
        self._index = index
        self._due += 1
        if self._waiting is not None:
            self.late += 1
            self._due_late += 1
        self._waiting = (index, frame, self._loop.time())
        self._came.set()

    def second(
        self,
        now_s: float,
        *,
        audio_bps: float,
        video_bps: float,
        lost: float,
        rtt_ms: float | None,
        seconds: float,
    ) -> None:
        """Take stock, once a second.

        Args:
            now_s: the time.
            audio_bps: bits of sound sent a second.
            video_bps: bits of pictures sent a second.
            lost: share of packets missed, 0 to 1.
            rtt_ms: round trip; None where it is not known yet.
            seconds: since the last call.
        """
        estimate, self._estimate_bps = self._estimate_bps, None
        allowed = self._bandwidth.observe(
            audio_bps=audio_bps, video_bps=video_bps, estimate_bps=estimate, lost=lost, rtt_ms=rtt_ms
        )
        if allowed < self._rate_bps or (
            allowed >= RATE_RISE * self._rate_bps and video_bps >= RATE_USED * self._rate_bps
        ):
            self._rate_bps = allowed
        before = self.step
        self._ladder.observe(
            now_s,
            allowed_bps=self.allowed_bps,
            late_share=self._due_late / self._due if self._due else 0.0,
            best=crowd.best_rung(),
        )
        if self.step.every == 0 and before.every != 0:
            self.want_key()  # the still is a whole picture
        self.fps = self._sent / seconds
        self.encode_ms = 1000.0 * self._encode_s / self._encodes if self._encodes else 0.0
        self._due = self._due_late = self._encodes = self._sent = 0
        self._encode_s = 0.0

    async def run(self) -> None:
        """Encode until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            if self._waiting is None:
                continue
            (index, frame, taken_s), self._waiting = self._waiting, None
            try:
                await self._encode(index, frame, taken_s)
            except LiveError:
                self.want_key()  # the process that encodes has ended, and the log says so
            except Exception:
                log.exception("a picture could not be encoded; the conversation goes on without it")
                self.want_key()

    async def _encode(self, index: int, frame: NDArray[np.uint8], taken_s: float) -> None:
        key = self._key_due()
        if key:
            self._key_wanted, self._key_at_s = False, self._loop.time()
        size = even_size(*self._size, self.step.scale)
        packet, took_s = await self._encoder.encode(frame, index, size=size, bps=self._rate_bps, key=key)
        self._encodes += 1
        self._encode_s += took_s
        if took_s > LATE_S:
            self.late += 1
            self._due_late += 1
        if packet is None:
            return
        self._sent += 1
        self.key_frames += packet.is_keyframe
        # The next encode does not wait for this; the times only grow, so the order stays.
        self._loop.call_at(taken_s + HOLD_S, self._send, packet)

    def close(self) -> None:
        """Send no more; twice does no harm."""
        self.track.stop()
        self._encoder.close()

    def _send(self, packet: Packet[Any]) -> None:
        if not self.track.put(packet):
            self.want_key()

    def _key_due(self) -> bool:
        return self._key_wanted and self._loop.time() - self._key_at_s >= KEY_FRAME_GAP_S
