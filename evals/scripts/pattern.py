"""Regular expressions of scripts: Python's, but given up on where they would try without end."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

import regex

LONGEST_S = 0.25
"""Of processor time that one search may take: usual ones take microseconds."""
LONGEST_PATTERN = 1000
"""Characters."""
LARGEST = 10_000
"""Parts of a pattern, each counted as often as it is repeated at least: they are laid out one by one."""
_KEPT = 512
"""Compiled patterns: a suite's are used again for every turn and repeat."""
_PART = re.compile(
    r"(?P<open>\((?:\?(?:[aiLmsux-]*:|P<\w+>|<?[=!]|>))?)|(?P<close>\))"
    r"|(?P<least>[+])|(?P<optional>[*?])|\{(?P<low>\d+)(?P<more>,)?\d*\}"
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.",
    re.DOTALL,
)
_LITERAL_BRACE = re.compile(r"(\\N\{[^}]*\}|\\.)|\{(?!\d*,?\d*\}|\})", re.DOTALL)
"""A brace that Python takes as it stands, and the other library for the bounds of an inexact match."""


class EndlessPatternError(Exception):
    """A pattern was not decided upon in time.

    Args:
        pattern: as the script has it.
    """

    def __init__(self, pattern: str) -> None:
        super().__init__(
            f"the regular expression {pattern} was not decided within {LONGEST_S:g} s: it tries the same "
            "words over and over; leave out repeats within repeats such as (a+)+, or use `contains`"
        )
        self.pattern = pattern


def check_pattern(pattern: str) -> None:
    """See that a pattern can be searched for.

    Raises:
        ValueError: it is no regular expression of Python, or larger than one that somebody wrote.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"a regular expression of {len(pattern):,} characters; {LONGEST_PATTERN:,} at most")
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            re.compile(pattern)
        if _size(pattern) > LARGEST:
            raise ValueError(f"its repeats come to more than {LARGEST:,} parts: repeat less")
        _compiled(pattern)
    except (re.error, regex.error, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    except RecursionError:
        raise ValueError("not a regular expression: too many brackets within brackets") from None


def pattern_of(text: str) -> str | None:
    """Return the pattern that stands between slashes, "/^10/"; None where a text is none."""
    return text[1:-1] if len(text) > 2 and text.startswith("/") and text.endswith("/") else None


def found_in(pattern: str, text: str) -> bool:
    """Tell whether a pattern matches somewhere in a text, without regard to case.

    Raises:
        EndlessPatternError: that cannot be told in time.
    """
    try:
        return _compiled(pattern).search(text, timeout=LONGEST_S) is not None
    except (TimeoutError, MemoryError):
        raise EndlessPatternError(pattern) from None


@lru_cache(_KEPT)
def _compiled(pattern: str) -> regex.Pattern[str]:
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        plain = _LITERAL_BRACE.sub(lambda brace: brace[1] or r"\{", pattern)
        return regex.compile(plain, regex.IGNORECASE | regex.VERSION0)


def _size(pattern: str) -> int:
    """Return how many parts a pattern has once what must be repeated is laid out."""
    sizes, last = [0], 0
    """Of every bracket that is open, without what was found last; and of that."""
    for part in _PART.finditer(pattern):
        if part["open"]:
            sizes[-1] += last
            sizes.append(0)
            last = 0
        elif part["close"]:
            last += sizes.pop() if len(sizes) > 1 else 0
        elif part["least"] or part["low"] is not None:
            low = 1 if part["least"] else int(part["low"])
            last *= low + bool(part["least"] or part["more"])
        elif not part["optional"]:
            sizes[-1] += last
            last = 1
    return sum(sizes) + last
