"""The embedded classifier: a linear model and a small transformer, trained by `moderation/train.py`.

Their logits are added, head by head, with weights that were fitted on texts which neither had seen, so that a
score of 0.5 is where a category begins to count by default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.encoder import Encoder, open_pieces
from moderation.errors import ModerationError
from moderation.linear import LinearModel
from moderation.normalise import language_of
from moderation.verdict import Category, Direction

WEIGHTS = Path(__file__).with_name("weights")
LINEAR, ENCODER, PIECES, BLEND = "linear.npz", "encoder.onnx", "pieces.txt", "blend.json"
"""The files of `WEIGHTS`."""
LANGUAGES = ("en", "zh")
TOXIC = "toxic"
"""A head that says that something is wrong, not what; it lifts the likeliest of `TOXIC_MAY_BE`."""
TOXIC_MAY_BE = ("hate", "harassment", "sexual", "violence", "profanity")
FAINT = 0.02
"""Scores below are left out."""
MOST_CHARACTERS = 8000
"""Of a text that is read; the rules read the rest."""
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？\n]+|$)")
SHORT = 12
"""Characters of a sentence that says little by itself."""
LONG = 24
"""Words, or Chinese characters, of a stretch; the next begins at its middle."""
_PIECE = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
MARGIN, MARGIN_OF_ORDERS = 1.0, 3.0
"""Of a logit; a single sentence of a harmless long request often reads like an order ("injection")."""
MOST_PARTS = 16
"""Sentences of a text that are read by themselves; the panel cuts longer texts before."""
SUGGESTIVE = 0.3
"""Score of "sexual" below which an English sentence is not about abuse, however young its people: fares and
house rules for children. Of 101 sentences of abuse that were written for training none has less; of Chinese
ones most have, so there it does not count."""
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Blend:
    """How the two models' logits make one head's score, in one language."""

    linear: float
    encoder: float
    bias: float


class EmbeddedClassifier:
    """Scores texts by category; immutable, and safe to use from several threads."""

    name = "classifier"

    def __init__(
        self, linear: LinearModel, encoder: Encoder, blends: Mapping[str, Mapping[str, Blend]]
    ) -> None:
        """A classifier of loaded parts; `blends`: language → head → blend."""
        if linear.heads != encoder.heads[: len(linear.heads)]:
            raise ValueError(f"{linear.heads} and {encoder.heads} are not of one training")
        wanted = set(linear.heads)
        if missing := [language for language in LANGUAGES if not wanted <= set(blends.get(language, ()))]:
            raise ValueError(f"how the models are added is not told for {' and '.join(missing)}")
        self.heads = linear.heads
        self._margins = np.array(
            [MARGIN_OF_ORDERS if head == Category.INJECTION else MARGIN for head in self.heads], np.float32
        )
        self._linear, self.encoder = linear, encoder
        self._blends = {
            language: np.array(
                [[b.linear, b.encoder, b.bias] for b in (table[head] for head in self.heads)], np.float32
            ).T
            for language, table in blends.items()
        }
        self._sexual, self._minors = map(self.heads.index, (Category.SEXUAL, Category.SEXUAL_MINORS))
        self._remembered: Callable[[str], NDArray[np.float32]] | None = None

    def remember(self, texts: int) -> None:
        """Keep the scores of so many texts, for replays, in which the same sentences come again and again.

        Each is read alone from then on, so that its scores do not depend on what is asked with it.
        """
        self._remembered = lru_cache(texts)(lambda text: self._read([text])[0])

    def scores(self, texts: Sequence[str], direction: Direction) -> list[dict[str, float]]:
        """Category → 0..1 for each text; categories that are out of the question are left out.

        What is spoken is read as a whole, and sentence by sentence: friendly words around a threat do not
        hide it. Documents and results are read as a whole; a single sentence of them is often an order.
        """
        read = [(owner, part) for owner, text in enumerate(texts) for part in _parts(text, direction)]
        found = self.probabilities([part for _, part in read])
        out: list[dict[str, float]] = [{} for _ in texts]
        for (owner, part), row in zip(read, found, strict=True):
            sure = row if part is texts[owner] else self._doubted(row)
            for category, score in self._categories(sure).items():
                out[owner][category] = max(out[owner].get(category, 0.0), score)
        return out

    def sketch(self, texts: Sequence[str]) -> list[float]:
        """How bad each text may be, by the quicker of the two models: see `sweep`."""
        return [float(row.max()) for row in self._linear.logits(list(texts))]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Every head's score of each text, float32[texts, heads], 0..1; 0 for a text without a word."""
        if self._remembered is not None and texts:
            return np.stack([self._remembered(text) for text in texts])
        return self._read(texts)

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        read = [text[:MOST_CHARACTERS] for text in texts]
        kept = [index for index, text in enumerate(read) if _WORD.search(text)]
        out = np.zeros((len(read), len(self.heads)), np.float32)
        if not kept:
            return out
        chosen = [read[index] for index in kept]
        linear = self._linear.logits(chosen)
        encoder = self.encoder.logits(chosen)[:, : len(self.heads)]
        for row, index in enumerate(kept):
            by_linear, by_encoder, bias = self._blends[language_of(read[index])]
            logits = by_linear * linear[row] + by_encoder * encoder[row] + bias
            out[index] = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
        for index in kept:
            if language_of(read[index]) == "en" and out[index, self._sexual] < SUGGESTIVE:
                out[index, self._minors] = min(out[index, self._minors], out[index, self._sexual])
        return out

    def _doubted(self, row: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of a piece of a text: torn out of it, it must be clearer by the margins to count as much."""
        share = np.clip(row, 1e-6, 1 - 1e-6)
        return np.asarray(1.0 / (1.0 + np.exp(self._margins) * (1.0 - share) / share), np.float32)

    def _categories(self, row: NDArray[np.float32]) -> dict[str, float]:
        """The policy's categories: "toxic" is none, and lifts the likeliest that it may be."""
        scores = dict(zip(self.heads, map(float, row), strict=True))
        toxic = scores.pop(TOXIC)
        likeliest = max(TOXIC_MAY_BE, key=scores.__getitem__)
        scores[likeliest] = max(scores[likeliest], toxic)
        return {category: score for category, score in scores.items() if score >= FAINT}


def _parts(text: str, direction: Direction) -> list[str]:
    """The text, and what stands in it by itself: its sentences, and stretches of long ones."""
    if direction not in (Direction.INPUT, Direction.OUTPUT):
        return [text]
    parts: list[str] = []
    for sentence in _SENTENCE.findall(text[:MOST_CHARACTERS]):
        if parts and (len(parts[-1]) < SHORT or len(sentence) < SHORT):
            parts[-1] += sentence
        else:
            parts.append(sentence)
    parts = [stretch for part in parts for stretch in _stretches(part)][:MOST_PARTS]
    return [text, *parts] if len(parts) > 1 else [text]


def _stretches(sentence: str) -> list[str]:
    """A sentence, and pieces of it where it is long: what is heard has no full stops."""
    words = list(_PIECE.finditer(sentence))
    if len(words) <= LONG:
        return [sentence]
    starts = range(0, len(words) - LONG // 2, LONG // 2)
    ends = [words[min(start + LONG, len(words)) - 1].end() for start in starts]
    return [sentence[words[start].start() : end] for start, end in zip(starts, ends, strict=True)]


@lru_cache(maxsize=1)
def shared_classifier() -> EmbeddedClassifier:
    """The classifier that ships, loaded once in a process.

    Raises:
        ModerationError: See `load_classifier`.
    """
    return load_classifier()


def load_classifier(folder: Path | None = None) -> EmbeddedClassifier:
    """Load the embedded classifier.

    Args:
        folder: with the four files; None: those that ship.

    Raises:
        ModerationError: One is missing or broken.
    """
    folder = folder or WEIGHTS
    with _reading(folder / LINEAR) as file:
        linear = LinearModel.load(file)
    with _reading(folder / PIECES) as file:
        pieces = open_pieces(file)
    with _reading(folder / ENCODER) as file:
        encoder = Encoder(file, pieces)
    with _reading(folder / BLEND) as file:
        blends = {
            language: {head: Blend(**blend) for head, blend in table.items()}
            for language, table in json.loads(file.read_text(encoding="utf-8")).items()
        }
        return EmbeddedClassifier(linear, encoder, blends)


@contextmanager
def _reading(file: Path) -> Iterator[Path]:
    """Whatever goes wrong with a file of weights is told by its name."""
    try:
        yield file
    except Exception as error:  # numpy, json, ONNX Runtime and tokenizers raise classes of their own
        raise ModerationError(
            f"moderation/{file.parent.name}/{file.name}: the embedded classifier cannot be read "
            f"({str(error)[:200]}). Install Visavis again, or set `embedded = false` under [engines] in "
            "policy.toml to go on with the rules alone."
        ) from error
