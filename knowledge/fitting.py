"""The two models behind an answer's place and its likelihood, fitted to labelled questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Rows = tuple[FloatArray, FloatArray]
"""Signals, float64[n, s], and labels, float64[n]."""


def fit_order(questions: Sequence[tuple[Rows, float]], ridge: float = 0.002, rounds: int = 300) -> FloatArray:
    """Fit the order of passages: a conditional logit, by Adam.

    Args:
        questions: for each question the rows of its passages, at least one of them right, and its weight.
        ridge: strength of the pull of the weights to zero.
        rounds: gradient steps.

    Returns:
        Weights, in the order of `Evidence.places`.
    """
    most = max(len(labels) for (_, labels), _ in questions)
    inputs = np.zeros((len(questions), most, questions[0][0][0].shape[1]))
    right = np.zeros((len(questions), most))
    absent = np.full((len(questions), most), -1e9)
    for at, ((rows, labels), _) in enumerate(questions):
        inputs[at, : len(labels)], right[at, : len(labels)], absent[at, : len(labels)] = rows, labels, 0.0
    shares = np.array([weight for _, weight in questions])
    shares /= shares.sum()
    model, mean, square = (np.zeros(inputs.shape[2]) for _ in range(3))
    for step in range(1, rounds + 1):
        likely = inputs @ model + absent
        likely = np.exp(likely - likely.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        wanted = likely * right
        wanted /= wanted.sum(axis=1, keepdims=True) + 1e-12
        slope = ridge * model + np.einsum("q,qp,qps->s", shares, likely - wanted, inputs)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        rate = 0.4 if step < rounds * 2 // 3 else 0.08
        model -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return model


def fit(groups: Sequence[tuple[Rows, float]], ridge: float = 0.3, rounds: int = 50) -> FloatArray:
    """Fit a logistic model by Newton's method.

    Args:
        groups: rows of a set, with the weight that the whole set has.
        ridge: strength of the pull of the weights (not of the bias) to zero.
        rounds: Newton steps.

    Returns:
        Bias and weights, in the order of `Evidence.signals`.
    """
    signals = np.concatenate([rows for (rows, _), _ in groups])
    labels = np.concatenate([labels for (_, labels), _ in groups])
    shares = np.concatenate([np.full(len(labels), weight / len(labels)) for (_, labels), weight in groups])
    inputs = np.column_stack([np.ones(len(signals)), signals])
    pull = np.diag([0.0] + [ridge] * signals.shape[1])
    model = np.zeros(inputs.shape[1])
    for _ in range(rounds):
        likely = 1.0 / (1.0 + np.exp(-inputs @ model))
        slope = inputs.T @ (shares * (likely - labels)) + pull @ model
        curve = (inputs * (shares * likely * (1.0 - likely))[:, None]).T @ inputs + pull
        model -= np.linalg.solve(curve + 1e-9 * np.eye(len(model)), slope)
    return model
