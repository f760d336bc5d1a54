"""Masks personal data in the log: an exception may quote what a visitor said."""

from __future__ import annotations

import logging

from moderation.credentials import CredentialScreener
from moderation.mask import masked
from moderation.personal_data import PersonalDataScreener
from moderation.policy import Policy
from moderation.screener import Subject
from moderation.verdict import Direction

LONGEST = 20_000
"""Characters of one entry; the rest is left out."""


class MaskingFormatter(logging.Formatter):
    """Writes entries as another formatter does, without personal data, tracebacks included.

    Args:
        inner: the other one; None: message and traceback alone.
    """

    def __init__(self, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()
        policy = Policy.load()
        self._screeners = (
            PersonalDataScreener(policy.personal_data, policy.contacts),
            CredentialScreener(),
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as it is written."""
        text = self._inner.format(record)[:LONGEST]
        subject = Subject(text, Direction.INPUT, "en")
        found = [each for screener in self._screeners for each in screener.screen(subject)]
        return masked(text, found, "en") if found else text


def mask_logs() -> None:
    """Let nothing personal into the log, wherever it goes."""
    root = logging.getLogger()
    handlers = [*root.handlers, *([logging.lastResort] if logging.lastResort else [])]
    for handler in handlers:
        if not isinstance(handler.formatter, MaskingFormatter):
            handler.setFormatter(MaskingFormatter(handler.formatter))
