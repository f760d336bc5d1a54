"""Does a mouth go with a sound? By opening and loudness, and by LR-ASD, a network trained on that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.timeline import Pcm

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

FPS = 25
"""LR-ASD's rate."""
LAGS = 8
"""Frames to each side in which the best agreement of mouth and sound is looked for."""


class MissingPart(Exception):
    """A package or a model that the check needs is not there; the message says how to get it."""


def envelope(pcm: Pcm, frames: int, sample_rate: int = 16000, fps: float = FPS) -> F32:
    """Loudness of each frame, float32[n]: root of the mean power in a window of two frames."""
    power = np.concatenate([[0.0], np.cumsum(pcm.astype(np.float64) ** 2)])
    middle = (np.arange(frames) + 0.5) / fps * sample_rate
    low = np.clip(middle - sample_rate / fps, 0, len(pcm)).astype(int)
    high = np.clip(middle + sample_rate / fps, 0, len(pcm)).astype(int)
    level = np.sqrt(np.maximum(power[high] - power[low], 0) / np.maximum(high - low, 1))
    return np.asarray(level, np.float32)


def best_lag(mouth: F32, sound: F32) -> dict[str, Any]:
    """At which lag mouth and sound agree best: positive frames mean that the mouth comes late."""
    usable = np.isfinite(mouth)
    mouth = np.where(usable, mouth, np.nanmean(mouth))
    scores = {}
    for lag in range(-LAGS, LAGS + 1):
        a = mouth[max(lag, 0) : len(mouth) + min(lag, 0)]
        b = sound[max(-lag, 0) : len(sound) - max(lag, 0)]
        scores[lag] = float(np.corrcoef(a, b)[0, 1])
    best = max(scores, key=lambda lag: scores[lag])
    return {
        "lag_frames": best,
        "correlation": round(scores[best], 3),
        "correlation_at_0": round(scores[0], 3),
        "by_lag": {str(lag): round(score, 3) for lag, score in scores.items()},
    }


def mfcc(pcm: Pcm, sample_rate: int = 16000) -> F32:
    """13 mel cepstra float32[n, 13] every 10 ms over 25 ms, with the constants that LR-ASD was trained on."""
    signal = np.round(pcm.astype(np.float64) * 32767)
    signal = np.append(signal[0], signal[1:] - 0.97 * signal[:-1])
    size, step, points, filters = 0.025 * sample_rate, 0.010 * sample_rate, 512, 26
    count = 1 + int(np.ceil(max(len(signal) - size, 0) / step))
    padded = np.append(signal, np.zeros(int((count - 1) * step + size) - len(signal) + 1))
    frames = np.lib.stride_tricks.sliding_window_view(padded, int(size))[:: int(step)][:count]
    power = np.abs(np.fft.rfft(frames, points)) ** 2 / points
    mel = np.linspace(0, 2595 * np.log10(1 + sample_rate / 2 / 700), filters + 2)
    edges = np.floor((points + 1) * 700 * (10 ** (mel / 2595) - 1) / sample_rate)
    bins = np.arange(points // 2 + 1)[None]
    left, top, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bank = np.where(
        (bins >= left) & (bins < top),
        (bins - left) / np.maximum(top - left, 1),
        np.where((bins >= top) & (bins < right), (right - bins) / np.maximum(right - top, 1), 0.0),
    )
    tiny = np.finfo(np.float64).eps
    logs = np.log(np.maximum(power @ bank.T, tiny))
    k, n = np.arange(13)[:, None], np.arange(filters)[None]
    basis = np.cos(np.pi * k * (2 * n + 1) / (2 * filters)) * np.sqrt(2 / filters)
    basis[0] /= np.sqrt(2)
    cepstra = logs @ basis.T * (1 + 11 * np.sin(np.pi * np.arange(13) / 22))
    cepstra[:, 0] = np.log(np.maximum(power.sum(1), tiny))
    return np.asarray(cepstra, np.float32)


class Synchrony:
    """LR-ASD: does this mouth go with this sound?

    Args:
        model: the ONNX export with inputs mfcc[1, 4T, 13] and face112[1, T, 112, 112].

    Raises:
        MissingPart: onnxruntime or the model is missing.
    """

    def __init__(self, model: Path) -> None:
        if not model.is_file():
            raise MissingPart(f"there is no model {model}: give the path of an LR-ASD export")
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPart(f"onnxruntime is missing ({error}): pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def score(self, faces: F32, pcm: Pcm, speaking: NDArray[np.bool_]) -> float:
        """Mean logit over the speaking frames; high where mouth and sound belong together.

        Args:
            faces: grey float32[n, 112, 112] in 0..255 at 25 frames a second.
            pcm: 16 kHz, at least as long.
            speaking: bool[n].
        """
        cepstra = mfcc(pcm)
        count = min(len(faces), len(cepstra) // 4)
        feeds = {"mfcc": cepstra[None, : 4 * count], "face112": faces[None, :count]}
        logits = np.asarray(self._session.run(None, feeds)[0])
        return float(logits[speaking[:count]].mean())


def face_crop(picture: U8, points: F32) -> F32:
    """The face grey float32[112, 112], cut as LR-ASD's training data were: a square around the face's box."""
    import cv2

    low, high = points.min(0), points.max(0)
    half = float((high - low).max()) / 2
    x, y = (low + high) / 2
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    patch = cv2.getRectSubPix(grey, (round(2 * half), round(2 * half)), (float(x), float(y)))
    return np.asarray(cv2.resize(patch, (112, 112), interpolation=cv2.INTER_AREA), np.float32)
