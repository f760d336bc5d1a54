"""How likely a passage answers a question: a small logistic model on signals that each have a reason.

Nothing may be answered only because something had to be found: a question about the capital of France must
score near 0 in a shop's knowledge although "of" and "the" are everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from knowledge.index import WordIndex
from knowledge.query import Query


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against one passage; all 0..1."""

    coverage: float
    """Share of the question's weight that the passage holds."""
    mass: float
    """Topical weight that the passage holds, three full words or more being 1."""
    unknown: float
    """Share of the question's weight that no passage holds."""
    heading: float
    """Likeness of the question and the passage's title or best other phrasing."""
    vector: float
    """Cosine of the vectors."""
    words: float
    """BM25, as a share of what the question's words could reach."""
    missing: float
    """Weight of the weightiest topical word that the passage lacks."""
    topical: float
    """Share of the question's topical words that the passage holds."""

    def signals(self) -> tuple[float, ...]:
        """Return the model's inputs."""
        return (
            self.coverage,
            self.mass,
            self.unknown,
            self.heading,
            max(self.vector, 0.0),
            self.words,
            self.missing,
            self.topical,
            self.coverage * self.heading,
        )


BIAS = -2.5
WEIGHTS = (2.0, 1.5, -3.0, 2.0, 1.0, 0.5, -1.5, 1.0, 2.0)
"""In the order of `Evidence.signals`; fitted by `python -m knowledge.calibrate fit`."""


def likelihood(evidence: Evidence) -> float:
    """Return the likelihood, 0..1, that the passage answers the question."""
    total = BIAS + sum(weight * signal for weight, signal in zip(WEIGHTS, evidence.signals(), strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def weigh(
    query: Query, passage: int, index: WordIndex, *, bm25: float, best_bm25: float, vector: float
) -> Evidence:
    """Collect what speaks for and against a passage (by number)."""
    tokens = index.tokens(passage)
    total = held = unknown = mass = missing = 0.0
    topical_total = 0.0
    keys: dict[int, float] = {}
    unkeyed = 0.0
    for item in query.asked:
        degree = item.degree(tokens)
        total += item.weight
        held += item.weight * degree
        if not item.known:
            unknown += item.weight
        if item.topical:
            mass += item.weight * degree
            topical_total += item.weight
            missing = max(missing, item.weight * (1.0 - degree))
        key = index.vocabulary.get(item.word.key)
        if key is None:
            unkeyed += item.weight
        else:
            keys[key] = item.weight
    return Evidence(
        coverage=held / total if total else 0.0,
        mass=min(mass, 3.0) / 3.0,
        unknown=unknown / total if total else 1.0,
        heading=_heading(keys, unkeyed, index.units(passage), index.idf, index.most_idf),
        vector=vector,
        words=bm25 / best_bm25 if best_bm25 else 0.0,
        missing=missing,
        topical=mass / topical_total if topical_total else 0.0,
    )


def _heading(
    keys: dict[int, float],
    unkeyed: float,
    units: tuple[frozenset[int], ...],
    idf: np.ndarray[tuple[int], np.dtype[np.float32]],
    most_idf: float,
) -> float:
    """Return the best Dice likeness of the question's keys and a heading's, by weight."""
    asked = unkeyed + sum(keys.values())
    best = 0.0
    for unit in units:
        shared = 0.0
        there = 0.0
        for key in unit:
            there += keys.get(key) or 0.45 + 0.55 * float(idf[key]) / most_idf
            shared += keys.get(key, 0.0)
        if shared:
            best = max(best, 2.0 * shared / (asked + there))
    return best
