"""Postal addresses in visitors' words, English and Chinese."""

from __future__ import annotations

from moderation.addresses import address_spans


def addresses(text: str) -> list[str]:
    """Return the addresses that stand in a text, as they stand there, the first first."""
    return [text[start:end] for start, end in address_spans(text)]
