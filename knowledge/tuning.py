"""How the table was tuned to tell intents apart: `python -m knowledge.tuning --help`; numpy is all that it
needs.

`knowledge.distil` fits rows to what a teacher says of sentences. Here they are moved so that questions of
one intent lie together and those of others apart (supervised contrastive loss, Khosla et al. 2020), on sets
that may be trained on. Pieces are left out at random, so that no single word decides. Nothing here runs in
the product.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.distil import kinds, read_texts, write
from knowledge.table import TABLE, TOKENIZER

RATE = 0.02
EPOCHS = 8
"""Chosen on every fifth training question of BANKING77, held out."""
TEMPERATURE = 0.05
LEFT_OUT = 0.3
"""Share of a sentence's pieces that are left out, each time others."""
BATCH = 512

Floats = npt.NDArray[np.float32]
Labelled = tuple[list[list[int]], npt.NDArray[np.int64]]
"""Pieces and intent of each sentence of a set."""


def tune(rows: Floats, sets: Sequence[Labelled], epochs: int = EPOCHS) -> Floats:
    """Return rows, float32[pieces, d], moved so that sentences of one intent are alike."""
    rows = rows.copy()
    mean, square = np.zeros_like(rows), np.zeros_like(rows)
    chance = np.random.default_rng(0)
    for epoch in range(epochs):
        rate = RATE * (1 - epoch / epochs)
        batches = []
        for number, (sentences, _) in enumerate(sets):
            order = chance.permutation(len(sentences))
            size = min(BATCH, len(order))
            batches += [(number, order[at : at + size]) for at in range(0, len(order) - size + 1, size)]
        losses = []
        for at in chance.permutation(len(batches)).tolist():
            number, chosen = batches[at]
            sentences, intents = sets[number]
            thinned = [_thinned(sentences[one], chance) for one in chosen.tolist()]
            pieces, slope, loss = _slope(rows, thinned, intents[chosen])
            mean[pieces] = 0.9 * mean[pieces] + 0.1 * slope
            square[pieces] = 0.99 * square[pieces] + 0.01 * slope**2
            rows[pieces] -= rate * mean[pieces] / (np.sqrt(square[pieces]) + 1e-8)
            losses.append(loss)
        sys.stderr.write(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}\n")
    return rows


def _thinned(pieces: Sequence[int], chance: np.random.Generator) -> npt.NDArray[np.int64]:
    all_ = np.asarray(pieces, dtype=np.int64)
    kept = all_[chance.random(len(all_)) > LEFT_OUT]
    return kept if len(kept) else all_


def _slope(
    rows: Floats, sentences: Sequence[npt.NDArray[np.int64]], intents: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Floats, float]:
    """Return the pieces of a batch, the loss's slope by their rows, and the loss."""
    flat = np.concatenate(sentences)
    pieces, places = np.unique(flat, return_inverse=True)
    counts = np.zeros((len(sentences), len(pieces)), dtype=np.float32)
    np.add.at(counts, (np.repeat(np.arange(len(sentences)), [len(s) for s in sentences]), places), 1.0)
    sums = counts @ rows[pieces]
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    vectors = sums / lengths
    alike = vectors @ vectors.T / TEMPERATURE
    np.fill_diagonal(alike, -1e9)
    alike -= alike.max(axis=1, keepdims=True)
    told = np.exp(alike)
    total = told.sum(axis=1, keepdims=True)
    wanted = (intents[:, None] == intents[None, :]).astype(np.float32)
    np.fill_diagonal(wanted, 0.0)
    others = wanted.sum(axis=1, keepdims=True)
    wanted /= np.maximum(others, 1.0)
    paired = others > 0
    loss = float(-(wanted * (alike - np.log(total))).sum() / max(int(paired.sum()), 1))
    pull = (told / total - wanted) * paired / (TEMPERATURE * len(sentences))
    slope = (pull + pull.T) @ vectors
    slope = (slope - vectors * (vectors * slope).sum(axis=1, keepdims=True)) / lengths
    return pieces, np.asarray(counts.T @ slope, dtype=np.float32), loss


def main() -> None:
    """Tune the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True, help="folder of the two files that distil wrote")
    parser.add_argument(
        "--intents", type=Path, nargs="+", required=True, help="CSV files: a sentence and its intent a row"
    )
    parser.add_argument(
        "--general", type=Path, nargs="+", required=True, help="files with general talk, a line a sentence"
    )
    parser.add_argument(
        "--hold", type=int, default=0, help="leave every so many sentences out, to measure on"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files")
    arguments = parser.parse_args()
    from tokenizers import Tokenizer

    tokenizer: Any = Tokenizer.from_file(str(arguments.table / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()

    def pieces(texts: Sequence[str]) -> list[list[int]]:
        return [read.ids for read in tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    with np.load(arguments.table / TABLE, allow_pickle=False) as found:
        rows = found["rows"].astype(np.float32) * found["scales"].astype(np.float32)[:, None]
    sets = []
    for file in arguments.intents:
        with file.open(encoding="utf-8", newline="") as lines:
            # The first row names the columns.
            labelled = [row[:2] for row in csv.reader(lines) if len(row) > 1 and row[0].strip()][1:]
        labelled = [row for at, row in enumerate(labelled) if not arguments.hold or at % arguments.hold]
        _, intents = np.unique([intent for _, intent in labelled], return_inverse=True)
        sets.append((pieces([text.strip() for text, _ in labelled]), intents))
    rows = tune(rows, sets)
    talk = [ids for ids in pieces(read_texts(arguments.general)) if ids]
    means = np.stack([rows[ids].sum(axis=0) for ids in talk])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    write(rows, kinds(means), arguments.table / TOKENIZER, arguments.out)


if __name__ == "__main__":
    main()
