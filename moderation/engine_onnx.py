"""Any text classifier in ONNX form, as an engine: a folder as Hugging Face's exporters write it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moderation.engine_settings import OnnxEngine
from moderation.errors import EngineError, ModerationError
from moderation.verdict import Direction

MODELS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
"""Where the model lies in its folder; the first that is there."""
BATCH = 16
"""Texts that are read together: more would only take more memory."""


class OnnxClassifier:
    """Scores texts by a sequence classifier on one core. Safe to use from several threads.

    Args:
        name: of the engine.
        settings: the policy's.
        folder: what a relative path is relative to.

    Raises:
        ModerationError: the folder holds no such model; the message names what is missing or wrong.
    """

    def __init__(self, name: str, settings: OnnxEngine, folder: Path) -> None:
        self.name, self._key = name, f"engines.onnx.{name}"
        where = folder / Path(settings.path).expanduser()
        model = next((where / one for one in MODELS if (where / one).is_file()), None)
        if model is None or not (where / "tokenizer.json").is_file():
            missing = "model.onnx" if model is None else "tokenizer.json"
            raise ModerationError(
                f"{self._key}.path: there is no {missing} in {where}; export the model again"
            )
        labels, several = self._described(where)
        unknown = sorted(settings.categories.keys() - set(labels))
        if unknown or not settings.categories:
            what = f".{unknown[0]}: the model has no such label" if unknown else ": is empty"
            raise ModerationError(f"{self._key}.categories{what}; it has {', '.join(labels)}")
        self._columns = [(labels.index(label), str(ours)) for label, ours in settings.categories.items()]
        self.categories = frozenset(ours for _, ours in self._columns)
        self._count = len(labels)
        self._sigmoid = several if settings.activation == "auto" else settings.activation == "sigmoid"
        self._reading = threading.Lock()
        try:
            import onnxruntime
            from tokenizers import Tokenizer

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 4
            self._session = onnxruntime.InferenceSession(
                str(model), sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Any = Tokenizer.from_file(str(where / "tokenizer.json"))
            self._tokenizer.enable_truncation(settings.max_tokens)
            padding = _padding(where, self._tokenizer)
            self._tokenizer.enable_padding(pad_id=padding[0], pad_token=padding[1])
            self._inputs = {one.name for one in self._session.get_inputs()}
            self.scores(["hello"], Direction.INPUT)
        except EngineError as error:
            raise ModerationError(f"{self._key}.path: {where}: {error}; export the model again") from error
        except Exception as error:  # onnxruntime and tokenizers raise errors of their own
            raise ModerationError(
                f"{self._key}.path: {where} cannot be loaded ({str(error)[:200]}); export the model again"
            ) from error

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        """Category → 0..1 for each text.

        Raises:
            EngineError: the model gives not one value a label.
        """
        del direction  # it knows none
        rows: list[Mapping[str, float]] = []
        for first in range(0, len(texts), BATCH):
            for row in self._probabilities(texts[first : first + BATCH]):
                found: dict[str, float] = {}
                for column, ours in self._columns:
                    found[ours] = max(found.get(ours, 0.0), float(row[column]))
                rows.append(found)
        return rows

    def _probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return float64[texts, labels]."""
        safe = [text.encode("utf-8", "replace").decode() for text in texts]
        with self._reading:
            read = self._tokenizer.encode_batch(safe)
        given = {
            "input_ids": [one.ids for one in read],
            "attention_mask": [one.attention_mask for one in read],
            "token_type_ids": [one.type_ids for one in read],
        }
        fed = {name: np.asarray(rows, np.int64) for name, rows in given.items() if name in self._inputs}
        logits = np.asarray(self._session.run(None, fed)[0], np.float64)
        if logits.shape != (len(texts), self._count):
            raise EngineError(
                f"it gives {logits.shape[1:]} values a text, and config.json {self._count} labels"
            )
        if self._sigmoid:
            return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -50.0, 50.0))))
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def _described(self, where: Path) -> tuple[list[str], bool]:
        """Return the model's labels in their order, and whether several may hold together."""
        file = where / "config.json"
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
            table = {int(number): str(label) for number, label in config["id2label"].items()}
            labels = [table[number] for number in range(len(table))]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModerationError(
                f"{self._key}.path: {file}: no id2label can be read from it ({type(error).__name__}); "
                'write {"id2label": {"0": "…", "1": "…"}}'
            ) from error
        if not labels:
            raise ModerationError(f"{self._key}.path: {file}: id2label is empty; name the model's labels")
        several = config.get("problem_type") == "multi_label_classification"
        return labels, several or len(labels) == 1


def _padding(folder: Path, tokenizer: Any) -> tuple[int, str]:
    """Return the padding piece's number and name."""
    try:
        token = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["pad_token"]
        token = token if isinstance(token, str) else token["content"]
    except (OSError, ValueError, KeyError, TypeError):
        token = "[PAD]" if tokenizer.token_to_id("[PAD]") is not None else "<pad>"
    return tokenizer.token_to_id(token) or 0, token
