"""`visavis speak`: a text into a wav file."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import Any

import numpy as np

from server.boundary import UsageError, check_suffix
from speech.synthesizer import load_synthesizer
from speech.timeline import Speech


def speak_to(out: Path, text: str, *, emotion: str, language: str | None) -> dict[str, Any]:
    """Speak a text, write it as 16-bit mono, and return the contract's document.

    Raises:
        UsageError: there is nothing to say, or the file is not a wav.
        SpeechError: the voice failed.
    """
    if not text.strip():
        raise UsageError("there is nothing to say; give some words")
    check_suffix(out, ".wav")
    voice = load_synthesizer(languages=("en", "zh"))
    try:
        speech = voice.speak(text, emotion=emotion, language=language)
    finally:
        voice.close()
    write_wav(out, speech)
    return {
        "duration_s": round(speech.duration_s, 3),
        "sample_rate": speech.sample_rate,
        "phonemes": [
            {"symbol": p.symbol, "start_s": round(p.start_s, 4), "end_s": round(p.end_s, 4)}
            for p in speech.phonemes
        ],
        "engine": speech.engine,
        "path": str(out),
    }


def write_wav(path: Path, speech: Speech) -> None:
    """Write a speech as 16-bit mono PCM; the file appears when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with wave.open(str(part), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(speech.sample_rate)
            file.writeframes((np.clip(speech.pcm, -1, 1) * 32767).astype("<i2").tobytes())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
