"""Spans of time as people write them: "7d", "24h", "90m"."""

from __future__ import annotations

import re

from server.live.errors import LiveError

UNITS_S = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
LONGEST_S = 400 * 86_400.0
"""A year, and some weeks to compare it with."""
SPAN = r"[0-9]{1,6}[mhdw]"
"""As an expression."""


def span_s(text: str) -> float:
    """Return a span in seconds.

    Args:
        text: a whole number and one of m, h, d, w.

    Raises:
        LiveError: "bad_span": it is no such thing, nothing, or longer than `LONGEST_S`.
    """
    found = re.fullmatch(SPAN, text.strip().lower())
    seconds = int(found.group()[:-1]) * UNITS_S[found.group()[-1]] if found else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise LiveError(
            "bad_span",
            f"{text[:20]!r} is no span of time",
            f"write a number and m, h, d or w, such as 90m, 24h or 7d; at most {LONGEST_S / 86_400:.0f}d",
        )
    return seconds
