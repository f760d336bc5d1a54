"""One WebRTC connection: what happens between an offer and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from numpy.typing import NDArray

from server.live import crowd, inside
from server.live.allowance import Allowance
from server.live.errors import LiveError
from server.live.figures import LineStats, Totals, newest_trip, totals_of
from server.live.inbox import HEARING_RATE, PIECE_SAMPLES, AudioInbox
from server.live.offer import Offer
from server.live.picture import PictureSender
from server.live.quality import DEFAULTS, QualitySettings
from server.live.sound import SoundSender
from server.live.studio import EncoderOf, ThreadEncoder
from server.live.tracks import PacketTrack

log = logging.getLogger(__name__)
inside.quicken_clock()

NEGOTIATE_S = 10.0
"""For the whole answer; the visitor sees "connecting" meanwhile."""
GATHER_S = 1.5
"""For STUN and TURN servers, which may be down: three times what a slow one needs."""
CONNECT_S = 20.0
"""A way that is not found by then is not found at all."""
SILENT_S = 4.0
"""A living client reports at least once a second, even where its microphone is off."""
FLOOD_BYTES = 1_250_000
"""In one second: no microphone sends 10 Mb/s."""
MUCH_BYTES, MUCH_S = 125_000, 3
"""In one second, ten times the best Opus; in so many seconds in a row it is a flood too."""
REPEATS_PER_S, REPEATS_AT_ONCE = 20.0, 30.0
"""Lost packets of the picture: half of what a face needs a second; beyond that a key frame is cheaper."""
CLOSE_S = 5.0
"""How long aiortc may take to close a connection."""
OVER = ("failed", "flooded", "closed")
"""States that a connection does not come back from."""


class Moment(Protocol):
    """40 ms of face and voice, as the stage makes them."""

    @property
    def index(self) -> int:
        """Of the media clock."""

    @property
    def frame(self) -> NDArray[np.uint8] | None:
        """RGB[H, W, 3], not written to any more; None: the last one again."""

    @property
    def pcm(self) -> NDArray[np.int16]:
        """1920 samples, 48 kHz mono."""


@dataclass(slots=True)
class _Course:
    """What the watch remembers from one look to the next."""

    began_s: float
    then_s: float
    """Of the last look."""
    heard_from_s: float
    before: Totals = field(default_factory=Totals)
    much: int = 0
    """Looks in a row that saw too much come."""


class Line:
    """One RTCPeerConnection with its tracks, encoders and watch.

    Args:
        offer: what the client wants.
        configuration: STUN, TURN.
        size: of the full picture, (width, height).
        on_audio: gets the visitor's sound.
        on_state: told of connecting, connected, disconnected, failed, flooded, closed.
        encoder: makes what encodes the pictures.
        quality: numbers of the quality ladder.
    """

    def __init__(
        self,
        offer: Offer,
        *,
        configuration: RTCConfiguration,
        size: tuple[int, int],
        on_audio: Callable[[NDArray[np.float32]], None],
        on_state: Callable[[str], None],
        encoder: EncoderOf = ThreadEncoder,
        quality: QualitySettings = DEFAULTS,
    ) -> None:
        self.offer = offer
        self._on_state = on_state
        self._loop = asyncio.get_running_loop()
        self._connection = RTCPeerConnection(configuration)
        self._sound = SoundSender(PacketTrack("audio"))
        self._inbox = AudioInbox(on_audio, self._loop.time)
        self._picture: PictureSender | None = None
        crowd.come(self)
        if offer.codecs:
            track = PacketTrack("video")
            self._picture = PictureSender(offer.codecs[0], track, size=size, encoder=encoder, quality=quality)
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stats = LineStats(codec=offer.codecs[0] if offer.codecs else "")
        self._connection.on("connectionstatechange", self._changed)

    @property
    def stats(self) -> LineStats:
        """What it carries."""
        picture = self._picture
        return replace(
            self._stats,
            step=picture.step.name if picture else "",
            late=picture.late if picture else 0,
            key_frames=picture.key_frames if picture else 0,
            heard_s=self._inbox.heard * PIECE_SAMPLES / HEARING_RATE,
            missing=self._inbox.missing,
            refused=self._inbox.refused,
        )

    async def answer(self, offer: Offer) -> str:
        """Agree to the first offer, or to a later one of the same client over the same way.

        Returns:
            The answer's SDP, with this end's addresses.

        Raises:
            LiveError: the two do not fit together, or no address could be found in time.
        """
        first = not self._tasks
        try:
            async with asyncio.timeout(NEGOTIATE_S):
                if first:
                    self._arrange(offer)
                await self._connection.setRemoteDescription(
                    RTCSessionDescription(sdp=offer.sdp, type="offer")
                )
                if first:
                    self._reach_inside()
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except TimeoutError:
            raise LiveError(
                "offer_network",
                "no network address could be found in time",
                "try again; see that the STUN and TURN servers are up",
                status=503,
                retryable=True,
            ) from None
        except Exception as error:  # aiortc raises whatever a wrong value makes Python raise
            log.debug("offer refused", exc_info=True)
            raise LiveError(
                "offer_refused",
                f"the offer does not fit ({type(error).__name__})",
                "send the browser's own offer",
            ) from None
        self.offer = offer
        if first:
            self._tasks = [asyncio.create_task(self._watch())]
            if self._picture is not None:
                self._tasks.append(asyncio.create_task(self._picture.run()))
        return str(self._connection.localDescription.sdp)

    def take(self, moment: Moment) -> None:
        """Send a moment: its sound at once, its picture a fixed 30 ms later (see `HOLD_S`); never blocks."""
        picture = self._picture
        if self._stats.state in OVER:
            return
        if (self.offer.hears and not self._sound.track.wanted) or (picture and not picture.track.wanted):
            if picture:
                picture.keep(moment.frame)
            return  # both tracks begin together
        if self.offer.hears:
            self._sound.take(moment.index, moment.pcm)
        if picture:
            picture.take(moment.index, moment.frame)

    async def close(self) -> None:
        """End the connection and all that belongs to it."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sound.track.stop()
        crowd.leave(self)
        if self._picture is not None:
            self._picture.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close()
        except Exception:
            log.warning("a connection did not close cleanly", exc_info=True)

    def _arrange(self, offer: Offer) -> None:
        # Preferences must stand before the offer is applied: aiortc ignores later ones without a word.
        audio = self._connection.addTransceiver(self._sound.track, direction="sendrecv")
        known = RTCRtpSender.getCapabilities("audio").codecs
        audio.setCodecPreferences([codec for codec in known if codec.name.lower() == "opus"])
        if self._picture is not None:
            video = self._connection.addTransceiver(self._picture.track, direction="sendonly")
            known = RTCRtpSender.getCapabilities("video").codecs
            ordered = [codec for name in offer.codecs for codec in known if codec.name == name]
            video.setCodecPreferences([*ordered, *(codec for codec in known if codec.name == "rtx")])
        elif offer.has_video:
            self._connection.addTransceiver("video", direction="inactive")

    def _reach_inside(self) -> None:
        for transceiver in self._connection.getTransceivers():
            if transceiver.kind == "audio":
                inside.receive_into(transceiver.receiver, self._inbox)
                inside.skip_empty_datagrams(transceiver.receiver.transport)
                inside.gather_within(transceiver.receiver.transport, GATHER_S)
            elif self._picture is not None:
                repeats = Allowance(REPEATS_PER_S, REPEATS_AT_ONCE, self._loop.time)
                inside.limit_repeats(transceiver.sender, repeats.take)
                inside.forward_feedback(
                    transceiver.sender,
                    self._picture.codec,
                    on_key_frame=self._picture.want_key,
                    on_estimate=self._picture.estimated,
                )

    def _changed(self) -> None:
        state = self._connection.connectionState
        # aiortc closes by itself when the client says goodbye or is gone for half a minute
        self._tell("failed" if state == "closed" and not self._closing else state)

    def _tell(self, state: str) -> None:
        if state != self._stats.state:
            self._stats = replace(self._stats, state=state)
            self._on_state(state)

    async def _watch(self) -> None:
        """Measure once a second; notice clients that are gone, silent, or send too much."""
        now_s = self._loop.time()
        course = _Course(now_s, now_s, now_s)
        troubled = False
        while True:
            await asyncio.sleep(1.0)
            try:
                await self._look(course)
            except Exception:
                log.log(
                    logging.DEBUG if troubled else logging.ERROR,
                    "a connection could not be looked at; it goes on",
                    exc_info=True,
                )
                troubled = True

    async def _look(self, course: _Course) -> None:
        now = self._loop.time()
        seconds, course.then_s = now - course.then_s, now
        total = await totals_of(self._connection)
        self._measure(total, course.before, now, seconds)
        received, course.before = total.received - course.before.received, total
        if received > 0:
            course.heard_from_s = now
        if self._stats.state in ("connected", "disconnected"):
            self._tell("connected" if now - course.heard_from_s < SILENT_S else "disconnected")
        elif self._stats.state in ("new", "connecting") and now - course.began_s > CONNECT_S:
            self._tell("failed")
        course.much = course.much + 1 if received > MUCH_BYTES * seconds else 0
        if received > FLOOD_BYTES * seconds or course.much >= MUCH_S:
            self._tell("flooded")

    def _measure(self, total: Totals, before: Totals, now: float, seconds: float) -> None:
        audio_bps = 8 * (total.audio - before.audio) / seconds
        video_bps = 8 * (total.video - before.video) / seconds
        picture = self._picture
        if picture is not None and self._stats.state == "connected":
            trip_s = newest_trip(before.rtt_s, total.rtt_s)
            picture.second(
                now,
                audio_bps=audio_bps,
                video_bps=video_bps,
                lost=total.lost,
                rtt_ms=None if trip_s is None else 1000.0 * trip_s,
                seconds=seconds,
            )
        self._stats = replace(
            self._stats,
            audio_bps=audio_bps,
            video_bps=video_bps,
            received_bps=8 * (total.received - before.received) / seconds,
            allowed_bps=picture.allowed_bps if picture else 0.0,
            fps=picture.fps if picture else 0.0,
            encode_ms=picture.encode_ms if picture else 0.0,
            rtt_ms=None if total.rtt_s is None else 1000.0 * total.rtt_s,
            lost=total.lost,
        )
