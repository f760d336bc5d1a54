"""How fast the knowledge finds, and what it weighs, with passages made for it."""

from __future__ import annotations

import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evals.figure import Figures
from knowledge import KnowledgeBase
from knowledge.lexicon import lexicon
from knowledge.table import default_embedder

SEED = 7


def speed(data: Path, dev: bool, passages: int = 10_000, queries: int = 200) -> Figures:
    """Search, ingest and memory with generated passages, on one core."""
    made = list(generated(passages))
    with tempfile.TemporaryDirectory() as folder:
        base = KnowledgeBase.open(folder)
        began, worked = time.perf_counter(), time.process_time()
        base.add_texts(made)
        ingest, worked = time.perf_counter() - began, time.process_time() - worked
        base.close()
        peak_ingest = _peak_mb()
        base = KnowledgeBase.open(folder)
        began = time.perf_counter()
        base.warm_up()
        opened = time.perf_counter() - began
        chance = random.Random(SEED)
        milliseconds, hits = [], 0
        for _ in range(queries):
            id_, text = chance.choice(made)
            words = text.split()
            at = chance.randrange(len(words) - 8)
            began = time.thread_time()
            found = base.search("what about " + " ".join(words[at : at + 7]), k=5)
            milliseconds.append((time.thread_time() - began) * 1e3)
            hits += any(passage.id == id_ for passage in found)
        resident = _resident_mb()
        base.close()
    return {
        "passages": passages,
        "search_ms_p50": statistics.median(milliseconds),
        "search_ms_p95": float(np.percentile(milliseconds, 95)),
        "recall@5": hits / queries,
        "ingest_passages_per_s": passages / ingest,
        "ingest_passages_per_cpu_s": passages / worked,
        "open_s": opened,
        "resident_mb": resident,
        "peak_mb_ingest": peak_ingest,
    }


def speed_200k(data: Path, dev: bool) -> Figures:
    """The same at 200,000 passages; takes minutes."""
    return speed(data, dev, 200_000)


def embed(data: Path, dev: bool) -> Figures:
    """Time of one question's vector, fresh words each time."""
    embedder = default_embedder()
    texts = [" ".join(text.split()[:11]) for _, text in generated(500, seed=3)]
    embedder.embed(texts[:1])
    milliseconds = []
    for text in texts[1:]:
        began = time.thread_time()
        embedder.embed([text])
        milliseconds.append((time.thread_time() - began) * 1e3)
    return {
        "embed_ms": statistics.median(milliseconds),
        "embed_ms_p95": float(np.percentile(milliseconds, 95)),
    }


def generated(count: int, seed: int = SEED) -> Iterator[tuple[str, str]]:
    """Yield ids and texts of about fifty words in four sentences, words as frequent as in general talk."""
    chance = np.random.default_rng(seed)
    known = lexicon().information
    names = list(known)
    shares = np.exp(-np.asarray([known[name] for name in names]))
    shares /= shares.sum()
    for first in range(0, count, 1000):
        lengths = chance.integers(8, 17, size=(min(1000, count - first), 4))
        words = iter(chance.choice(names, size=int(lengths.sum()), p=shares).tolist())
        for row, parts in enumerate(lengths.tolist()):
            sentences = [" ".join(next(words) for _ in range(part)).capitalize() for part in parts]
            yield f"p{first + row}", ". ".join(sentences) + "."


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _resident_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss) / 2**20
