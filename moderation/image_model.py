"""An image classifier of the desk's choice, as ONNX: what a picture shows that the desk does not want.

A folder with `model.onnx` and `labels.json`:

    {"labels": ["drawing", "neutral", "nude"],
     "categories": {"nude": {"category": "sexual", "threshold": 0.7}},
     "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

Everything is checked when it is loaded, by a run on a grey picture, so that a broken file is told at start.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from moderation.errors import ModerationError
from moderation.verdict import Category

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Channels = tuple[float, float, float]

DEFAULT_SIDE_PX = 224
"""Side of the square that most image classifiers see, where the model leaves it open."""
MOST_LABELS_BYTES = 2_000_000
"""Of labels.json; ImageNet's thousand labels take 30 KB."""


class LabelRule(BaseModel):
    """Which of our categories a label of the model stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: Category
    threshold: Unit = 0.5


class LabelsFile(BaseModel):
    """What labels.json holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[str, ...] = Field(min_length=1)
    """The model's outputs, in order."""
    categories: dict[str, LabelRule]
    """Label → ours; the other labels are harmless."""
    side: int | None = Field(default=None, ge=8, le=2048)
    """Pixels of the square that the model sees; as the model says where left out."""
    mean: Channels = (0.0, 0.0, 0.0)
    std: Channels = (1.0, 1.0, 1.0)
    """Of each channel, when black is 0 and white is 1; (x - mean) / std is what the model sees."""
    colour: Literal["rgb", "bgr"] = "rgb"
    activation: Literal["softmax", "sigmoid", "none"] = "softmax"
    """Softmax where one label excludes the others; none where the model gives shares from 0 to 1 itself."""

    @model_validator(mode="after")
    def _fits(self) -> LabelsFile:
        for label in self.categories:
            if label not in self.labels:
                raise ValueError(f"categories.{label}: the model has no such label; labels lists them")
        if not self.categories:
            raise ValueError("categories is empty: name at least one label that is not wanted")
        if any(one <= 0 for one in self.std):
            raise ValueError("std must be greater than 0")
        return self


class OnnxImageClassifier:
    """An image classifier in a folder; may be used from several threads.

    Args:
        folder: with `model.onnx` and `labels.json`, see above.

    Raises:
        ModerationError: The folder lacks a file, or one is corrupt or does not fit; the message says which.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._labels = _labels(self.folder / "labels.json")
        self._lock = threading.Lock()
        model = self.folder / "model.onnx"
        if not model.is_file():
            raise ModerationError(f"{model}: is not there. Put an image classifier in ONNX format there.")
        # onnxruntime (since 1.29) reports what it does to its maker unless told not to, before it is imported
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no public base
            raise ModerationError(
                f"{model}: is no ONNX model that onnxruntime {onnxruntime.__version__} reads: it is corrupt, "
                "cut short, or of a newer format. Export or download it again."
            ) from error
        self._first, self._channels_first, self._side = self._input(model)
        self.scores(np.full((32, 32, 3), 128, np.uint8))

    def threshold(self, category: Category) -> float:
        """The score from which on a category counts: the least of its labels' thresholds."""
        return min(
            (rule.threshold for rule in self._labels.categories.values() if rule.category is category),
            default=1.0,
        )

    def scores(self, picture: U8) -> Mapping[Category, float]:
        """RGB uint8[H, W, 3] to category → 0..1, the greatest of its labels.

        Raises:
            ModerationError: The model fails on it, or its output does not fit labels.json.
        """
        import cv2

        side = (self._side, self._side)
        small = np.asarray(cv2.resize(picture, side, interpolation=cv2.INTER_AREA), np.float32) / 255
        seen = (small - np.array(self._labels.mean, np.float32)) / np.array(self._labels.std, np.float32)
        if self._labels.colour == "bgr":
            seen = seen[..., ::-1]
        given = np.ascontiguousarray(seen.transpose(2, 0, 1) if self._channels_first else seen)[None]
        try:
            with self._lock:
                out = np.asarray(self._session.run(None, {self._first: given})[0], np.float32).ravel()
        except Exception as error:  # as above
            raise ModerationError(
                f"{self.folder}: the model cannot judge a picture of {side[0]}×{side[1]} pixels. Set `side` "
                "in labels.json to what it was trained on, or export it again."
            ) from error
        labels = self._labels.labels
        if len(out) != len(labels):
            raise ModerationError(
                f"{self.folder}: the model has {len(out)} outputs, labels.json {len(labels)} labels. "
                "List one label for each output, in order."
            )
        shares = _activated(out, self._labels.activation)
        if not np.isfinite(shares).all():
            raise ModerationError(f"{self.folder}: the model gives no numbers. Export it again.")
        found: dict[Category, float] = {}
        for label, rule in self._labels.categories.items():
            share = float(shares[labels.index(label)].clip(0, 1))
            found[rule.category] = max(found.get(rule.category, 0.0), share)
        return found

    def _input(self, model: Path) -> tuple[str, bool, int]:
        """Name of the input, whether channels come first, and the side of its square."""
        inputs = self._session.get_inputs()
        shape: list[Any] = inputs[0].shape if [one.type for one in inputs] == ["tensor(float)"] else []
        channels_first = len(shape) == 4 and shape[1] == 3
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise ModerationError(
                f"{model}: takes {[(one.name, one.shape, one.type) for one in inputs]}, expected one input "
                "float32[n, 3, H, W] or float32[n, H, W, 3]. Export the classifier with such an input."
            )
        stated = shape[2]
        side = self._labels.side or (stated if isinstance(stated, int) else DEFAULT_SIDE_PX)
        return inputs[0].name, channels_first, side


def _activated(out: F32, activation: str) -> F32:
    if activation == "softmax":
        powers = np.exp(out - out.max())
        return np.asarray(powers / powers.sum(), np.float32)
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-out.clip(-60, 60))), np.float32)
    return out


def _labels(file: Path) -> LabelsFile:
    try:
        if file.stat().st_size > MOST_LABELS_BYTES:
            raise ModerationError(f"{file}: is larger than {MOST_LABELS_BYTES} bytes. Give only the labels.")
        return LabelsFile.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ModerationError(
            f"{file}: cannot be read ({error.strerror}). Put a labels.json beside the model: labels, and "
            "categories with label → category and threshold."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise ModerationError(f"{file}: {where + ': ' if where else ''}{told}. Correct it.") from error
