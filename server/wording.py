"""What the system and its libraries say when something fails, in plain words."""

from __future__ import annotations

import errno
import json
import re

_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("there is no such file or folder", "check the name"),
    errno.EACCES: ("its permissions forbid it", "change them, or choose another place"),
    errno.EPERM: ("its permissions forbid it", "change them, or choose another place"),
    errno.EROFS: ("the disk is read-only", "choose another place"),
    errno.ENOSPC: ("no space is left on the disk", "free some, or choose another place"),
    errno.EDQUOT: ("no space is left on the disk", "free some, or choose another place"),
    errno.EFBIG: ("the file would be too large", "choose another disk"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "choose another place"),
    errno.EEXIST: ("it exists already", "choose another name"),
    errno.ENAMETOOLONG: ("its name is too long", "choose a shorter one"),
    errno.EMFILE: ("too many files are open", "close other programs"),
    errno.ENFILE: ("too many files are open", "close other programs"),
    errno.EIO: ("the disk does not answer", "check it"),
}
"""Error number → what happened, and what to do."""
_NUMBERED = re.compile(r"\[Errno (-?\d+)\] ([^:]*?)(?:: (?:'[^']*'|\"[^\"]*\"|\S+?))?(?=$|[):;,]|\s-)")
"""How Python and FFmpeg write an error of the system: number, reason, perhaps the file."""
_POSITION = re.compile(r"(?:[A-Z][^:()]*): line (\d+) column \d+ \(char \d+\)")
"""How the JSON reader writes what it did not like, and where."""


def reason_of(error: OSError) -> tuple[str, str]:
    """What happened and what to do."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    said = (error.strerror or str(error) or type(error).__name__).strip()
    return said[0].lower() + said[1:], "check the file and the place"


def worded(error: BaseException) -> str:
    """An error's message with what Python itself says in it, and in the errors behind it, put plainly."""
    message = str(error)
    behind, seen = error.__cause__, 0
    while behind is not None and seen < 8:
        raw = str(behind)
        if raw and raw in message:
            message = message.replace(raw, _plain(behind, raw))
        behind, seen = behind.__cause__, seen + 1
    message = _NUMBERED.sub(_unnumbered, message)
    return _POSITION.sub(r"line \1 is not valid JSON", message)


def _plain(error: BaseException, raw: str) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} is not valid JSON"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.errno in _REASONS:
        return _REASONS[error.errno][0]
    return raw


def _unnumbered(found: re.Match[str]) -> str:
    number, said = int(found[1]), found[2].strip()
    if number in _REASONS:
        return _REASONS[number][0]
    if "Invalid data" in said:  # FFmpeg's words for what it does not know
        return "it is damaged, or another kind of file"
    return said[:1].lower() + said[1:]
