"""Sound that was made before: kept in the cache folder by what it was made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from speech.timeline import Pcm

VERSION = 1
"""Of how sounds are made here; another one makes them anew."""
MOST_BYTES = 1_000_000_000
"""Of the folder; past it, what was not used for longest is removed."""


def kept(made_from: object, make: Callable[[], Pcm], folder: Path | None = None) -> Pcm:
    """Return a sound, made now or taken from the cache.

    Args:
        made_from: all that it depends on; its `repr` names it.
        make: returns float32[n] in [-1, 1].
        folder: of the cache; None: the user's. One that cannot be written costs time, nothing else.
    """
    folder = folder or _usual_folder()
    name = hashlib.sha256(repr((VERSION, made_from)).encode()).hexdigest()[:32]
    file = folder / f"{name}.npy"
    with suppress(OSError, ValueError):
        pcm = np.load(file)
        os.utime(file)
        return np.asarray(pcm, np.float32) / np.float32(32767.0)
    pcm = np.rint(np.clip(make(), -1.0, 1.0) * 32767.0).astype(np.int16)
    part = folder / f".{name}.{os.getpid()}.part.npy"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        np.save(part, pcm)
        part.replace(file)
        _make_room(folder)
    return np.asarray(pcm, np.float32) / np.float32(32767.0)  # the same samples as when they are read again


def _make_room(folder: Path) -> None:
    found = sorted((one.stat().st_mtime, one.stat().st_size, one) for one in folder.glob("*.npy"))
    excess = sum(size for _, size, _ in found) - MOST_BYTES
    for _, size, one in found:
        if excess <= 0:
            return
        one.unlink(missing_ok=True)
        excess -= size


def _usual_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("visavis", appauthor=False)) / "eval-voices"
