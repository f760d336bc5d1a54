"""Hearing without a recogniser's mistakes: sound tells when somebody speaks, the script tells the words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike

from agent.ears import Ears
from speech.recognizer import Transcript
from speech.timeline import Pcm

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")


class ToldWords:
    """Takes the words that were said so far for what was heard.

    Args:
        said: tells the latest utterance: its number, its words, and the share of it that has sounded, 0..1.
        language: that it is in.
    """

    engine = "script"

    def __init__(self, said: Callable[[], tuple[int, str, float]], language: str) -> None:
        self.languages: tuple[str, ...] = (language,)
        self._said = said
        self._taken: tuple[int, float] = (-1, 0.0)
        """Number and share of the utterance up to which its words were dealt with."""

    def transcribe(self, pcm: ArrayLike, sample_rate: int) -> Transcript:
        """Return the words since the last that were dealt with."""
        number, words, share = self._said()
        since = self._taken[1] if self._taken[0] == number else 0.0
        return Transcript(_between(words, since, share), self.languages[0], 1.0, self.engine)

    def stream(self) -> _Stream:
        """Begin an utterance."""
        return _Stream(self)

    def forget(self) -> None:
        """The words so far are dealt with."""
        number, _, share = self._said()
        self._taken = (number, share)

    def warm(self) -> None:
        """Nothing is loaded."""

    def close(self) -> None:
        """Nothing is held."""


class ToldEars(Ears):
    """Ears that hear real sound and know the words.

    Args:
        words: of the script.
        turn_end, above_background_db: as `Ears` takes them.
    """

    def __init__(
        self, words: ToldWords, turn_end: Callable[[Pcm], float] | None, above_background_db: float
    ) -> None:
        super().__init__(words, turn_end=turn_end, above_background_db=above_background_db)
        self._words = words

    def forget(self) -> None:
        """The utterance is over, and its words are dealt with."""
        self._words.forget()
        super().forget()


class _Stream:
    """One utterance; what it is fed does not matter."""

    def __init__(self, words: ToldWords) -> None:
        self._words = words
        self.heard_s = 0.0

    def feed(self, pcm: Pcm) -> None:
        """Take samples."""

    def finish(self) -> Transcript:
        """Return the words."""
        return self._words.transcribe((), 16_000)

    def close(self) -> None:
        """Nothing is held."""


def _between(words: str, since: float, until: float) -> str:
    """Return the words that sound between two shares of an utterance; one that is begun counts as said."""
    places: Sequence[re.Match[str]] = list(_UNIT.finditer(words))
    length = max(len(words), 1)
    first = next((one.start() for one in places if one.start() >= since * length), len(words))
    last = max((one.end() for one in places if one.start() < until * length), default=0)
    if until >= 1.0:
        last = len(words)
    return words[first:last].strip()
