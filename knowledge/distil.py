"""How the table of word pieces was made: `python -m knowledge.distil --help`.

A sentence transformer (the teacher) reads every word piece alone, which gives the first rows, and many
sentences. The rows are then fitted so that the mean of a sentence's rows points where the teacher's vector
of the sentence points, and so that sentences are as alike as the teacher finds them (Tulkens and van Dongen
2024, model2vec and tokenlearn, do it in much the same way). Nothing here runs in the product.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.table import TABLE, TABLE_DIMENSION, TOKENIZER

Floats = npt.NDArray[np.float32]

NEEDS = (
    "knowledge.distil needs torch and transformers, which Visavis does not: install them beside it, "
    "for example in a virtual environment of their own (pip install torch transformers)"
)
LONGEST = 96
"""Word pieces of a sentence that the teacher reads."""
COMMON = 1e-3
"""Share of all pieces from which a piece begins with half its weight (Arora et al. 2017)."""
HELD_OUT = 2000
"""Sentences that are not fitted to, and tell how good the fit is."""
EPOCHS = 12
BATCH = 512
KINDS = 400
"""Kinds of general talk that are told apart."""
RATE = 2e-3
RATE_KEPT = 0.8
"""Share of the rate that the next epoch has."""
ALIKE = 2.0
"""Weight of the sentences' likeness to each other against their own directions."""


def quantise(rows: Floats) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    """Return rows as int8[n, d] with a scale a row, float16[n]: `rows` is about `quantised * scales`."""
    scales = np.maximum(np.abs(rows).max(axis=1) / 127.0, 1e-4).astype(np.float16)
    quantised = np.clip(np.round(rows / scales.astype(np.float32)[:, None]), -127, 127)
    return quantised.astype(np.int8), scales


def kinds(vectors: Floats, count: int = KINDS, rounds: int = 10) -> Floats:
    """Return the centres of the kinds of talk among sentences (spherical k-means).

    Args:
        vectors: float32[n, d], rows of length 1.
        count: at most so many kinds.
        rounds: of moving the centres.

    Returns:
        float32[k, d], rows of length 1.
    """
    chance = np.random.default_rng(0)
    centres = vectors[chance.permutation(len(vectors))[:count]].copy()
    for _ in range(rounds):
        nearest = (vectors @ centres.T).argmax(axis=1)
        for number in range(len(centres)):
            total = vectors[nearest == number].sum(axis=0)
            length = float(np.linalg.norm(total))
            if length:
                centres[number] = total / length
    return centres


def write(rows: Floats, general: Floats, tokenizer: Path, out: Path) -> None:
    """Write the table's two files.

    Args:
        rows: float32[pieces, 256].
        general: float32[k, 256], the kinds of general talk.
        tokenizer: the teacher's `tokenizer.json`.
        out: folder for both.
    """
    out.mkdir(parents=True, exist_ok=True)
    quantised, scales = quantise(rows)
    np.savez_compressed(out / TABLE, rows=quantised, scales=scales, general=quantise(general)[0])
    shutil.copyfile(tokenizer, out / TOKENIZER)


def read_texts(files: Sequence[Path]) -> list[str]:
    """Return the files' lines, each once, the shortest first."""
    lines = {line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    return sorted((line for line in lines if len(line) > 5), key=lambda line: (len(line), line))


class Teacher:
    """A sentence transformer whose vectors are the means of its last states."""

    def __init__(self, folder: Path) -> None:
        """Load a folder with config.json, weights and tokenizer.json."""
        from transformers import AutoModel, AutoTokenizer  # type: ignore[import-not-found,unused-ignore]

        self.tokenizer_file = folder / "tokenizer.json"
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return float32[n, teacher's dimension], rows of length 1."""
        found = []
        for batch in _batches(texts, 128):
            found.append(
                self._means(
                    self._tokenizer(
                        list(batch), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
                    )
                )
            )
            _say(f"read {sum(map(len, found))} of {len(texts)} sentences")
        return np.concatenate(found)

    def pieces(self) -> Floats:
        """Return the vector of each word piece read alone; zeros for those that stand for nothing."""
        import torch  # type: ignore[import-not-found,unused-ignore]

        names = self._tokenizer.convert_ids_to_tokens(range(len(self._tokenizer)))
        start, end = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        found = []
        for batch in _batches(range(len(names)), 512):
            ids = torch.tensor([[start, piece, end] for piece in batch])
            found.append(self._means({"input_ids": ids, "attention_mask": torch.ones_like(ids)}))
        vectors = np.concatenate(found)
        vectors[[number for number, name in enumerate(names) if name.startswith("[")]] = 0.0
        return vectors

    def _means(self, inputs: Any) -> Floats:
        import torch

        with torch.inference_mode():
            states = self._model(**inputs).last_hidden_state
            mask = inputs["attention_mask"][..., None]
            means = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1))
        return np.asarray(means.numpy(), dtype=np.float32)


def fit(pieces: Floats, sentences: Sequence[Sequence[int]], targets: Floats, epochs: int = EPOCHS) -> Floats:
    """Fit rows of pieces to the teacher's sentences.

    Args:
        pieces: float32[p, t], the teacher's vectors of the pieces.
        sentences: the pieces of each sentence.
        targets: float32[n, t], the teacher's vectors of the sentences.
        epochs: times that all sentences are gone through.

    Returns:
        float32[p, 256].
    """
    import torch

    torch.manual_seed(0)
    normal = torch.nn.functional.normalize
    goals = torch.tensor(targets)
    _, _, axes = torch.pca_lowrank(goals, q=TABLE_DIMENSION, center=False, niter=4)
    goals = normal(goals @ axes)
    counts = np.bincount(np.concatenate([np.asarray(s, dtype=int) for s in sentences]), minlength=len(pieces))
    shares = (counts + 0.5) / counts.sum()
    weights = torch.tensor(COMMON / (COMMON + shares), dtype=torch.float32)
    # Rows of about this length move as far in a step as rows of the fit's end need.
    rows = 6.0 * normal(torch.tensor(pieces) @ axes) * weights[:, None]
    bag = torch.nn.EmbeddingBag.from_pretrained(rows, freeze=False, mode="sum")
    steps = torch.optim.Adam(bag.parameters(), lr=RATE)
    order = torch.randperm(len(sentences))
    held, fitted = order[: min(HELD_OUT, len(order) // 10)], order[min(HELD_OUT, len(order) // 10) :]

    def means(numbers: Any) -> Any:
        chosen = [sentences[number] for number in numbers.tolist()]
        starts = np.cumsum([0] + [len(pieces) for pieces in chosen[:-1]])
        flat = [piece for pieces in chosen for piece in pieces]
        return normal(bag(torch.tensor(flat), torch.tensor(starts)))

    for epoch in range(epochs):
        for batch in torch.split(fitted[torch.randperm(len(fitted))], BATCH):
            found, goal = means(batch), goals[batch]
            loss = (1 - (found * goal).sum(1)).mean()
            loss = loss + ALIKE * len(batch) * ((found @ found.T - goal @ goal.T) ** 2).mean() / 100.0
            steps.zero_grad()
            loss.backward()
            steps.step()
        for group in steps.param_groups:
            group["lr"] *= RATE_KEPT
        with torch.no_grad():
            found, goal = means(held), goals[held]
            near = float((found * goal).sum(1).mean())
            apart = float(((found @ found.T - goal @ goal.T) ** 2).mean().sqrt())
        _say(f"epoch {epoch + 1}: held-out cosine {near:.4f}, likeness off by {apart:.4f}")
    return np.asarray(bag.weight.detach().numpy(), dtype=np.float32)


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=NEEDS)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of a BERT sentence transformer")
    parser.add_argument("--texts", type=Path, nargs="*", default=[], help="files with a sentence a line")
    parser.add_argument(
        "--cached",
        type=Path,
        nargs="*",
        default=[],
        help="npz files with texts s and the teacher's vectors v",
    )
    parser.add_argument("--keep", type=Path, help="write the teacher's vectors of --texts here, for --cached")
    parser.add_argument(
        "--general", type=Path, nargs="+", required=True, help="files with general talk, a line a sentence"
    )
    parser.add_argument("--rows", type=Path, help="npy file of rows that were fitted before")
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files")
    arguments = parser.parse_args()
    try:
        import torch  # noqa: F401
        import transformers  # type: ignore[import-not-found,unused-ignore] # noqa: F401
    except ImportError:
        sys.exit(NEEDS)
    arguments.out.mkdir(parents=True, exist_ok=True)
    teacher = Teacher(arguments.teacher)
    texts: list[str] = []
    vectors: list[Floats] = []
    for file in arguments.cached:
        # The texts are Python strings, so that such a file is only to be read from one's own hand.
        with np.load(file, allow_pickle=True) as kept:
            texts += [str(text) for text in kept["s"]]
            vectors.append(kept["v"].astype(np.float32))
    if arguments.texts:
        new = read_texts(arguments.texts)
        vectors.append(teacher.vectors(new))
        texts += new
        if arguments.keep:
            np.savez(arguments.keep, s=np.array(new, dtype=object), v=vectors[-1].astype(np.float16))
    if not texts:
        parser.error("give --texts, --cached or both")
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(teacher.tokenizer_file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    split = [found.ids for found in tokenizer.encode_batch(texts, add_special_tokens=False)]
    usable = [number for number, ids in enumerate(split) if ids]
    if arguments.rows:
        rows = np.load(arguments.rows)
    else:
        rows = fit(teacher.pieces(), [split[n] for n in usable], np.concatenate(vectors)[usable])
        np.save(arguments.out / "rows.npy", rows)
    talk = tokenizer.encode_batch(read_texts(arguments.general), add_special_tokens=False)
    means = np.stack([rows[found.ids].sum(axis=0) for found in talk if found.ids])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    write(rows, kinds(means), teacher.tokenizer_file, arguments.out)


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
