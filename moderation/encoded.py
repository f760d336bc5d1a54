"""Encoded text: what stands behind base64, hexadecimal, rot13, reversed letters, escapes and entities."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,4000}={0,2}(?![A-Za-z0-9+/=])")
_HEX = re.compile(r"(?<![0-9a-fA-F])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ ,:]?){16,2000}(?![0-9a-fA-F])")
_BINARY = re.compile(r"(?<![01])(?:[01]{8} ?){8,500}(?![01])")
_ENTITIES = re.compile(r"(?:&#x?[0-9a-fA-F]{2,6};[ ]?){8,2000}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}|[A-Za-z0-9+]){0,2000}(?:%[0-9a-fA-F]{2}){4}[%0-9a-zA-Z+]{0,2000}")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){6,1000}")
_NUMBERS = re.compile(r"(?<!\d)(?:\d{2,3}[ ,]{1,2}){12,1000}\d{2,3}(?!\d)")
_ROTATED = re.compile(
    r"\b(?:vtaber|vafgehpgvba|vafgehpgvbaf|cebzcg|flfgrz|erirny|cnffjbeq|cerivbhf|qvfertneq|bireevqr)\b",
    re.IGNORECASE,
)
"""Words of commands, each letter moved by thirteen places."""
_REVERSED = re.compile(
    r"\b(?:snoitcurtsni|noitcurtsni|tpmorp|suoiverp|laever|drowssap|erongi|draggersid|metsys)\b",
    re.IGNORECASE,
)
"""The same, read from the end."""
_REACH = 400
"""Characters around such a word that are read."""


def encoded(text: str) -> Iterator[tuple[str, int, int]]:
    """Each stretch of a text that is encoded: what it says, and where it stands. Nothing is executed."""
    if len(text) < 16:
        return
    for match in _BLOB.finditer(text):
        blob = match.group().replace("-", "+").replace("_", "/").rstrip("=")
        try:
            data = base64.b64decode(blob + "=" * (-len(blob) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        yield from _read(data, match)
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[ ,:]", "", match.group())
        yield from _read(bytes.fromhex(digits[: len(digits) // 2 * 2]), match)
    for match in _BINARY.finditer(text):
        bits = match.group().replace(" ", "")
        yield from _read(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)), match)
    if "&#" in text:
        for match in _ENTITIES.finditer(text):
            yield html.unescape(match.group().replace("; ", ";")), *match.span()
    if "%" in text:
        for match in _PERCENT.finditer(text):
            yield unquote(match.group().replace("+", " ")), *match.span()
    if "\\u" in text:
        for match in _ESCAPES.finditer(text):
            yield (
                "".join(chr(int(code, 16)) for code in re.findall(r"[0-9a-fA-F]{4}", match.group())),
                *match.span(),
            )
    for match in _NUMBERS.finditer(text):
        codes = [int(code) for code in re.findall(r"\d+", match.group())]
        if all(32 <= code < 127 for code in codes):
            yield "".join(map(chr, codes)), *match.span()
    for pattern, reverse in ((_ROTATED, False), (_REVERSED, True)):
        for match in pattern.finditer(text):
            start, end = max(0, match.start() - _REACH), match.end() + _REACH
            part = text[start:end]
            yield (part[::-1] if reverse else codecs.encode(part, "rot13")), start, min(end, len(text))
            break


def _read(data: bytes, match: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    try:
        yield data.decode("utf-8"), *match.span()
    except UnicodeDecodeError:
        return
