"""The default embedder: a table of word pieces that knows which English words mean alike.

A sentence's vector is the mean of its pieces' rows. The rows were fitted to a sentence transformer's
vectors (`knowledge.distil`), so that nothing but a look-up is left to do here. Chinese, which the table does
not know, is told by `HashedEmbedder`; one vector holds both.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder import DIMENSION, Embedder, HashedEmbedder, Vectors
from knowledge.words import language_of

TABLE = "english_table.npz"
TOKENIZER = "english_tokenizer.json"
TABLE_DIMENSION = 256
SHARE = 0.7
"""Of the likeness of two English texts that comes from the table; the rest is spelling and synonyms."""
MOST_LETTERS = 4000
"""Of a text: what follows changes the mean no more."""

_DATA = resources.files("knowledge") / "data"


class TableEmbedder:
    """Rows of a table for English beside hashed features for all languages."""

    dimension = TABLE_DIMENSION + DIMENSION

    def __init__(self, folder: Traversable = _DATA) -> None:
        """Name the folder of the table's two files; they are read at the first text."""
        self._folder = folder
        self.name = f"table-{_checksum(folder / TABLE):08x}+{HashedEmbedder.name}"
        self._hashed = HashedEmbedder()
        self._lock = threading.Lock()
        self._read: tuple[Any, npt.NDArray[np.int8], Vectors, Vectors] | None = None

    @property
    def present(self) -> bool:
        """Tell whether the table's files are there."""
        return all((self._folder / name).is_file() for name in (TABLE, TOKENIZER))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        vectors[:, TABLE_DIMENSION:] = self._hashed.embed(texts)
        english = [row for row, text in enumerate(texts) if language_of(text) == "en"]
        if english:
            meant = self._means([texts[row] for row in english])
            known = meant.any(axis=1)
            rows = np.asarray(english)[known]
            vectors[rows, TABLE_DIMENSION:] *= np.float32(np.sqrt(1.0 - SHARE))
            vectors[rows, :TABLE_DIMENSION] = meant[known] * np.float32(np.sqrt(SHARE))
            lengths = np.linalg.norm(vectors[rows], axis=1, keepdims=True)
            vectors[rows] /= np.where(lengths > 0, lengths, 1)
        return vectors

    def general(self, vector: Vectors) -> float | None:
        """Return the cosine of a text's vector and the nearest kind of general talk.

        Args:
            vector: float32[d], from `embed`.

        Returns:
            -1..1, or None where the table does not read the text.
        """
        meant = vector[:TABLE_DIMENSION]
        length = float(np.linalg.norm(meant))
        return float(np.einsum("kd,d->k", self._load()[3], meant).max()) / length if length else None

    def _means(self, texts: Sequence[str]) -> Vectors:
        tokenizer, table, scales, _ = self._load()
        means = np.zeros((len(texts), TABLE_DIMENSION), dtype=np.float32)
        # A lone surrogate is no text to the tokenizer.
        safe = [text[:MOST_LETTERS].encode(errors="ignore").decode() for text in texts]
        for row, encoding in enumerate(tokenizer.encode_batch(safe, add_special_tokens=False)):
            ids = encoding.ids
            if ids:
                total = scales[ids] @ table[ids].astype(np.float32)
                means[row] = total / (float(np.linalg.norm(total)) or 1.0)
        return means

    def _load(self) -> tuple[Any, npt.NDArray[np.int8], Vectors, Vectors]:
        with self._lock:
            if self._read is None:
                from tokenizers import Tokenizer

                tokenizer = Tokenizer.from_str((self._folder / TOKENIZER).read_text(encoding="utf-8"))
                tokenizer.no_padding()
                tokenizer.no_truncation()
                with (self._folder / TABLE).open("rb") as file, np.load(file, allow_pickle=False) as found:
                    general = found["general"].astype(np.float32)
                    general /= np.linalg.norm(general, axis=1, keepdims=True)
                    self._read = (tokenizer, found["rows"], found["scales"].astype(np.float32), general)
            return self._read


def _checksum(file: Traversable) -> int:
    """Return the checksum of a table's rows, as it stands in the file: other rows mean other vectors."""
    if not file.is_file():
        return 0
    with file.open("rb") as opened, zipfile.ZipFile(opened) as found:
        return found.getinfo("rows.npy").CRC


@lru_cache(maxsize=1)
def default_embedder() -> Embedder:
    """Return the best embedder that is there: the table's, or the hashed one where its files are missing.

    It is the same for all who ask, so that the table is held once.
    """
    table = TableEmbedder()
    return table if table.present else HashedEmbedder()
