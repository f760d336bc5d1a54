"""The recording of a session to which the visitor agreed: face, both voices, captions.

The visitor is on the left channel of the sound and the avatar on the right: who said what stays apart where
they speak at once, for people and for programs that transcribe; a player's mono switch mixes them. The mp4
can be played at any time, also after the process was killed.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from agent.conversation_events import Notice
from server.live.errors import LiveError
from server.live.fragments import FPS, index
from server.live.overhearing import Piece, Utterance
from server.live.shelf import new_file, take
from server.live.tape import Tape
from server.live.voices import RATE_HZ

if TYPE_CHECKING:
    from agent.stage import LiveMoment
    from server.live.masking import SessionMask
    from server.live.overhearing import Overheard

MIN_FREE_BYTES = 2**30
_CHECK_FRAMES = 5 * FPS
"""How often the disk is looked at."""
TAKE_S = 1.0
"""How long another process may look at a new file, to see whether it is to be salvaged."""
_AGAIN_S = 0.01
"""Between two tries to take it."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """What a recording may take."""

    max_s: float = 3600.0
    """Longest recording; some 250 MB."""
    min_free_bytes: int = MIN_FREE_BYTES
    """The disk's space that is left to others: recording does not begin, or ends, below it."""
    waiting_frames: int = 12
    """Frames that may wait for the encoder, 0.8 MB each at 512 pixels; further ones are left out."""
    waiting_s: float = 30.0
    """Sound that may wait, 0.16 MB a second; then the encoder is too slow and the recording ends."""
    visitor: str = "Visitor"
    """Who the visitor is in the captions."""
    avatar: str = "Avatar"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that was made."""

    path: Path
    captions: Path
    duration_s: float
    frames: int
    frames_left_out: int
    """The encoder was too slow for them."""
    lost_s: float
    """Visitor's sound that came faster than time, and was lost."""
    size_bytes: int
    cpu_s: float
    """Of the thread that encoded."""
    ended: str
    """"closed", "full" (too long), "disk" (no space), "slow" (the encoder), "failed"."""


class Recording:
    """Records one session in a thread of its own.

    `take`, `hear` and `caption` come from one thread and never wait. Whatever goes wrong with the recording,
    the conversation goes on; what was written until then can be played.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        settings: RecordingSettings,
        on_notice: Callable[[Notice], None] | None,
        taken: int,
        mask: SessionMask | None = None,
    ) -> None:
        """Use `start`."""
        self.path, self.captions = path, path.with_suffix(".vtt")
        self._size = size[0] // 2 * 2, size[1] // 2 * 2
        self._settings, self._on_notice = settings, on_notice
        self._lock = threading.Condition()
        self._mask = mask
        self._queue: deque[LiveMoment | NDArray[np.float32] | Overheard | str] = deque()
        self._frames_waiting = self._moments_waiting = self._heard_waiting = 0
        self._left_out = self._lost = 0
        self._ended = ""
        self._taken = taken
        self._done: Recorded | None = None
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls,
        folder: Path,
        session_id: str,
        *,
        size: tuple[int, int],
        settings: RecordingSettings | None = None,
        on_notice: Callable[[Notice], None] | None = None,
        mask: SessionMask | None = None,
    ) -> Self:
        """Begin to record into `folder/SESSION.mp4` and `.vtt`, or with a number if there is one already.

        Blocks: up to a second where another process holds the new file.

        Args:
            folder: made if need be; the files are their owner's alone.
            session_id: letters, digits, "_" and "-".
            size: width and height of the picture in pixels.
            settings: what the recording may take.
            on_notice: told "recording_ended" when it ends by itself; called in the recording's thread.
            mask: of the conversation: what of it must not be kept; None: everything is.

        Raises:
            LiveError: "recording_unavailable": the place cannot be written, or its disk is nearly full.
        """
        settings = settings or RecordingSettings()
        try:
            path = new_file(folder, session_id)
            if shutil.disk_usage(folder).free < settings.min_free_bytes:
                _delete(path)
                raise LiveError(
                    "recording_unavailable",
                    f"the disk of {folder} is nearly full",
                    "free some space, or record elsewhere",
                    status=507,
                    retryable=True,
                )
            taken = _taken(path)
        except ValueError as error:
            raise LiveError("recording_unavailable", str(error), "name the session otherwise") from None
        except OSError as error:
            raise LiveError(
                "recording_unavailable",
                f"{folder} cannot be written ({(error.strerror or str(error)).lower()})",
                "name a folder that this user may write to",
                status=500,
            ) from error
        return cls(path, size, settings, on_notice, taken, mask)

    def take(self, moment: LiveMoment) -> None:
        """Take a moment of the media clock; where too many frames wait, only its sound."""
        with self._lock:
            if self._ended:
                return
            if self._moments_waiting >= self._settings.waiting_s * FPS:
                self._end("slow")
                return
            self._moments_waiting += 1
            if moment.frame is not None:
                if self._frames_waiting >= self._settings.waiting_frames:
                    moment = replace(moment, frame=None)
                    self._left_out += 1
                else:
                    self._frames_waiting += 1
            self._queue.append(moment)
            self._lock.notify()

    def hear(self, pcm: NDArray[np.float32]) -> None:
        """Take the visitor's sound, float32[n] at 16 kHz, as it comes; must not be written to afterwards."""
        with self._lock:
            if self._ended or not len(pcm):
                return
            if self._heard_waiting + len(pcm) > self._settings.waiting_s * RATE_HZ:
                self._lost += len(pcm)
                return
            self._heard_waiting += len(pcm)
            self._queue.append(pcm)

    def overhear(self, heard: Overheard) -> None:
        """Take the visitor's sound as it comes, and what was made of it: it is written once that is known."""
        if isinstance(heard, Utterance):
            with self._lock:
                if not self._ended:
                    self._queue.append(heard)
            return
        with self._lock:
            if self._ended:
                return
            if self._heard_waiting + len(heard.pcm) > self._settings.waiting_s * RATE_HZ:
                self._lost += len(heard.pcm)
                heard = replace(heard, pcm=heard.pcm[:0])  # where utterances begin is told all the same
            self._heard_waiting += len(heard.pcm)
            self._queue.append(heard)

    def caption(self, text: str) -> None:
        """Take the visitor's words, as their last utterance was heard; the avatar's come with moments."""
        with self._lock:
            if not self._ended:
                self._queue.append(text[:2000])

    async def close(self, timeout_s: float = 20.0) -> Recorded | None:
        """Write what waits and complete the file; None if there is nothing, or the disk does not answer."""
        with self._lock:
            self._end("closed")
        await asyncio.to_thread(self._thread.join, timeout_s)
        return self._done

    async def discard(self) -> None:
        """End the recording and delete it: the visitor does not agree any more."""
        await self.close()
        _delete(self.path)

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._ended = reason
            self._lock.notify()

    def _next(self) -> LiveMoment | NDArray[np.float32] | Overheard | str | None:
        """Wait for what is to be written; None at the end."""
        with self._lock:
            self._lock.wait_for(lambda: self._moments_waiting or self._ended)
            if not self._queue or self._ended not in ("", "closed"):
                return None
            item = self._queue.popleft()
            if isinstance(item, np.ndarray):
                self._heard_waiting -= len(item)
            elif isinstance(item, Piece):
                self._heard_waiting -= len(item.pcm)
            elif not isinstance(item, str | Utterance):
                self._moments_waiting -= 1
                self._frames_waiting -= item.frame is not None
            return item

    def _run(self) -> None:
        began_s = time.thread_time()
        tape: Tape | None = None
        with self._failing():
            names = self._settings
            tape = Tape(
                self.path,
                self.captions,
                self._size,
                visitor=names.visitor,
                avatar=names.avatar,
                mask=self._mask,
            )
            checked = 0
            while (item := self._next()) is not None:
                if isinstance(item, np.ndarray):
                    tape.hear(item)
                elif isinstance(item, str):
                    tape.say(item)
                elif isinstance(item, Piece | Utterance):
                    tape.overhear(item)
                else:
                    tape.add(item)
                    if tape.moments >= checked:
                        checked = tape.moments + _CHECK_FRAMES
                        self._check_disk()
                    if tape.moments >= self._settings.max_s * FPS:
                        self._stop("full")
        if tape is not None:
            with self._failing():
                tape.close()
        self._finish(tape, began_s)

    def _finish(self, tape: Tape | None, began_s: float) -> None:
        with self._lock:
            self._queue.clear()
            self._moments_waiting = self._frames_waiting = self._heard_waiting = 0
        try:
            if tape is None or not tape.frames:
                _delete(self.path)
                return
            free = shutil.disk_usage(self.path.parent).free
            if self.path.stat().st_size + self._settings.min_free_bytes < free:
                with suppress(Exception):  # without an index it can be played as well
                    index(self.path)
            self._done = Recorded(
                self.path,
                self.captions,
                duration_s=tape.moments / FPS,
                frames=tape.frames,
                frames_left_out=self._left_out,
                lost_s=(self._lost + tape.lost) / RATE_HZ,
                size_bytes=self.path.stat().st_size,
                cpu_s=time.thread_time() - began_s,
                ended=self._ended,
            )
        except OSError:
            self._ended = "failed"
        finally:
            os.close(self._taken)  # from now on whoever finds it unfinished may complete it
            if self._ended != "closed" and self._on_notice is not None:
                with suppress(Exception):  # whoever is told, the recording has ended
                    self._on_notice(Notice("recording_ended", _WHY[self._ended]))

    def _check_disk(self) -> None:
        if shutil.disk_usage(self.path.parent).free < self._settings.min_free_bytes:
            self._stop("disk")

    def _stop(self, reason: str) -> None:
        """End early, also while what waited at the close is written."""
        with self._lock:
            if self._ended in ("", "closed"):
                self._ended = reason

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """End the recording instead of the thread, whatever is wrong with disk or encoder."""
        try:
            yield
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._stop("disk" if full else "failed")


_WHY = {
    "full": "the recording has reached its greatest length; what was recorded can be played",
    "disk": "the recording ended because the disk is full; what was recorded can be played",
    "slow": "the recording ended because encoding or the disk was too slow; what was recorded can be played",
    "failed": "the recording ended because it could not be written; see that its folder is there",
}


def _taken(path: Path) -> int:
    """Take a file that was just made; whoever looks for broken recordings may hold it for a moment.

    Where it cannot be taken, it is deleted.

    Raises:
        LiveError: "recording_unavailable": another process keeps it.
        OSError: it cannot be opened.
    """
    until_s = time.monotonic() + TAKE_S
    while True:
        try:
            return take(path)
        except OSError as error:
            held = error.errno == errno.EWOULDBLOCK
            if held and time.monotonic() < until_s:
                time.sleep(_AGAIN_S)
                continue
            _delete(path)
            if not held:
                raise
            raise LiveError(
                "recording_unavailable",
                f"another process keeps {path} to itself",
                "let only servers lock files of that folder, or record elsewhere",
                status=503,
                retryable=True,
            ) from None


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".vtt").unlink(missing_ok=True)
