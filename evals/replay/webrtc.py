"""Replays against a running server, over WebRTC, in real time: a record as of a replay in this process.

What a server does not tell its visitors stays empty: verdicts, tools, what the visitor feels, its databases.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.conversation_events import TurnEnded
from agent.desk import Desk
from evals.replay.course import blank
from evals.replay.drawn_face import face_measure
from evals.replay.driver import Driver
from evals.replay.hearing_probe import NO_SOUND, HearingProbe, listen
from evals.replay.media_probe import MediaProbe
from evals.replay.microphone_feed import MicrophoneFeed
from evals.replay.record import WEBRTC, ConversationRecord
from evals.replay.webrtc_visit import Loudspeaker, Microphone, ServerGone, Visit, clock
from evals.replay.wire_events import event_of
from evals.scripts import Script

GREETING_S = 3.0
"""A desk that greets begins within this time."""
GREETED_S = 20.0
"""No greeting is longer."""
AHEAD_S = 0.4
"""An event may come so much later than its sound: the two go separate ways."""


def replay_webrtc(
    address: str,
    script: Script,
    *,
    repeat: int = 0,
    folder: Path | None = None,
    video: bool = False,
    desk: Desk | None = None,
) -> ConversationRecord:
    """Replay a script against a server.

    Args:
        address: of the server, http or https.
        script: what is said; its `desk` names one of the server's.
        repeat: which replay of it, from 0.
        folder: where sound, and video, are kept; None: nowhere.
        video: take the pictures, too.
        desk: as it stands on this machine, by which its face is known; None: pictures are only kept, and
            looked at for standing still.

    Returns:
        The record; `error` says why the replay itself failed, and then it holds what came until then.

    Raises:
        ScriptError: what the script names is missing.
        AvatarError: the face is not known, or the video cannot be written.
    """
    record = blank(script, script.desk or address, "audio", repeat)
    record.engines["path"] = WEBRTC
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    measure = face_measure(desk) if video and desk is not None else None
    with MediaProbe(f"{script.id}-{repeat}", folder, measure) as media:
        asyncio.run(_Replay(address, script, repeat, media if video else None).run(record, media))
    record.took_s = round(time.perf_counter() - began_s, 4)
    record.cpu_s = round(time.process_time() - began_cpu_s, 4)
    return record


class _Replay:
    """One script with one server."""

    def __init__(self, address: str, script: Script, repeat: int, pictures: MediaProbe | None) -> None:
        self._address, self._script, self._repeat = address.rstrip("/"), script, repeat
        self._pictures = pictures
        self._turn = 0
        self._greeted = asyncio.Event()

    async def run(self, record: ConversationRecord, media: MediaProbe) -> None:
        """Replay it; what keeps it from its end stands in the record."""
        now = clock()
        script = self._script
        self._probe = probe = HearingProbe(now, now, [], script.fixtures.people)
        microphone, heard = Microphone(), Loudspeaker(now)
        feed = MicrophoneFeed(script, self._repeat, probe, microphone, heard, now)
        see = self._pictures.see if self._pictures is not None else None
        visit = Visit(now, microphone, heard, see, self._told)
        feeding = asyncio.create_task(feed.run())
        try:
            async with visit.with_server(self._address, script.desk, script.language) as gone:
                await self._until_greeted()
                driving = asyncio.create_task(Driver(script, probe, feed, now).play())
                await asyncio.wait({driving, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not driving.done():
                    driving.cancel()
                    await gone
                await driving
        except ServerGone as error:
            record.error = str(error)
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
        record.turns, record.greeting = probe.turns, probe.greeting
        record.lasted_s = round(now(), 3)
        if heard.count:
            listen(heard, probe.turns, AHEAD_S)
            record.media = media.measured(heard, feed)
            record.media.silent_replies = sum(NO_SOUND in turn.notices for turn in record.turns)
            record.engines["lips"] = media.lips

    def _told(self, told: dict[str, Any]) -> None:
        event = event_of(told, self._turn)
        if event is None:
            return
        self._turn = getattr(event, "turn", self._turn)
        self._probe.take(event)
        if isinstance(event, TurnEnded):
            self._greeted.set()

    async def _until_greeted(self) -> None:
        """Wait until the desk has greeted, or seems not to."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._greeted.wait(), GREETING_S)
        if self._probe.greeting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._greeted.wait(), GREETED_S)
