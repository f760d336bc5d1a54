"""What visitors and documents wrote, as it may be shown to people at a terminal."""

from __future__ import annotations

import re

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that steer a terminal, or turn the direction of what follows."""


def printable(text: str) -> str:
    """Return words of visitors and documents without what would steer a terminal."""
    return _HARMFUL.sub("\N{MIDDLE DOT}", text)
