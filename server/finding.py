"""A finding of `visavis doctor`: what one stage will use, and what would make it better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One stage."""

    stage: str
    ok: bool
    engine: str
    why: str
    missing: str = ""
    """What would make it better, or what stops it from working."""
    remedy: str = ""
    """The exact command that brings it."""
