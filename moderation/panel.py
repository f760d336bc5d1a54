"""The panel: every engine over the same texts at once, each within its time, and what if one fails."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from moderation.errors import EngineError, EngineTimeout
from moderation.screener import Classifier
from moderation.sweep import BEGINNING, WORST_WINDOWS, Sketch, worst_of
from moderation.verdict import Category, Direction

log = logging.getLogger(__name__)

CALLS = 4
"""Calls that one engine may have under way; more fail at once, so that one that hangs holds few threads."""
FAILURES = 3
"""So many failed calls in a row, and an engine is left alone for a while: nobody waits for it meanwhile."""
REST_S = 10.0
"""How long it is left alone."""
BUDGET_S = 1.0
"""Time of an engine that names none."""
WINDOW = 1000
"""Characters that an engine reads at once: models dilute, or cut off, what stands in a long text."""
WINDOW_OVERLAP = 100
WINDOWS = 8
"""A text of up to 7,300 characters is judged whole. Of a longer one the beginning is judged, and what looks
worst of its first 200,000 characters, see `sweep`; rules read these whole. Passages are shorter."""
_NAMES = frozenset(Category)


@dataclass(frozen=True, slots=True)
class Failure:
    """An engine that did not judge a text."""

    engine: str
    kind: str
    """"timeout" or "error"."""
    categories: frozenset[str]
    """What it would have judged."""


@dataclass(slots=True)
class Judgement:
    """What the engines say of one text."""

    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """engine → category → 0..1, of those that judged."""
    failures: tuple[Failure, ...] = ()
    judged: set[str] = field(default_factory=set)
    """Categories that at least one engine judged."""


class Engine:
    """One classifier with its time, and what it is asked.

    Args:
        classifier: scores texts; may raise, and may hang.
        budget_s: after so many seconds it counts as failed.
        directions: of the texts that it is asked about.
        inline: it runs where it is called, for it neither waits nor hangs.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        budget_s: float = BUDGET_S,
        directions: Iterable[Direction] = tuple(Direction),
        inline: bool = False,
    ) -> None:
        self.name = classifier.name
        self.budget_s = budget_s
        self.directions = frozenset(directions)
        self.categories: frozenset[str] = frozenset(getattr(classifier, "categories", _NAMES))
        self.inline = inline
        self.sketch: Sketch | None = getattr(classifier, "sketch", None)
        """What sweeps long texts for all engines, where the classifier can."""
        self._classifier = classifier
        self._places = threading.Semaphore(CALLS)
        self._failed = 0
        self._rests_until = 0.0
        self._kind = "error"

    def begin(self, texts: Sequence[str], direction: Direction) -> Call:
        """Ask about texts; never raises, never waits unless the engine is inline."""
        call = Call(self, texts, direction)
        if self.inline:
            call.run()
        elif time.monotonic() < self._rests_until:
            call.fail(EngineTimeout("it rests") if self._kind == "timeout" else EngineError("it rests"))
        elif not self._places.acquire(blocking=False):
            call.fail(EngineTimeout(f"{CALLS} calls have not come to their end"))
        else:
            # A daemon, for a pool's thread that hangs would keep the whole process from ending.
            threading.Thread(target=self._run, args=(call,), name=f"judge {self.name}", daemon=True).start()
        return call

    def ask(self, texts: Sequence[str], direction: Direction) -> list[dict[str, float]]:
        """Return category → 0..1 for each text.

        Raises:
            EngineError: what came back is no answer.
            whatever the classifier raises.
        """
        rows = self._classifier.scores(texts, direction)
        if len(rows) != len(texts):
            raise EngineError(f"it judged {len(rows)} of {len(texts)} texts")
        return [_checked(row) for row in rows]

    def told(self, error: Exception | None) -> None:
        """Count how a call ended, and tell of the first failure and of the end of failing."""
        if error is None:
            if self._failed:
                log.info("the engine %s judges again", self.name)
            self._failed = 0
            return
        if not self._failed:
            log.warning("the engine %s does not judge: %s", self.name, error)
        self._failed += 1
        self._kind = getattr(error, "kind", "error")
        if self._failed >= FAILURES:
            self._rests_until = time.monotonic() + REST_S

    def _run(self, call: Call) -> None:
        try:
            call.run()
        finally:
            self._places.release()


class Call:
    """One question to an engine."""

    def __init__(self, engine: Engine, texts: Sequence[str], direction: Direction) -> None:
        self._engine, self._texts, self._direction = engine, texts, direction
        self._until_s = time.monotonic() + engine.budget_s
        self._over = threading.Event()
        self._rows: list[dict[str, float]] = []
        self._error: Exception | None = None
        self._rested = False

    def run(self) -> None:
        """Ask, and keep the answer."""
        try:
            self._rows = self._engine.ask(self._texts, self._direction)
        except Exception as error:  # whatever an engine does, the text gets a verdict
            self._error = error
        self._over.set()

    def fail(self, error: EngineError) -> None:
        """End the call before it began."""
        self._error, self._rested = error, True
        self._over.set()

    def result(self) -> list[dict[str, float]] | Failure:
        """Wait for the answer, at most until the engine's time is over."""
        engine = self._engine
        in_time = self._over.wait(max(0.0, self._until_s - time.monotonic()))
        error = self._error if in_time else EngineTimeout(f"no answer within {engine.budget_s * 1e3:.0f} ms")
        if not self._rested:
            engine.told(error)
        if error is None:
            return self._rows
        return Failure(engine.name, getattr(error, "kind", "error"), engine.categories)


class Panel:
    """Engines that judge together. Safe to use from several threads."""

    def __init__(self, engines: Iterable[Engine] = ()) -> None:
        self.engines = tuple(engines)

    def sits(self, direction: Direction) -> bool:
        """Tell whether any engine judges texts that come from there."""
        return any(direction in engine.directions for engine in self.engines)

    def budget_s(self, direction: Direction) -> float:
        """The longest that a judgement may take."""
        return max((one.budget_s for one in self.engines if direction in one.directions), default=0.0)

    def judge(
        self, texts: Sequence[str], direction: Direction, *, inline_only: bool = False
    ) -> list[Judgement]:
        """Judge texts, each for itself; every engine sees one batch.

        Args:
            texts: of any length.
            direction: where they come from.
            inline_only: ask only what runs right here.
        """
        judgements = [Judgement() for _ in texts]
        engines = [one for one in self.engines if direction in one.directions]
        engines = [one for one in engines if one.inline or not inline_only]
        if not engines or not texts:
            return judgements
        spoken = direction in (Direction.INPUT, Direction.OUTPUT)
        sketch = next((one.sketch for one in engines if one.sketch), None)
        pieces, owners = _pieces(texts, sketch, spoken=spoken)
        waiting = [engine for engine in engines if not engine.inline]
        calls = [(engine, engine.begin(pieces, direction)) for engine in waiting]
        calls += [(engine, engine.begin(pieces, direction)) for engine in engines if engine.inline]
        for engine, call in calls:
            result = call.result()
            if isinstance(result, Failure):
                for judgement in judgements:
                    judgement.failures += (result,)
                continue
            for owner, row in zip(owners, result, strict=True):
                scores = judgements[owner].scores.setdefault(engine.name, {})
                for category, score in row.items():
                    scores[category] = max(scores.get(category, 0.0), score)
            for judgement in judgements:
                judgement.judged |= engine.categories
        return judgements


def _pieces(texts: Sequence[str], sketch: Sketch | None, *, spoken: bool) -> tuple[list[str], list[int]]:
    """Cut long texts into windows; returns them, and of which text each is."""
    pieces: list[str] = []
    owners: list[int] = []
    for owner, text in enumerate(texts):
        starts = range(0, max(1, len(text) - WINDOW_OVERLAP), WINDOW - WINDOW_OVERLAP)
        long = len(starts) > WINDOWS and sketch is not None
        windows = [text[at : at + WINDOW] for at in starts[: BEGINNING if long else WINDOWS]]
        if sketch is not None and long:
            windows += worst_of(text, sketch) if spoken else worst_of(text, sketch, WINDOW, WORST_WINDOWS)
        pieces += windows
        owners += [owner] * len(windows)
    return pieces, owners


def _checked(row: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of the policy's categories.

    Raises:
        EngineError: one is no number.
    """
    scores = {str(category): float(score) for category, score in row.items() if category in _NAMES}
    if not all(map(math.isfinite, scores.values())):
        raise EngineError("a score is no number")
    return {category: min(max(score, 0.0), 1.0) for category, score in scores.items()}
