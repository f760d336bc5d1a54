"""The recording of a session whose visitor agreed, from when it can begin until the session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.conversation_events import Notice
from server.live.errors import LiveError
from server.live.recording import Recording
from server.live.talk import Sink
from server.live.telling import FOR_VISITORS
from speech.timeline import Pcm

if TYPE_CHECKING:
    from server.live.masking import SessionMask
    from server.live.overhearing import Overheard


class Taping:
    """Begins a recording in a thread, and hands it what happens; used on the event loop.

    Args:
        folder: where recordings are kept.
        session: its name.
        size: of the picture.
        sinks: gets the recording once it runs.
        told: told that it runs, or why it does not or no longer does.
        mask: of the conversation: what of it must not be kept.
    """

    def __init__(
        self,
        folder: Path,
        session: str,
        size: tuple[int, int],
        *,
        sinks: list[Sink],
        told: Callable[[Notice | LiveError], None],
        mask: SessionMask | None = None,
    ) -> None:
        self._sinks, self._told = sinks, told
        self._recording: Recording | None = None
        loop = asyncio.get_running_loop()

        def noticed(notice: Notice) -> None:  # in the recording's thread
            if not loop.is_closed():
                loop.call_soon_threadsafe(told, notice)

        self._starting = asyncio.ensure_future(
            asyncio.to_thread(Recording.start, folder, session, size=size, on_notice=noticed, mask=mask)
        )
        self._starting.add_done_callback(self._started)

    def hear(self, heard: Pcm | Overheard) -> None:
        """Take the visitor's sound, float32[n] at 16 kHz, or what the ears tell; see `Recording.hear`."""
        if self._recording is not None:
            self._recording.hear(heard)

    def caption(self, text: str) -> None:
        """Take the visitor's words."""
        if self._recording is not None:
            self._recording.caption(text)

    async def close(self) -> None:
        """Complete the recording."""
        await asyncio.wait([self._starting])
        if not self._starting.cancelled() and self._starting.exception() is None:
            await self._starting.result().close()

    def _started(self, starting: asyncio.Future[Recording]) -> None:
        if starting.cancelled():
            return
        error = starting.exception()
        if error is None:
            self._recording = starting.result()
            self._sinks.append(self._recording)
            self._told(Notice("recording", FOR_VISITORS["recording"]))
        elif isinstance(error, LiveError):
            self._told(error)
        else:
            self._told(LiveError("recording_failed", "the recording could not begin", "go on without it"))
