"""Questions that ask for the same, put together by the likeness of their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from knowledge.embedder import Vectors

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

ALIKE = {"en": 0.5, "zh": 0.4}
"""Mean cosine of two groups from which they are one, once what all questions share is taken away; Chinese
words are split in more ways, and seldom look as near. On BANKING77's test questions, a hard set (77 matters
of one bank card), two questions of one group then share their intent in two of three cases."""
FEW = 50
"""Texts of which so many tell half of what all share."""
HEADINGS = 2_000
"""Of the knowledge, whose mean stands for what all questions share."""
MOST = 3_000
"""Vectors that are compared with all others, 36 MB; the rest joins the groups of these."""


def alike(
    base: KnowledgeBase, texts: Sequence[str], weights: Sequence[int], language: str
) -> list[list[int]]:
    """Put questions that ask for the same together; see `group`.

    Args:
        base: the knowledge of the desk that was asked; its embedder says what is alike.
        texts: the questions, in one language.
        weights: how often each was asked.
        language: ISO 639-1.

    Raises:
        EmbedderError: the embedder does not answer.
    """
    vectors = base._embedder.embed(texts)
    known = base._load().vectors
    headings = known.read(np.flatnonzero(known.headings)[:HEADINGS])
    if headings.shape[1:] != vectors.shape[1:]:
        headings = vectors[:0]
    known_of = np.concatenate([headings, vectors])
    shared = known_of.sum(axis=0) / (len(known_of) + FEW)
    return group(_unit(vectors - shared), weights, ALIKE.get(language, ALIKE["en"]))


def group(vectors: Vectors, weights: Sequence[int], alike: float) -> list[list[int]]:
    """Put vectors that are alike together: average linkage.

    Args:
        vectors: float32[n, d], each of length 1, or 0 for what resembles nothing.
        weights: how often each was asked; the weightiest decide where there are very many.
        alike: mean cosine from which two groups belong together.

    Returns:
        Numbers of the vectors, every number once; the largest group first, and in each the one first that
        stands for the others best.
    """
    order = sorted(range(len(vectors)), key=lambda at: (-weights[at], at))
    first, rest = order[:MOST], order[MOST:]
    groups = [[first[at] for at in members] for members in _linked(vectors[first], alike)]
    if rest:
        means = _unit(np.stack([vectors[members].mean(axis=0) for members in groups]))
        known = len(groups)
        for number in rest:
            likeness = means @ vectors[number]
            best = int(likeness.argmax())
            if known and likeness[best] >= alike:
                groups[best].append(number)
            else:
                groups.append([number])
    groups = [_by_standing(members, vectors, weights) for members in groups]
    return sorted(groups, key=lambda members: (-sum(weights[at] for at in members), members[0]))


def _linked(vectors: Vectors, alike: float) -> list[list[int]]:
    """Merge the two nearest groups until none are near, along chains of nearest neighbours.

    With average linkage that finds the same groups as looking through all pairs each time (Murtagh 1983).
    """
    count = len(vectors)
    likeness: npt.NDArray[np.float32] = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    members: dict[int, list[int]] = {at: [at] for at in range(count)}
    done: list[list[int]] = []
    chain: list[int] = []
    while members:
        if not chain:
            chain.append(next(iter(members)))
        last = chain[-1]
        row = likeness[last]
        best = int(row.argmax())
        if len(chain) > 1 and row[chain[-2]] >= row[best]:
            best = chain[-2]
        if row[best] < alike:
            # Nothing is near enough now, and merging others brings nothing nearer than their parts were.
            done.append(members.pop(last))
            likeness[last, :] = likeness[:, last] = -np.inf
            chain.pop()
        elif len(chain) > 1 and best == chain[-2]:
            chain = chain[:-2]
            ours, theirs = len(members[best]), len(members[last])
            merged = (ours * likeness[best] + theirs * likeness[last]) / (ours + theirs)
            merged[best] = -np.inf
            likeness[best, :] = likeness[:, best] = merged
            likeness[last, :] = likeness[:, last] = -np.inf
            members[best] += members.pop(last)
        else:
            chain.append(best)
    return done


def _by_standing(members: list[int], vectors: Vectors, weights: Sequence[int]) -> list[int]:
    """Put what was asked most first; of what was asked equally often, what is nearest to the mean."""
    mean = vectors[members].mean(axis=0)
    near = {at: float(vectors[at] @ mean) for at in members}
    return sorted(members, key=lambda at: (-weights[at], -near[at], at))


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
