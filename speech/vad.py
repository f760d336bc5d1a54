"""Voice activity: is somebody speaking, since when, until when.

`SileroVad` gives a probability for each 32 ms window, `SpeechSegmenter` turns probabilities into events, and
`VoiceActivity` puts the two together for a stream of samples, of which only what stands out from the
background counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from speech.background import ABOVE_DB, Background
from speech.errors import EngineUnavailable
from speech.recognizer import RECOGNITION_RATE_HZ
from speech.timeline import Pcm

WINDOW = 512
"""Samples at 16 kHz (32 ms); the model knows no other window."""

CONTEXT = 64
"""Samples of the window before that the model sees again."""

WINDOW_S = WINDOW / RECOGNITION_RATE_HZ

STILL = 0.001
"""Peak, of 1, under which there is nothing to hear: a microphone that is off, a browser's silence."""

STILL_WINDOWS = 16
"""Half a second of stillness, after which the model is not asked; it begins anew at the next sound."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """When speech begins and ends; the defaults are those of Silero, livekit and pipecat."""

    enter: float = 0.5
    """Probability from which a window counts as speech while it is silent."""
    leave: float = 0.35
    """Probability below which a window counts as silence while somebody speaks (hysteresis)."""
    speech_s: float = 0.25
    """Speech is reported after this much of it, in seconds: a cough is shorter."""
    clear: float = 0.85
    """Probability from which a window is surely speech: the clearing of a throat mostly stays below it."""
    clear_s: float = 0.1
    """Where short answers are expected, speech is reported after this much that is surely speech, in seconds:
    four windows. Of 是, 不, 对 by themselves an eighth have less than `speech_s` in all."""
    stop_s: float = 0.25
    """Silence after which the end of speech is reported, in seconds."""
    pre_roll_s: float = 0.5
    """Sound to keep before the first window of speech, in seconds: soft onsets lie there."""
    above_background_db: float = ABOVE_DB
    """What is not so much louder than a stream's background is no speech, whatever it sounds like:
    people talk far away, too. 0: how loud it is does not matter."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks."""

    start_s: float
    """Start of the first window of speech, in seconds of the stream."""
    keep_from_s: float
    """From where on the recognizer should hear: `start_s` less the pre-roll, not before the last end."""
    at_s: float
    """When it was known."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """It is silent again."""

    end_s: float
    """End of the last window of speech, in seconds of the stream."""
    at_s: float
    """When it was known."""


VadEvent = SpeechStarted | SpeechEnded


class SpeechSegmenter:
    """State machine from one probability a window to events; knows time only by counting windows."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        self.settings = settings or VadSettings()
        self.brief = False
        """Short answers are expected: see `VadSettings.clear_s`."""
        self.speaking = False
        self._windows = 0
        self._start: int | None = None  # window where speech, or a candidate of it, began
        self._voiced = 0  # windows of speech since then
        self._clear = 0  # of them, surely speech
        self._last_voiced = 0
        self._last_end = 0

    @property
    def now_s(self) -> float:
        """End of the last window pushed, in seconds."""
        return self._windows * WINDOW_S

    @property
    def silence_s(self) -> float:
        """Silence since the last window of speech; the whole stream when there was none."""
        return (self._windows - self._last_voiced) * WINDOW_S

    def push(self, probability: float) -> VadEvent | None:
        """Take the probability of the next window; returns what it made certain, if anything."""
        settings = self.settings
        index = self._windows
        self._windows += 1
        if probability >= (settings.leave if self._start is not None else settings.enter):
            if self._start is None:
                self._start, self._voiced, self._clear = index, 0, 0
            self._voiced += 1
            self._clear += probability >= settings.clear
            self._last_voiced = self._windows
            if not self.speaking and self._is_speech():
                self.speaking = True
                start_s = self._start * WINDOW_S
                keep_from_s = max(start_s - settings.pre_roll_s, self._last_end * WINDOW_S)
                return SpeechStarted(start_s, keep_from_s, self.now_s)
        elif self._start is not None and self.silence_s >= settings.stop_s:
            self._start = None
            if self.speaking:
                return self._end()
        return None

    def finish(self) -> SpeechEnded | None:
        """End the stream; returns the end of speech where it was still going on."""
        return self._end() if self.speaking else None

    def _is_speech(self) -> bool:
        settings = self.settings
        clearly = self.brief and self._clear * WINDOW_S >= settings.clear_s
        return clearly or self._voiced * WINDOW_S >= settings.speech_s

    def _end(self) -> SpeechEnded:
        self.speaking = False
        self._start = None
        self._last_end = self._last_voiced
        return SpeechEnded(self._last_voiced * WINDOW_S, self.now_s)


class ProbabilityModel(Protocol):
    """What tells speech from other sound; holds the state of one stream."""

    def probability(self, window: Pcm) -> float:
        """Probability of speech in the next 512 samples at 16 kHz."""

    def reset(self) -> None:
        """Forget the stream."""


@cache
def silero_path() -> Path:
    """The Silero model file (MIT) that faster-whisper's package carries, without importing that package.

    Raises:
        EngineUnavailable: The package or the file is not installed.
    """
    spec = find_spec("faster_whisper")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        for path in sorted(Path(folder, "assets").glob("silero_vad*.onnx"), reverse=True):
            return path
    raise EngineUnavailable(
        "the Silero VAD model is not installed: run `pip install --force-reinstall faster-whisper`"
    )


@lru_cache(maxsize=1)
def _session(path: Path) -> Any:
    """One session serves all streams: it is thread-safe, the state lies with the stream."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class SileroVad:
    """Silero VAD v6 for one stream, on one thread: 0.2 ms a window."""

    def __init__(self, path: Path | None = None) -> None:
        self._session = _session(path or silero_path())
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._h: NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._c: NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._context: Pcm = np.zeros(CONTEXT, np.float32)

    def probability(self, window: Pcm) -> float:
        """Probability of speech in the next 512 samples at 16 kHz."""
        return float(self.probabilities(window)[0])

    def probabilities(self, pcm: Pcm) -> NDArray[np.float32]:
        """Probability for each 512 samples of a piece whose length is a multiple of that, in one run."""
        if not len(pcm) or len(pcm) % WINDOW:
            raise ValueError(f"pass a multiple of {WINDOW} samples, not {len(pcm)}")
        windows = pcm.astype(np.float32, copy=False).reshape(-1, WINDOW)
        contexts = np.vstack([self._context[None], windows[:-1, -CONTEXT:]])
        self._context = windows[-1, -CONTEXT:].copy()
        output, self._h, self._c = self._session.run(
            None, {"input": np.hstack([contexts, windows]), "h": self._h, "c": self._c}
        )
        return np.asarray(output, np.float32).reshape(-1)


class VoiceActivity:
    """Events from a stream of 16 kHz samples that arrive in pieces of any length; one stream, one thread."""

    def __init__(self, model: ProbabilityModel | None = None, settings: VadSettings | None = None) -> None:
        self._model = model or SileroVad()
        self._segmenter = SpeechSegmenter(settings)
        self._background = Background(self._segmenter.settings.above_background_db)
        self._rest: Pcm = np.zeros(0, np.float32)
        self._still = 0

    @property
    def speaking(self) -> bool:
        """True between SpeechStarted and SpeechEnded."""
        return self._segmenter.speaking

    @property
    def silence_s(self) -> float:
        """Silence since the last window of speech, in seconds."""
        return self._segmenter.silence_s

    def expect_brief(self, brief: bool) -> None:
        """Say whether short answers are expected: then a clear syllable is enough, else it may be a noise."""
        self._segmenter.brief = brief

    def feed(self, pcm: Pcm) -> list[VadEvent]:
        """Take the next samples; returns the events in order."""
        samples = np.concatenate([self._rest, pcm]) if len(self._rest) else pcm
        whole = len(samples) - len(samples) % WINDOW
        self._rest = samples[whole:].copy()
        events = (
            self._segmenter.push(self._probability(samples[start : start + WINDOW]))
            for start in range(0, whole, WINDOW)
        )
        return [event for event in events if event is not None]

    def _probability(self, window: Pcm) -> float:
        in_front = self._background.stands_out(window)
        self._still = self._still + 1 if max(window.max(), -window.min()) < STILL else 0
        if self._still <= STILL_WINDOWS or self._segmenter.speaking:
            probability = self._model.probability(window)
            return probability if in_front else 0.0
        if self._still == STILL_WINDOWS + 1:
            self._model.reset()
        return 0.0

    def finish(self) -> list[VadEvent]:
        """End the stream; the last piece is filled up with silence."""
        events = self.feed(np.zeros(WINDOW - len(self._rest), np.float32)) if len(self._rest) else []
        end = self._segmenter.finish()
        return [*events, end] if end else events


def speech_segments(pcm: Pcm, settings: VadSettings | None = None) -> list[tuple[float, float]]:
    """Where speech lies in a whole recording, in one run of the model (0.06 ms a window).

    Args:
        pcm: float32[n] at 16 kHz.
        settings: When speech begins and ends.

    Returns:
        (start, end) in seconds, in order, without pre-roll; empty when nobody speaks.
    """
    if not len(pcm):
        return []
    segmenter = SpeechSegmenter(settings)
    padded = np.pad(pcm, (0, -len(pcm) % WINDOW))
    events: list[VadEvent | None] = [segmenter.push(float(p)) for p in SileroVad().probabilities(padded)]
    events.append(segmenter.finish())
    length_s = len(pcm) / RECOGNITION_RATE_HZ
    starts = [event.start_s for event in events if isinstance(event, SpeechStarted)]
    ends = [min(event.end_s, length_s) for event in events if isinstance(event, SpeechEnded)]
    return list(zip(starts, ends, strict=True))
