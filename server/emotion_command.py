"""`visavis emotion`: what a visitor feels who says something, by words and by voice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from server.arguments import JsonOption
from server.boundary import UsageError, boundary, tell

AUDIO_S = 120.0
"""Longest recording: one utterance is asked for."""


def emotion(
    text: Annotated[str, typer.Argument(help="What was said; with --audio, the recording's words.")] = "",
    audio: Annotated[
        Path | None, typer.Option("--audio", "-a", help="A recording of it: the voice counts too.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a visitor feels: neutral, joy, sadness, anger, fear, surprise or disgust.

    Examples:

      visavis emotion "This is the third time I call, and nobody helps!"

      visavis emotion --audio question.wav --json

    Each feeling has a score, 0 to 1; several may be likely at once. Of one recording the voice tells little,
    as there is nothing to compare it with: in a conversation it counts against the visitor's own turns.
    """
    with boundary():
        if audio is None and not text.strip():
            raise UsageError('give some words, for example: visavis emotion "I love it", or --audio FILE')
        document = emotion_of(text, audio)
    tell(document, show_emotion, json=json)


def emotion_of(text: str, audio: Path | None) -> dict[str, Any]:
    """Return the contract's document, with what words and voice say by themselves.

    Raises:
        AudioError: the recording cannot be used.
        AgentError, SpeechError: an engine is missing or failed.
    """
    from agent.emotion import detect_emotion
    from agent.emotion_voice import voice_features
    from agent.feeling import feeling_of
    from speech.audio import load_audio

    features = None
    if audio is not None:
        pcm = load_audio(audio, max_s=AUDIO_S)
        features = voice_features(pcm)
        text = text if text.strip() else _heard(pcm)
    words = detect_emotion(text)
    feeling, voice = feeling_of(words, features, None, (), 0.0)
    felt = feeling.emotion
    document: dict[str, Any] = {
        "label": felt.label,
        "intensity": felt.intensity,
        "scores": dict(felt.scores),
        "confidence": feeling.confidence,
        "words": {"label": words.label, "intensity": words.intensity},
    }
    if audio is not None:
        document["transcript"] = text
        document["voice"] = None
    if voice is not None and features is not None:
        document["voice"] = {
            "label": voice.emotion.label,
            "arousal": voice.arousal,
            "confidence": voice.confidence,
            "pitch_hz": round(100.0 * 2 ** (features.pitch / 12), 1),
            "pitch_range_semitones": round(features.pitch_range, 2),
            "loudness_db": round(features.loudness, 1),
            "syllables_per_s": round(features.pace, 2),
            "pauses": round(features.pauses, 3),
        }
    return document


def show_emotion(document: dict[str, Any]) -> None:
    """Print what is felt, the likeliest first."""
    from rich.table import Table

    from server.terminal import Terminal

    console = Terminal()
    console.print(
        f"{document['label']}, intensity {document['intensity']:.2f}, confidence {document['confidence']:.2f}"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for label, score in sorted(document["scores"].items(), key=lambda pair: -pair[1]):
        table.add_row(label, f"{score:.2f}", "▇" * round(score * 20))
    console.print(table)
    if "transcript" in document:
        console.print(f"heard: {document['transcript'] or '(no words)'}")
        voice = document["voice"]
        if voice is None:
            console.print("voice: too little of it to tell anything")
        else:
            console.print(
                f"voice: {voice['pitch_hz']:.0f} Hz ± {voice['pitch_range_semitones'] / 2:.1f} semitones, "
                f"{voice['loudness_db']:.0f} dB, {voice['syllables_per_s']:.1f} syllables/s; by itself "
                f"{voice['label']} (confidence {voice['confidence']:.2f})"
            )


def _heard(pcm: Any) -> str:
    from agent.listening import listen
    from speech.recognizer import load_recognizer

    recognizer = load_recognizer(languages=("en", "zh"))
    try:
        return asyncio.run(listen(pcm, recognizer)).transcript.text.strip()
    finally:
        recognizer.close()
