"""Hearing one question: sound in, words out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from agent.events import Heard
from speech.recognizer import RECOGNITION_RATE_HZ, Recognizer, Transcript
from speech.timeline import Pcm
from speech.vad import SileroVad, VoiceActivity

BLOCK_S = 0.032
"""Sound is taken in as it would arrive, one VAD window at a time."""


async def listen(pcm: Pcm, recognizer: Recognizer) -> Heard:
    """Hear one question.

    The sound is fed block by block, as from a microphone: each block passes the voice activity detector
    and, while somebody speaks, the recognizer. `recognition_ms` therefore counts from the moment at which
    the last block has been taken in, which is the end of the question.

    Args:
        pcm: mono float32[n] at 16 kHz.
        recognizer: any engine.
    """
    return await asyncio.to_thread(_hear, pcm, recognizer)


def _hear(pcm: Pcm, recognizer: Recognizer) -> Heard:
    detector = VoiceActivity(SileroVad())
    stream = recognizer.stream()
    vad_s = speech_s = 0.0
    fed = False
    try:
        for block in _blocks(pcm):
            began = time.perf_counter()
            voiced = detector.accept(block)
            vad_s += time.perf_counter() - began
            for piece in voiced:
                fed = True
                speech_s += len(piece) / RECOGNITION_RATE_HZ
                stream.feed(piece)
        for piece in detector.flush():
            fed = True
            speech_s += len(piece) / RECOGNITION_RATE_HZ
            stream.feed(piece)
        ended = time.perf_counter()
        if fed:
            transcript = stream.finish()
        else:
            transcript = Transcript("", recognizer.languages[0], 0.0, recognizer.engine)
        return Heard(
            transcript=transcript,
            speech_s=speech_s,
            vad_ms=vad_s * 1e3,
            recognition_ms=(time.perf_counter() - ended) * 1e3,
        )
    finally:
        stream.close()


def _blocks(pcm: Pcm) -> Iterator[Pcm]:
    step = int(BLOCK_S * RECOGNITION_RATE_HZ)
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]
