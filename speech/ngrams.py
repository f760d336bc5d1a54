"""N-gram probabilities: counts from a few texts, on top of what is usual in English.

The general part (general_english.npz) holds the most telling n-grams of the language model that comes with
pocketsphinx (en-us, CMU, BSD licence): words, and ln P of unigrams, bigrams and trigrams over them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

Gram = tuple[str, ...]

START, END = "<s>", "</s>"

UNIGRAM_PRIOR = 600.0
"""What is usual in English weighs as much as this many words of the texts."""

HISTORY_PRIORS = {2: 60.0, 3: 30.0}
"""The same for the words after one and after two given words: measured best on customers' questions."""

GENERAL_SHARE = 0.7
"""Of general English against the shorter history, in what is expected where the texts say little."""

SPARE = 0.03
"""Probability that always remains for words that were never seen after a history."""

UNHEARD_LN_P = -2.0
"""A word that general English does not list is rarer than its rarest, by this in ln P."""


@dataclass(frozen=True)
class GeneralEnglish:
    """Usual words and word orders."""

    unigrams: Mapping[str, float]
    """Word to P, the most common first."""
    bigrams: Mapping[Gram, float]
    trigrams: Mapping[Gram, float]

    @classmethod
    def load(cls) -> GeneralEnglish:
        """Read the file of the package."""
        with np.load(Path(__file__).with_name("general_english.npz")) as data:
            words = str(data["words"]).split("\n")

            def grams(name: str) -> dict[Gram, float]:
                chances = np.exp(data[f"{name[:-1]}_ln_p"].astype(np.float64))
                keys = (tuple(words[index] for index in row) for row in data[name].tolist())
                return dict(zip(keys, chances.tolist(), strict=True))

            chances = np.exp(data["unigrams"].astype(np.float64)).tolist()
            unigrams = {w: p for w, p in zip(words, chances, strict=True) if w != START}
            return cls(unigrams, grams("bigrams"), grams("trigrams"))

    @cached_property
    def rarest(self) -> float:
        """P of a word that is not listed."""
        return min(self.unigrams.values()) * math.exp(UNHEARD_LN_P)


@dataclass(frozen=True, slots=True)
class _Order:
    """N-grams of one length."""

    chances: dict[Gram, float]
    backoff: dict[Gram, float]
    """History to the factor on the shorter history's P for words that are not listed."""


def arpa(sentences: Iterable[tuple[list[str], int]], general: GeneralEnglish, background: int) -> str:
    """Estimate a trigram model.

    Args:
        sentences: Words and weight.
        general: What is usual; the prior of every estimate.
        background: How many of its most common words are added to those of the sentences.

    Returns:
        The model as an ARPA file's text.
    """
    counts = _counts(sentences)
    common = [word for word in general.unigrams if word not in (START, END)][:background]
    words = {gram[0] for gram in counts[1]} | set(common) | {END}
    usual = {word: general.unigrams.get(word, general.rarest) for word in words}
    whole, usual_whole = sum(counts[1].values()), sum(usual.values())
    first: dict[Gram, float] = {
        (word,): (counts[1][(word,)] + UNIGRAM_PRIOR * usual[word] / usual_whole) / (whole + UNIGRAM_PRIOR)
        for word in words
    }
    known = words | {START}
    pairs = {gram: p for gram, p in general.bigrams.items() if known.issuperset(gram) and gram[1] != START}
    second = _estimate(counts[2], pairs, _Order(first, {}), HISTORY_PRIORS[2])
    # A trigram's history must itself be listed.
    triples = {
        gram: p for gram, p in general.trigrams.items() if gram[:2] in second.chances and gram[2] in words
    }
    third = _estimate(counts[3], triples, second, HISTORY_PRIORS[3], first)
    return _text(first, second, third)


def _counts(sentences: Iterable[tuple[list[str], int]]) -> dict[int, Counter[Gram]]:
    counts: dict[int, Counter[Gram]] = {1: Counter(), 2: Counter(), 3: Counter()}
    for words, weight in sentences:
        line = (START, *words, END)
        for end in range(2, len(line) + 1):
            for length in (1, 2, 3):
                if length <= end:
                    counts[length][line[end - length : end]] += weight
    return counts


def _estimate(
    counted: Counter[Gram],
    usual: Mapping[Gram, float],
    shorter: _Order,
    prior: float,
    shortest: Mapping[Gram, float] | None = None,
) -> _Order:
    """Counts as evidence on top of the prior, which mixes general English with the shorter history."""

    def lower(gram: Gram) -> float:
        found = shorter.chances.get(gram)
        return (
            found if found is not None else shorter.backoff.get(gram[:-1], 1.0) * (shortest or {})[gram[1:]]
        )

    seen: Counter[Gram] = Counter()
    for gram, count in counted.items():
        seen[gram[:-1]] += count
    chances: dict[Gram, float] = {}
    listed: dict[Gram, float] = defaultdict(float)
    covered: dict[Gram, float] = defaultdict(float)
    for gram in {**counted, **usual}:
        history = gram[:-1]
        below = lower(gram[1:])
        above = usual.get(gram)
        # Where general English lists nothing, half its share stays for the words that it does list.
        expected = (
            (1 - GENERAL_SHARE / 2) * below
            if above is None
            else (1 - GENERAL_SHARE) * below + GENERAL_SHARE * above
        )
        chances[gram] = (counted.get(gram, 0) + prior * expected) / (seen[history] + prior)
        listed[history] += chances[gram]
        covered[history] += below
    backoff: dict[Gram, float] = {}
    scale: dict[Gram, float] = {}
    for history, total in listed.items():
        scale[history] = min(1.0, (1.0 - SPARE) / total)
        backoff[history] = (1.0 - total * scale[history]) / max(1e-6, 1.0 - covered[history])
    return _Order({gram: p * scale[gram[:-1]] for gram, p in chances.items()}, backoff)


def _text(first: Mapping[Gram, float], second: _Order, third: _Order) -> str:
    def log10(value: float) -> str:
        return f"{math.log10(max(value, 1e-9)):.4f}"

    lines = ["\\data\\", f"ngram 1={len(first) + 1}", f"ngram 2={len(second.chances)}"]
    lines += [f"ngram 3={len(third.chances)}", "", "\\1-grams:"]
    lines.append(f"-99 {START} {log10(second.backoff.get((START,), 1.0))}")
    lines += [f"{log10(first[g])} {g[0]} {log10(second.backoff.get(g, 1.0))}" for g in sorted(first)]
    lines += ["", "\\2-grams:"]
    for gram in sorted(second.chances):
        lines.append(f"{log10(second.chances[gram])} {' '.join(gram)} {log10(third.backoff.get(gram, 1.0))}")
    lines += ["", "\\3-grams:"]
    lines += [f"{log10(third.chances[gram])} {' '.join(gram)}" for gram in sorted(third.chances)]
    return "\n".join([*lines, "", "\\end\\", ""])
