"""A neural voice: Piper, in a worker process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from speech.articulation import phonemes
from speech.errors import EngineUnavailable
from speech.loudness import at_level, with_closing_pause
from speech.piper_phonemes import sentence_onsets
from speech.prosody import piper_settings, prosody
from speech.silence import silence
from speech.spoken_text import check_text, language_of, normal_language, spoken
from speech.timeline import Speech
from speech.voice_worker import VoiceWorker
from speech.word_times import share_out, word_times

PIPER_REMEDY = (
    "install it with: pip install 'visavis[piper]', and pull a voice with: visavis models pull piper-en"
)

_SENTENCE_GAP_S = 0.25
"""Rest between the sentences of one text; Piper makes each on its own."""

_SCRIPT = Path(__file__).with_name("piper_worker.py")


class PiperSynthesizer:
    """One Piper voice: one language, natural, about a tenth of real time on a CPU core.

    Thread-safe; one text at a time. The worker process starts with the first text and ends with `close`,
    or with this process. Emotion changes speed, liveliness and volume; a Piper voice has no pitch to set.

    Args:
        model_path: the voice's .onnx file, or the folder that holds just one; its .onnx.json lies beside it.
        timeout_s: for one text.

    Raises:
        EngineUnavailable: model or configuration is missing or unreadable.
    """

    def __init__(self, model_path: Path | str, *, timeout_s: float = 60.0) -> None:
        self._model = find_model(Path(model_path))
        config = _read_config(self._model)
        self.language = _language(config)
        self.engine = f"piper/{self._model.stem}"
        self._worker = VoiceWorker(
            _SCRIPT,
            [str(self._model)],
            name="piper",
            remedy=PIPER_REMEDY,
            start_timeout_s=60.0,
            reply_timeout_s=timeout_s,
        )

    @property
    def worker(self) -> VoiceWorker:
        """The process behind the voice."""
        return self._worker

    def speak(
        self,
        text: str,
        *,
        emotion: str = "neutral",
        intensity: float = 1.0,
        language: str | None = None,
        pace: float = 1.0,
    ) -> Speech:
        """Speak one sentence, or several.

        Args:
            text: as written; figures and signs are said by the rules of `language`.
            emotion: a key of `speech.prosody.EMOTIONS`.
            intensity: 0 to 1.
            language: ISO 639-1, None for the voice's own. The voice has one accent, whatever is asked.
            pace: factor on the speed that the emotion has.

        Raises:
            EngineUnavailable: piper-tts or the model cannot be loaded.
            SpeechError: the text is too long, the emotion unknown, or the synthesizer closed.
            WorkerDied: the engine died twice over this text or did not answer in time.
        """
        check_text(text)
        manner = prosody(emotion, intensity, pace)
        language = normal_language(language) if language else language_of(text, self.language)
        said = spoken(text, language)
        if not said.text:
            return silence(text, language, self.engine, emotion, intensity)
        settings = piper_settings(manner)
        reply = self._worker.ask(
            {
                "text": said.text,
                "length_scale": settings.length_scale,
                "noise_scale": settings.noise_scale,
                "noise_w_scale": settings.noise_w_scale,
            }
        )
        rate_hz = int(reply.header["sample_rate"])
        sentences: Sequence[dict[str, Any]] = reply.header["sentences"]
        gap = np.zeros(int(_SENTENCE_GAP_S * rate_hz), np.float32)
        pieces: list[np.ndarray[Any, np.dtype[np.float32]]] = []
        onsets = []
        position = taken = 0
        for index, sentence in enumerate(sentences):
            if index:
                pieces.append(gap)
                position += len(gap)
            piece = reply.pcm[taken : taken + int(sentence["samples"])]
            onsets += sentence_onsets(
                sentence["phonemes"], sentence["lengths"], piece, rate_hz, position / rate_hz, self.language
            )
            pieces.append(piece)
            taken += len(piece)
            position += len(piece)
        if not pieces:
            return silence(text, language, self.engine, emotion, intensity)
        pcm = with_closing_pause(at_level(np.concatenate(pieces), rate_hz, manner), rate_hz, text)
        timeline = phonemes(onsets, len(pcm) / rate_hz)
        return Speech(
            pcm=pcm,
            sample_rate=rate_hz,
            phonemes=timeline,
            words=word_times(text, said, share_out(said, timeline)),
            text=text,
            language=language,
            engine=self.engine,
            emotion=emotion,
            intensity=intensity,
        )

    def warm(self) -> None:
        """Start the worker now, so that the first text need not wait for it.

        Raises:
            EngineUnavailable: the engine or its model is missing.
            WorkerDied: the worker did not start.
        """
        self._worker.greeting()

    def close(self) -> None:
        """End the worker; safe to call twice."""
        self._worker.close()


def find_model(path: Path) -> Path:
    """Find the .onnx file that a path means: itself, or the only one in a folder.

    Raises:
        EngineUnavailable: there is none, or more than one.
    """
    if path.is_dir():
        models = sorted(path.rglob("*.onnx"))
        if len(models) != 1:
            raise EngineUnavailable(
                f"{path} holds {len(models)} .onnx files instead of one voice; name the file, "
                "or pull a voice with: visavis models pull piper-en"
            )
        return models[0]
    if not path.is_file():
        raise EngineUnavailable(f"there is no Piper voice at {path}; {PIPER_REMEDY}")
    return path


def _read_config(model: Path) -> dict[str, Any]:
    path = Path(f"{model}.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EngineUnavailable(
            f"the voice's configuration {path} is missing; download it beside the model"
        ) from None
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"the voice's configuration {path} cannot be read ({error}); pull it again"
        ) from None
    if not isinstance(config, dict) or "audio" not in config:
        raise EngineUnavailable(f"{path} is no configuration of a Piper voice; pull it again")
    return config


def _language(config: dict[str, Any]) -> str:
    """ISO 639-1 of the voice: newer configurations name it, older ones only espeak-ng's voice."""
    named = config.get("language")
    if isinstance(named, dict) and named.get("code"):
        return normal_language(str(named["code"]))
    espeak = config.get("espeak")
    voice = str(espeak.get("voice", "en")) if isinstance(espeak, dict) else "en"
    return normal_language(voice.split("/")[-1])
