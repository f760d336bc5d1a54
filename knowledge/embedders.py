"""Other embedders than the one that ships: fastembed's ONNX models, and OpenAI-compatible endpoints."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedder import Embedder, Vectors
from knowledge.errors import EmbedderError
from knowledge.table import default_embedder

BATCH = 64
"""Texts in one request."""
TIMEOUT_S = 20.0
"""Of a request while learning; the client tries twice more."""
QUESTION_S = 1.5
"""Of a single question's request, which is tried once: a visitor waits, and words alone find much."""
REST_S = 30.0
"""After a question that was not embedded, none is sent for so long."""
MOST_KEPT = 2000
"""Questions whose vectors are kept: they come again."""


def load_embedder(
    setting: str = "embedded",
    *,
    cache: Path | None = None,
    offline: bool = False,
    base_url: str | None = None,
    api_key: str = "",
) -> Embedder:
    """Return the embedder that a setting names.

    Args:
        setting: "embedded", "fastembed:NAME" (a model of fastembed's list, or a folder with model.onnx and
            tokenizer.json), or "openai:MODEL".
        cache: folder of fastembed's models; what is not there comes from the hub.
        offline: never ask the hub.
        base_url: of the endpoint; by default OpenAI's own.
        api_key: of the endpoint.

    Raises:
        EmbedderError: the setting names nothing that is known, or the model cannot be loaded.
    """
    kind, _, name = setting.partition(":")
    if setting == "embedded":
        return default_embedder()
    if kind == "fastembed" and name:
        return FastEmbedder(name, cache=cache, offline=offline)
    if kind == "openai" and name:
        return EndpointEmbedder(name, base_url=base_url, api_key=api_key)
    raise EmbedderError(
        f'embedder = "{setting}" is not known; write "embedded", "fastembed:NAME" or "openai:MODEL"'
    )


class FastEmbedder:
    """A model that fastembed runs, in this process.

    Raises:
        EmbedderError: fastembed is not installed, or the model is unknown or cannot be had.
    """

    def __init__(self, name: str, *, cache: Path | None = None, offline: bool = False) -> None:
        self.name = f"fastembed:{name}"
        try:
            from fastembed import TextEmbedding
        except ImportError as error:
            raise EmbedderError(
                "fastembed is not installed; install the extra `embed` (pip install 'visavis[embed]')"
            ) from error
        folder = Path(name).expanduser()
        options: dict[str, Any] = {"threads": 1, "local_files_only": offline}
        if cache is not None:
            options["cache_dir"] = str(cache)
        try:
            if folder.is_dir():
                # A folder's content is its identity: another model there means other vectors.
                self.name = f"fastembed:{folder.name}-{_checksum(folder):x}"
                options["specific_model_path"] = str(folder)
                self._model: Any = _of_folder(TextEmbedding, folder, options)
            else:
                self._model = TextEmbedding(name, **options)
            self.dimension = len(next(iter(self._model.embed(["dimension"]))))
        except Exception as error:  # fastembed raises its own, onnxruntime's and the hub's errors
            raise EmbedderError(
                f"{self.name} cannot be loaded ({error}); check the name, and that the model is in the "
                "cache or the hub can be reached"
            ) from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return _normal(np.asarray(list(self._model.embed(list(texts), batch_size=BATCH)), dtype=np.float32))


class EndpointEmbedder:
    """A model behind an OpenAI-compatible endpoint.

    Args:
        model: its name there.
        base_url: by default OpenAI's own.
        api_key: empty for servers that ask for none.
    """

    def __init__(self, model: str, *, base_url: str | None = None, api_key: str = "") -> None:
        self.name = f"openai:{model}@{base_url or 'openai'}"
        self._model = model
        self._base_url = base_url
        self._api_key = api_key
        self._dimension = 0
        self._client: Any = None
        self._lock = threading.Lock()
        self._rests_until_s = 0.0
        self._one = lru_cache(maxsize=MOST_KEPT)(self._ask_one)

    @property
    def dimension(self) -> int:
        """Length of a vector; the endpoint is asked once.

        Raises:
            EmbedderError: it does not answer.
        """
        if not self._dimension:
            self._dimension = self._ask(["dimension"]).shape[1]
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`.

        Raises:
            EmbedderError: the endpoint does not answer, or not as it should.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if len(texts) == 1:
            return self._one(texts[0])[None, :].copy()
        return np.concatenate([self._ask(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)])

    def _ask_one(self, text: str) -> Vectors:
        if time.monotonic() < self._rests_until_s:
            raise EmbedderError(f"{self.name} did not answer just now; it is asked again in a while")
        try:
            found: Vectors = self._ask([text], timeout=QUESTION_S, max_retries=0)[0]
        except EmbedderError:
            self._rests_until_s = time.monotonic() + REST_S
            raise
        return found

    def _ask(self, texts: Sequence[str], **options: Any) -> Vectors:
        import openai

        with self._lock:
            if self._client is None:
                self._client = openai.OpenAI(
                    base_url=self._base_url, api_key=self._api_key or "none", timeout=TIMEOUT_S
                )
        try:
            # Not every compatible server knows the packed form that the client asks for by default;
            # none takes an empty text.
            answer = self._client.with_options(**options).embeddings.create(
                model=self._model, input=[text or " " for text in texts], encoding_format="float"
            )
            rows = sorted(answer.data, key=lambda row: row.index)
            vectors = np.asarray([row.embedding for row in rows], dtype=np.float32)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise EmbedderError(
                f"{self.name} does not embed ({error}); check the address, the key and the model's name"
            ) from error
        if (
            vectors.shape != (len(texts), self._dimension or vectors.shape[-1])
            or not np.isfinite(vectors).all()
        ):
            raise EmbedderError(
                f"{self.name} answered with vectors of shape {vectors.shape} for {len(texts)} texts; "
                "check that the model is one for embeddings"
            )
        return _normal(vectors)


def _normal(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _of_folder(text_embedding: Any, folder: Path, options: dict[str, Any]) -> Any:
    """Register a folder as a model of fastembed's and load it: mean of the last states, length 1."""
    from fastembed.common.model_description import ModelSource, PoolingType

    files = sorted(folder.glob("*.onnx")) + sorted(folder.glob("onnx/*.onnx"))
    if not files:
        raise ValueError(f"{folder} holds no .onnx file")
    known = {model["model"].lower() for model in text_embedding.list_supported_models()}
    name = f"folder/{folder.resolve()}"
    if name.lower() not in known:
        text_embedding.add_custom_model(
            model=name,
            pooling=PoolingType.MEAN,
            normalization=True,
            sources=ModelSource(hf=name),
            dim=0,
            model_file=str(files[0].relative_to(folder)),
        )
    return text_embedding(name, **options)


def _checksum(folder: Path) -> int:
    """Return the checksum of a folder's model and tokenizer."""
    found = 0
    for file in sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx"), folder / "tokenizer.json"]):
        if file.is_file():
            found = zlib.crc32(file.read_bytes(), found)
    return found
