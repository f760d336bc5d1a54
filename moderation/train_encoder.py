"""How the small transformer was made: `python -m moderation.train_encoder --help`.

It begins as the first two layers of a sentence transformer (the teacher: all-MiniLM-L6-v2), with its table of
word pieces squeezed to `RANK` numbers a piece and Chinese characters added, and learns the moderation heads
and the visitor's emotions together. Needs torch, safetensors, tokenizers, onnx and onnxscript; nothing here
runs in the product.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from moderation.classifier import PIECES
from moderation.corpus import HEADS, Example, kept_aside, say
from moderation.encoder import LONGEST, open_pieces, prepared
from moderation.encoder_net import Net, export
from moderation.feelings import FEELINGS, felt
from moderation.training import examples, options

SELDOM = 4
"""Chinese characters that occur less often are not read."""
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
BATCH = 32
RATE, RATE_HEADS = 1.5e-4, 1e-3
SHARES = {"davidson": 0.6, "hwu64": 0.2, "banking77": 0.4, "goemotions": 0.5, "xquad": 0.3, "dstc11": 0.5}
"""Of a set that one epoch sees; all of the others."""
TYPOS = 0.1
"""Share of texts in which a slip of the keyboard is made."""


@dataclass(frozen=True, slots=True)
class Row:
    """One text to learn from."""

    text: str
    labels: NDArray[np.float32]
    """float32[heads]: 1, 0, or -1 where it is not known."""
    weight: float
    source: str


def rows(given: argparse.Namespace) -> Iterator[Row]:
    """Everything there is to learn from, what is kept aside left out."""
    for example in examples(given):
        if not kept_aside(example):
            yield Row(example.text, moderation_labels(example), example.weight, example.source)
    for one in felt(given.data, "train"):
        known = np.full(len(HEADS) + len(FEELINGS), -1, np.float32)
        known[len(HEADS) :] = [name in one.labels for name in FEELINGS]
        yield Row(one.text, known, 1.0, "feelings")


def moderation_labels(example: Example) -> NDArray[np.float32]:
    """float32[all heads]: -1 where it is not known."""
    known = np.full(len(HEADS) + len(FEELINGS), -1, np.float32)
    for head, value in example.labels.items():
        known[HEADS.index(head)] = value
    return known


def vocabulary(teacher: Path, every: Sequence[Row]) -> tuple[list[int], list[str]]:
    """The teacher's pieces that are kept, by number, and the Chinese characters that are added."""
    pieces = (teacher / "vocab.txt").read_text(encoding="utf-8").split("\n")
    kept = [
        number
        for number, piece in enumerate(pieces)
        if piece in MARKS or (piece.isascii() and piece and not (piece[0] == "[" and len(piece) > 3))
    ]
    counts = Counter(
        letter for row in every for letter in prepared(row.text) if "\u3400" <= letter <= "\u9fff"
    )
    return kept, sorted(letter for letter, count in counts.items() if count >= SELDOM)


def slipped(text: str, chance: random.Random) -> str:
    """A text with a letter lost, doubled or swapped with the next."""
    if len(text) < 6:
        return text
    at = chance.randrange(1, len(text) - 1)
    match chance.randrange(3):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case _:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


class Lesson:
    """Batches of an epoch; of public sets it takes only the share `public`."""

    def __init__(self, every: Sequence[Row], pieces: Any, seed: int, public: float = 1.0) -> None:
        self._rows, self._pieces, self._chance = every, pieces, random.Random(seed)
        self._public = public

    def epoch(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(pieces, labels, weights) of each batch; texts of like length together."""
        chance = self._chance
        chosen = [row for row in self._rows if chance.random() < self._share(row)]
        texts = [slipped(row.text, chance) if chance.random() < TYPOS else row.text for row in chosen]
        cut = [
            each.ids if len(each.ids) <= LONGEST else self._window(each.ids)
            for each in self._pieces.encode_batch([prepared(text[:4000]) for text in texts])
        ]
        order = sorted(range(len(cut)), key=lambda index: len(cut[index]) + 4 * chance.random())
        starts = list(range(0, len(order), BATCH))
        chance.shuffle(starts)
        for start in starts:
            batch = order[start : start + BATCH]
            yield (
                padded([cut[index] for index in batch]),
                torch.from_numpy(np.stack([chosen[index].labels for index in batch])),
                torch.tensor([chosen[index].weight for index in batch]),
            )

    def batches(self) -> int:
        """About how many an epoch has."""
        return math.ceil(sum(map(self._share, self._rows)) / BATCH)

    def _share(self, row: Row) -> float:
        ours = row.source.startswith("written:") or row.source == "told"
        return 1.0 if ours else SHARES.get(row.source, 1.0) * self._public

    def _window(self, ids: list[int]) -> list[int]:
        start = self._chance.randrange(1, len(ids) - LONGEST + 2)
        return [ids[0], *ids[start : start + LONGEST - 2], ids[-1]]


def padded(cut: Sequence[Sequence[int]]) -> Tensor:
    """int64[texts, longest], 0 where nothing is."""
    longest = max(map(len, cut))
    return torch.tensor([[*each, *[0] * (longest - len(each))] for each in cut])


def learn(net: Net, lesson: Lesson, epochs: float, rate: float) -> None:
    """Fit the net; a line every hundred batches."""
    slow = [each for name, each in net.named_parameters() if not name.startswith("heads")]
    optimizer = torch.optim.AdamW(
        [{"params": net.heads.parameters(), "lr": RATE_HEADS}, {"params": slow, "lr": rate}],
        weight_decay=0.01,
    )
    steps = int(epochs * lesson.batches())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [RATE_HEADS, rate], total_steps=steps + 1, pct_start=0.1
    )
    net.train()
    step, mean, began = 0, 0.0, time.monotonic()
    while step < steps:
        for pieces, labels, weights in lesson.epoch():
            counted = (labels >= 0).float() * weights[:, None]
            each = functional.binary_cross_entropy_with_logits(
                net(pieces), labels.clamp(min=0), reduction="none"
            )
            loss = (each * counted).sum() / counted.sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step, mean = step + 1, 0.98 * mean + 0.02 * float(loss.detach())
            if step % 100 == 0:
                spent = time.monotonic() - began
                say(f"{step}/{steps}  loss {mean:.4f}  {spent:.0f} s")
            if step == steps:
                return


def main() -> None:
    """Read, learn, write."""
    parser = options("moderation.train_encoder", __doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="all-MiniLM-L6-v2: safetensors and vocab")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument(
        "--public", type=float, default=1.0, help="share of the public sets; ours are seen whole"
    )
    parser.add_argument(
        "--only", nargs="*", help="of the written texts only files that end so: things sexual"
    )
    parser.add_argument("--go-on", type=Path, help="a net.pt of an earlier run to begin with")
    given = parser.parse_args()

    torch.manual_seed(1)
    every = list(rows(given))
    if given.only:
        ends = tuple(given.only)
        every = [row for row in every if not row.source.startswith("written:") or row.source.endswith(ends)]
    weights = load_file(given.teacher / "model.safetensors")
    given.out.mkdir(parents=True, exist_ok=True)
    if given.go_on:
        state = torch.load(given.go_on, weights_only=True)
        lines = (given.go_on.parent / PIECES).read_text(encoding="utf-8").splitlines()
        lines = [line for line in lines if line != "[END]"]
        kept = vocabulary(given.teacher, ())[0]
        added = lines[len(kept) :]
    else:
        state = None
        kept, added = vocabulary(given.teacher, every)
        names = (given.teacher / "vocab.txt").read_text(encoding="utf-8").split("\n")
        lines = [*(names[number] for number in kept), *added]
    (given.out / PIECES).write_text("\n".join([*lines, "[END]"]) + "\n", encoding="utf-8")
    net = Net(weights, kept, len(added), len(HEADS) + len(FEELINGS))
    if state:
        net.load_state_dict(state)
    say(f"{len(every)} texts, {len(lines)} pieces, {sum(p.numel() for p in net.parameters())} weights")
    pieces = open_pieces(given.out / PIECES)
    learn(net, Lesson(every, pieces, seed=1, public=given.public), given.epochs, given.rate)
    torch.save(net.state_dict(), given.out / "net.pt")
    export(net, given.out)


if __name__ == "__main__":
    main()
