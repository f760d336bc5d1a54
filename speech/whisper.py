"""Recognition with faster-whisper (CTranslate2), guarded against words that nobody said."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from speech.audio import to_mono_16k
from speech.errors import EngineUnavailable, SpeechError
from speech.recognizer import RECOGNITION_RATE_HZ, Transcript
from speech.timeline import Pcm, Word
from speech.vad import VadSettings, speech_segments

log = logging.getLogger(__name__)

BEAM = 2
"""Wider beams cost time and gain little on a single question."""

MAX_THREADS = 4

MARGIN_S = 0.3
"""Sound kept before and after speech: soft onsets and endings lie there."""

HEARABLE = VadSettings(speech_s=0.1)
"""What passes as speech at all: a short "no" must."""

TOKENS_PER_S = 12
"""Nobody says more; a longer answer is a loop of the decoder."""

NO_SPEECH, DOUBTFUL_LOG_PROB = 0.6, -0.7
"""A segment that the model takes for silence, and is not sure of, is dropped."""

LOWEST_LOG_PROB = -1.2
"""Mean ln P a token below which a segment is noise in words."""

HIGHEST_COMPRESSION = 2.4
"""Ratio above which a segment repeats itself; Whisper's own limit."""

REPEATS = 4
"""The same word or phrase this often in a row is a loop."""


def check_model(folder: Path) -> None:
    """Refuse a folder from which faster-whisper could not load, or for which it would use the network.

    Raises:
        EngineUnavailable: Names what is missing.
    """
    if not folder.is_dir():
        raise EngineUnavailable(
            f"{folder} is not a model folder: run `visavis models pull whisper-base`, or name another"
        )
    missing = [n for n in ("model.bin", "config.json", "tokenizer.json") if not (folder / n).is_file()]
    if not any((folder / f"vocabulary.{ending}").is_file() for ending in ("txt", "json")):
        missing.append("vocabulary.txt")
    if missing:
        raise EngineUnavailable(
            f"the Whisper model in {folder} lacks {', '.join(missing)}: "
            "run `visavis models pull whisper-base`, or name a whole CTranslate2 model"
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """One segment as the model gives it."""

    text: str
    log_prob: float
    """Mean ln P a token."""
    no_speech: float
    """0..1, how much it seems silence to the model."""
    compression: float
    """Length of the text over its compressed length."""
    tokens: int = 1
    words: tuple[Word, ...] = ()
    """With their times, where they were asked for."""


def trusted(segment: Heard) -> bool:
    """Whether a segment was said, rather than made up on noise."""
    if not segment.text.strip() or segment.log_prob < LOWEST_LOG_PROB:
        return False
    if segment.no_speech > NO_SPEECH and segment.log_prob < DOUBTFUL_LOG_PROB:
        return False
    return segment.compression <= HIGHEST_COMPRESSION and not repetitive(segment.text)


def repetitive(text: str) -> bool:
    """Whether a phrase of up to four words (or characters, in Chinese) is said four times in a row."""
    words = text.lower().split()
    if len(words) <= 1:
        words = list("".join(text.split()))
    for size in range(1, 5):
        run = 0
        for index in range(size, len(words)):
            run = run + 1 if words[index] == words[index - size] else 0
            # Digits may repeat: order 55555 is said so.
            if run >= size * (REPEATS - 1) and not words[index].strip(".,-").isdigit():
                return True
    return False


class WhisperRecognizer:
    """A Whisper model in the CTranslate2 format, loaded at once.

    Args:
        model_dir: Folder with model.bin, config.json, tokenizer.json and vocabulary.*.
        languages: ISO 639-1; the most likely of them is taken. A single one saves the detection.
        device: "auto" takes a GPU where CTranslate2 finds one.
        word_times: tell when each word was said; one more pass of the decoder over what was heard.

    Raises:
        EngineUnavailable: The package or a file is missing, or the model is damaged.
    """

    def __init__(
        self,
        model_dir: str | Path,
        *,
        languages: Sequence[str] = ("en",),
        device: str = "auto",
        word_times: bool = False,
    ) -> None:
        folder = Path(model_dir)
        check_model(folder)
        # Everything is on the disk; a library that thinks otherwise must fail, not wait for the network.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            import ctranslate2
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise EngineUnavailable(
                f"faster-whisper cannot be loaded ({error}): run `pip install faster-whisper`"
            ) from None
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"

        def open_on(device: str) -> WhisperModel:
            return WhisperModel(
                str(folder),
                device=device,
                compute_type="int8" if device == "cpu" else "float16",
                cpu_threads=min(MAX_THREADS, os.cpu_count() or 1),
                local_files_only=True,
            )

        try:
            try:
                self._model = open_on(device)
                if device != "cpu":
                    # The CUDA libraries are looked for at the first use only.
                    self._model.encode(
                        np.zeros((self._model.feature_extractor.mel_filters.shape[0], 3000), np.float32)
                    )
            except RuntimeError:
                if device == "cpu":
                    raise
                self._model = open_on("cpu")
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineUnavailable(
                f"the Whisper model in {folder} cannot be loaded ({error}): "
                "remove the folder and run `visavis models pull whisper-base`"
            ) from None
        self.engine = f"faster-whisper/{folder.name.removeprefix('whisper-')}"
        multilingual = bool(self._model.model.is_multilingual)
        self.languages: tuple[str, ...] = tuple(languages) if multilingual else ("en",)
        self._lock = threading.Lock()
        self._word_times = word_times

    def transcribe(self, pcm: ArrayLike, sample_rate: int) -> Transcript:
        """Recognise a whole utterance; empty where the voice activity detector finds no speech.

        Raises:
            AudioError: The sound cannot be used.
        """
        sound = to_mono_16k(pcm, sample_rate)
        segments = speech_segments(sound, HEARABLE)
        if not segments:
            return Transcript("", self.languages[0], 0.0, self.engine)
        start = max(0, int((segments[0][0] - MARGIN_S) * RECOGNITION_RATE_HZ))
        end = int((segments[-1][1] + MARGIN_S) * RECOGNITION_RATE_HZ)
        sound = np.ascontiguousarray(sound[start:end])
        with self._lock:
            language, sure = self._language(sound)
            heard = self._hear(sound, language)
        kept = [segment for segment in heard if trusted(segment)]
        joint = "" if language in ("zh", "ja") else " "
        text = joint.join(segment.text.strip() for segment in kept)
        weight = sum(segment.tokens for segment in kept) or 1
        log_prob = sum(segment.log_prob * segment.tokens for segment in kept) / weight
        confidence = math.exp(log_prob) * sure if text else 0.0
        from_s = start / RECOGNITION_RATE_HZ
        words = tuple(
            replace(word, start_s=word.start_s + from_s, end_s=word.end_s + from_s)
            for segment in kept
            for word in segment.words
        )
        return Transcript(text, language, confidence, self.engine, words=words)

    def _language(self, sound: Pcm) -> tuple[str, float]:
        """The most likely of the desk's languages, and 1, or less when none of them is likely."""
        if len(self.languages) == 1:
            return self.languages[0], 1.0
        _, _, chances = self._model.detect_language(sound)
        likely = {code: chance for code, chance in chances if code in self.languages}
        if not likely:
            return self.languages[0], 1.0
        language = max(likely, key=lambda code: likely[code])
        return language, 0.5 + 0.5 * sum(likely.values())

    def _hear(self, sound: Pcm, language: str) -> list[Heard]:
        if self._word_times:
            try:
                return self._segments(sound, language)
            except (RuntimeError, ValueError, IndexError) as error:
                log.warning(
                    "%s cannot tell when words were said (%s): it is not asked again", self.engine, error
                )
                self._word_times = False
        return self._segments(sound, language)

    def _segments(self, sound: Pcm, language: str) -> list[Heard]:
        duration_s = len(sound) / RECOGNITION_RATE_HZ
        segments, _ = self._model.transcribe(
            sound,
            language=language,
            beam_size=BEAM,
            temperature=[0.0],
            condition_on_previous_text=False,
            without_timestamps=True,
            word_timestamps=self._word_times,
            max_new_tokens=min(200, 16 + int(min(30.0, duration_s) * TOKENS_PER_S)),
        )
        return [_heard(segment) for segment in segments]

    def warm(self) -> None:
        """Run once, so that the first utterance does not pay for the first use."""
        with self._lock:
            self._hear(np.zeros(RECOGNITION_RATE_HZ, np.float32), self.languages[0])

    def stream(self) -> WhisperStream:
        """Begin an utterance that arrives in pieces; it is recognised when it ends."""
        return WhisperStream(self)

    def close(self) -> None:
        """Free the model; the recognizer cannot be used any more."""
        with self._lock:
            self._model.model.unload_model()


def _heard(segment: Any) -> Heard:
    return Heard(
        str(segment.text),
        float(segment.avg_logprob),
        float(segment.no_speech_prob or 0.0),
        float(segment.compression_ratio or 0.0),
        max(1, len(segment.tokens)),
        tuple(
            Word(word.word.strip(), float(word.start), max(float(word.start), float(word.end)))
            for word in segment.words or ()
            if word.word.strip()
        ),
    )


class WhisperStream:
    """Collects an utterance: Whisper hears whole utterances only."""

    def __init__(self, recognizer: WhisperRecognizer) -> None:
        self._recognizer: WhisperRecognizer | None = recognizer
        self._pieces: list[Pcm] = []

    def feed(self, pcm: Pcm) -> None:
        """Take the next 16 kHz mono samples."""
        if self._recognizer is None:
            raise SpeechError("the utterance has ended: begin another stream")
        self._pieces.append(np.array(pcm, np.float32))

    def finish(self) -> Transcript:
        """End the utterance and recognise it."""
        if self._recognizer is None:
            raise SpeechError("the utterance has ended: begin another stream")
        recognizer, pieces = self._recognizer, self._pieces
        self.close()
        sound = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
        return recognizer.transcribe(sound, RECOGNITION_RATE_HZ)

    def close(self) -> None:
        """Throw the utterance away; safe to call twice and after `finish`."""
        self._recognizer = None
        self._pieces = []
