"""The model cache: which models are known by name, where they lie, and how they are fetched."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from speech.download import MANIFEST, Download, DownloadError, Progress
from speech.errors import EngineUnavailable

DEFAULT_HUB = "https://huggingface.co"

CONNECT_TIMEOUT_S = 10.0

READ_TIMEOUT_S = 30.0
"""Without a byte for this long, a download is broken."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue: a repository on the hub and the files of it that are needed.

    A model that lies elsewhere has an `address`; its one file's digest is then stated here.
    """

    repository: str
    files: tuple[str, ...]
    """Paths in the repository; kept under their last part."""
    size_mb: float
    """About, for people."""
    licence: str
    purpose: str
    address: str = ""
    """Where the file lies when it is not on the hub: its folder, without the last slash."""
    sha256: str = ""
    """Digest of that file."""

    def names(self) -> tuple[str, ...]:
        """File names in the cache."""
        return tuple(PurePosixPath(file).name for file in self.files)


_WHISPER = ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin")
_WHISPER_V3 = ("config.json", "preprocessor_config.json", "tokenizer.json", "vocabulary.json", "model.bin")

_RERANKER = ("config.json", "tokenizer_config.json", "tokenizer.json", "onnx/model.onnx")


def _voice(folder: str, name: str) -> tuple[str, ...]:
    return (f"{folder}/MODEL_CARD", f"{folder}/{name}.onnx.json", f"{folder}/{name}.onnx")


CATALOGUE: dict[str, Model] = {
    "whisper-tiny": Model(
        "Systran/faster-whisper-tiny", _WHISPER, 78, "MIT", "hearing, 99 languages, quickest"
    ),
    "whisper-base": Model(
        "Systran/faster-whisper-base", _WHISPER, 148, "MIT", "hearing, 99 languages, the default"
    ),
    "whisper-small": Model(
        "Systran/faster-whisper-small", _WHISPER, 486, "MIT", "hearing, 99 languages, better, for a fast CPU"
    ),
    "whisper-large-v3-turbo": Model(
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        _WHISPER_V3,
        1620,
        "MIT",
        "hearing, 99 languages, best, for a GPU",
    ),
    "piper-en": Model(
        "rhasspy/piper-voices",
        _voice("en/en_US/ljspeech/medium", "en_US-ljspeech-medium"),
        64,
        "MIT, recordings in the public domain",
        "speaking English, a woman's voice",
    ),
    "piper-zh": Model(
        "rhasspy/piper-voices",
        _voice("zh/zh_CN/huayan/medium", "zh_CN-huayan-medium"),
        64,
        "MIT, recordings' licence not stated: ask before commercial use",
        "speaking Chinese, a woman's voice",
    ),
    "smart-turn": Model(
        "pipecat-ai/smart-turn-v3",
        ("smart-turn-v3.2-cpu.onnx",),
        9,
        "BSD-2-Clause",
        "hearing by the voice whether a visitor has finished, 23 languages",
    ),
    "rerank-en": Model(
        "Xenova/ms-marco-MiniLM-L-6-v2",
        _RERANKER,
        92,
        "Apache-2.0",
        "reading the first passages once more, English",
    ),
    "rerank-zh": Model(
        "BAAI/bge-reranker-base",
        _RERANKER,
        1130,
        "MIT",
        "reading the first passages once more, Chinese and English; slow without a GPU",
    ),
    "face-landmarker": Model(
        "mediapipe-models/face_landmarker/float16/1",
        ("face_landmarker.task",),
        4,
        "Apache-2.0",
        "faces from photos, performance capture (needs the package mediapipe)",
        address="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    ),
}


def cache_dir() -> Path:
    """Folder of the models: `VISAVIS_MODELS`, else `models` in the user's cache folder; may not exist yet."""
    if configured := os.environ.get("VISAVIS_MODELS"):
        return Path(configured).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("visavis", appauthor=False)) / "models"


def find(name: str) -> Path | None:
    """Folder of a model that is whole in the cache, else None."""
    model = CATALOGUE.get(name)
    folder = cache_dir() / name
    if model is None or not folder.is_dir():
        return None
    try:
        entries = json.loads((folder / MANIFEST).read_text())["files"]
        sizes = {str(entry["name"]): int(entry["size"]) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        sizes = {}  # copied here by hand
    for file in model.names():
        size = (folder / file).stat().st_size if (folder / file).is_file() else 0
        if not size or size != sizes.get(file, size):
            return None
    return folder


def hub() -> str:
    """Address of the hub: `HF_ENDPOINT`, else the public one."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_HUB).rstrip("/")


def offline() -> bool:
    """Whether `VISAVIS_OFFLINE` or `HF_HUB_OFFLINE` forbids the network."""
    return any(
        os.environ.get(name, "").lower() not in ("", "0", "false", "no")
        for name in ("VISAVIS_OFFLINE", "HF_HUB_OFFLINE")
    )


def hub_answers(timeout_s: float = 3.0) -> bool:
    """Whether the hub answers in time; asked once a process, so a missing network costs one wait."""
    return not offline() and _answers(hub(), timeout_s)


@lru_cache(maxsize=8)
def _answers(address: str, timeout_s: float) -> bool:
    found: list[bool] = []

    def ask() -> None:
        import httpx

        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, OSError):
            httpx.head(address, timeout=timeout_s)
            found.append(True)

    # A thread, because looking up a name may block for much longer than any time-out of the client.
    asking = threading.Thread(target=ask, name="hub", daemon=True)
    asking.start()
    asking.join(timeout_s)
    return bool(found)


def pull(name: str, *, base_url: str | None = None, progress: Progress | None = None) -> Path:
    """Fetch a model into the cache; continues a download that was broken off.

    Every file is checked against the digest that the hub states for it: SHA-256, or the Git blob's SHA-1 for
    small files; a model that lies elsewhere against the catalogue's. The model appears in the cache only
    when it is whole.

    Args:
        name: A name of `CATALOGUE`.
        base_url: Address of the hub, or of the model's folder where it lies elsewhere; None: the usual one.
        progress: Told of the bytes.

    Returns:
        The model's folder.

    Raises:
        EngineUnavailable: There is no model of that name.
        DownloadError: No network, a full disk, a bad answer, a wrong digest.
    """
    import httpx

    if name not in CATALOGUE:
        raise EngineUnavailable(f"there is no model {name!r}: choose one of {', '.join(CATALOGUE)}")
    if found := find(name):
        return found
    address = (base_url or CATALOGUE[name].address or hub()).rstrip("/")
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        with (
            _draft(name) as draft,
            httpx.Client(timeout=timeout, headers={"Accept-Encoding": "identity"}) as client,
        ):
            return Download(
                client, address, name, CATALOGUE[name], draft, cache_dir() / name, progress or _unwatched
            ).run()
    except (httpx.HTTPError, httpx.InvalidURL, ConnectionError) as error:
        raise DownloadError(
            f"{address} cannot be reached ({error or type(error).__name__}): check the network and run "
            f"`visavis models pull {name}` again"
        ) from None
    except OSError as error:
        raise DownloadError(
            f"{cache_dir()} cannot be written ({error.strerror or error}): make room, or set VISAVIS_MODELS"
        ) from None


def _unwatched(_done: float, _total: float) -> None:
    """Nobody watches."""


@contextlib.contextmanager
def _draft(name: str) -> Iterator[Path]:
    """Folder of an unfinished download, kept between runs, used by one process at a time."""
    draft = cache_dir() / f".{name}.part"
    draft.mkdir(parents=True, exist_ok=True)
    with (cache_dir() / f".{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadError(f"another process is fetching {name}: wait until it has ended") from None
        yield draft
