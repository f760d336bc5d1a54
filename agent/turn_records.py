"""What turn taking remembers of the visitor: the utterance that is open, and open questions for its words."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Words:
    """What a recogniser made of an utterance."""

    text: str
    language: str
    confidence: float
    ending: float
    """How surely the last words were heard, 0..1."""
    voice: float | None
    """How finished the voice sounds, 0..1; None: not told."""


@dataclass(slots=True)
class Utterance:
    """What the visitor says from the first voice on, over pauses."""

    number: int
    began_s: float
    since_s: float
    """Begin of the stretch of voice that is going on, or was the last."""
    last_s: float
    """Last voice."""
    voiced: bool = True
    voiced_s: float = 0.0
    """Length of the stretches of voice that are over."""
    asked: int = 0
    """Number of the newest question for its words."""
    asked_s: float | None = None
    """When that was asked; None once it is answered."""
    heard_s: float = float("-inf")
    """When it was answered last."""
    text: str = ""
    language: str = ""
    end_s: float | None = None
    """When it is taken for ended, as far as that is known."""
    prepared: str | None = None
    """Text for which an answer is being prepared."""
    preparations: int = 0
    prepare_at_s: float | None = None
    joins: bool = False
    """It belongs to the turn that was being answered when it began."""
    reply_over_s: float | None = None
    """When the reply over which it began came to its end."""
    waved: bool = False
    """This stretch of voice was taken for a false alarm."""
    capped: bool = False
    """It has become too long, and is answered as it is."""

    def length_s(self, now_s: float) -> float:
        """Seconds of voice so far."""
        return self.voiced_s + (now_s - self.since_s if self.voiced else 0.0)

    def prepared_for(self, text: str) -> bool:
        """Tell whether an answer is being prepared for a text, but for its punctuation and case."""
        return self.prepared is not None and _letters(self.prepared) == _letters(text)

    def pause(self, last_s: float) -> None:
        """The voice has stopped."""
        self.voiced = False
        self.last_s = max(last_s, self.since_s)
        self.voiced_s += self.last_s - self.since_s


@dataclass(slots=True)
class Questions:
    """Questions for words that are not yet answered; an answer may come late, or never."""

    _last: int = 0
    _open: deque[tuple[int, int, float]] = field(default_factory=deque)  # asked, utterance, when

    def ask(self, utterance: int, now_s: float) -> int:
        """Write down a question; returns its number."""
        self._last += 1
        self._open.append((self._last, utterance, now_s))
        return self._last

    def answered(self, asked: int | None) -> tuple[int, int]:
        """Strike a question out, and older ones with it.

        Args:
            asked: its number; None for the oldest.

        Returns:
            Its number and its utterance; zeros for one that is not open.
        """
        while self._open and (asked is None or self._open[0][0] <= asked):
            number, utterance, _ = self._open.popleft()
            if asked is None or number == asked:
                return number, utterance
        return 0, 0

    def forget(self, before_s: float) -> None:
        """Strike out what was asked before a time."""
        while self._open and self._open[0][2] < before_s:
            self._open.popleft()


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
