"""Encodings: bytes to text, whatever program wrote them."""

from __future__ import annotations

import codecs
import re

from knowledge.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
"""Bytes that are looked at to tell an encoding; more only takes longer."""
_GUESSES = [
    "gb18030",
    "big5",
    "cp1252",
    "cp1250",
    "cp1251",
    "shift_jis",
    "euc_kr",
    "euc_jp",
    "cp1253",
    "cp1254",
]
_COMMON_HAN = 0.6
"""Share of the double bytes that are GB 2312's everyday characters in any Chinese text."""


def decode(data: bytes, source: str, charset: str = "") -> str:
    """Decode a text.

    Args:
        data: the file's bytes.
        source: for the message.
        charset: what the file or its sender says of itself; tried after UTF-8.

    Raises:
        DocumentError: it is no text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _strict(data, name, source)
    if not data.strip(b"\0 \t\r\n"):
        return data.decode("ascii").replace("\0", "")
    if b"\0" in data:
        return _wide(data, source)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for name in (charset, _guess(data)):
        try:
            if name:
                # GB 18030 reads what calls itself by the names of its predecessors.
                name = "gb18030" if codecs.lookup(name).name in ("gb2312", "gbk") else name
                return data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    raise DocumentError(f"{source}: its encoding cannot be told; save it again as UTF-8")


def _strict(data: bytes, name: str, source: str) -> str:
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{source}: damaged {name.upper()} at byte {error.start}; save it again as UTF-8"
        ) from None
    if "\0" in text:
        raise DocumentError(f"{source}: holds zero bytes, so it is no text file; leave it out")
    return text


def _wide(data: bytes, source: str) -> str:
    """Decode UTF-16 without its mark: every second byte of ASCII letters and spaces is zero."""
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    # Chinese text has few zeros, all on one side, and is known by its spaces and line ends.
    name = "utf-16-le" if odd > 10 * even else "utf-16-be" if even > 10 * odd else ""
    if name and len(data) % 2 == 0:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            text = "\0"
        control = sum(character < " " and character not in "\t\r\n\f" for character in text[:_SAMPLE])
        if not control:
            return text
    raise DocumentError(f"{source}: holds zero bytes, so it is no text file; leave it out")


def _guess(data: bytes) -> str:
    sample = data[:_SAMPLE]
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", sample)
    common = sum(0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 or pair[0] == 0xA3 for pair in pairs)
    if len(pairs) >= 4 and common >= _COMMON_HAN * len(pairs):
        try:
            data.decode("gb18030")
        except UnicodeDecodeError:
            pass
        else:
            return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_GUESSES).best()
    if best is None:
        return "cp1252"
    return str(best.encoding)
