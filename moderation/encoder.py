"""A small transformer that reads a sentence as a whole: two layers, whole-number weights, by ONNX Runtime.

It sees what a bag of n-grams does not: who does what to whom, what is denied, quoted or asked. How it was
made: `moderation/train_encoder.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.disguise import disguises
from moderation.mirrored import as_shown
from moderation.normalise import fold

LONGEST = 64
"""Word pieces read at once, with the marks at both ends."""
MOST_WINDOWS = 16
"""Of a long text; a window is what is read at once."""
STRIDE = 48
"""Word pieces from one window's start to the next."""
LATEST = 16
"""Texts whose scores are remembered: some for each conversation that a process holds."""
BATCH = 16
"""Windows read together: as large as pays off on one core."""
_HAN = re.compile(r"([\u3400-\u9fff])")


def prepared(text: str) -> str:
    """A text as the encoder reads it: folded, disguises undone, every Chinese character a word."""
    reading = fold(as_shown(text))
    for undone in disguises(reading):
        return _HAN.sub(r" \1 ", undone.text.strip())
    return _HAN.sub(r" \1 ", reading.text)


def open_pieces(file: Path) -> Any:
    """Read a vocabulary, one word piece a line, as a tokenizer.

    Raises:
        Exception: Whatever the library raises about a missing or broken file.
        ValueError: The file is cut off.
    """
    from tokenizers import BertWordPieceTokenizer

    text = file.read_text(encoding="utf-8")
    if not text.endswith("\n[END]\n"):
        raise ValueError("its last line is missing")
    return BertWordPieceTokenizer(str(file), lowercase=True, handle_chinese_chars=True)


class Encoder:
    """Scores sentences; safe to use from several threads."""

    def __init__(self, model: Path, pieces: Any) -> None:
        """Load the model.

        Args:
            model: ONNX: `pieces` int64[texts, length], 0 where nothing is → `logits` float32[texts, heads];
                the metadata's "heads" names them, with commas between.
            pieces: the word pieces that it was trained with (`open_pieces`).

        Raises:
            Exception: Whatever the library raises about a missing or broken file.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            model.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self.heads: tuple[str, ...] = tuple(
            self._session.get_modelmeta().custom_metadata_map["heads"].split(",")
        )
        self._pieces = pieces
        self._alone = lru_cache(LATEST)(lambda text: self._read([text]))

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What each head says of each text: float32[texts, heads]; the highest of a long text's windows.

        What is read alone is remembered for a moment: the guard and the feelings read the same words.
        """
        return self._alone(texts[0]).copy() if len(texts) == 1 else self._read(texts)

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        windows: list[list[int]] = []
        owners: list[int] = []
        for owner, encoded in enumerate(self._pieces.encode_batch([prepared(text) for text in texts])):
            for window in _windows(encoded.ids):
                windows.append(window)
                owners.append(owner)
        found = np.full((len(texts), len(self.heads)), -np.inf, np.float32)
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            longest = len(windows[chosen[-1]])
            pieces = np.zeros((len(chosen), longest), np.int64)
            for row, index in enumerate(chosen):
                pieces[row, : len(windows[index])] = windows[index]
            (logits,) = self._session.run(None, {"pieces": pieces})
            np.maximum.at(found, [owners[index] for index in chosen], logits)
        return found


def _windows(pieces: list[int]) -> list[list[int]]:
    """What is read at once, each with the first and last mark."""
    if len(pieces) <= LONGEST:
        return [pieces]
    first, inner, last = pieces[0], pieces[1:-1], pieces[-1]
    starts = range(0, max(1, len(inner) - (LONGEST - 2) + STRIDE), STRIDE)
    return [[first, *inner[start : start + LONGEST - 2], last] for start in starts][:MOST_WINDOWS]
