"""What a command was given: looked at before anything slow begins, so that a slip costs no waiting."""

from __future__ import annotations

import os
from pathlib import Path

from server.boundary import UsageError


def check_file(path: Path | None, wanted: str) -> None:
    """See that a file that is to be read is there; None is fine.

    Args:
        path: the file.
        wanted: what it should be, for the message: "a JPEG, PNG or WebP photo".

    Raises:
        UsageError: it is missing, a folder, empty, or may not be read.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give {wanted}")
    if not path.exists():
        raise UsageError(f"{path} is not there; check the name, or give another file: {wanted}")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{path} may not be read; change its permissions, or give another file")
    if path.is_file() and path.stat().st_size == 0:
        raise UsageError(f"{path} is empty; give {wanted}")


def check_place(out: Path, *, folder: bool = False) -> None:
    """See that a file, or with `folder` a folder, can be written where it is wanted; nothing is made.

    Raises:
        UsageError: something else is in the way, or the place may not be written to.
    """
    if out.exists() and out.is_dir() != folder:
        there, wanted = ("file", "folder") if folder else ("folder", "file")
        raise UsageError(f"--out {out} is a {there}; name a {wanted}")
    place = out if folder and out.exists() else out.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"--out {out} cannot be made: {place} is a file; choose another place")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(f"--out {out} cannot be made: {place} may not be written to; choose another place")
