"""A cross-encoder: a second model that reads question and passage together, for the first few passages."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.errors import EmbedderError

LONGEST = 256
"""Pieces of question and passage together; what follows is cut off the passage."""


class CrossEncoder:
    """A sequence classifier with one output, or two of which the second says "relevant", as ONNX.

    Args:
        folder: with `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`.

    Raises:
        EmbedderError: the folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        files = [folder / "model.onnx", folder / "onnx" / "model.onnx"]
        model = next((file for file in files if file.is_file()), None)
        if model is None or not (folder / "tokenizer.json").is_file():
            raise EmbedderError(
                f"{folder}: holds no model.onnx with a tokenizer.json; `visavis models list` names some"
            )
        self.name = f"cross-encoder:{folder.name}"
        self._lock = threading.Lock()
        try:
            import onnxruntime
            from tokenizers import Tokenizer

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(
                str(model), sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # onnxruntime and tokenizers raise errors of their own
            raise EmbedderError(f"{folder}: cannot be loaded ({error}); pull the model again") from error
        padding = _padding(folder, self._tokenizer)
        self._tokenizer.enable_truncation(LONGEST, strategy="only_second")
        self._tokenizer.enable_padding(pad_id=padding[0], pad_token=padding[1])
        self._inputs = {item.name for item in self._session.get_inputs()}

    def scores(self, question: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32[n], greater where a text answers the question better.

        Raises:
            EmbedderError: the model cannot read them.
        """
        if not texts:
            return np.zeros(0, dtype=np.float32)
        short = question[:1000]
        try:
            with self._lock:
                read = self._tokenizer.encode_batch([(short, text) for text in texts])
            given = {
                "input_ids": np.asarray([one.ids for one in read], dtype=np.int64),
                "attention_mask": np.asarray([one.attention_mask for one in read], dtype=np.int64),
                "token_type_ids": np.asarray([one.type_ids for one in read], dtype=np.int64),
            }
            found = self._session.run(None, {name: given[name] for name in given if name in self._inputs})[0]
            logits = np.asarray(found, dtype=np.float32).reshape(len(texts), -1)
        except Exception as error:  # onnxruntime and tokenizers raise errors of their own
            raise EmbedderError(
                f"{self.name} cannot read the passages ({error}); pull the model again"
            ) from error
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]


def _padding(folder: Path, tokenizer: Any) -> tuple[int, str]:
    """Return the padding piece's number and name."""
    try:
        token = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["pad_token"]
        token = token if isinstance(token, str) else token["content"]
    except (OSError, ValueError, KeyError, TypeError):
        token = "[PAD]" if tokenizer.token_to_id("[PAD]") is not None else "<pad>"
    return tokenizer.token_to_id(token) or 0, token
