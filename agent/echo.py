"""Telling the avatar's own words from the visitor's, where the echo canceller let them through."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent.heard_words import heard_words, is_chinese

KEPT_S = 30.0
"""Sentences are remembered so long after their end: the longest utterance."""
TAIL_S = 1.0
"""An echo begins at most so much after its sound left: network, sound card, a room's reverberation, and the
uncertainty of the moment."""
AHEAD_S = 0.5
"""An echo may seem to begin so much before its words: where in a sentence a word is, is estimated."""
SURE_WORDS = 4
"""Nobody says so many of the avatar's words after it by chance; shorter echoes must fit in time as well."""
ALIKE = 0.75
"""Share of an echo's words that are the avatar's, in their order: recognisers mishear echoes."""
ALIKE_LETTERS = 0.75
"""Two words are the same if so much of their letters is."""


@dataclass(frozen=True, slots=True)
class _Said:
    words: tuple[str, ...]
    start_s: float
    end_s: float

    def time_of(self, word: int) -> float:
        """About when a word began."""
        letters = [len(each) + 1 for each in self.words]
        share = sum(letters[:word]) / max(1, sum(letters))
        return self.start_s + share * (self.end_s - self.start_s)


class EchoGuard:
    """Remembers what the avatar said, and when."""

    def __init__(self) -> None:
        self._said: deque[_Said] = deque()

    def said(self, text: str, start_s: float, end_s: float) -> None:
        """The avatar says a sentence between two times; told when it begins."""
        words = heard_words(text)
        if words:
            self._said.append(_Said(words, start_s, max(end_s, start_s)))
        while self._said and self._said[0].end_s < start_s - KEPT_S:
            self._said.popleft()

    def is_echo(self, text: str, at_s: float) -> bool:
        """Whether recognised words are the avatar's own.

        An echo begins while the avatar speaks, at the words it repeats. A visitor who repeats some words
        ("thirty days?") does so later, and one who picks an offer ("express") after the sentence.

        Args:
            text: as recognised, all of the utterance.
            at_s: when the utterance's first voice was heard, on the clock of `said`.
        """
        heard = heard_words(text)
        said = [each for each in self._said if each.start_s - AHEAD_S <= at_s + 1.0]
        around = [each for each in said if each.end_s + TAIL_S >= at_s]
        if not heard or not any(each.start_s - AHEAD_S <= at_s <= each.end_s + TAIL_S for each in around):
            return False
        # A long echo runs over several sentences; those that began later are part of it, too.
        later = [each for each in self._said if each.start_s > at_s + 1.0 and each not in around]
        words = tuple(word for each in (*around, *later) for word in each.words)
        starts = [each.time_of(n) for each in (*around, *later) for n in range(len(each.words))]
        first, share = _found(heard, words)
        if first is None or share < ALIKE:
            return False
        fits = starts[first] - AHEAD_S <= at_s <= starts[first] + TAIL_S
        sure = len(heard) >= SURE_WORDS * (2 if is_chinese(text) else 1)
        ends_s = max(each.end_s for each in around)
        return fits and (sure or at_s < ends_s - AHEAD_S / 2)


def _found(heard: tuple[str, ...], said: tuple[str, ...]) -> tuple[int | None, float]:
    """Where the heard words begin in what was said, and which share of them is there, in order."""
    known: dict[str, str] = {}
    for word in set(heard):
        known[word] = next((each for each in said if _alike(word, each)), word)
    sought = [known[word] for word in heard]
    longest = SequenceMatcher(None, sought, said, autojunk=False).find_longest_match()
    if not longest.size:
        return None, 0.0
    # Only what lies together counts: words scattered over a long answer are the language's, not an echo.
    first = min(max(0, longest.b - longest.a), len(said) - 1)
    slack = max(2, len(heard) // 4)
    window = said[max(0, first - slack) : first + len(heard) + slack]
    blocks = SequenceMatcher(None, sought, window, autojunk=False).get_matching_blocks()
    return first, sum(block.size for block in blocks) / len(heard)


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < 4:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE_LETTERS
