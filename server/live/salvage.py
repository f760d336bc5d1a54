"""Recordings that a killed server has left half-written: completed, or deleted where they hold nothing."""

from __future__ import annotations

import logging
import os
import re
import shutil
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from server.live.fragments import index
from server.live.recording import MIN_FREE_BYTES
from server.live.shelf import held, part_of, recordings_in

log = logging.getLogger("visavis.live")

YOUNG_S = 60.0
"""A file that holds nothing is left alone for so long: it may be about to be recorded into."""
_HEAD = struct.Struct(">I4s")
_LONG = struct.Struct(">Q")
_CUE = re.compile(r"[\d:.]+ --> [\d:.]+\n<v [^\n]*")


@dataclass(frozen=True, slots=True)
class Salvage:
    """What became of recordings that nobody writes any more."""

    finished: int = 0
    """Have an index now, as every recording that ended by itself."""
    removed: int = 0
    """Held no picture and no sound."""
    left: int = 0
    """Can be played as they are, but could not be completed; tried again."""


@dataclass(frozen=True, slots=True)
class _Boxes:
    """What an mp4 is made of."""

    ours: bool
    """It is empty, or begins as an mp4 and holds no sound or picture outside of fragments."""
    indexed: bool
    """It was completed."""
    whole: int
    """Bytes up to the end of its last whole fragment; 0: there is none."""


def salvage(folder: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> Salvage:
    """Complete the recordings of a folder that broke off; those that are being written are passed over.

    Picture, sound and captions are kept up to the last whole fragment of 2 s, and the files keep the time
    when they broke off, from which their deletion is counted. Blocks.

    Args:
        folder: of recordings; may be missing.
        min_free_bytes: of the disk, that is left to others.
    """
    finished = removed = left = 0
    for path in recordings_in(folder):
        try:
            with held(path) as ours:
                if not ours:
                    continue
                did = _mend(path, min_free_bytes)
        except Exception as error:
            did = "left"
            log.warning("recording %s broke off and could not be completed: %s", path.name, error)
        finished += did == "finished"
        removed += did == "removed"
        left += did == "left"
    return Salvage(finished, removed, left)


def _mend(path: Path, min_free_bytes: int) -> str:
    boxes, before = _boxes(path), path.stat()
    if boxes.ours:
        part_of(path).unlink(missing_ok=True)  # the index that was being written
    if boxes.indexed or not boxes.ours:
        return ""
    if not boxes.whole:
        if time.time() - before.st_mtime < YOUNG_S:
            return ""
        path.unlink()
        path.with_suffix(".vtt").unlink(missing_ok=True)
        log.warning("recording %s was deleted: its server was killed before anything was written", path.name)
        return "removed"
    if shutil.disk_usage(path.parent).free < before.st_size + min_free_bytes:
        log.warning("recording %s broke off; there is no space to complete it, it plays as it is", path.name)
        return "left"
    os.truncate(path, boxes.whole)
    try:
        index(path)
        _mend_captions(path.with_suffix(".vtt"))
    finally:
        times = before.st_atime, before.st_mtime
        for each in (path, path.with_suffix(".vtt")):
            if each.exists():
                os.utime(each, times)
    log.warning("recording %s broke off when its server was killed; it was completed", path.name)
    return "finished"


def _boxes(path: Path) -> _Boxes:
    """Walk the boxes of an mp4 by their heads alone."""
    end, at, whole = path.stat().st_size, 0, 0
    kinds: list[bytes] = []
    with path.open("rb") as file:
        while at + _HEAD.size <= end:
            file.seek(at)
            size, kind = _HEAD.unpack(file.read(_HEAD.size))
            if size == 1:
                long = file.read(_LONG.size)
                size = _LONG.unpack(long)[0] if len(long) == _LONG.size else end
            elif size == 0:
                size = end - at
            if size < _HEAD.size or at + size > end:
                break
            at += size
            kinds.append(kind)
            if kinds[-2:] == [b"moof", b"mdat"]:
                whole = at
    indexed = b"moov" in kinds and b"mdat" in kinds and b"moof" not in kinds
    loose = b"mdat" in kinds and b"moof" not in kinds
    return _Boxes(not end or (kinds[:1] == [b"ftyp"] and (indexed or not loose)), indexed, whole)


def _mend_captions(path: Path) -> None:
    """Leave out a cue that was being written."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    head, *cues = text.split("\n\n")
    whole = [cue.rstrip("\n") for cue in cues[:-1]]
    if cues and cues[-1].endswith("\n"):
        whole.append(cues[-1].rstrip("\n"))
    kept = "\n\n".join(["WEBVTT", *(cue for cue in whole if _CUE.fullmatch(cue))]) + "\n"
    if kept != text:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(kept)
