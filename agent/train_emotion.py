"""Trains the classifier of `agent.emotion`, and writes its weights.

A program for whoever changes the classifier; users do not need it, nor scipy:

    python -m agent.train_emotion DATA_DIR --out agent/emotion.npz

where DATA_DIR holds `goemotions/train.tsv`, `dev.tsv` and `labels.txt`, `cped_zh/valid_split.csv`, and, as
examples of calm questions, `banking77/train.csv`, `hwu64/*.csv`; `agent/emotion_texts` is added. The same
texts give the same weights. Test parts are never read; of CPED and of the own texts a part is kept aside.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.emotion import Sentences
from agent.emotion_features import BUCKETS, features_of
from agent.emotion_sources import calm, own_texts
from agent.emotion_words import said
from moderation.feelings import FEELINGS, FeltText, cped, goemotions

STRENGTH = 1.0
"""Inverse of the regularisation."""
STEPS = 110
FEWEST = 2
"""Texts that have a feature, for it to count."""
SPOKEN = {
    "neutral": 0.4,
    "joy": 0.15,
    "anger": 0.13,
    "surprise": 0.11,
    "sadness": 0.1,
    "fear": 0.06,
    "disgust": 0.05,
}
"""Roughly how often each feeling is told in everyday talk: most of what is said is calm."""
SHARE = 0.35
"""Of the transformer beside words: it knows what is written, words know what is said at a desk."""
ROUNDS = 4
"""In which the offsets of the labels are fitted in turn."""

CALMER: dict[str, dict[str, float]] = {
    "en": {"neutral": 0.8, "anger": -0.4, "surprise": -0.4},
    "zh": {"neutral": 0.7},
}
"""Added to the offsets, by hand: customers who ask a plain question must hardly ever be taken for angry."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What is learnt: logits are `values @ rows[bucket] + bias`, and each language has offsets of its own."""

    rows: Scores
    """[BUCKETS, 7]"""
    bias: Scores
    mixes: dict[str, Scores]
    """As in the file: "en" and "zh" offsets without the transformer, "en_both" … with it, "en_share" …"""


def matrix(texts: list[str]) -> Any:
    """Return the features of texts as a sparse matrix [n, BUCKETS]."""
    from scipy import sparse

    starts, places, values = [0], list[int](), list[float]()
    for text in texts:
        features = features_of(said(text))
        places += features.keys()
        values += features.values()
        starts.append(len(places))
    data = np.array(values, np.float32)
    return sparse.csr_matrix((data, np.array(places), np.array(starts)), shape=(len(texts), BUCKETS))


def fit(examples: list[FeltText], features: Any = None) -> tuple[Scores, Scores]:
    """Fit a logistic regression for each label; returns weights [BUCKETS, 7] and biases [7].

    Args:
        examples: texts with labels and weights.
        features: their `matrix`; None: it is made.
    """
    from scipy.optimize import minimize

    features = matrix([one.text for one in examples]) if features is None else features
    weights = np.array([[one.weight] for one in examples], np.float32)
    told = np.array([[label in one.labels for label in FEELINGS] for one in examples], np.float32)
    seen = np.bincount(features.indices, minlength=BUCKETS)
    used = np.flatnonzero(seen >= FEWEST)
    columns = features[:, used].tocsr()
    rows = columns.T.tocsr()
    shape = (len(used) + 1, len(FEELINGS))

    def loss(flat: Scores) -> tuple[float, Scores]:
        found = flat.reshape(shape).astype(np.float32)
        z = columns @ found[:-1] + found[-1]
        off = weights * (1.0 / (1.0 + np.exp(-z)) - told)
        slope = np.empty(shape)
        slope[:-1] = rows @ off + found[:-1] / STRENGTH
        slope[-1] = off.sum(axis=0)
        worth = float((weights * (np.logaddexp(0, z) - told * z)).sum()) + 0.5 / STRENGTH * float(
            np.square(found[:-1]).sum()
        )
        return worth, slope.ravel()

    options = {"maxiter": STEPS, "maxcor": 8}
    best = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(
        shape
    )
    found = np.zeros((BUCKETS, len(FEELINGS)))
    found[used] = best[:-1]
    return found, best[-1]


def macro_f1(found: NDArray[np.intp], told: NDArray[np.intp], weights: Scores | None = None) -> float:
    """Return the mean F1 of the labels that occur.

    Args:
        found: labels [n].
        told: true labels [n].
        weights: how much each counts [n]; None: all the same.
    """
    weights = np.ones(len(told)) if weights is None else weights
    scores = []
    for label in np.unique(told):
        hits = weights[(found == label) & (told == label)].sum()
        scores.append(2 * hits / max(weights[found == label].sum() + weights[told == label].sum(), 1e-9))
    return float(np.mean(scores))


def as_spoken(told: NDArray[np.intp]) -> Scores:
    """Return a weight for each text, so that the labels are as frequent as in everyday talk."""
    counts = np.bincount(told, minlength=len(FEELINGS))
    return np.array([SPOKEN[FEELINGS[label]] / counts[label] for label in told])


Measured = tuple[Scores, NDArray[np.intp], Scores]
"""Logits [n, 7], labels [n] and weights [n] of a set."""


def fit_offsets(sets: list[Measured]) -> Scores:
    """Return what is added to each label's logit so that the highest is the best label on all sets.

    Args:
        sets: each counts the same.
    """

    def worth(offsets: Scores) -> float:
        return float(np.mean([macro_f1((z + offsets).argmax(1), told, w) for z, told, w in sets]))

    offsets = np.zeros(len(FEELINGS))
    best = worth(offsets)
    for spread in np.linspace(2.0, 0.3, ROUNDS):
        for column in range(len(FEELINGS)):
            start = offsets[column]
            for step in np.linspace(-spread, spread, 17):
                tried = offsets.copy()
                tried[column] = start + step
                if (found := worth(tried)) > best + 1e-4:
                    best, offsets = found, tried
    return offsets


def logits(texts: list[str], rows: Scores, bias: Scores) -> Scores:
    """Return the logits [n, 7] of texts."""
    return np.asarray(matrix(texts) @ rows + bias)


def train(folder: Path) -> Weights:
    """Read the sets, fit the weights, and shares and offsets on what was kept aside."""
    own, calmly = own_texts(), calm(folder)
    talk = list(cped(folder / "cped_zh" / "valid_split.csv"))
    reddit = goemotions(folder / "goemotions", "train")
    rows, bias = fit([one for one in [*reddit, *talk, *own, *calmly] if one.part == "train"])
    written = {"en": list(goemotions(folder / "goemotions", "dev")), "zh": talk}
    sentences, mixes = Sentences(), dict[str, Scores]()
    for language, one_set in written.items():
        spoken = [one for one in [*own, *calmly] if one.language == language]
        alone: list[Measured] = []
        read: list[Scores] = []
        for texts, as_in_talk in ((one_set, False), (spoken, True)):
            kept = [one for one in texts if one.part == "dev" and len(one.labels) == 1]
            told = np.array([FEELINGS.index(next(iter(one.labels))) for one in kept])
            counted = as_spoken(told) if as_in_talk else np.ones(len(told))
            said_there = [one.text for one in kept]
            alone.append((logits(said_there, rows, bias), told, counted))
            read.append(np.asarray(sentences.logits(said_there), np.float64))
        both = [(z + SHARE * more, told, w) for (z, told, w), more in zip(alone, read, strict=True)]
        mixes[f"{language}_share"] = np.array(SHARE)
        for name, sets in ((language, alone), (f"{language}_both", both)):
            mixes[name] = fit_offsets(sets) + [CALMER[language].get(label, 0.0) for label in FEELINGS]
            figures = [macro_f1((z + mixes[name]).argmax(1), told, w) for z, told, w in sets]
            sys.stderr.write(f"{name}: macro-F1 kept aside {np.round(figures, 3)}\n")
    return Weights(rows, bias, mixes)


def save(weights: Weights, path: Path) -> None:
    """Write weights as whole numbers of eight bits, and only the rows that are not zero."""
    scale = np.abs(weights.rows).max(axis=0) / 127
    whole = np.rint(weights.rows / scale).astype(np.int8)
    used = np.flatnonzero(whole.any(axis=1)).astype(np.int32)
    numbers = {name: value.astype(np.float32) for name, value in weights.mixes.items()}
    stored = {"used": used, "rows": whole[used], "scale": scale, "bias": weights.bias, **numbers}
    for name in ("scale", "bias"):
        stored[name] = stored[name].astype(np.float32)
    np.savez_compressed(path, **stored)


def main() -> None:
    """Read texts, train, write the weights."""
    parser = argparse.ArgumentParser(description="train the classifier of feelings")
    parser.add_argument("folder", type=Path, metavar="DATA_DIR", help="holds goemotions, cped_zh …")
    parser.add_argument("--out", type=Path, required=True, help="emotion.npz")
    given = parser.parse_args()
    save(train(given.folder), given.out)


if __name__ == "__main__":
    main()
