"""The folder of recordings: new files in it, and what is deleted from it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9_-]{1,64}(\.\d+)?\.mp4")
_AGAIN_S = 0.01
"""Between two tries to take a file."""


def new_file(folder: Path, session_id: str) -> Path:
    """Make the files of a recording, their owner's alone, under a name that is still free.

    Args:
        folder: where; made if need be.
        session_id: letters, digits, "_" and "-"; the files are SESSION.mp4 and .vtt, or SESSION.2.mp4 …

    Raises:
        OSError: the place cannot be written.
        ValueError: this is no session's name.
    """
    if not _NAME.fullmatch(session_id):
        raise ValueError("a session's name has letters, digits, _ and - only")
    folder.mkdir(parents=True, exist_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    for number in range(1, 1000):
        path = folder / (f"{session_id}.mp4" if number == 1 else f"{session_id}.{number}.mp4")
        with suppress(FileExistsError):
            os.close(os.open(path, flags, 0o600))
            os.close(os.open(path.with_suffix(".vtt"), flags & ~os.O_EXCL, 0o600))
            return path
    raise FileExistsError(errno.EEXIST, "there are too many recordings of this session")


def take(path: Path, within_s: float = 0.0) -> int:
    """Mark a recording as being written, for as long as the descriptor is open and its process lives.

    Args:
        path: of the recording.
        within_s: how long to wait for a process that holds it.

    Raises:
        BlockingIOError: it is being written already.
        OSError: it cannot be opened.
    """
    until_s = time.monotonic() + within_s
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if isinstance(error, BlockingIOError) and time.monotonic() < until_s:
                time.sleep(_AGAIN_S)
                continue
            os.close(descriptor)
            raise
        return descriptor


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Mark a recording as being written while in here; False if a process writes it, or it is gone."""
    try:
        descriptor = take(path)
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def recordings_in(folder: Path) -> list[Path]:
    """Return the mp4 files of recordings; none where the folder is missing."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("*.mp4") if _is_ours(path))


def part_of(path: Path) -> Path:
    """Return where a recording's index is written, before it takes the recording's place."""
    return path.with_name(f".{path.name}.part")


def _is_ours(path: Path) -> bool:
    """Whether it is named as recordings are and has its captions beside it: a folder may hold other films."""
    return bool(_FILE.fullmatch(path.name)) and not path.is_symlink() and path.with_suffix(".vtt").is_file()


def erase_recordings(folder: Path, session_id: str) -> int:
    """Delete a session's recordings; returns how many files that were.

    Raises:
        OSError: one cannot be deleted.
    """
    if not _NAME.fullmatch(session_id) or not folder.is_dir():
        return 0
    pattern = re.compile(rf"\.?{re.escape(session_id)}(\.\d+)?\.(mp4|vtt|mp4\.part)")
    files = [path for path in folder.iterdir() if pattern.fullmatch(path.name)]
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def session_of(path: Path) -> str:
    """Return whose recording it is."""
    return path.name.partition(".")[0]


def recordings_of(folder: Path, session_id: str) -> list[Path]:
    """Return a session's recordings and their captions."""
    ours = [path for path in recordings_in(folder) if session_of(path) == session_id]
    return [each for path in ours for each in (path, path.with_suffix(".vtt")) if each.exists()]


def purge_recordings(
    folder: Path, older_than_s: float, limits: Mapping[str, float] | None = None, *, now: float | None = None
) -> int:
    """Delete the recordings that ended longer ago than this; returns how many files that were.

    Args:
        folder: of recordings; may be missing.
        older_than_s: of the sessions that are not named.
        limits: session → the same for that one.
        now: seconds since 1970; None: the present.

    Raises:
        OSError: one cannot be deleted.
    """
    if not folder.is_dir():
        return 0
    now = time.time() if now is None else now
    limits = limits or {}
    old = [
        each
        for path in recordings_in(folder)
        for each in (path, path.with_suffix(".vtt"), part_of(path))
        if each.exists() and each.stat().st_mtime < now - limits.get(session_of(path), older_than_s)
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
