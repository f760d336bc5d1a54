"""What the visitor of the live figures says: a microphone's recording, and where in it what is said."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from speech.audio import Resampler
from speech.synthesizer import Synthesizer
from speech.timeline import Pcm

RATE_HZ = 48_000
"""What browsers open microphones with."""
LEAD_S = 14.0
"""Before the first word: the page connects, and the desk greets."""
LEVEL_RMS = 0.08
"""Loudness of what is said, of full scale: a voice near a microphone."""
ROOM_RMS = 0.0004
"""A quiet room, 46 dB below: a microphone is never digitally silent."""
EDGE = 0.06
"""Share of an utterance's loudest 10 ms below which its ends are cut off: they cannot be heard."""
REPLY_S = 16.0
"""Room for a reply before the next question: most are over then, some are spoken over."""
SECOND_REPLY_S = 9.0
"""Room for the reply to an interruption; the next question is mostly spoken over it."""
INTERRUPT_S = 3.2
"""From a question's end to the interruption: the reply is said since two seconds and more."""

QUESTIONS = (
    "How long do I have to return something?",
    "Which ways to pay do you accept?",
    "How do I track my order?",
    "Do you deliver to Ireland?",
    "What does delivery cost?",
    "How long is the warranty on a tent?",
    "When do I get my refund?",
    "Can I cancel my order?",
    "Where are your stores?",
    "How do I clean a cast iron pan?",
    "My parcel is late. What can I do?",
    "Do you have gift cards?",
    "Can I change my delivery address?",
    "What do you sell?",
    "How do I wash my sleeping bag?",
    "Do you offer gift wrapping?",
    "I forgot my password. What should I do?",
    "Can I pay in instalments?",
    "My lamp arrived broken.",
    "Can I collect my order in a store?",
    "Do you match lower prices?",
    "How do I get an invoice?",
    "What are your opening hours?",
    "How do I care for my tent?",
)
LONG = (
    "How long do I have to return something, and who pays for it?",
    "Which ways to pay do you accept?",
    "How do I clean a cast iron pan?",
    "How do I wash my sleeping bag?",
    "What does delivery cost?",
    "How do I care for my tent?",
    "My parcel is late. What can I do?",
)
"""Answered at some length, so that there is something to interrupt."""
INTERRUPTIONS = (
    "No, wait, I want to ask something else.",
    "Sorry, but that was not my question.",
    "Stop, please.",
    "Actually, how do I track my order?",
    "That is not what I wanted to know.",
)

Kind = Literal["question", "interruption"]


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance in a recording."""

    kind: Kind
    text: str
    start_s: float
    """Of its first audible sound, from the recording's beginning."""
    end_s: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What the microphone hears: float32[n] at 48 kHz."""

    pcm: Pcm
    said: tuple[Said, ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / RATE_HZ

    def write(self, path: Path) -> None:
        """Write it as 16-bit mono wav."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes((np.clip(self.pcm, -1, 1) * 32767).astype("<i2").tobytes())


def trimmed(pcm: Pcm) -> Pcm:
    """Cut off what cannot be heard at both ends; the rest at `LEVEL_RMS`."""
    step = RATE_HZ // 100
    loud = np.sqrt(np.mean(pcm[: len(pcm) // step * step].reshape(-1, step) ** 2, axis=1))
    if not len(loud) or loud.max() <= 0:
        raise ValueError("the recording is silent: give one with a voice in it")
    voiced = np.flatnonzero(loud > EDGE * loud.max())
    kept = pcm[voiced[0] * step : (voiced[-1] + 1) * step]
    return np.asarray(kept * (LEVEL_RMS / np.sqrt(np.mean(kept**2))), np.float32)


def spoken(voice: Synthesizer, text: str) -> Pcm:
    """Say a text, at 48 kHz."""
    speech = voice.speak(text, language="en")
    resampler = Resampler(speech.sample_rate, RATE_HZ)
    return np.concatenate([resampler.feed(speech.pcm), resampler.flush()])


def arranged(
    utterances: Sequence[tuple[Kind, str, Pcm]],
    *,
    interrupt_s: float = INTERRUPT_S,
    reply_s: float = REPLY_S,
    second_reply_s: float = SECOND_REPLY_S,
    seed: int = 0,
) -> Recording:
    """Lay utterances out in time, in a quiet room.

    Args:
        utterances: kind, text, float32[n] at 48 kHz; an interruption follows its question.
        interrupt_s: from a question's end to its interruption.
        reply_s: from a question's end to the next one.
        second_reply_s: from an interruption's end to the next question.
        seed: of the room's noise.
    """
    placed: list[tuple[int, Pcm]] = []
    said = list[Said]()
    at = round(LEAD_S * RATE_HZ)
    end = at
    for kind, text, pcm in utterances:
        kept = trimmed(pcm)
        at = end + round(interrupt_s * RATE_HZ) if kind == "interruption" else at
        placed.append((at, kept))
        end = at + len(kept)
        said.append(Said(kind, text, at / RATE_HZ, end / RATE_HZ))
        at = end + round((second_reply_s if kind == "interruption" else reply_s) * RATE_HZ)
    noise: NDArray[np.float32] = np.random.default_rng(seed).normal(0, ROOM_RMS, at).astype(np.float32)
    for begin, kept in placed:
        noise[begin : begin + len(kept)] += kept
    return Recording(noise, tuple(said))


def script(voice: Synthesizer, questions: int, interruptions: int) -> Recording:
    """A visitor who asks so many questions, and breaks into so many further replies."""
    utterances: list[tuple[Kind, str, Pcm]] = []
    for number in range(questions):
        text = QUESTIONS[number % len(QUESTIONS)]
        utterances.append(("question", text, spoken(voice, text)))
    for number in range(interruptions):
        text, breaks = LONG[number % len(LONG)], INTERRUPTIONS[number % len(INTERRUPTIONS)]
        utterances.append(("question", text, spoken(voice, text)))
        utterances.append(("interruption", breaks, spoken(voice, breaks)))
    return arranged(utterances)
