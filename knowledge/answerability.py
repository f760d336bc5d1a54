"""How likely a passage answers a question: a small logistic model on signals that each have a reason.

Nothing may be answered only because something had to be found: a question about the capital of France must
score near 0 in a shop's knowledge although "of" and "the" are everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.index import Floats, WordIndex
from knowledge.query import Query
from knowledge.words import language_of


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
    document: float
    """Share of the question's weight that the passage's whole document holds."""
    stranger: float
    """Weight of the weightiest topical word that no passage holds: "Toyota" in a shop for lamps."""
    chinese: float
    """1 for a Chinese question: its words are shorter, and more of them stay unknown."""

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
            self.document,
            self.stranger,
            self.chinese,
            self.coverage * self.heading,
            self.mass * (1.0 - self.unknown),
        )


BIAS = -3.82
WEIGHTS = (0.32, 2.12, -1.77, 2.19, 0.07, -1.71, -1.03, 0.79, 1.93, 1.29, 1.99, 1.31, 0.52)
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
    around = index.document_tokens(passage)
    total = held = unknown = mass = missing = document = stranger = 0.0
    topical_total = 0.0
    keys: dict[int, float] = {}
    unkeyed = 0.0
    for item in query.asked:
        degree = item.degree(tokens)
        total += item.weight
        held += item.weight * degree
        document += item.weight * (degree if degree == 1.0 else item.degree(around))
        if not item.known:
            unknown += item.weight
        if item.topical:
            mass += item.weight * degree
            topical_total += item.weight
            if not item.known:
                stranger = max(stranger, item.weight)
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
        heading=_heading(keys, unkeyed, index.units(passage), index.worth),
        vector=vector,
        words=bm25 / best_bm25 if best_bm25 else 0.0,
        missing=missing,
        topical=mass / topical_total if topical_total else 0.0,
        document=document / total if total else 0.0,
        stranger=stranger,
        chinese=float(language_of(query.text) == "zh"),
    )


def _heading(
    keys: dict[int, float],
    unkeyed: float,
    units: tuple[frozenset[int], ...],
    worth: Floats,
) -> float:
    """Return the best Dice likeness of the question's keys and a heading's, by weight."""
    asked = unkeyed + sum(keys.values())
    best = 0.0
    for unit in units:
        shared = 0.0
        there = 0.0
        for key in unit:
            there += keys.get(key) or float(worth[key])
            shared += keys.get(key, 0.0)
        if shared:
            best = max(best, 2.0 * shared / (asked + there))
    return best
