"""A picture file read without decoding it: what it is, how large, what else lies in it, and whether it ends.

Formats are told by their first bytes, never by the name. Sources: PNG (W3C, third edition), ITU-T T.81 for
JPEG, Google's WebP container specification.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

MOST_CHUNKS = 20_000
"""Pieces of one file; a 60-megapixel PNG in pieces of 8 KB has fewer."""
MOST_SCANS = 100
"""Passes of a progressive JPEG; cameras and editors write 1 to 12, each costs a whole decoding."""
PNG = b"\x89PNG\r\n\x1a\n"
STILL_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
"""What HEIC and AVIF pictures, which lie in the boxes of mp4 files, call themselves."""
_OTHERS = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\0\0\1\0", "an icon"),
    (b"8BPS", "a Photoshop file"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"<", "a web page"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_FOREIGN = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"%PDF-",
    b"MZ\x90",
    b"\x7fELF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\xca\xfe\xba\xbe",
)
"""Beginnings of archives, programs and documents."""
_SCRIPTS = (b"<?php", b"<script", b"<html", b"<!doctype html")
"""Text that a server or browser might run."""
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
"""What begins a segment of a JPEG: neither a stuffed or filling byte nor a restart."""
_END = 0xD9
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ARCHIVE_END = 65_557
"""A zip's directory ends within this many bytes of a file's end: 22, and a comment of at most 65,535."""
_DOCUMENT_START = 1024
"""Readers of PDF look for its beginning in so many bytes."""


@dataclass(slots=True)
class PictureFile:
    """What a picture file tells about itself."""

    format: str
    """"jpeg", "png" or "webp"; "" for anything else, which `other` names."""
    width: int = 0
    height: int = 0
    frames: int = 1
    complete: bool = False
    """The file has its end, and every piece is whole."""
    foreign: bool = False
    """Something else than a picture lies in it or behind it: an archive, a program, a script."""
    behind: int = 0
    """Bytes after the picture's end."""
    bomb: bool = False
    """More pieces or passes than any picture needs."""
    other: str = ""
    metadata: dict[str, None] = field(default_factory=dict)
    """Kinds that are there, in order: exif, place, xmp, comment, colours, thumbnail."""


def read_picture_file(data: bytes) -> PictureFile:
    """Read a picture file's structure; of any bytes, in time linear in their number."""
    if data[:8] == PNG:
        found = _png(data)
    elif data[:3] == b"\xff\xd8\xff":
        found = _jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _webp(data)
    else:
        start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        kinds = (name for magic, name in _OTHERS if start.startswith(magic.lower()))
        other = next(kinds, "")
        if data[4:8] == b"ftyp":
            other = "a HEIC or AVIF picture" if data[8:12] in STILL_BRANDS else "a video"
        return PictureFile("", other=other or ("empty" if not data else "no picture"))
    tail = data[len(data) - found.behind :] if found.complete and found.behind else b""
    found.foreign |= tail.startswith((*_FOREIGN, b"#!")) or _runs(tail)
    found.foreign |= ends_as_archive(data) or b"%PDF-" in data[:_DOCUMENT_START]
    return found


def _png(data: bytes) -> PictureFile:
    found = PictureFile("png")
    at = 8
    for _ in range(MOST_CHUNKS):
        head = data[at : at + 8]
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + length
        if len(head) < 8 or end > len(data):
            return found
        body = data[at + 8 : end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
            return found
        if kind == b"IHDR" and at == 8 and length == 13:
            found.width, found.height = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        elif kind == b"acTL":
            found.frames = max(int.from_bytes(body[:4], "big"), 1)
        elif kind == b"eXIf":
            _exif(found, body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            found.metadata["xmp" if body.startswith(b"XML:com.adobe.xmp") else "comment"] = None
            found.foreign |= _runs(body)
        elif kind == b"iCCP":
            found.metadata["colours"] = None
        at = end
        if kind == b"IEND":
            found.complete, found.behind = True, len(data) - end
            return found
    found.bomb = True
    return found


def _jpeg(data: bytes) -> PictureFile:
    found = PictureFile("jpeg")
    scans = 0
    for number, (marker, body, end) in enumerate(_segments(data)):
        if number > MOST_CHUNKS:
            found.bomb = True
            return found
        if marker == _END:
            found.complete, found.behind = bool(scans), len(data) - end
            return found
        if marker in _JPEG_SIZES and len(body) >= 5:
            found.height, found.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        elif marker == 0xDA:
            scans += 1
            if scans > MOST_SCANS:
                found.bomb = True
                return found
        elif marker == 0xE1:
            if body.startswith(b"Exif\0"):
                _exif(found, body[6:])
            elif body.startswith(b"http://ns.adobe.com/xap/"):
                found.metadata["xmp"] = None
        elif marker == 0xE2 and body.startswith(b"ICC_PROFILE"):
            found.metadata["colours"] = None
        elif marker == 0xFE:
            found.metadata["comment"] = None
        found.foreign |= marker in (0xFE, *range(0xE0, 0xF0)) and _runs(body)
    return found


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """(marker, body, where it ends) of a JPEG's segments; entropy-coded data is skipped."""
    at = 2
    while found := _MARKER.search(data, at):
        at, marker = found.start(), data[found.start() + 1]
        length = 0 if marker == _END else int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if end > len(data) or (length < 2 and marker != _END):
            return
        yield marker, data[at + 4 : end], end
        if marker == _END:
            return
        at = end


def _webp(data: bytes) -> PictureFile:
    found = PictureFile("webp")
    end = 8 + int.from_bytes(data[4:8], "little")
    found.complete, found.behind = 20 < end <= len(data), max(len(data) - end - end % 2, 0)
    at, pieces, frames = 12, 0, 0
    while at + 8 <= min(end, len(data)):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        found.complete &= len(body) == length
        pieces += 1
        if pieces > MOST_CHUNKS:
            found.bomb = True
            return found
        if kind == b"VP8X" and length >= 10:
            found.width = 1 + int.from_bytes(body[4:7], "little")
            found.height = 1 + int.from_bytes(body[7:10], "little")
        elif kind == b"VP8L" and length >= 5 and not found.width:
            bits = int.from_bytes(body[1:5], "little")
            found.width, found.height = 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
        elif kind == b"VP8 " and length >= 10 and not found.width:
            found.width = int.from_bytes(body[6:8], "little") & 0x3FFF
            found.height = int.from_bytes(body[8:10], "little") & 0x3FFF
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            _exif(found, body.removeprefix(b"Exif\0\0"))
        elif kind in (b"XMP ", b"ICCP"):
            found.metadata["xmp" if kind == b"XMP " else "colours"] = None
            found.foreign |= _runs(body)
        at += 8 + length + length % 2
    found.frames = max(frames, 1)
    return found


def _exif(found: PictureFile, tiff: bytes) -> None:
    """Note what the camera wrote; whether it says where is in tag 0x8825 of the first directory."""
    found.metadata["exif"] = None
    found.foreign |= _runs(tiff)
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    at = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[at : at + 2], order)
    for entry in range(min(entries, 200)):
        tag = int.from_bytes(tiff[at + 2 + 12 * entry : at + 4 + 12 * entry], order)
        if tag == 0x8825:
            found.metadata["place"] = None


def _runs(text: bytes) -> bool:
    lower = text.lower()
    return any(script in lower for script in _SCRIPTS)


def ends_as_archive(data: bytes) -> bool:
    """Whether unpacking programs would take the file for a zip archive."""
    end = data[-_ARCHIVE_END:]
    at = end.find(b"PK\x05\x06")
    while at >= 0:
        if int.from_bytes(end[at + 20 : at + 22], "little") == len(end) - at - 22:
            return True
        at = end.find(b"PK\x05\x06", at + 1)
    return False
