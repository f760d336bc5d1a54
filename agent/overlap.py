"""The overlap of a sentence's words with those of its sources."""

from __future__ import annotations

from collections.abc import Sequence

from agent.clauses import HAN, Clause, Source, keys_of, means
from agent.denying import ways
from knowledge.words import Word, language_of

ASKED = 0.5
"""A word of the question is worth half a word of the source, and all of them half of what the source has:
they may be just what it does not say."""
PLAIN = 0.3
"""Weight of a word that tells little of what a text is about."""


def supported(word: Word, keys: frozenset[str], text: str) -> bool:
    """Tell whether a text, of which these are the keys, holds a word or what means the same."""
    if word.stem in keys or any(means(name) and name in keys for name in word.concepts):
        return True
    if HAN.match(word.surface):
        return word.surface in text or (
            len(word.parts) > 1 and sum(part in text for part in word.parts) * 3 >= 2 * len(word.parts)
        )
    return bool(word.parts) and all(part in keys for part in word.parts)


def score_of(
    words: Sequence[Word], said: str, sources: Sequence[Source], about: Source
) -> tuple[float, list[int]]:
    """Return the share of words that the sources have, and which of them carry it, the best first."""
    language = language_of(said)
    shares = []
    for n, source in enumerate(sources):
        foreign = bool(source.text.strip()) and language_of(source.text) != language
        # Between languages only words of known concepts can be compared.
        comparable = [w for w in words if any(map(means, w.concepts))] if foreign else words
        window = max((share(comparable, window, about) for window in source.windows), default=0.0)
        whole = window if foreign else share(words, source.clauses, about)
        shares.append(((window + whole) / 2, n))
    best, _ = max(shares, default=(0.0, -1))
    together = share(words, [clause for source in sources for clause in source.clauses], about)
    ranked = sorted(shares, key=lambda item: (-item[0], item[1]))
    by = [n for held, n in ranked if held > 0 and held >= 0.8 * best]
    return max(best, (best + together) / 2), by


def share(words: Sequence[Word], clauses: Sequence[Clause], about: Source) -> float:
    """Return the weighted share of words that clauses hold; those of the question help a little."""
    keys, text = keys_of(clauses), " ".join(clause.text for clause in clauses)
    asked = keys_of(about.clauses)
    held = taken_up = total = 0.0
    counted: set[str] = set()
    for word in words:
        same = set(filter(means, word.concepts))
        if same and same <= counted:
            continue  # "the warranty covers": said twice, it proves no more
        counted |= same
        weight = PLAIN if word.plain else 1.0
        total += weight
        if supported(word, keys, text):
            held += weight
        elif supported(word, asked, about.text) and not ways().places.intersection(word.concepts):
            taken_up += ASKED * weight
    return (held + min(taken_up, ASKED * held)) / total if total else 0.0


def likeness(words: Sequence[Word], clauses: Sequence[Clause]) -> float:
    """Return the harmonic mean of how much of either side the other has, 0..1."""
    keys, text = keys_of(clauses), " ".join(clause.text for clause in clauses)
    there = [word for word in clauses[0].words if not word.plain]
    held = sum(supported(word, keys, text) for word in words)
    ours = frozenset(key for word in words for key in (word.stem, *word.parts, *filter(means, word.concepts)))
    back = sum(supported(word, ours, "") for word in there)
    return 2.0 * (held + back * 0.5) / (2 * len(words) + len(there) or 1)
