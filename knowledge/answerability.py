"""How likely a passage answers a question: a small logistic model on signals that each have a reason.

Nothing may be answered only because something had to be found: a question about the capital of France must
score near 0 in a shop's knowledge although "of" and "the" are everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.index import Unit, WordIndex
from knowledge.query import Query
from knowledge.words import language_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against one passage; all 0..1."""

    coverage: float
    """Share of the question's weight that the passage holds."""
    mass: float
    """Topical weight that the passage holds; saturates, see `HALF_MASS`."""
    unknown: float
    """Share of the question's weight that no passage holds."""
    heading: float
    """Likeness of the question and the passage's title or best other phrasing."""
    vector: float
    """Cosine of the vectors."""
    missing: float
    """Weight of the weightiest topical word that the passage lacks."""
    topical: float
    """Share of the question's topical words that the passage holds."""
    document: float
    """Share of the question's weight that the passage's whole document holds."""
    foreign: float
    """1 where the question has a word of other people's business that no passage holds."""
    chinese: float
    """1 for a Chinese question: its words are shorter, and more of them stay unknown."""

    def signals(self) -> tuple[float, ...]:
        """Return the model's inputs."""
        return (
            self.coverage,
            self.mass,
            self.unknown,
            self.heading,
            self.missing,
            self.topical,
            self.document,
            self.foreign,
            self.chinese,
            self.coverage * self.heading,
            self.mass * (1.0 - self.unknown),
        )


HALF_MASS = 0.5
"""Half a word's weight is half the evidence: one telling word is much, ten are not ten times as much."""
BIAS = -6.17
WEIGHTS = (0.25, 2.69, 0.16, 2.72, 0.34, 0.79, 1.65, -2.99, 1.52, 1.4, 0.3)
"""In the order of `Evidence.signals`; fitted by `python -m knowledge.calibrate fit`."""


def likelihood(evidence: Evidence) -> float:
    """Return the likelihood, 0..1, that the passage answers the question."""
    total = BIAS + sum(weight * signal for weight, signal in zip(WEIGHTS, evidence.signals(), strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def weigh(query: Query, passage: int, index: WordIndex, *, vector: float) -> Evidence:
    """Collect what speaks for and against a passage (by number)."""
    tokens = index.tokens(passage)
    around = index.document_tokens(passage)
    total = held = unknown = mass = missing = document = 0.0
    topical_total = 0.0
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
            missing = max(missing, item.weight * (1.0 - degree))
    return Evidence(
        coverage=held / total if total else 0.0,
        mass=mass / (mass + HALF_MASS),
        unknown=unknown / total if total else 1.0,
        heading=_heading(query, total, index.units(passage)),
        vector=vector,
        missing=missing,
        topical=mass / topical_total if topical_total else 0.0,
        document=document / total if total else 0.0,
        foreign=float(any(item.foreign for item in query.asked)),
        chinese=float(language_of(query.text) == "zh"),
    )


def _heading(query: Query, total: float, units: tuple[Unit, ...]) -> float:
    """Return the best Dice likeness of the question and a heading, by weight."""
    best = 0.0
    for tokens, weight in units:
        shared = sum(item.weight * item.degree(tokens) for item in query.asked)
        if shared:
            best = max(best, 2.0 * min(shared, weight) / (total + weight))
    return best
