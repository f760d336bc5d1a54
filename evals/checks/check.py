"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a script expects, and whether it came."""

    name: str
    """Of the expectation, for example "contains", "within_ms.first_sound", "tools", "media.av_offset_ms"."""
    passed: bool
    message: str = ""
    """What came instead, in one line; empty where it passed."""
    turn: int | None = None
    """Of the script, from 0; None: the whole conversation."""
    line: int = 0
    """Of the script's file at which the expectation stands; 0: none."""
    skipped: bool = False
    """It could not be looked at: neither passed nor failed, and `message` says why and what it takes."""
