"""Sound from files and arrays, as the recognizers take it: mono, 16 kHz, float32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speech.errors import AudioError
from speech.recognizer import RECOGNITION_RATE_HZ
from speech.timeline import Pcm

if TYPE_CHECKING:
    import av

MAX_S = 120.0
"""Longest file that is taken, seconds: a question, not a meeting; bounds the memory (8 MB)."""

SHORTEST_S = 0.1
"""Shortest sound that is taken, seconds: no word is shorter."""

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 384_000
"""Sample rates outside are a mistake of the caller or of a broken header."""


class Resampler:
    """Converts a mono stream from one sample rate to another, piece by piece (libswresample)."""

    def __init__(self, source_hz: int, target_hz: int = RECOGNITION_RATE_HZ) -> None:
        if not LOWEST_RATE_HZ <= source_hz <= HIGHEST_RATE_HZ:
            raise AudioError(
                f"a sample rate of {source_hz} Hz cannot be: pass the true rate, for example 16000"
            )
        self.source_hz = source_hz
        self.target_hz = target_hz
        self._resampler: av.AudioResampler | None = None

    def feed(self, pcm: Pcm) -> Pcm:
        """Convert the next samples; returns those that are ready, float32[n]: they lag by a filter."""
        if self.source_hz == self.target_hz or not len(pcm):
            return pcm
        import av

        if self._resampler is None:
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=self.target_hz)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(pcm, np.float32)[None, :], format="flt", layout="mono"
        )
        frame.sample_rate = self.source_hz
        frame.pts = None
        return _joined(self._resampler.resample(frame))

    def flush(self) -> Pcm:
        """End the stream; returns the samples that the filter still held."""
        if self._resampler is None:
            return np.zeros(0, np.float32)
        rest = _joined(self._resampler.resample(None))
        self._resampler = None
        return rest


def _joined(frames: list[av.AudioFrame]) -> Pcm:
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.zeros(0, np.float32)


def to_mono(samples: ArrayLike) -> Pcm:
    """Mix to one channel in [-1, 1].

    Args:
        samples: (n,), (n, channels) or (channels, n): the shorter side is the channels; float in [-1, 1], or
            integers over their type's range.

    Raises:
        AudioError: More than two dimensions, or samples that are NaN or infinite.
    """
    array = np.asarray(samples)
    if array.ndim == 0 or array.ndim > 2:
        raise AudioError(
            f"sound of shape {array.shape} is not understood: pass an array (n,) or (n, channels)"
        )
    if array.ndim == 2:
        # Integers are mixed as floats, or two loud channels would overflow.
        array = _to_float(array).mean(axis=0 if array.shape[0] <= array.shape[1] else 1)
    mono = np.ascontiguousarray(_to_float(array), np.float32)
    if not np.isfinite(mono).all():
        raise AudioError(
            "the sound has samples that are not numbers (NaN or infinite): record or export it again"
        )
    return _clipped(mono)


def _clipped(pcm: Pcm) -> Pcm:
    return np.clip(pcm, -1.0, 1.0)


def _to_float(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == np.uint8:
        return (array.astype(np.float32) - 128.0) / 128.0
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.float32) / float(-int(np.iinfo(array.dtype).min) or np.iinfo(array.dtype).max)
    if not np.issubdtype(array.dtype, np.floating):
        raise AudioError(f"sound of type {array.dtype} is not understood: pass float32 or int16 samples")
    return array


def to_mono_16k(pcm: ArrayLike, sample_rate: int) -> Pcm:
    """Sound of any rate and channels as recognizers take it.

    Args:
        pcm: See `to_mono`.
        sample_rate: Hz, of `pcm`.

    Returns:
        float32[n] at 16 kHz, in [-1, 1].

    Raises:
        AudioError: As `to_mono`, and for a sample rate outside 1 to 384 kHz.
    """
    resampler = Resampler(sample_rate)
    mono = to_mono(pcm)
    ready = resampler.feed(mono)
    return _clipped(np.concatenate([ready, resampler.flush()]))


def load_audio(path: str | Path, *, max_s: float = MAX_S, rate_hz: int = RECOGNITION_RATE_HZ) -> Pcm:
    """Read a sound file: any container, codec, rate and channels that PyAV knows.

    A file that breaks off or is damaged halfway gives what could be decoded before it.

    Args:
        path: The file.
        max_s: Decoding stops, with an error, after this many seconds.
        rate_hz: Of what is returned.

    Returns:
        float32[n] at `rate_hz`, at least 0.1 s.

    Raises:
        AudioError: With one line that says what to do.
    """
    path = Path(path)
    if path.is_dir():
        raise AudioError(f"{path} is a folder: name a sound file in it")
    try:
        if not path.stat().st_size:
            raise AudioError(f"{path} is empty: record it again")
        parts: list[Pcm] = []
        heard = 0
        for part in _decoded(path, rate_hz):
            parts.append(part)
            heard += len(part)
            if heard > max_s * rate_hz:
                raise AudioError(f"{path} is longer than {max_s:g} s: cut it to what is needed")
    except FileNotFoundError:
        raise AudioError(f"{path} is not there: check the name") from None
    except OSError as error:
        raise AudioError(f"{path} cannot be read ({error.strerror or error}): check it") from None
    if heard < SHORTEST_S * rate_hz:
        raise AudioError(f"{path} holds {heard / rate_hz:.2f} s of sound: record at least {SHORTEST_S:g} s")
    return _clipped(np.concatenate(parts))


def _decoded(path: Path, rate_hz: int) -> Iterator[Pcm]:
    """Decode piece by piece to mono; ends at the first damage after some sound was decoded."""
    import av

    with path.open("rb") as file:
        try:
            # A playlist in the file must not make the demuxer open other files or addresses.
            container = av.open(file, mode="r", options={"protocol_whitelist": "none"})
        except (av.FFmpegError, ValueError):
            raise AudioError(
                f"{path} is not a sound file: use WAV, FLAC, MP3, OGG, M4A or any other that FFmpeg reads"
            ) from None
        with container:
            if not container.streams.audio:
                raise AudioError(f"{path} has no sound in it: use a file with an audio track")
            resampler: Resampler | None = None
            try:
                for frame in container.decode(audio=0):
                    if resampler is None or resampler.source_hz != frame.sample_rate:
                        if resampler is not None:
                            yield resampler.flush()
                        resampler = Resampler(frame.sample_rate, rate_hz)
                    yield resampler.feed(_frame_to_mono(frame, path))
            except av.FFmpegError:
                pass  # what decoded before the damage is worth trying; the caller checks its length
            if resampler is not None:
                yield resampler.flush()


def _frame_to_mono(frame: av.AudioFrame, path: Path) -> Pcm:
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    try:
        return to_mono(samples if samples.shape[0] > 1 else samples[0])
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from None
