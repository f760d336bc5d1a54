"""A photo file, read carefully: the size is known before anything is decoded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar.errors import InputError

U8 = NDArray[np.uint8]

MAX_BYTES = 40_000_000
"""Largest photo file; phones write 3 to 15 MB."""
MAX_PIXELS = 60_000_000
"""Largest photo: 60 megapixels take 180 MB once decoded."""
WALL = (228, 229, 231)
"""RGB of the light wall behind a cut-out photo."""
WORKING_PX = 3000
"""Longer sides are reduced to this: the rig's texture has 1024 pixels at most."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo."""

    picture: U8
    """RGB uint8[H, W, 3], upright."""
    sha256: str
    """Of the file's bytes."""
    opacity: NDArray[np.uint8] | None = None
    """uint8[H, W], 255 where the person is, of a photo that was cut out; else None."""


def read_photo(path: Path) -> Photo:
    """Read a JPEG, PNG or WebP photo, upright as its EXIF says; cut-out ones get a light wall.

    Raises:
        AvatarError: the file is missing, too large, or no picture of these formats.
    """
    import cv2

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"{path} has {size / 1e6:.0f} MB: give a photo of at most {MAX_BYTES / 1e6:.0f} MB"
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}): give a JPEG, PNG or WebP photo") from error
    width, height = picture_size(data) or (0, 0)
    if width < 1 or height < 1:
        raise InputError(f"{path} is no JPEG, PNG or WebP picture: give a photo in one of these formats")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path} has {width}×{height} pixels: give a photo of at most {MAX_PIXELS / 1e6:.0f} megapixels"
        )
    try:
        found: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        opacity = None
        if found is not None and data[:2] != b"\xff\xd8":
            found, opacity = _on_wall(data, np.asarray(found))
    except cv2.error as error:
        raise InputError(f"{path} is damaged ({error}): export the photo again") from error
    if found is None:
        raise InputError(f"{path} is damaged: export the photo again")
    longest = max(found.shape[:2])
    if longest > WORKING_PX:
        k = WORKING_PX / longest
        found = cv2.resize(found, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        if opacity is not None:
            wide, tall = found.shape[1], found.shape[0]
            small = cv2.resize(opacity, (wide, tall), interpolation=cv2.INTER_AREA)
            opacity = np.asarray(small, np.uint8)
    return Photo(np.ascontiguousarray(found[:, :, ::-1]), hashlib.sha256(data).hexdigest(), opacity)


def _on_wall(data: bytes, opaque: NDArray[Any]) -> tuple[NDArray[Any], U8 | None]:
    """A PNG or WebP picture over the wall, where it is transparent, and its opacity."""
    import cv2

    whole: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None or whole.ndim != 3 or whole.shape[2] != 4 or whole.shape[:2] != opaque.shape[:2]:
        return opaque, None
    full = np.iinfo(whole.dtype).max if np.issubdtype(whole.dtype, np.integer) else 1.0
    alpha = whole[..., 3:].astype(np.float32) / np.float32(full)
    if alpha.min() >= 1:
        return opaque, None
    colour = whole[..., :3].astype(np.float32) * np.float32(255 / full)
    wall = np.array(WALL[::-1], np.float32)
    over = np.asarray((colour * alpha + wall * (1 - alpha)).round().clip(0, 255), np.uint8)
    return over, np.asarray((alpha[..., 0] * 255).round(), np.uint8)


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a file's header states; None where it is no JPEG, PNG or WebP picture."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:2] == b"\xff\xd8":
        return _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        # start-of-frame markers but for tables (C4, C8, CC) hold the size
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if length < 2 or marker == 0xDA:
            return None
        at += 2 + length
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None
