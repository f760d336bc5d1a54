"""The embedded classifier: a linear model and a small transformer, trained by `moderation/train.py`.

Their logits are added, head by head, with weights that were fitted on texts which neither had seen, so that a
score of 0.5 is where a category begins to count by default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.encoder import Encoder, open_pieces
from moderation.errors import ModerationError
from moderation.linear import LinearModel
from moderation.normalise import language_of
from moderation.verdict import Direction

WEIGHTS = Path(__file__).with_name("weights")
LINEAR, ENCODER, PIECES, BLEND = "linear.npz", "encoder.onnx", "pieces.txt", "blend.json"
"""The files of `WEIGHTS`."""
TOXIC = "toxic"
"""A head that says that something is wrong, not what; it lifts the likeliest of `TOXIC_MAY_BE`."""
TOXIC_MAY_BE = ("hate", "harassment", "sexual", "violence", "profanity")
FAINT = 0.02
"""Scores below are left out."""
MOST_CHARACTERS = 8000
"""Of a text that is read; the rules read the rest."""
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
        self.heads = linear.heads
        self._linear, self._encoder = linear, encoder
        self._blends = {
            language: np.array(
                [[b.linear, b.encoder, b.bias] for b in (heads[head] for head in self.heads)], np.float32
            ).T
            for language, heads in blends.items()
        }

    def scores(self, texts: Sequence[str], direction: Direction) -> list[dict[str, float]]:
        """Category → 0..1 for each text; categories that are out of the question are left out."""
        del direction  # what is said is judged alike whoever says it; the policy tells them apart
        return [self._categories(row) for row in self.probabilities(texts)]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Every head's score of each text, float32[texts, heads], 0..1; 0 for a text without a word."""
        read = [text[:MOST_CHARACTERS] for text in texts]
        kept = [index for index, text in enumerate(read) if _WORD.search(text)]
        out = np.zeros((len(read), len(self.heads)), np.float32)
        if not kept:
            return out
        chosen = [read[index] for index in kept]
        linear = self._linear.logits(chosen)
        encoder = self._encoder.logits(chosen)[:, : len(self.heads)]
        for row, index in enumerate(kept):
            by_linear, by_encoder, bias = self._blends[language_of(read[index])]
            logits = by_linear * linear[row] + by_encoder * encoder[row] + bias
            out[index] = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
        return out

    def _categories(self, row: NDArray[np.float32]) -> dict[str, float]:
        """The policy's categories: "toxic" is none, and lifts the likeliest that it may be."""
        scores = dict(zip(self.heads, map(float, row), strict=True))
        toxic = scores.pop(TOXIC)
        likeliest = max(TOXIC_MAY_BE, key=scores.__getitem__)
        scores[likeliest] = max(scores[likeliest], toxic)
        return {category: score for category, score in scores.items() if score >= FAINT}


def load_classifier(folder: Path | None = None) -> EmbeddedClassifier:
    """Load the embedded classifier.

    Args:
        folder: with the four files; None: those that ship.

    Raises:
        ModerationError: One is missing or broken.
    """
    folder = folder or WEIGHTS
    name = folder.name
    try:
        name = f"{folder.name}/{LINEAR}"
        linear = LinearModel.load(folder / LINEAR)
        name = f"{folder.name}/{BLEND}"
        table = json.loads((folder / BLEND).read_text(encoding="utf-8"))
        blends = {
            language: {head: Blend(**blend) for head, blend in heads.items()}
            for language, heads in table.items()
        }
        name = f"{folder.name}/{PIECES}"
        pieces = open_pieces(folder / PIECES)
        name = f"{folder.name}/{ENCODER}"
        encoder = Encoder(folder / ENCODER, pieces)
        return EmbeddedClassifier(linear, encoder, blends)
    except Exception as error:  # numpy, json, ONNX Runtime and tokenizers raise classes of their own
        raise ModerationError(_broken(name, error)) from error


def _broken(name: str, error: Exception) -> str:
    return (
        f"moderation/{name}: the embedded classifier cannot be read ({str(error)[:200]}). Install Visavis "
        "again, or set `embedded = false` under [engines] in policy.toml to go on with the rules alone."
    )
