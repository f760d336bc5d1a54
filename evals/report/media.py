"""Sound and pictures beside a report: in the page where they are small, linked where they are not."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from evals.replay.record import MediaRecord

MOST_EMBEDDED_BYTES = 2_000_000
"""Of all sounds, and of all pictures, that stand in the page itself: above it opens slowly."""
TYPES = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}


@dataclass(frozen=True, slots=True)
class Player:
    """What a page plays of one conversation; each an address, or empty."""

    sound: str = ""
    video: str = ""
    missing: tuple[str, ...] = ()
    """What is named in the results, but not there."""


@dataclass(slots=True)
class Shelf:
    """Finds media in a report's folder.

    Args:
        folder: of the report.
    """

    folder: Path
    left: dict[str, int] = field(
        default_factory=lambda: {"sound": MOST_EMBEDDED_BYTES, "video": MOST_EMBEDDED_BYTES}
    )
    """Bytes that may still stand in the page, by kind."""

    def player(self, media: MediaRecord) -> Player:
        """Return how a conversation's media are played; a video has the sound in it."""
        missing = list[str]()
        video = self._address("video", media.video, missing)
        sound = "" if video else self._address("sound", media.sound, missing)
        return Player(sound, video, tuple(missing))

    def _address(self, kind: str, name: str, missing: list[str]) -> str:
        if not name:
            return ""
        file = (self.folder / name).resolve()
        suffix = file.suffix.lower()
        if not file.is_relative_to(self.folder.resolve()) or suffix not in TYPES or not file.is_file():
            missing.append(f"The {kind} {name} is not in the report's folder.")
            return ""
        size = file.stat().st_size
        if size > self.left[kind]:
            return quote(PurePosixPath(file.relative_to(self.folder.resolve())).as_posix())
        self.left[kind] -= size
        return f"data:{TYPES[suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"
