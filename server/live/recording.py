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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from agent.conversation_events import Notice
from server.live.backlog import Backlog
from server.live.errors import LiveError
from server.live.fragments import FPS, index
from server.live.overhearing import Overheard, Piece, Utterance
from server.live.shelf import new_file, take
from server.live.tape import Tape
from server.live.voices import RATE_HZ
from speech.timeline import Pcm

if TYPE_CHECKING:
    from agent.stage import LiveMoment
    from server.live.masking import SessionMask

MIN_FREE_BYTES = 2**30
_CHECK_FRAMES = 5 * FPS
"""How often the disk is looked at."""
TAKE_S = 1.0
"""How long another process may look at a new file, to see whether it is to be salvaged."""
CAPTION_CHARS = 2000
"""Of the visitor's words."""


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
        self._mask = mask
        self._backlog = Backlog(settings.waiting_frames, settings.waiting_s)
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
        self._backlog.put_moment(moment)

    def hear(self, heard: Pcm | Overheard) -> None:
        """Take the visitor's sound as it comes, and what was made of it; must not be written to afterwards.

        Args:
            heard: float32[n] at 16 kHz, which is written as it is; or what `OverheardEars` tell, which is
                written once it is known what of it may be heard.
        """
        if isinstance(heard, Utterance):
            self._backlog.put_words(heard)
        else:
            self._backlog.put_sound(heard)

    def caption(self, text: str) -> None:
        """Take the visitor's words, as their last utterance was heard; the avatar's come with moments."""
        self._backlog.put_words(text[:CAPTION_CHARS])

    async def close(self, timeout_s: float = 20.0) -> Recorded | None:
        """Write what waits and complete the file; None if there is nothing, or the disk does not answer."""
        self._backlog.end("closed")
        await asyncio.to_thread(self._thread.join, timeout_s)
        return self._done

    async def discard(self) -> None:
        """End the recording and delete it: the visitor does not agree any more."""
        await self.close()
        _delete(self.path)

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
            while (item := self._backlog.get()) is not None:
                if isinstance(item, str):
                    tape.say(item)
                elif isinstance(item, np.ndarray | Piece | Utterance):
                    tape.hear(item)
                else:
                    tape.add(item)
                    if tape.moments >= checked:
                        checked = tape.moments + _CHECK_FRAMES
                        if shutil.disk_usage(self.path.parent).free < self._settings.min_free_bytes:
                            self._backlog.break_off("disk")
                    if tape.moments >= self._settings.max_s * FPS:
                        self._backlog.break_off("full")
        if tape is not None:
            with self._failing():
                tape.close()
        self._finish(tape, began_s)

    def _finish(self, tape: Tape | None, began_s: float) -> None:
        self._backlog.clear()
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
                frames_left_out=self._backlog.frames_left_out,
                lost_s=(self._backlog.samples_lost + tape.lost) / RATE_HZ,
                size_bytes=self.path.stat().st_size,
                cpu_s=time.thread_time() - began_s,
                ended=self._backlog.ended,
            )
        except OSError:
            self._backlog.ended = "failed"
        finally:
            os.close(self._taken)  # from now on whoever finds it unfinished may complete it
            ended = self._backlog.ended
            if ended != "closed" and self._on_notice is not None:
                with suppress(Exception):  # whoever is told, the recording has ended
                    self._on_notice(Notice("recording_ended", _WHY[ended]))

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """End the recording instead of the thread, whatever is wrong with disk or encoder."""
        try:
            yield
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._backlog.break_off("disk" if full else "failed")


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
    try:
        return take(path, TAKE_S)
    except BlockingIOError:
        _delete(path)
        raise LiveError(
            "recording_unavailable",
            f"another process keeps {path} to itself",
            "let only servers lock files of that folder, or record elsewhere",
            status=503,
            retryable=True,
        ) from None
    except OSError:
        _delete(path)
        raise


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_suffix(".vtt").unlink(missing_ok=True)
