"""Mel spectrograms as Wav2Lip was trained on, and the window of them that each video frame sees.

16 kHz, pre-emphasis 0.97, Hann windows of 800 samples every 200, 80 Slaney mel bands from 55 to 7600 Hz,
decibels of the amplitude less 20, the range of 100 dB scaled to ±4: hparams.py and audio.py of the public
repository Rudrabha/Wav2Lip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avatar.errors import AvatarError

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

RATE_HZ = 16_000
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 384_000
"""Sample rates outside are a mistake of the caller."""
PRE_EMPHASIS = 0.97
FFT = 800
"""Samples of a window: 50 ms, which is also its length."""
HOP = 200
"""Samples between windows: 80 steps a second."""
STEPS_PER_S = RATE_HZ / HOP
BANDS = 80
LOWEST_HZ, HIGHEST_HZ = 55.0, 7600.0
REFERENCE_DB = 20.0
MIN_DB = -100.0
MAX_ABS = 4.0
"""Silence is -4, the loudest sound +4."""
WINDOW_STEPS = 16
"""Steps that the model hears for one frame: 200 ms."""
LEAD_S = 0.060
"""The window begins this long before the middle of its frame.

In training, frame f of a 25 fps video went with the 16 steps from int(80 · (f - 1) / 25) on:
`get_segmented_mels` of wav2lip_train.py. (inference.py there begins one frame later than training did.)
"""


class MelTrack:
    """The mel spectrogram of one sound, computed where it is asked for; silence lies before and after it."""

    def __init__(self, pcm: F32, sample_rate: int) -> None:
        """Take the sound.

        Args:
            pcm: mono float32[n] in [-1, 1].
            sample_rate: its rate in Hz.

        Raises:
            AvatarError: the sound is not one channel of finite numbers, or the rate cannot be.
        """
        samples = resample(pcm, sample_rate).astype(np.float64)
        self._signal = samples.copy()
        self._signal[1:] -= PRE_EMPHASIS * samples[:-1]

    def steps(self, first: int, count: int) -> F32:
        """Steps `first` to `first + count`, float32[80, count] in [-4, 4]; step k is centred at k / 80 s."""
        begin = first * HOP - FFT // 2
        end = begin + (count - 1) * HOP + FFT
        signal = np.zeros(max(end - begin, 0))
        low, high = max(begin, 0), min(end, len(self._signal))
        if low < high:
            signal[low - begin : high - begin] = self._signal[low:high]
        frames = np.lib.stride_tricks.sliding_window_view(signal, FFT)[::HOP]
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
        spectrum = np.abs(np.fft.rfft(frames * window, axis=1))
        amplitude = np.einsum("tf,mf->tm", spectrum, mel_filters())  # too little for the threads that @ wakes
        decibels = 20 * np.log10(np.maximum(amplitude, 10 ** (MIN_DB / 20))) - REFERENCE_DB
        scaled = 2 * MAX_ABS * (decibels - MIN_DB) / -MIN_DB - MAX_ABS
        return np.ascontiguousarray(np.clip(scaled, -MAX_ABS, MAX_ABS).T, np.float32)

    def windows(self, frames: Sequence[int], fps: float) -> F32:
        """What the model hears for these video frames, float32[n, 1, 80, 16]; frame i shows (i + ½) / fps."""
        if not frames:
            return np.zeros((0, 1, BANDS, WINDOW_STEPS), np.float32)
        starts = [first_step(i, fps) for i in frames]
        first = min(starts)
        track = self.steps(first, max(starts) - first + WINDOW_STEPS)
        return np.stack([track[None, :, s - first : s - first + WINDOW_STEPS] for s in starts])


def first_step(frame: int, fps: float) -> int:
    """The mel step with which the window of a video frame begins; negative at the start of a clip."""
    return math.floor(STEPS_PER_S * ((frame + 0.5) / fps - LEAD_S) + 1e-6)


@lru_cache(maxsize=1)
def mel_filters() -> F64:
    """Weights float64[80, 401] of the bands: triangles of equal area on Slaney's mel scale."""
    low_mel, high_mel = _to_mel(np.array([LOWEST_HZ, HIGHEST_HZ])).tolist()
    edges = _to_hz(np.linspace(low_mel, high_mel, BANDS + 2))
    bins = np.arange(FFT // 2 + 1) * (RATE_HZ / FFT)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0) * (2 / (high - low)))


# Slaney's scale: linear (200/3 Hz a mel) up to 1000 Hz = 15 mel, then 27 mel for each factor of 6.4.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = math.log(6.4) / 27.0


def _to_mel(hz: F64) -> F64:
    log = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _LINEAR_HZ, log)


def _to_hz(mel: F64) -> F64:
    log = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, log)


def resample(pcm: F32, sample_rate: int) -> F32:
    """Sound at 16 kHz, float32[n].

    Raises:
        AvatarError: the sound is not one channel of finite numbers, or the rate cannot be.
    """
    samples = np.ascontiguousarray(pcm, np.float32)
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise AvatarError(f"sound of shape {samples.shape}: pass one channel of finite float32 samples")
    if not LOWEST_RATE_HZ <= sample_rate <= HIGHEST_RATE_HZ:
        raise AvatarError(
            f"a sample rate of {sample_rate} Hz cannot be: pass the true rate, for example 48000"
        )
    if sample_rate == RATE_HZ or not len(samples):
        return samples
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    block = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    block.sample_rate = sample_rate
    parts = [
        part.to_ndarray().reshape(-1) for part in (*resampler.resample(block), *resampler.resample(None))
    ]
    return np.concatenate(parts).astype(np.float32, copy=False) if parts else samples[:0]
