"""What a visitor feels, by their words: a classifier for English and Chinese that needs no network.

Its parts each give a logit for every feeling; the logits add up. The embedded part is linear in hashed words,
pieces of words and cues of a lexicon, trained by `agent.train_emotion` on written talk, spoken dialogues and
what visitors of a desk say.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.emotion_features import features_of
from agent.emotion_labels import LABELS
from agent.emotion_words import Said, said
from agent.errors import AgentError
from agent.sentence import Emotion

Logits = NDArray[np.float32]
"""float32[7], in the order of `LABELS`."""

WEIGHTS = Path(__file__).with_name("emotion.npz")
CALM = 0.1
"""Intensity of neutral words."""
FAINTEST, STRONGEST = 0.25, 0.85
"""Intensity of a feeling that is hardly sure, and of one that is; how it is said adds to it."""

_TOLD = re.compile(r"[a-z\u3400-\u9fff!?\u2600-\u27bf\U0001f1e6-\U0001faff]", re.IGNORECASE)


class Part(Protocol):
    """One opinion of what is felt."""

    def logits(self, read: Said, text: str) -> Logits:
        """Return a logit for each of `LABELS`; they add up over the parts."""


class Words:
    """The embedded part.

    Args:
        path: weights, as `agent.train_emotion` writes them.

    Raises:
        AgentError: the file is missing or damaged.
    """

    def __init__(self, path: Path = WEIGHTS) -> None:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                self._used, self._rows = stored["used"], stored["rows"]
                self._scale: Logits = stored["scale"]
                self._bias: Logits = stored["bias"]
                self._offsets: dict[str, Logits] = {"en": stored["en"], "zh": stored["zh"]}
        except Exception as error:
            raise AgentError(
                f"the weights of the classifier of feelings, {path}, cannot be read ({error}): "
                "install the package again"
            ) from error

    def logits(self, read: Said, text: str) -> Logits:
        """See `Part`."""
        found = features_of(read)
        buckets = np.fromiter(found.keys(), np.int32, len(found))
        values = np.fromiter(found.values(), np.float32, len(found))
        places = np.minimum(np.searchsorted(self._used, buckets), len(self._used) - 1)
        values *= self._used[places] == buckets  # the others weigh nothing
        total = (values @ self._rows[places].astype(np.float32)) * self._scale
        return np.asarray(total + self._bias + self._offsets["zh" if read.chinese else "en"], np.float32)


def detect_emotion(text: str) -> Emotion:
    """Tell what a visitor feels who says a text.

    Args:
        text: one utterance, English or Chinese; punctuation and case may be missing.

    Returns:
        The likeliest of neutral, joy, sadness, anger, fear, surprise and disgust; how strongly it is felt,
        0..1; and a score for each, 0..1, that says how likely it is felt: several may be.

    Raises:
        AgentError: the classifier's weights are missing or damaged.
    """
    if not isinstance(text, str):
        raise TypeError(f"detect_emotion takes a text, not {type(text).__name__}")
    if not _TOLD.search(text):
        return Emotion("neutral", 0.0, {label: float(label == "neutral") for label in LABELS})
    read = said(text)
    total = np.zeros(len(LABELS), np.float32)
    for part in _parts():
        total = total + part.logits(read, text)
    scores = 1.0 / (1.0 + np.exp(-np.clip(total, -20.0, 20.0)))
    label = LABELS[int(scores.argmax())]
    found = {name: round(float(score), 4) for name, score in zip(LABELS, scores, strict=True)}
    return Emotion(label, _intensity(label, found, read), found)


def detect_emotions(texts: Sequence[str]) -> list[Emotion]:
    """Tell what is felt in each of several texts; see `detect_emotion`."""
    if isinstance(texts, str):
        raise TypeError("detect_emotions takes a list of texts; for one text call detect_emotion")
    return [detect_emotion(text) for text in texts]


def _intensity(label: str, scores: dict[str, float], read: Said) -> float:
    if label == "neutral":
        return CALM
    strength = FAINTEST + (STRONGEST - FAINTEST) * scores[label]
    cues = [cue for cue in read.cues if not cue.denied]
    strength += 0.1 * any(cue.intensified for cue in cues) - 0.15 * any(cue.softened for cue in cues)
    strength += 0.1 * read.loud + 0.05 * read.stretched
    strength += 0.05 * any("!" in token for token in read.tokens)
    return round(min(max(strength, 0.1), 1.0), 3)


_LOCK = threading.Lock()


def _parts() -> tuple[Part, ...]:
    with _LOCK:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> tuple[Part, ...]:
    return (Words(),)
