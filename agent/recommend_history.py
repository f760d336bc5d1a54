"""What visitors go on to ask: who asked what, as a matrix that is factorised (Hu, Koren and Volinsky 2008).

Each visit is a row, each topic a column. The factors say which topics belong to the same visits; a new
visitor's own row is solved from the topics they have asked about, so that nothing is kept of anybody but
which topics go together.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from agent.errors import AgentError
from knowledge.files import write_whole

FORMAT = 1
LEAST_VISITS = 50
"""Visits with two topics or more below which nothing is learnt: fewer tell chance, not habit."""
LEAST_PER_TOPIC = 2
"""Visits in which a topic must have been asked about."""
MOST_TOPICS = 20_000
MOST_ASKED = 400_000
"""Bounds of what is learnt from: a hundred thousand take about a second."""
FACTORS = 32
"""At most; of few topics the square root, for more would learn each visit by heart: of 48 topics of six
planted tastes, 7 factors found 99 % of what belongs together and 32 found 75 %."""
ITERATIONS = 15
ALPHA = 2.0
"""How much surer one is of what was asked than of what was not."""
REGULARIZATION = 0.15
"""For each topic of an average visit."""
FADES = 0.5
"""Share of the time span after which what was asked counts half."""
POPULAR_FADES = 0.25
"""The same for how often a topic is asked about."""
POPULAR = 0.1
"""Weight of that beside the factors' word."""
PAST = 0.98
"""Share of its weight that each topic of the visitor keeps with every further one."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """A visitor has asked about a topic."""

    visit: str
    topic: str
    at_s: float


@dataclass(frozen=True)
class Habits:
    """What goes with what; made once, never changed."""

    topics: tuple[str, ...] = ()
    """Empty: there was too little to learn from."""
    factors: Floats = field(default_factory=lambda: np.zeros((0, FACTORS), np.float32))
    """float32[n, f]"""
    popular: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """float32[n], 0..1: how often each is asked about."""
    visits: int = 0
    """That had two topics or more."""
    regularization: float = 1.0
    at_s: float = 0.0
    """When it was learnt, seconds since 1970."""
    why: str = ""
    """Why nothing was learnt, where nothing was."""

    def scores(self, asked: Sequence[str]) -> Floats:
        """Return how likely a visitor goes on to each topic, float32[n], about 0 to 1.

        Args:
            asked: topics, the latest last; those that are not known are passed over.
        """
        liked = self.popular * np.float32(POPULAR)
        known = [self._number[topic] for topic in asked if topic in self._number]
        if not known:
            return liked
        rows = self.factors[known].astype(np.float64)
        sure = ALPHA * PAST ** np.arange(len(known))[::-1]
        square = self._square + (rows.T * np.maximum(sure - 1.0, 0.0)) @ rows
        person = np.linalg.solve(square, rows.T @ sure)
        return self.factors @ person.astype(np.float32) + liked

    def likely(self, asked: Sequence[str], most: int) -> dict[str, float]:
        """Return the topics that a visitor most likely goes on to, with 0..1, without those asked about."""
        if not self.topics:
            return {}
        scores = self.scores(asked)
        done = set(asked)
        order = np.argsort(-scores, kind="stable")[: most + len(done)]
        found = [(self.topics[at], float(scores[at])) for at in order.tolist()]
        return {topic: min(max(score, 0.0), 1.0) for topic, score in found if topic not in done}

    def knows(self, topic: str) -> bool:
        """Tell whether anything was learnt of a topic."""
        return topic in self._number

    @cached_property
    def _number(self) -> dict[str, int]:
        return {topic: at for at, topic in enumerate(self.topics)}

    @cached_property
    def _square(self) -> npt.NDArray[np.float64]:
        rows = self.factors.astype(np.float64)
        return rows.T @ rows + self.regularization * np.eye(rows.shape[1])

    def save(self, file: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: the folder cannot be written.
        """
        arrays: dict[str, Any] = {
            "format": np.asarray(FORMAT),
            "topics": np.asarray("\0".join(self.topics).encode("utf-8", "replace")),
            "factors": self.factors,
            "popular": self.popular,
            "numbers": np.asarray([self.visits, self.regularization, self.at_s]),
            "why": np.asarray(self.why),
        }
        write_whole(file, lambda target: np.savez(target, allow_pickle=False, **arrays))

    @classmethod
    def load(cls, file: Path) -> Habits | None:
        """Read what `save` wrote; None where there is nothing, or nothing that can be read."""
        try:
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as found:
                if int(found["format"]) != FORMAT:
                    return None
                text = bytes(found["topics"].item()).decode()
                visits, regularization, at_s = (float(one) for one in found["numbers"])
                topics = tuple(text.split("\0")) if text else ()
                habits = cls(
                    topics,
                    found["factors"],
                    found["popular"],
                    int(visits),
                    regularization,
                    at_s,
                    str(found["why"].item()),
                )
        except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, BadZipFile):
            return None
        fits = habits.factors.ndim == 2 and len(habits.factors) == len(topics) == len(habits.popular)
        return habits if fits else None


def can_learn() -> bool:
    """Tell whether the library that factorises is installed."""
    return find_spec("implicit") is not None


def learn(asked: Iterable[Asked], *, least: int = LEAST_VISITS, now_s: float | None = None) -> Habits:
    """Learn habits; takes seconds of one core at most, and no other.

    Args:
        asked: what was asked about, in any order; of too much the latest counts.
        least: visits with two topics or more that are needed.
        now_s: seconds since 1970.

    Returns:
        Habits, which know no topics where there were too few visits.

    Raises:
        AgentError: the library `implicit` is not installed.
    """
    now_s = time.time() if now_s is None else now_s
    if not can_learn():
        raise AgentError("implicit is not installed; get it with: pip install 'visavis[recommend]'")
    latest = sorted({(one.visit, one.topic): one for one in asked}.values(), key=lambda one: -one.at_s)
    kept = _common(latest[:MOST_ASKED])
    visits = len({one.visit for one in kept})
    if visits < max(least, 2):
        return Habits(visits=visits, at_s=now_s, why=f"{visits} of the {least} visits that are needed")

    topics = sorted({one.topic for one in kept})
    row_of = {visit: at for at, visit in enumerate(sorted({one.visit for one in kept}))}
    column_of = {topic: at for at, topic in enumerate(topics)}
    rows = np.asarray([row_of[one.visit] for one in kept])
    columns = np.asarray([column_of[one.topic] for one in kept])
    at = np.asarray([one.at_s for one in kept], dtype=np.float64)
    age = (at.max() - at) / (float(at.max() - at.min()) or 1.0)
    regularization = REGULARIZATION * len(kept) / visits
    factors = _factors(rows, columns, 0.5 ** (age / FADES), (visits, len(topics)), regularization)
    often = np.log1p(np.bincount(columns, weights=0.5 ** (age / POPULAR_FADES), minlength=len(topics)))
    popular = (often / often.max()).astype(np.float32)
    return Habits(tuple(topics), factors, popular, visits, regularization, now_s)


def _common(asked: Sequence[Asked]) -> list[Asked]:
    """Leave out topics that hardly anybody asked about, and visits with one topic: they tell nothing."""
    often: dict[str, int] = {}
    for one in asked:
        often[one.topic] = often.get(one.topic, 0) + 1
    most = sorted(often, key=lambda topic: (-often[topic], topic))[:MOST_TOPICS]
    topics = {topic for topic in most if often[topic] >= LEAST_PER_TOPIC}
    known = [one for one in asked if one.topic in topics]
    length: dict[str, int] = {}
    for one in known:
        length[one.visit] = length.get(one.visit, 0) + 1
    return [one for one in known if length[one.visit] > 1]


def _factors(
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    weights: npt.NDArray[np.float64],
    shape: tuple[int, int],
    regularization: float,
) -> Floats:
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")  # it asks for the one thread that it gets here
        als, sparse = import_module("implicit.cpu.als"), import_module("scipy.sparse")
        matrix = sparse.csr_matrix((weights.astype(np.float32), (rows, columns)), shape=shape)
        model = als.AlternatingLeastSquares(
            factors=min(FACTORS, max(2, round(shape[1] ** 0.5))),
            regularization=regularization,
            alpha=ALPHA,
            iterations=ITERATIONS,
            num_threads=1,
            random_state=7,
        )
        model.fit(matrix, show_progress=False)
        return np.asarray(model.item_factors, dtype=np.float32)
