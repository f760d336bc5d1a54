"""What a visitor feels, by their words: a classifier for English and Chinese that needs no network.

Its parts each give a logit for every feeling; the logits add up, with shares and offsets that were fitted on
texts kept aside. One part is linear in hashed words, pieces of words and cues of a lexicon, trained by
`agent.train_emotion` on written talk, spoken dialogues and what visitors of a desk say. The other is the
small transformer of `moderation`, which learnt feelings beside harm; without it the first judges alone.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.emotion_clauses import told_of
from agent.emotion_features import features_of
from agent.emotion_irony import disenchanted
from agent.emotion_outright import SURE, corrected
from agent.emotion_words import MOST_LETTERS, Said, said
from agent.errors import AgentError
from agent.sentence import Emotion
from moderation.feelings import FEELINGS

log = logging.getLogger("visavis.agent")

Logits = NDArray[np.float32]
"""float32[7], in the order of `FEELINGS`."""

WEIGHTS = Path(__file__).with_name("emotion.npz")
CALM = 0.1
"""Intensity of neutral words."""
FAINTEST, STRONGEST = 0.25, 0.85
"""Intensity of a feeling that is hardly sure, and of one that is; how it is said adds to it."""

TOLD = 0.5
"""Score from which a feeling told beside a question counts for more than how the question sounds."""

_CUES = {"anger": ("anger", "curse"), "joy": ("joy", "thanks"), "sadness": ("sadness", "loss")}
"""Feeling → the cues that show it, where they are not called like it."""
_TOLD = re.compile(r"[a-z\u3400-\u9fff!?\u2600-\u27bf\U0001f1e6-\U0001faff]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mix:
    """How parts are added up in one language."""

    share: float
    """Of the transformer's logits beside those of words; 0 without it."""
    offsets: Logits
    """Added to the sum, so that the highest is the likeliest label."""


class Words:
    """The linear part.

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
                self._mixes = {
                    (language, both): Mix(
                        float(stored[f"{language}_share"]) if both else 0.0,
                        stored[f"{language}_both" if both else language],
                    )
                    for language in ("en", "zh")
                    for both in (False, True)
                }
        except Exception as error:
            raise AgentError(
                f"the weights of the classifier of feelings, {path}, cannot be read ({error}): "
                "install the package again"
            ) from error

    def mix(self, read: Said, *, both: bool) -> Mix:
        """Return how a text's logits are added up, with the transformer or without."""
        return self._mixes["zh" if read.chinese else "en", both]

    def logits(self, read: Said) -> Logits:
        """Return a logit for each of `FEELINGS`."""
        found = features_of(read)
        buckets = np.fromiter(found.keys(), np.int32, len(found))
        values = np.fromiter(found.values(), np.float32, len(found))
        places = np.minimum(np.searchsorted(self._used, buckets), len(self._used) - 1)
        values *= self._used[places] == buckets  # the others weigh nothing
        total = (values @ self._rows[places].astype(np.float32)) * self._scale
        return np.asarray(total + self._bias, np.float32)


class Sentences:
    """The part that reads a sentence as a whole: the feelings that moderation's transformer learnt.

    Raises:
        Exception: its files are missing or damaged, or it learnt no feelings.
    """

    def __init__(self) -> None:
        from moderation.classifier import shared_classifier

        self._encoder = shared_classifier().encoder  # the guard's, where it has one: loaded once
        self._heads = [self._encoder.heads.index(label) for label in FEELINGS]

    def logits(self, texts: Sequence[str]) -> Logits:
        """Return float32[n, 7]."""
        return self._encoder.logits([text[:MOST_LETTERS] for text in texts])[:, self._heads]


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
        return Emotion("neutral", 0.0, {label: float(label == "neutral") for label in FEELINGS})
    read = said(text)
    scores = corrected(text, _scores(text, read))
    best = max(scores, key=scores.__getitem__)
    if (best in ("neutral", "surprise") or scores[best] < TOLD) and (told := told_of(text)):
        scores = _with_told(told, scores)
    scores = disenchanted(text, scores)
    label = max(FEELINGS, key=scores.__getitem__)
    return Emotion(label, _intensity(label, scores, read), scores)


def detect_emotions(texts: Sequence[str]) -> list[Emotion]:
    """Tell what is felt in each of several texts; see `detect_emotion`."""
    if isinstance(texts, str):
        raise TypeError("detect_emotions takes a list of texts; for one text call detect_emotion")
    return [detect_emotion(text) for text in texts]


def _scores(text: str, read: Said) -> dict[str, float]:
    words, sentences = _parts()
    mix = words.mix(read, both=sentences is not None)
    total = words.logits(read) + mix.offsets
    if sentences is not None and mix.share:
        total = total + mix.share * sentences.logits([text])[0]
    scores = 1.0 / (1.0 + np.exp(-np.clip(total, -20.0, 20.0)))
    return {name: round(float(score), 4) for name, score in zip(FEELINGS, scores, strict=True)}


def _with_told(told: str, scores: dict[str, float]) -> dict[str, float]:
    """Put what is told beside a question above the question itself, which sounds surprised or calm.

    Args:
        told: the clauses that ask nothing.
        scores: of the whole utterance.
    """
    read = said(told)
    alone = corrected(told, _scores(told, read))
    label = max(alone, key=alone.__getitem__)
    shown = any(cue.name in _CUES.get(label, (label,)) and not cue.denied for cue in read.cues)
    if label in ("neutral", "surprise") or alone[label] < (TOLD if shown else SURE):
        return scores
    lower = {each: min(scores[each], alone[label] - 0.01) for each in ("neutral", "surprise")}
    return {**scores, **lower, label: alone[label]}


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


def _parts() -> tuple[Words, Sentences | None]:
    with _LOCK:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> tuple[Words, Sentences | None]:
    words = Words()
    try:
        return words, Sentences()
    except Exception as error:  # the guard says what to do about it, and whether the desk may open
        log.warning("feelings are told from words alone, without the transformer: %s", type(error).__name__)
        return words, None
