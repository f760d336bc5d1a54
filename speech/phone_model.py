"""How likely each phone is at each moment of a sound: a small convolutional network, in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from speech.errors import EngineUnavailable
from speech.phones import PHONES, SHAPE_OF_PHONE, SHAPES
from speech.spectrum import log_mel, without_channel
from speech.timeline import Pcm

_WEIGHTS = Path(__file__).with_name("estimate.npz")

_BLOCK = 2000
"""Frames computed at a time: bounds the memory to a few MB whatever the sound's length."""

_EDGE = -8.0
"""What the network sees before and after the sound, ln power below the voice: silence."""


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """The network that `speech.train_estimate` writes."""

    weights: tuple[NDArray[np.float32], ...]
    """One float32[taps, inputs, outputs] a layer."""
    biases: tuple[NDArray[np.float32], ...]
    dilations: tuple[int, ...]
    log_prior: NDArray[np.float32]
    """ln of how often each phone occurs, float32[len(PHONES)]."""
    shape_bigrams: NDArray[np.float32]
    """ln P of the next shape given one, float32[len(SHAPES), len(SHAPES)]."""

    @property
    def reach(self) -> int:
        """Frames that it looks ahead and back."""
        return sum(
            dilation * (len(weight) // 2)
            for weight, dilation in zip(self.weights, self.dilations, strict=True)
        )

    def log_posteriors(self, sound: Pcm) -> NDArray[np.float32]:
        """Listen to a sound.

        Args:
            sound: float32[n] at 16 kHz, any length.

        Returns:
            float32[frames, len(PHONES)], ln P of each phone, 100 frames a second.
        """
        bands = without_channel(log_mel(sound))
        reach = self.reach
        padded = np.pad(bands, ((reach, reach), (0, 0)), constant_values=_EDGE)
        heard = np.empty((len(bands), len(PHONES)), np.float32)
        for first in range(0, len(bands), _BLOCK):
            last = min(first + _BLOCK, len(bands))
            heard[first:last] = self._forward(padded[first : last + 2 * reach])
        return heard

    def _forward(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        for index, (weight, bias, dilation) in enumerate(
            zip(self.weights, self.biases, self.dilations, strict=True)
        ):
            count = len(x) - dilation * (len(weight) - 1)
            y = np.tile(bias, (count, 1))
            for tap, matrix in enumerate(weight):
                y += x[tap * dilation : tap * dilation + count] @ matrix
            x = np.maximum(y, 0.0) if index + 1 < len(self.weights) else y
        x = x - x.max(axis=1, keepdims=True)
        return np.asarray(x - np.log(np.exp(x).sum(axis=1, keepdims=True)), np.float32)


def shape_posteriors(log_posteriors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add up the phones of each mouth shape: ln P, float32[frames, len(SHAPES)]."""
    members = np.zeros((len(PHONES), len(SHAPES)), np.float32)
    members[np.arange(len(PHONES)), SHAPE_OF_PHONE] = 1.0
    return np.asarray(np.log(np.exp(log_posteriors) @ members + 1e-9), np.float32)


@lru_cache(maxsize=1)
def load_phone_model(path: Path = _WEIGHTS) -> PhoneModel:
    """Read the weights; once a process.

    Raises:
        EngineUnavailable: they are missing or not of this version.
    """
    try:
        with np.load(path) as arrays:
            dilations = tuple(int(value) for value in arrays["dilations"])
            model = PhoneModel(
                tuple(arrays[f"weight{index}"].astype(np.float32) for index in range(len(dilations))),
                tuple(arrays[f"bias{index}"].astype(np.float32) for index in range(len(dilations))),
                dilations,
                arrays["log_prior"].astype(np.float32),
                arrays["shape_bigrams"].astype(np.float32),
            )
    except (OSError, KeyError, ValueError) as error:
        raise EngineUnavailable(
            f"the phone model {path.name} cannot be read ({error}): reinstall the package"
        ) from None
    if model.weights[-1].shape[2] != len(PHONES):
        raise EngineUnavailable(f"the phone model {path.name} is of another version: reinstall the package")
    return model
