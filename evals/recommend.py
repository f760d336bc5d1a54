"""How well what is recommended foretells what people go on to: against simply what is popular.

The time at which four fifths of all ratings were given parts the past from the future. All is learnt from the
past. Everybody who rates on after it is a visitor: what they rated before and the first half of what they
rate after it is known, and what they like in the second half is to be foretold. Nothing of the future is ever
learnt from.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.recommend_history import Asked, Habits, can_learn, learn
from evals.figure import Figure, NotHere
from server.boundary import UsageError

RECOMMEND = "recommend"
"""Names all these figures at once; they need a folder, so that no name leaves them out."""
RECOMMEND_FIGURES = (
    "recommend_recall_at_10",
    "popularity_recall_at_10",
    "recommend_ndcg_at_10",
    "popularity_ndcg_at_10",
)
FILE = "ratings.csv"
COLUMNS = ("userId", "movieId", "rating", "timestamp")
AT = 10
"""Places of the list that are looked at."""
PAST = 0.8
"""Share of the ratings that is learnt from."""
KNOWN = 0.5
"""Share of what a visitor rates after that which is known."""
LIKED = 0.8
"""Share of the best rating from which on somebody likes something: four of five stars."""

Order = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rating:
    """Somebody rated something."""

    user: str
    item: str
    value: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose next likes are to be foretold."""

    known: tuple[Rating, ...]
    """Oldest first."""
    wanted: frozenset[str]
    """What they liked afterwards, without anything that they knew."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over visitors, 0..1."""

    recall: float
    """Share of what is wanted that is among the first `AT`."""
    ndcg: float
    """The same, where the upper places count more; 1: the wanted come first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ours against what is popular, for the same visitors."""

    ours: Scores
    popularity: Scores
    visitors: int
    ratings: int
    where: str


def read_ratings(folder: Path) -> list[Rating]:
    """Read `ratings.csv` of a folder; further columns are passed over.

    Raises:
        UsageError: it is not there, or a line is no rating.
    """
    file = folder / FILE if folder.is_dir() else folder
    if not file.is_file():
        raise UsageError(f"{folder}: no {FILE} is there; it has the columns {','.join(COLUMNS)}")
    ratings = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            names = {(name or "").strip(): name for name in table.fieldnames or ()}
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                raise UsageError(
                    f"{file}: the column {missing[0]!r} is missing; the first line names {','.join(COLUMNS)}"
                )
            user, item, value, at = (names[name] for name in COLUMNS)
            for line in table:
                rating = Rating(line[user], line[item], float(line[value]), float(line[at]))
                if not (rating.user and rating.item and math.isfinite(rating.value + rating.at_s)):
                    raise ValueError
                ratings.append(rating)
    except (ValueError, TypeError, csv.Error) as error:
        place = f"line {len(ratings) + 2}"
        raise UsageError(f"{file}: {place} is no rating; write {','.join(COLUMNS)} as numbers") from error
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    return sorted(ratings, key=lambda one: (one.at_s, one.user, one.item))


def part(ratings: Sequence[Rating]) -> tuple[list[Rating], list[Visitor]]:
    """Part ratings, oldest first, into the past and the visitors of the future."""
    if not ratings:
        return [], []
    now_s = ratings[min(int(len(ratings) * PAST), len(ratings) - 1)].at_s
    past = [one for one in ratings if one.at_s < now_s]
    least = LIKED * max(one.value for one in ratings)
    by_user: dict[str, tuple[list[Rating], list[Rating]]] = {}
    for one in ratings:
        by_user.setdefault(one.user, ([], []))[one.at_s >= now_s].append(one)
    visitors = []
    for before, after in by_user.values():
        half = int(len(after) * KNOWN)
        known = (*before, *after[:half])
        seen = {one.item for one in known}
        wanted = frozenset(one.item for one in after[half:] if one.value >= least and one.item not in seen)
        if wanted and any(one.value >= least for one in known):
            visitors.append(Visitor(known, wanted))
    return past, visitors


def evaluate(ratings: Sequence[Rating], where: str) -> Outcome:
    """Foretell, with what similar people liked and with what most people liked.

    Raises:
        NotHere: there is too little, or the extra is not installed.
    """
    if not can_learn():
        raise NotHere("implicit is not installed: pip install 'visavis[recommend]'")
    past, visitors = part(ratings)
    least = LIKED * max((one.value for one in ratings), default=0.0)
    liked = [one for one in past if one.value >= least]
    habits = learn([Asked(one.user, one.item, one.at_s) for one in liked], least=2)
    if not visitors or not habits.topics:
        raise NotHere(f"{where} holds too little: nobody is there both before and after the parting")
    often: dict[str, int] = {}
    for one in liked:
        often[one.item] = often.get(one.item, 0) + 1
    popular = sorted(often, key=lambda item: (-often[item], item))
    ours, theirs = [], []
    for visitor in visitors:
        ours.append(_score(_ours(habits, visitor, least), visitor.wanted))
        seen = {one.item for one in visitor.known}
        theirs.append(_score([item for item in popular if item not in seen][:AT], visitor.wanted))
    return Outcome(_mean(ours), _mean(theirs), len(visitors), len(ratings), where)


class RatingsRuns:
    """The folder that `visavis bench recommend FOLDER` names, evaluated once for all its figures."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Return all figures.

        Raises:
            NotHere: no folder was named, or it holds too little.
            UsageError: it holds no ratings.
        """
        if not self._folder:
            raise NotHere(f"name a folder with {FILE}, such as MovieLens': visavis bench {RECOMMEND} FOLDER")
        return figures(evaluate(read_ratings(Path(self._folder)), Path(self._folder).resolve().name))


def take_folder(names: Sequence[str], known: Collection[str]) -> tuple[list[str], str]:
    """Part names of figures from the folder that stands after one of these; "" where none does."""
    ours = {RECOMMEND, *RECOMMEND_FIGURES}
    for at in range(1, len(names)):
        if names[at - 1] in ours and names[at] not in known:
            return [*names[:at], *names[at + 1 :]], names[at]
    return list(names), ""


def figures(outcome: Outcome) -> dict[str, Figure]:
    """Return the figures of `visavis bench recommend`."""
    note = (
        f"{outcome.where}, {outcome.ratings} ratings: learnt from the first {PAST:.0%} by time, "
        f"what {outcome.visitors} people liked afterwards foretold"
    )
    ours, theirs = outcome.ours, outcome.popularity
    values = (ours.recall, theirs.recall, ours.ndcg, theirs.ndcg)
    return {
        name: Figure(round(value, 4), "share", outcome.visitors, note)
        for name, value in zip(RECOMMEND_FIGURES, values, strict=True)
    }


def _ours(habits: Habits, visitor: Visitor, least: float) -> list[str]:
    liked = [one.item for one in visitor.known if one.value >= least]
    scores = habits.scores(liked)
    seen = {one.item for one in visitor.known}
    order = np.argsort(-scores, kind="stable")[: AT + len(seen)].tolist()
    return [topic for at in order if (topic := habits.topics[at]) not in seen][:AT]


def _score(listed: Sequence[str], wanted: frozenset[str]) -> Scores:
    hits = [item in wanted for item in listed]
    gained = sum(hit / math.log2(at + 2) for at, hit in enumerate(hits))
    best = sum(1 / math.log2(at + 2) for at in range(min(AT, len(wanted))))
    return Scores(sum(hits) / len(wanted), gained / best)


def _mean(scores: Sequence[Scores]) -> Scores:
    return Scores(
        float(np.mean([one.recall for one in scores])), float(np.mean([one.ndcg for one in scores]))
    )
