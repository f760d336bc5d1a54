"""Trains the model of `agent.endings`, and writes its weights.

A program for whoever changes the model; users do not need it:

    python -m agent.train_endings --english EN.txt --chinese ZH.txt --out agent/endings.npz

where the files hold one text a line, as people say or type it; sentences are told apart by punctuation. What
visitors of a shop say (`train_endings_shop.txt`) is added. The same texts and seed give the same weights.

Those in the package come from 27,100 English texts (questions to a bank, about hotels, a disease and an
encyclopedia, commands to a house) and 10,000 Chinese ones (dialogues).
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.endings import BUCKETS, LANGUAGES, buckets_of
from agent.heard_words import heard_words, is_chinese

CUTS = 2
"""Beginnings of each sentence; they weigh as much as the sentence together."""
EPOCHS = 8
RATE = 0.15
DECAY = 2e-6
"""Of the weights, a step: rare features stay small."""
SEED = 4

SHOP = Path(__file__).with_name("train_endings_shop.txt")
SHOP_TIMES = 3
"""Each is cut in other places; there are few of them."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*(?=\S)")

Example = tuple[list[int], float, float]
"""Buckets, 1.0 for a whole sentence, weight."""


def sentences(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the words of each sentence of two words or more."""
    for text in texts:
        for sentence in _SENTENCE.split(text):
            words = heard_words(sentence)
            if len(words) >= 2:
                yield words


def shop_texts(language: str) -> list[str]:
    """What visitors of a shop say in a language."""
    things: list[str] = []
    texts: list[str] = []
    for line in SHOP.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"# things {language}: "):
            things = line.partition(": ")[2].split("|")
        elif not line.startswith("#") and is_chinese(line) == (language == "zh"):
            texts += [line.replace("{}", thing) for thing in things] if "{}" in line else [line]
    return texts


def examples(texts: Iterable[str], rnd: random.Random) -> Iterator[Example]:
    """Yield whole sentences and beginnings of them."""
    for words in sentences(texts):
        yield buckets_of(words), 1.0, 1.0
        for _ in range(CUTS):
            yield buckets_of(words[: rnd.randint(1, len(words) - 1)]), 0.0, 1.0 / CUTS


def train(data: Sequence[Example], rnd: random.Random) -> tuple[NDArray[np.float32], float]:
    """Fit the weights by stochastic descent with a rate for each (AdaGrad); returns them and the bias."""
    weights = np.zeros(BUCKETS, np.float64)
    seen = np.full(BUCKETS, 1e-2)
    bias = 0.0
    order = list(range(len(data)))
    for _ in range(EPOCHS):
        rnd.shuffle(order)
        for index in order:
            buckets, target, weight = data[index]
            total = bias + weights[buckets].sum()
            error = weight * (1.0 / (1.0 + np.exp(-np.clip(total, -30, 30))) - target)
            seen[buckets] += error * error
            weights[buckets] -= RATE * error / np.sqrt(seen[buckets])
            bias -= 0.002 * error
        weights *= 1.0 - DECAY * len(data)
    return weights.astype(np.float32), float(bias)


def main() -> None:
    """Read texts, train, write the weights."""
    parser = argparse.ArgumentParser(description="train the model of ends")
    parser.add_argument("--english", type=Path, required=True, help="one text a line")
    parser.add_argument("--chinese", type=Path, required=True, help="one text a line")
    parser.add_argument("--out", type=Path, required=True, help="endings.npz")
    given = parser.parse_args()
    stored: dict[str, NDArray[np.generic]] = {}
    for language, path in zip(LANGUAGES, (given.english, given.chinese), strict=True):
        rnd = random.Random(SEED)
        texts = path.read_text(encoding="utf-8").splitlines() + SHOP_TIMES * shop_texts(language)
        weights, bias = train(list(examples(texts, rnd)), rnd)
        stored[language] = weights.astype(np.float16)
        stored[f"{language}_bias"] = np.array(bias, np.float32)
    np.savez_compressed(given.out, **stored)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
