"""Hearing and speaking: voice activity, recognition, synthesis, timelines, the model cache.

Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from speech.alignment import Alignment, align
    from speech.errors import AudioError, EngineUnavailable, SpeechError, WorkerDied
    from speech.estimation import estimate
    from speech.plan import EnginePlan
    from speech.recognizer import LOW_CONFIDENCE, Recognizer, Transcript, load_recognizer, recognizer_plan
    from speech.recording import speech_from_audio, timeline_of
    from speech.synthesizer import Synthesizer, load_synthesizer, synthesizer_plan
    from speech.timeline import Phoneme, Speech, Word

# onnxruntime (since 1.29) and the hub's client report what they do to their makers unless told not to, before
# they are imported; worker processes inherit it.
for _silenced in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.setdefault(_silenced, "1")

_HOME = {
    "Alignment": "alignment",
    "AudioError": "errors",
    "EnginePlan": "plan",
    "EngineUnavailable": "errors",
    "LOW_CONFIDENCE": "recognizer",
    "Phoneme": "timeline",
    "Recognizer": "recognizer",
    "Speech": "timeline",
    "SpeechError": "errors",
    "Synthesizer": "synthesizer",
    "Transcript": "recognizer",
    "Word": "timeline",
    "WorkerDied": "errors",
    "align": "alignment",
    "estimate": "estimation",
    "load_recognizer": "recognizer",
    "load_synthesizer": "synthesizer",
    "recognizer_plan": "recognizer",
    "speech_from_audio": "recording",
    "synthesizer_plan": "synthesizer",
    "timeline_of": "recording",
}

__all__ = [
    "LOW_CONFIDENCE",
    "Alignment",
    "AudioError",
    "EnginePlan",
    "EngineUnavailable",
    "Phoneme",
    "Recognizer",
    "Speech",
    "SpeechError",
    "Synthesizer",
    "Transcript",
    "Word",
    "WorkerDied",
    "align",
    "estimate",
    "load_recognizer",
    "load_synthesizer",
    "recognizer_plan",
    "speech_from_audio",
    "synthesizer_plan",
    "timeline_of",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"speech.{_HOME[name]}"), name)
    raise AttributeError(f"module 'speech' has no attribute {name!r}")
