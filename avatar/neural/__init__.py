"""Lips drawn by a neural network over a rendered or photographed face; optional, the weights are the user's.

Any ONNX model of the Wav2Lip interface serves: see `avatar.neural.model`.
Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avatar.neural.face import Face
    from avatar.neural.lips import NeuralLips, quiet
    from avatar.neural.model import LipModel

# onnxruntime (since 1.29) reports what it does to its maker unless told not to, before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOME = {"Face": "face", "LipModel": "model", "NeuralLips": "lips", "quiet": "lips"}

__all__ = ["Face", "LipModel", "NeuralLips", "quiet"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"avatar.neural.{_HOME[name]}"), name)
    raise AttributeError(f"module 'avatar.neural' has no attribute {name!r}")
