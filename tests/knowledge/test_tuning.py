from __future__ import annotations

import numpy as np
import pytest

from knowledge.tuning import _slope, tune


def test_sentences_of_one_intent_become_alike() -> None:
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(60, 16)).astype(np.float32)
    # An intent is a piece of its own among many that say nothing.
    sentences = [[intent, *chance.integers(10, 60, 5).tolist()] for intent in range(10) for _ in range(20)]
    intents = np.repeat(np.arange(10), 20)

    def nearest_right(table: np.ndarray) -> float:
        vectors = np.stack([table[ids].sum(axis=0) for ids in sentences])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        alike = vectors @ vectors.T
        np.fill_diagonal(alike, -1)
        return float((intents[alike.argmax(axis=1)] == intents).mean())

    tuned = tune(rows, [(sentences, intents)], epochs=40)
    assert nearest_right(tuned) > nearest_right(rows) + 0.2


def test_the_slope_is_that_of_the_loss() -> None:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(9, 5)).astype(np.float32)
    sentences = [chance.integers(0, 9, 4) for _ in range(8)]
    intents = np.asarray([0, 0, 1, 1, 2, 2, 3, 4])
    pieces, slope, _ = _slope(rows, sentences, intents)
    step = 1e-3
    for piece, column in ((0, 1), (3, 4)):
        losses = []
        for sign in (1, -1):
            moved = rows.astype(np.float64)
            moved[pieces[piece], column] += sign * step
            losses.append(_slope(moved, sentences, intents)[2])  # type: ignore[arg-type]
        # The slope is of the mean over all sentences, the loss that over those with a partner.
        measured = (losses[0] - losses[1]) / (2 * step) * 6 / 8
        assert slope[piece, column] == pytest.approx(measured, rel=0.05, abs=1e-3)
