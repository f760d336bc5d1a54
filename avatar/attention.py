"""Where the eyes look: at the visitor, aside while thinking, a moment away while planning a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from speech.timeline import Phoneme

Place = tuple[float, float]
"""Degrees to the face's left and up, from the visitor's eyes."""

SACCADE_S, SACCADE_S_PER_DEG = 0.022, 0.0022
"""An eye jumps in 22 ms and 2.2 ms a degree: the main sequence of saccades."""
TRIANGLE: tuple[tuple[float, Place], ...] = ((0.42, (0.9, 0.2)), (0.42, (-0.9, 0.2)), (0.16, (0.0, -1.5)))
"""Share and place of a listener's fixations: the visitor's two eyes and mouth."""
SPREAD_DEG = 0.35
"""How far a fixation lies from its place."""
REACT_S = (0.04, 0.22)
"""How soon the eyes take up a new manner."""

PLANNING, PLANNING_S, PLANNING_FROM_S = 0.5, (0.35, 0.85), 1.6
"""Chance of a look aside at the start of a sentence, its length, and from which length of sentence on."""
PAUSING, PAUSE_S = 0.3, 0.15
"""Chance of a look aside in a pause of at least this length."""
BACK_S = 0.7
"""At the end of a sentence the eyes are back on the visitor for this long: it hands over the turn."""
SORRY, SORRY_S = 0.85, (0.45, 0.8)
"""Chance and length of the lowered eyes at the start of an apology."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the eyes behave in one state."""

    stay_s: tuple[float, float]
    """Shortest and longest fixation on the visitor."""
    stray: float
    """Chance that a fixation is somewhere else."""
    away_s: tuple[float, float]
    """Shortest and longest fixation elsewhere."""
    places: tuple[Place, ...]


MANNERS: dict[str, Manner] = {
    "idle": Manner((0.6, 2.6), 0.10, (0.5, 1.4), ((9.0, -3.0), (-10.0, -2.0), (7.0, 3.0), (-6.0, -6.0))),
    "listening": Manner((0.7, 2.8), 0.03, (0.3, 0.7), ((5.0, -5.0), (-6.0, -4.0))),
    "thinking": Manner(
        (0.3, 0.7), 0.88, (0.5, 1.6), ((-15.0, 9.0), (-11.0, 11.0), (-16.0, 5.0), (13.0, 8.0))
    ),
    "speaking": Manner((0.6, 2.4), 0.02, (0.3, 0.6), ((6.0, -3.0), (-6.0, -3.0))),
}


@dataclass(frozen=True, slots=True)
class Glance:
    """A planned look away from the visitor."""

    start_s: float
    end_s: float
    place: Place


class Attention:
    """The eyes of one face over time; asked in the order of time.

    Args:
        seed: same seed, same looks.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng([seed, 7])
        self._manner = "idle"
        self._glance: Glance | None = None
        self._from: Place = (0.0, 0.0)
        self._to: Place = (0.0, 0.0)
        self._began_s = -1.0
        self._until_s = 0.0
        self._seen_s: float | None = None
        self.shift_deg = 0.0
        """Size of the shift that began with the last look, 0 when none did."""

    def look(self, time_s: float, manner: str = "idle", glance: Glance | None = None) -> Place:
        """Degrees from the visitor's eyes at which the face looks at a time.

        Args:
            time_s: not before the last call's.
            manner: a key of `MANNERS`; an unknown one is idle.
            glance: what is planned for just now, if anything.
        """
        manner = manner if manner in MANNERS else "idle"
        self.shift_deg = 0.0
        if manner != self._manner:
            self._manner = manner
            self._until_s = min(self._until_s, time_s + float(self._rng.uniform(*REACT_S)))
        if glance != self._glance:
            self._glance = glance
            self._until_s = time_s
        if time_s >= self._until_s:
            self._choose(time_s)
        self._seen_s = time_s
        return self._at(time_s)

    def _choose(self, time_s: float) -> None:
        # the jump began somewhere between the last look and this one, as with a camera's frames
        since = self._seen_s if self._seen_s is not None else time_s
        began = float(self._rng.uniform(max(since, self._until_s, time_s - 0.05), time_s))
        self._from = self._at(began)
        self._began_s = began
        manner = MANNERS[self._manner]
        if self._glance is not None:
            self._to, self._until_s = self._near(self._glance.place, 0.8), np.inf
        elif self._rng.random() < manner.stray:
            place = manner.places[int(self._rng.integers(len(manner.places)))]
            self._to, self._until_s = (
                self._near(place, 1.5),
                time_s + float(self._rng.uniform(*manner.away_s)),
            )
        else:
            pick = int(self._rng.choice(len(TRIANGLE), p=[share for share, _ in TRIANGLE]))
            self._to = self._near(TRIANGLE[pick][1], SPREAD_DEG)
            self._until_s = time_s + float(self._rng.uniform(*manner.stay_s))
        self.shift_deg = float(np.hypot(self._to[0] - self._from[0], self._to[1] - self._from[1]))

    def _near(self, place: Place, spread: float) -> Place:
        x, y = self._rng.normal(place, spread)
        return float(x), float(y)

    def _at(self, time_s: float) -> Place:
        way = float(np.hypot(self._to[0] - self._from[0], self._to[1] - self._from[1]))
        share = min(max((time_s - self._began_s) / (SACCADE_S + SACCADE_S_PER_DEG * way), 0.0), 1.0)
        share = share * share * (3.0 - 2.0 * share)
        (x0, y0), (x1, y1) = self._from, self._to
        return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def pauses(phonemes: Sequence[Phoneme]) -> list[Phoneme]:
    """The pauses within a speech, without the silence around it."""
    said = [i for i, phoneme in enumerate(phonemes) if phoneme.symbol]
    if not said:
        return []
    return [p for p in phonemes[said[0] : said[-1]] if not p.symbol and p.end_s - p.start_s >= PAUSE_S]


def glances(phonemes: Sequence[Phoneme], emotion: str, rng: np.random.Generator) -> list[Glance]:
    """Looks away that a speaker takes in one sentence: while planning its start, and in some pauses.

    Args:
        phonemes: the sentence's timeline.
        emotion: an apology lowers the eyes, thinking lifts them.
        rng: where the choices come from.
    """
    said = [phoneme for phoneme in phonemes if phoneme.symbol]
    if not said or said[-1].end_s - said[0].start_s < PLANNING_FROM_S:
        return []
    last_s = said[-1].end_s - BACK_S
    found: list[Glance] = []
    if emotion == "apologetic" and rng.random() < SORRY:
        start = said[0].start_s + float(rng.uniform(0.05, 0.3))
        found.append(Glance(start, start + float(rng.uniform(*SORRY_S)), (float(rng.normal(0, 2)), -9.0)))
    elif rng.random() < (0.9 if emotion == "thinking" else PLANNING):
        start = max(said[0].start_s - 0.1, 0.0)
        found.append(Glance(start, start + float(rng.uniform(*PLANNING_S)), _aside(emotion, rng)))
    for pause in pauses(phonemes):
        if rng.random() < PAUSING and (not found or pause.start_s > found[-1].end_s + 1.0):
            end = pause.end_s + float(rng.uniform(0.1, 0.4))
            found.append(Glance(pause.start_s, end, _aside(emotion, rng)))
    kept = (Glance(g.start_s, min(g.end_s, last_s), g.place) for g in found)
    return [glance for glance in kept if glance.end_s - glance.start_s >= 0.2]


def _aside(emotion: str, rng: np.random.Generator) -> Place:
    side = -1.0 if rng.random() < 0.6 else 1.0
    up = float(rng.uniform(4, 8)) if emotion == "thinking" else float(rng.uniform(-5, 3))
    return side * float(rng.uniform(7, 11)), up
