"""What an engine choice came to, for `visavis doctor` and for whoever wonders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """Which engine a stage will use, found out without loading it."""

    engine: str
    """Engine and model or voice, for example "piper/en_US-amy-medium"; empty when there is none."""
    why: str
    """One sentence for people."""
    missing: str = ""
    """What a better engine, or any, would need; empty when nothing is missing."""
    remedy: str = ""
    """The command that brings it."""
