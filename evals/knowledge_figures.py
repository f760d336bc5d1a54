"""Figures of the knowledge for `visavis bench`: searching, learning, and how soon a desk begins to answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from agent.desk import Desk
from agent.engines import Engines
from agent.events import Heard, Written
from agent.reply import reply
from evals.figure import Figure
from evals.retrieval_speed import embed, speed
from knowledge.table import default_embedder
from speech.recognizer import Transcript
from speech.scripted_voice import ScriptedSynthesizer

KNOWLEDGE = "knowledge"
"""Names these figures at once, but for the one that takes a quarter of an hour."""
LEARNT = 4000
"""Passages that are learnt to measure how fast."""
QUESTIONS = ("heldout_questions.jsonl", "demo_questions.jsonl")
MOST_QUESTIONS = 300


def search_ms_p95(passages: int) -> Figure:
    """Searching generated passages, on one core."""
    found = speed(Path(), False, passages)
    resident, learnt = found["resident_mb"], found["ingest_passages_per_cpu_s"]
    note = (
        f"processor time, {passages} generated passages, {resident:.0f} MB resident, learnt at {learnt:.0f}/s"
    )
    return Figure(round(found["search_ms_p95"], 2), "ms", 200, note)


def ingest_passages_per_s() -> Figure:
    """Learning generated passages of fifty words."""
    found = speed(Path(), False, LEARNT, queries=10)
    note = (
        f"generated passages of 50 words; {found['ingest_passages_per_cpu_s']:.0f} a second of processor time"
    )
    return Figure(round(found["ingest_passages_per_s"], 1), "1/s", LEARNT, note)


def embed_ms() -> Figure:
    """Making a question's vector."""
    found = embed(Path(), False)
    note = f"processor time, eleven words; p95 {found['embed_ms_p95']:.2f}; {default_embedder().name}"
    return Figure(round(found["embed_ms"], 3), "ms", 499, note)


def first_sentence_ms_p95() -> Figure:
    """From a question's words to the first sentence of the demo desk's answer, screened."""
    folder = Path(__file__).parent / "data"
    lines = [line for name in QUESTIONS for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in lines if line.strip()][:MOST_QUESTIONS]
    engines = Engines.open(Desk.load(), hearing=False)
    engines.synthesizer.close()
    engines.synthesizer = ScriptedSynthesizer()
    try:
        times = asyncio.run(_first_sentences(engines, [(one["question"], one["language"]) for one in asked]))
    finally:
        engines.close()
    elapsed, worked = np.percentile(np.asarray(times), 95, axis=0).tolist()
    note = f"95th percentile, {engines.answerer.engine}; {worked:.1f} ms of processor time"
    return Figure(round(elapsed, 2), "ms", len(times), note)


async def _first_sentences(engines: Engines, asked: list[tuple[str, str]]) -> list[tuple[float, float]]:
    """Return milliseconds of time, and of processor time, to each answer's first sentence."""
    found = []
    # What is loaded at the first question of a language is loaded before anyone asks.
    for at, (question, language) in enumerate([("How long?", "en"), ("多久？", "zh"), *asked]):
        began, worked = time.perf_counter(), time.process_time()
        heard = Heard(Transcript(question, language, 1.0, "typed"))
        async for event in reply(heard, engines):
            if isinstance(event, Written):
                now = (time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3
                found += [now] if at > 1 else []
                break
    return found


KNOWLEDGE_FIGURES: dict[str, Callable[[], Figure]] = {
    "search_ms_p95_10k": partial(search_ms_p95, 10_000),
    "search_ms_p95_200k": partial(search_ms_p95, 200_000),
    "ingest_passages_per_s": ingest_passages_per_s,
    "embed_ms": embed_ms,
    "first_sentence_ms_p95": first_sentence_ms_p95,
}
QUICK = tuple(name for name in KNOWLEDGE_FIGURES if name != "search_ms_p95_200k")
