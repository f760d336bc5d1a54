"""A linear model over hashed n-grams: small, quick, and in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.features import hashes


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """One weight a feature and head."""

    heads: tuple[str, ...]
    names: NDArray[np.uint32]
    """uint32[features]: hashed n-grams, ascending."""
    weights: NDArray[np.int8]
    """int8[features, heads], times `scale`."""
    scale: NDArray[np.float32]
    """float32[heads]"""
    bias: NDArray[np.float32]
    """float32[heads]"""

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What each head says of each text: float32[texts, heads], above 0 for yes."""
        out = np.empty((len(texts), len(self.heads)), np.float32)
        last = len(self.names) - 1
        for row, text in enumerate(texts):
            names, values = hashes(text)
            at = np.minimum(np.searchsorted(self.names, names), last)
            known = self.names[at] == names
            out[row] = (values[known] @ self.weights[at[known]].astype(np.float32)) * self.scale + self.bias
        return out

    def save(self, file: Path) -> None:
        """Write it as one compressed file; names as differences, which are smaller."""
        np.savez_compressed(
            file,
            heads=np.array(self.heads),
            steps=np.diff(self.names, prepend=np.uint32(0)),
            weights=np.ascontiguousarray(self.weights.T),
            scale=self.scale,
            bias=self.bias,
        )

    @classmethod
    def load(cls, file: Path) -> LinearModel:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError, BadZipFile: The file is missing or broken.
        """
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as data:
            names = np.cumsum(data["steps"], dtype=np.uint32)
            model = cls(
                tuple(str(head) for head in data["heads"]),
                names,
                np.ascontiguousarray(data["weights"].T),
                data["scale"],
                data["bias"],
            )
        shape = (len(names), len(model.heads))
        if model.weights.shape != shape or model.bias.shape != shape[1:] or not len(names):
            raise ValueError(f"holds weights of the shape {model.weights.shape} for {shape}")
        return model
