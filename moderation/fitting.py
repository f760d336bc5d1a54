"""Fitting a `LinearModel` to examples; needs scikit-learn, which the product does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.errors import ModerationError
from moderation.features import hashes
from moderation.linear import LinearModel

SMALLEST = 0.02
"""Of a head's largest weight: smaller ones are dropped."""
NEEDS = "training needs scikit-learn: pip install scikit-learn"

Sparse = Any
"""scipy.sparse.csr_matrix float32[texts, features]"""


def matrix(
    texts: Sequence[str], names: NDArray[np.uint32] | None = None, seldom: int = 2
) -> tuple[Sparse, NDArray[np.uint32]]:
    """Texts as rows of features.

    Args:
        texts: what to read.
        names: the features to keep; None: those that `seldom` texts and more have.
        seldom: see `names`.
    """
    import scipy.sparse as sparse

    rows = [hashes(text) for text in texts]
    ids = np.concatenate([row[0] for row in rows])
    values = np.concatenate([row[1] for row in rows])
    ends = np.cumsum([0, *(len(row[0]) for row in rows)])
    if names is None:
        every, counts = np.unique(ids, return_counts=True)
        names = every[counts >= seldom]
    at = np.minimum(np.searchsorted(names, ids), len(names) - 1)
    kept = np.where(names[at] == ids, values, 0.0).astype(np.float32)
    found = sparse.csr_matrix((kept, at, ends), shape=(len(texts), len(names)))
    found.eliminate_zeros()
    return found, names


def fit(
    texts: Sequence[str],
    labels: Mapping[str, NDArray[np.float32]],
    weights: NDArray[np.float32],
    *,
    strength: float = 4.0,
    most: int = 160_000,
) -> LinearModel:
    """Fit one logistic regression a head.

    Args:
        texts: what is learned from.
        labels: head → float32[texts]: 1 yes, 0 no, NaN not known.
        weights: float32[texts]: how much each text counts.
        strength: inverse of the regularisation.
        most: features kept: those with the largest weights.

    Raises:
        ModerationError: scikit-learn is missing.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModerationError(NEEDS) from error

    rows, names = matrix(texts)
    found = np.zeros((len(names), len(labels)), np.float32)
    bias = np.zeros(len(labels), np.float32)
    for column, known in enumerate(labels.values()):
        use = ~np.isnan(known)
        yes = known[use] > 0.5
        balance = min(30.0, float(np.sqrt((~yes).sum() / max(yes.sum(), 1))))
        model = LogisticRegression(C=strength, solver="liblinear", tol=1e-3)
        model.fit(rows[use], yes, sample_weight=weights[use] * np.where(yes, balance, 1.0))
        found[:, column], bias[column] = model.coef_[0], model.intercept_[0]
    return _packed(tuple(labels), names, found, bias, most)


def _packed(
    heads: tuple[str, ...],
    names: NDArray[np.uint32],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    most: int,
) -> LinearModel:
    """Keep what counts, as whole numbers from -127 to 127."""
    top = np.abs(weights).max(axis=0)
    share = np.abs(weights) / np.maximum(top, 1e-9)
    best = share.max(axis=1)
    keep = np.sort(np.argsort(-best)[:most])
    keep = keep[best[keep] >= SMALLEST]
    scale = (top / 127).astype(np.float32)
    whole = np.round(weights[keep] / np.maximum(scale, 1e-9)).astype(np.int8)
    return LinearModel(heads, names[keep], whole, scale, bias)
