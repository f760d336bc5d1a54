"""What was said in a conversation: the visitor's questions, and of the replies only what was heard."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.sentence import Outcome

if TYPE_CHECKING:
    from agent.slots import Errand

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
    language: str = ""
    """ISO 639-1 of the question; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a reply may know of the conversation before it; nothing changes it."""

    exchanges: tuple[Exchange, ...] = ()
    """Oldest first."""
    errand: Errand | None = None
    """What the visitor is having done, if anything."""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    """Names the conversation, so that what changes something is done at most once in it."""

    @property
    def language(self) -> str:
        """The language that was spoken last; empty where none was."""
        if self.errand is not None:
            return self.errand.language
        return next((one.language for one in reversed(self.exchanges) if one.language), "")


class History:
    """The exchanges of one conversation, the oldest first, and what the visitor is having done.

    Args:
        key: names the conversation; a new one where it is left out.
    """

    def __init__(self, key: str = "") -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=KEPT)
        self._errand: Errand | None = None
        self._key = key or secrets.token_urlsafe(12)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange; a reply of which nothing was heard is remembered as silence."""
        self._exchanges.append(exchange)
        if self._errand is not None and exchange.interrupted:
            self._errand = self._errand.as_heard(exchange.reply)

    def take(self, errand: Errand | None) -> None:
        """Remember what the visitor is having done from now on; None: nothing."""
        self._errand = errand

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """What is remembered."""
        return tuple(self._exchanges)

    @property
    def errand(self) -> Errand | None:
        """What the visitor is having done, if anything."""
        return self._errand

    @property
    def dictating(self) -> bool:
        """Whether the visitor was asked for something that they may give in pieces."""
        return self._errand is not None and bool(self._errand.slot) and self._errand.put

    def memory(self, unfinished: Exchange | None = None) -> Memory:
        """Return what the next reply may know.

        Args:
            unfinished: the exchange that is going on, as far as it was heard.
        """
        errand = self._errand
        if errand is not None and unfinished is not None:
            errand = errand.as_heard(unfinished.reply)
        more = () if unfinished is None else (unfinished,)
        return Memory((*self._exchanges, *more), errand, self._key)

    def clear(self) -> None:
        """Forget everything: another visitor comes."""
        self._exchanges.clear()
        self._errand = None
        self._key = secrets.token_urlsafe(12)
