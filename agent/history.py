"""What was said in a conversation: the visitor's questions, and of the replies only what was heard."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from agent.sentence import Outcome

KEPT = 50
"""Exchanges that are remembered; a kiosk may run all day."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what was heard of its reply."""

    question: str
    """As the guard let it through."""
    reply: str
    outcome: Outcome
    interrupted: bool


class History:
    """The exchanges of one conversation, the oldest first."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange; a reply of which nothing was heard is remembered as silence."""
        self._exchanges.append(exchange)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is remembered."""
        return tuple(self._exchanges)

    def clear(self) -> None:
        """Forget everything: another visitor comes."""
        self._exchanges.clear()
