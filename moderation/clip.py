"""Clips: the check of pictures for one frame each few seconds, and of the file they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.image import Complaints, FaceFinder, ImageClassifier, ImageVerdict, Shown
from moderation.image_file import STILL_BRANDS, ends_as_archive

U8 = NDArray[np.uint8]

SEALED = {"protocol_whitelist": "none"}
"""Options for FFmpeg: addresses and files that a clip names are not opened."""
_TAIL = 70_000
"""Bytes at a file's end in which an archive would have its directory."""
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
"""What an mp4 or mov file may begin with."""


@dataclass(frozen=True, slots=True)
class ClipLimits:
    """How large and long a clip may be."""

    max_bytes: int = 500_000_000
    max_pixels: int = 9_000_000
    """Of one frame: 4K film has 8.3 million."""
    max_duration_s: float = 600.0
    max_fps: float = 240.0
    """More pictures a second are none that a camera took."""


def is_clip(path: Path | str) -> bool:
    """Whether a file begins as a clip does that `check_clip` reads; anything else is a picture's to judge."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError):
        return False
    return bool(_format_of(head))


def check_clip(
    path: Path | str,
    *,
    consent: bool | None = None,
    faces: FaceFinder | None = None,
    classifier: ImageClassifier | None = None,
    limits: ClipLimits | None = None,
    every_s: float = 2.0,
) -> ImageVerdict:
    """Judge a clip: mp4, mov, webm or mkv.

    Args:
        path: the file.
        consent: whether the person shown agreed; None where it shows nobody who could (a rendered face).
        faces: given, one frame at least must show a face.
        classifier: given, it judges the frames; if it fails, the clip is refused.
        limits: how large and long it may be.
        every_s: seconds from one frame that is looked at to the next; every frame is decoded.
    """
    most = limits or ClipLimits()
    against = Complaints()
    if consent is False:
        against.add("consent", "the person shown has not agreed to it: ask first, and keep the statement.")
    file = Path(path)
    kind = _kind(file, most, against)
    shown = Shown(faces, classifier)
    looked, size, end_s = 0, None, 0.0
    if kind and not _broken(against):
        try:
            for at_s, picture in _frames(file, kind, most, every_s, against):
                end_s = max(end_s, at_s)
                if picture is not None:
                    looked += 1
                    size = size or (picture.shape[1], picture.shape[0])
                    shown.look(picture, against, f" at {at_s:.0f} s")
        except Exception as error:  # FFmpeg's bindings raise errors of many kinds on damaged files
            why = type(error).__name__
            against.add("damaged", f"it cannot be read as a video ({why}): export it again as mp4 or webm.")
    if looked:
        shown.close(against)
    elif kind and not against.found:
        against.add("damaged", "it holds no pictures: give a video.")
    return against.verdict(
        size=size,
        format=kind,
        scores=shown.scores,
        faces=shown.faces,
        duration_s=end_s if looked else None,
        frames=looked,
    )


def _broken(against: Complaints) -> bool:
    return any(rule != "image.consent" for rule, _, _ in against.found)


def _kind(file: Path, most: ClipLimits, against: Complaints) -> str:
    """ "mp4" or "webm" by the first bytes; "" and a complaint for anything else."""
    wanted = "an mp4, mov, webm or mkv file"
    try:
        if not file.is_file():
            against.add("unreadable", f"{file} is no file: give {wanted}.")
            return ""
        size = file.stat().st_size
        with file.open("rb") as bytes_:
            head = bytes_.read(16)
            bytes_.seek(max(size - _TAIL, 0))
            tail = bytes_.read()
            kind = _format_of(head)
            if not kind:
                against.add("format", f"it is no video that is read here: give {wanted}.")
            elif kind == "mp4" and not _whole_boxes(bytes_, size):
                against.add("truncated", "it is cut short: copy or export it again.")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        against.add("unreadable", f"{file} cannot be read ({why}): check the path, and give {wanted}.")
        return ""
    if size > most.max_bytes:
        against.add("bytes", f"it has more than {most.max_bytes / 1e6:.0f} MB: cut it, or export it smaller.")
    if ends_as_archive(tail):
        against.add("polyglot", "it holds an archive, too: export it again.")
    return kind


def _format_of(head: bytes) -> str:
    """ "mp4" or "webm" by a file's first 16 bytes, else ""."""
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    return "mp4" if head[4:8] in _BOXES and head[8:12] not in STILL_BRANDS else ""


def _whole_boxes(file: Any, size: int) -> bool:
    """Whether the top boxes of an mp4 file fill it, and its table of contents is there."""
    at, contents = 0, False
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:  # to the end
            length = size - at
        contents |= kind == b"moov"
        if length < 8 or at + length > size:
            return False
        at += length
    return contents


def _frames(
    path: Path, kind: str, most: ClipLimits, every_s: float, against: Complaints
) -> Iterator[tuple[float, U8 | None]]:
    """(seconds, RGB picture or None) of every frame; a picture only of those that are looked at."""
    import av

    container_format = "mov" if kind == "mp4" else "matroska"
    with (
        path.open("rb") as file,
        av.open(file, mode="r", format=container_format, options=SEALED) as container,
    ):
        if not container.streams.video:
            return
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        if stream.width * stream.height > most.max_pixels:
            against.add("pixels", f"its pictures have {stream.width}×{stream.height}: export it smaller.")
            return
        due_s = 0.0
        for index, frame in enumerate(container.decode(stream)):
            at_s = frame.time if frame.time is not None else index / most.max_fps
            if frame.width * frame.height > most.max_pixels:  # they may grow on the way
                against.add("pixels", "its pictures grow beyond what is allowed: export it again.")
                return
            if at_s > most.max_duration_s or index > most.max_duration_s * most.max_fps:
                against.add("long", f"it is longer than {most.max_duration_s:.0f} s: cut it.")
                return
            look = index == 0 or at_s >= due_s
            yield at_s, _upright(frame) if look else None
            due_s = at_s + every_s if look else due_s


def _upright(frame: Any) -> U8:
    """RGB uint8[H, W, 3], turned as the camera was held."""
    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    turn = round(-getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, -turn) if turn else picture)
