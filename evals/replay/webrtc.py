"""Replays against a running server, over WebRTC, in real time: a record as of a replay in this process.

Visitors are told what is said, and no more. How the guard judged, why somebody was passed on, what was done
and which sound sounds when is told to who comes with an operator's key; without one, what the server keeps
of the session tells some of it. What stays unknown is written down with what it takes to know it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.conversation_events import ConversationEvent, TurnEnded
from agent.desk import Desk
from evals.replay.course import blank
from evals.replay.drawn_face import face_measure
from evals.replay.driver import SETTLE_S, Driver
from evals.replay.hearing_probe import NO_SOUND, HearingProbe, listen
from evals.replay.keyboard import Keyboard
from evals.replay.media_probe import MediaProbe
from evals.replay.microphone_feed import MicrophoneFeed, prepare
from evals.replay.record import WEBRTC, Called, ConversationRecord, Mode
from evals.replay.running_server import Health, RunningServer, ServerGone
from evals.replay.soundings import Soundings, lay_replies_over
from evals.replay.transcribing import transcribe_replies
from evals.replay.untold import check_hearing, unsure_of, untold_of
from evals.replay.webrtc_visit import Visit
from evals.replay.wire_events import event_of, events_kept
from evals.replay.wire_media import Loudspeaker, Microphone
from evals.scripts import Script
from server.live.acting import ToolCalled
from speech.recognizer import Recognizer

GREETING_S = 3.0
"""A desk that greets begins within this time."""
GREETED_S = 20.0
"""No greeting is longer."""
BUSY_MS = 150.0
"""Lateness from which visitors hear gaps, and which makes replies late."""
AHEAD_S = 0.4
"""An event may come so much later than its sound: the two go separate ways."""


def replay_webrtc(
    server: RunningServer,
    script: Script,
    *,
    at: str = "",
    mode: Mode = "audio",
    repeat: int = 0,
    folder: Path | None = None,
    video: bool = False,
    desk: Desk | None = None,
    transcribe: Callable[[], Recognizer | None] | None = None,
) -> ConversationRecord:
    """Replay a script against a server.

    Args:
        server: which.
        script: what is said.
        at: which of the server's desks, where the script names none; empty: its first.
        mode: "audio" speaks; "text" types, so that nobody can hear wrong.
        repeat: which replay of it, from 0.
        folder: where sound, and video, are kept; None: nowhere.
        video: take the pictures, too.
        desk: as it stands on this machine, by which its face is known; None: pictures are only kept, and
            looked at for standing still.
        transcribe: opens a recogniser for the replies' sound; None: it is not recognised.

    Returns:
        The record; `error` says why the replay itself failed, and then it holds what came until then.

    Raises:
        ScriptError: what the script names is missing.
        AvatarError: the face is not known, or the video cannot be written.
    """
    at = script.desk or at
    record = blank(script, at or server.address, mode, repeat)
    record.engines["path"] = WEBRTC
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    if mode == "audio":
        prepare(script, repeat)
    measure = face_measure(desk) if video and desk is not None else None
    with MediaProbe(f"{script.id}-{repeat}", folder, measure, coded=True) as media:
        replay = _Replay(server, at, script, repeat, mode, media if video else None)
        asyncio.run(replay.run(record, media))
    if transcribe is not None and not record.error:
        transcribe_replies(record, replay.heard, transcribe())
    if not record.error:
        record.untold = untold_of(script, record, replay.visit, replay.kept, video=video)
        record.unsure_from, record.unsure = unsure_of(record, replay.visit)
    record.took_s = round(time.perf_counter() - began_s, 4)
    record.cpu_s = round(time.process_time() - began_cpu_s, 4)
    return record


def busy(server: Health, late_s: float) -> list[str]:
    """Tell where a machine was too busy for what came to be held against the desk."""
    told = []
    if server.lag_ms > BUSY_MS:
        told.append(f"the server ran up to {server.lag_ms:.0f} ms late: it is too busy, and times say little")
    if late_s * 1e3 > BUSY_MS:
        told.append(f"sound was sent up to {late_s * 1e3:.0f} ms late: this machine is too busy for times")
    return told


class _Replay:
    """One script with one server."""

    visit: Visit
    heard: Loudspeaker

    def __init__(
        self,
        server: RunningServer,
        desk: str,
        script: Script,
        repeat: int,
        mode: Mode,
        pictures: MediaProbe | None,
    ) -> None:
        self.kept: dict[str, Any] | None = None
        """What the server keeps of the session, where that was asked for."""
        self._server, self._desk, self._script, self._repeat = server, desk, script, repeat
        self._mode, self._pictures = mode, pictures
        self._began_s = time.monotonic()
        self._soundings = Soundings()
        self._greeted = asyncio.Event()

    async def run(self, record: ConversationRecord, media: MediaProbe) -> None:
        """Replay it; what keeps it from its end stands in the record."""
        now, script = self._now, self._script
        self._probe = probe = HearingProbe(now, now, [], script.fixtures.people)
        microphone = Microphone()
        self.heard = heard = Loudspeaker(now)
        feed = MicrophoneFeed(script, self._repeat, probe, microphone, heard, now)
        see = self._pictures.see if self._pictures is not None else None
        self.visit = visit = Visit(
            self._server, now, microphone, heard, see, self._told, script.fixtures.people
        )
        feeding = asyncio.create_task(feed.run())
        try:
            if self._mode == "audio":
                check_hearing(script, await asyncio.to_thread(self._server.health), self._desk)
            async with visit.with_server(self._desk, script.language) as over:
                await self._until_greeted()
                mouth = feed if self._mode == "audio" else Keyboard(visit, probe)
                driving = asyncio.create_task(Driver(script, probe, mouth, now).play())
                await self._until_over(driving, over)
                record.notes += busy(await asyncio.to_thread(self._server.health), feed.late_s)
            if not visit.examined:
                await self._take_kept()
        except ServerGone as error:
            record.error = str(error)
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
        record.turns, record.greeting = probe.turns, probe.greeting
        record.lasted_s = round(now(), 3)
        if heard.count:
            self._measure(record, media, feed)

    async def _take_kept(self) -> None:
        """Take what the server keeps of the session for what visitors are not told.

        Raises:
            ServerGone: it keeps that as another version does.
        """
        self.kept = await self.visit.kept()
        try:
            for event in events_kept(self.kept["events"] if self.kept else ()):
                self._happened(event)
        except (KeyError, ValueError, TypeError) as error:
            raise ServerGone(
                f"{self._server.address} keeps a session as another version of Visavis does "
                f"({type(error).__name__}: {error}): run the same version on both sides"
            ) from None

    def _measure(self, record: ConversationRecord, media: MediaProbe, feed: MicrophoneFeed) -> None:
        listen(self.heard, record.turns, AHEAD_S)
        if self._soundings:
            self._soundings.lay_over(self.heard)
        else:
            lay_replies_over(self.heard, record.turns)
        record.media = media.measured(self.heard, feed)
        record.media.silent_replies = sum(NO_SOUND in turn.notices for turn in record.turns)
        record.engines["lips"] = media.lips

    async def _until_over(self, driving: asyncio.Task[None], over: asyncio.Task[None]) -> None:
        """Wait until the script is played, or the conversation ends before; who then waits, waits in vain."""
        await asyncio.wait({driving, over}, return_when=asyncio.FIRST_COMPLETED)
        if over.done() and not driving.done():
            self._probe.state = "listening"
            self._probe.changed.set()
            await asyncio.wait({driving}, timeout=3 * SETTLE_S)
            driving.cancel()
            await over
            with suppress(asyncio.CancelledError):
                await driving
        else:
            await driving

    def _told(self, told: dict[str, Any]) -> None:
        if told["type"] == "sounding":
            self._soundings.take(told, self._now())
        elif (event := event_of(told)) is not None:
            self._happened(event)

    def _happened(self, event: ConversationEvent | ToolCalled) -> None:
        if isinstance(event, ToolCalled):
            call = Called(event.tool, dict(event.arguments), event.result, event.failed)
            self._probe.called(event.turn, call)
            return
        self._probe.take(event)
        if isinstance(event, TurnEnded):
            self._greeted.set()

    def _now(self) -> float:
        return time.monotonic() - self._began_s

    async def _until_greeted(self) -> None:
        """Wait until the desk has greeted, or seems not to."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._greeted.wait(), GREETING_S)
        if self._probe.greeting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._greeted.wait(), GREETED_S)
