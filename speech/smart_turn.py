"""Smart Turn: does a voice sound as if it had said everything? An ONNX model that hears the last 8 s.

The model is pipecat's Smart Turn v3 (BSD-2-Clause, 9 MB, 23 languages). It lies in the model cache, in the
folder `smart-turn`, or in the package `pipecat-ai` (extra `[turn]`), of which nothing else is used; without
it, the words alone tell. It takes about 75 ms of one core.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.errors import EngineUnavailable
from speech.models import cache_dir
from speech.recognizer import RECOGNITION_RATE_HZ
from speech.timeline import Pcm

HEARD_S = 8
"""Seconds that the model hears; shorter sound has silence before it."""
FRAMES = 800
BANDS = 80
FOLDER = "smart-turn"
"""In the model cache; the file may have any name that ends in ".onnx"."""
PACKAGED = "audio/turn/smart_turn/data/smart-turn-v3*cpu.onnx"
"""In the package pipecat."""


class SmartTurn:
    """The model, on one thread; may be asked from any thread.

    Raises:
        EngineUnavailable: the file is no such model.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            (given,) = self._session.get_inputs()
        except Exception as error:  # onnxruntime's own errors share no base
            raise EngineUnavailable(f"{path.name} cannot be loaded: copy the model again") from error
        if given.shape[1:] != [BANDS, FRAMES]:
            raise EngineUnavailable(f"{path.name} is no Smart Turn v3 model: it hears {given.shape}")
        self._input = given.name

    def __call__(self, pcm: Pcm) -> float:
        """Probability that the turn is over, 0..1.

        Args:
            pcm: mono float32[n] at 16 kHz, with about 0.2 s of the visitor's silence; the last 8 s count.
        """
        (output,) = self._session.run(None, {self._input: features(pcm)[None]})
        return float(np.clip(np.nan_to_num(output.reshape(-1)[0]), 0.0, 1.0))


def load_smart_turn(path: Path | None = None) -> SmartTurn | None:
    """Load the model, once a process.

    Args:
        path: the file; None looks where models are.

    Returns:
        The model, or None where there is none.

    Raises:
        EngineUnavailable: the file is no such model.
    """
    path = path or smart_turn_file()
    return None if path is None else _loaded(path)


def smart_turn_file() -> Path | None:
    """Return the newest model of the model cache, else the installed package's, else None."""
    package = importlib.util.find_spec("pipecat")
    folders = [Path(folder) for folder in (package.submodule_search_locations or ())] if package else []
    found = [
        *_newest(cache_dir() / FOLDER, "*.onnx"),
        *(f for one in folders for f in _newest(one, PACKAGED)),
    ]
    return next(iter(found), None)


def _newest(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), reverse=True)


@lru_cache(maxsize=1)
def _loaded(path: Path) -> SmartTurn:
    return SmartTurn(path)


def features(pcm: Pcm) -> NDArray[np.float32]:
    """Whisper's log-mel features of the last 8 s, evened out to variance 1: float32[80, 800]."""
    length = HEARD_S * RECOGNITION_RATE_HZ
    sound = np.asarray(pcm, np.float32)[-length:]
    sound = np.pad(sound, (length - len(sound), 0))
    sound = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    return np.asarray(_extractor()(sound, padding=0), np.float32)


@lru_cache(maxsize=1)
def _extractor() -> Any:
    """Whisper's features as faster-whisper makes them, without importing that package and its engine."""
    spec = importlib.util.find_spec("faster_whisper")
    folder = next(iter(spec.submodule_search_locations or []), None) if spec else None
    if folder is None:
        raise EngineUnavailable("Smart Turn needs faster-whisper: run `pip install faster-whisper`")
    found = importlib.util.spec_from_file_location("whisper_features", Path(folder, "feature_extractor.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.FeatureExtractor(feature_size=BANDS, chunk_length=HEARD_S)
