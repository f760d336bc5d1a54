"""How likely a passage answers a question: a small logistic model on signals that each have a reason.

Nothing may be answered only because something had to be found: a question about the capital of France must
score near 0 in a shop's knowledge although "of" and "the" are everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.index import Heading, WordIndex
from knowledge.query import Query


@dataclass(frozen=True, slots=True)
class Nearness:
    """What the vector search knows of one passage."""

    vector: float
    """Cosine of the question and the passage's nearest unit."""
    whole: float
    """Cosine of the question and the whole passage."""
    around: float
    """Mean cosine of the question and its document's nearest units."""
    margin: float
    """By how much its document is nearer than the nearest other one; negative where another is nearer."""
    heading: bool
    """Whether the nearest unit says what the passage is about."""
    general: float
    """Cosine of the question and the nearest kind of general talk; 0 where the table cannot read it."""
    meant: bool
    """Whether the table reads the question: the vectors know meanings, not only words."""


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
    words: float
    """Score of the word search, as a share of the best passage's."""
    vector: float
    """Cosine of the question and the passage's nearest unit."""
    whole: float
    """Cosine of the question and the whole passage."""
    around: float
    """Mean cosine of the question and its document's nearest units."""
    margin: float
    """By how much its document is nearer than the nearest other one."""
    called: float
    """1 where the nearest unit is a title or a phrasing of the question, 0 where it is of the text."""
    missing: float
    """Weight of the weightiest topical word that the passage lacks."""
    topical: float
    """Share of the question's topical words that the passage holds."""
    document: float
    """Share of the question's weight that the passage's whole document holds."""
    foreign: float
    """1 where the question has a word of other people's business that no passage holds."""
    general: float
    """Likeness of the question and general talk, which is nobody's business in particular."""
    meant: float
    """1 where the vectors know what the question means, 0 where they know its words only (Chinese)."""

    topic: float = 0.0
    """How likely the question asks for the passage's topic, where the knowledge has learnt its topics."""
    topics: float = 0.0
    """1 where it has."""
    topic_near: float = 0.0
    """Cosine of the question and the nearest way to ask for the passage's topic."""
    topic_told: float = 0.0
    """How much the wording of the question speaks for the passage's topic."""

    def signals(self) -> tuple[float, ...]:
        """Return the likelihood's inputs."""
        return (
            self.coverage,
            self.mass,
            self.unknown,
            self.heading,
            self.missing,
            self.topical,
            self.document,
            self.foreign,
            1.0 - self.meant,
            self.coverage * self.heading,
            self.mass * (1.0 - self.unknown),
            self.vector * self.meant,
            self.around * self.meant,
            self.whole * self.meant,
            self.vector * (1.0 - self.meant),
            max(-MOST_MARGIN, min(MOST_MARGIN, self.margin)),
            self.called,
            self.general * self.meant,
        )

    def topical_signals(self) -> tuple[float, ...]:
        """Return the likelihood's inputs where the knowledge has learnt its topics."""
        return (*self.signals(), self.topic, self.topic_near, self.topic_told)

    def places(self) -> tuple[float, ...]:
        """Return the order's inputs."""
        return (
            self.words,
            self.coverage,
            self.heading,
            self.document,
            self.vector,
            self.whole,
            self.around,
            self.called,
            self.words * (1.0 - self.meant),
        )


HALF_MASS = 0.5
"""Half a word's weight is half the evidence: one telling word is much, ten are not ten times as much."""
MOST_MARGIN = 0.2
"""A nearer document is no more evidence from here on."""
ORDER = (0.98, 3.02, 2.59, 2.26, 4.44, 2.9, 3.6, 0.66, 1.73)
"""In the order of `Evidence.places`; fitted by `python -m knowledge.calibrate order`."""
BIAS = -2.83
WEIGHTS = (
    0.08,
    1.16,
    -0.67,
    0.83,
    -0.34,
    -0.22,
    0.9,
    -3.23,
    0.75,
    1.51,
    0.89,
    1.88,
    1.19,
    0.89,
    0.26,
    3.85,
    0.54,
    -4.39,
)
"""In the order of `Evidence.signals`; fitted by `python -m knowledge.calibrate fit`."""

TOPIC_BIAS = -6.88
TOPIC_WEIGHTS = (
    0.7,
    1.24,
    0.17,
    1.54,
    -0.15,
    0.0,
    0.0,
    -0.25,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    0.0,
    3.35,
    1.91,
    0.07,
)
"""Of knowledge that has learnt its topics from many ways to ask; the nearest of these then says more than
words. In the order of `Evidence.topical_signals`; fitted by `python -m knowledge.calibrate topics`."""


def standing(evidence: Evidence) -> float:
    """Return what passages are ordered by; it compares passages for one question only."""
    return sum(weight * place for weight, place in zip(ORDER, evidence.places(), strict=True))


def likelihood(evidence: Evidence) -> float:
    """Return the likelihood, 0..1, that the passage answers the question."""
    signals: tuple[float, ...] = evidence.signals()
    weights: tuple[float, ...] = WEIGHTS
    total = BIAS
    if evidence.topics and evidence.meant:
        signals, total, weights = evidence.topical_signals(), TOPIC_BIAS, TOPIC_WEIGHTS
    total += sum(weight * signal for weight, signal in zip(weights, signals, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def weigh(query: Query, passage: int, index: WordIndex, near: Nearness, words: float) -> Evidence:
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
        words=words,
        vector=max(0.0, near.vector),
        whole=max(0.0, near.whole),
        around=max(0.0, near.around),
        margin=near.margin,
        called=float(near.heading),
        missing=missing,
        topical=mass / topical_total if topical_total else 0.0,
        document=document / total if total else 0.0,
        foreign=float(any(item.foreign for item in query.asked)),
        general=near.general,
        meant=float(near.meant),
    )


def _heading(query: Query, total: float, units: tuple[Heading, ...]) -> float:
    """Return the best Dice likeness of the question and a heading, by weight."""
    best = 0.0
    for tokens, weight in units:
        shared = sum(item.weight * item.degree(tokens) for item in query.asked)
        if shared:
            best = max(best, 2.0 * min(shared, weight) / (total + weight))
    return best
