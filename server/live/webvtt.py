"""Captions beside a recording: a WebVTT file that grows cue by cue, and is whole after every one."""

from __future__ import annotations

import heapq
import re
from pathlib import Path
from typing import IO

_SPACE = re.compile(r"\s+")


class CueFile:
    """Writes cues in the order of their beginning, as WebVTT wants them, though they come as they end.

    A cue waits while one that began before it is still open. Not thread-safe; the methods write to the disk.
    """

    def __init__(self, path: Path) -> None:
        """Write the file's head.

        Raises:
            OSError: the place cannot be written.
        """
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")
        self._file.write("WEBVTT\n")
        self._file.flush()
        self._waiting: list[tuple[float, int, str]] = []
        self._open: tuple[float, str, str] | None = None
        self._latest_s = 0.0
        self._count = 0

    def show(self, text: str, speaker: str, at_s: float) -> None:
        """End the open cue and begin one that lasts until the next call; no words only end it.

        Raises:
            OSError: the disk is full or gone.
        """
        if self._open is not None:
            began_s, words, who = self._open
            self._open = None
            self.add(words, who, began_s, at_s)
        if text.strip():
            self._open = at_s, text, speaker

    def add(self, text: str, speaker: str, start_s: float, end_s: float) -> None:
        """Write a cue whose end is known; it begins no earlier than the one that was written last.

        Raises:
            OSError: the disk is full or gone.
        """
        if text.strip():
            start_s = max(start_s, self._latest_s)
            lines = f"\n{_clock(start_s)} --> {_clock(max(end_s, start_s + 0.04))}\n"
            lines += f"<v {_escaped(speaker)}>{_escaped(text)}\n"
            self._count += 1
            heapq.heappush(self._waiting, (start_s, self._count, lines))
        before_s = self._open[0] if self._open is not None else None
        while self._waiting and (before_s is None or self._waiting[0][0] <= before_s):
            self._latest_s, _, lines = heapq.heappop(self._waiting)
            self._file.write(lines)
            self._file.flush()

    def close(self, at_s: float) -> None:
        """End what is open, and close the file.

        Raises:
            OSError: the disk is full or gone.
        """
        try:
            self.show("", "", at_s)
            self.add("", "", at_s, at_s)
        finally:
            self._file.close()


def _clock(seconds: float) -> str:
    milliseconds = round(max(seconds, 0.0) * 1e3)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _escaped(text: str) -> str:
    """Return one line in which nothing means anything to a player; also no arrow, which would begin a cue."""
    text = _SPACE.sub(" ", text.encode("utf-8", "replace").decode()).strip().replace("\0", "")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
