"""How the constants in this package were made: `python -m knowledge.calibrate --help`.

Nothing here runs in the product. Data is given by path; the sets are described in the README of the
development data.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from knowledge.lexicon import english_words


def frequencies(data: Path, rarest: int = 3) -> list[str]:
    """Count English words over sets that may be trained on, for `data/english_words.txt`.

    Args:
        data: folder of the development data.
        rarest: words seen less often are left out.
    """
    counts: collections.Counter[str] = collections.Counter()
    for text in _english_texts(data):
        counts.update(word for word in english_words(text) if not word[0].isdigit())
    kept = sorted((word for word in counts if counts[word] >= rarest), key=lambda word: (-counts[word], word))
    return [f"{word} {counts[word]}" for word in kept]


def _english_texts(data: Path) -> Iterator[str]:
    for line in (data / "goemotions" / "train.tsv").read_text(encoding="utf-8").splitlines():
        yield line.split("\t")[0]
    for file in sorted((data / "hwu64").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            yield from (row[0] for row in csv.reader(rows))
    with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as rows:
        yield from (row["text"] for row in csv.DictReader(rows))
    for article in json.loads((data / "xquad_en" / "xquad.en.json").read_text(encoding="utf-8"))["data"]:
        yield from (paragraph["context"] for paragraph in article["paragraphs"])
    dialogues = json.loads((data / "dstc11_track5" / "val" / "logs.json").read_text(encoding="utf-8"))
    # Dialogues come once a turn, so that neighbours repeat each other.
    for dialogue in dialogues[::8]:
        yield from (turn["text"] for turn in dialogue)


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    words = steps.add_parser("frequencies", help="write data/english_words.txt to standard output")
    words.add_argument("data", type=Path)
    arguments = parser.parse_args()
    if arguments.step == "frequencies":
        sys.stdout.write(
            "# How often English words occur in general talk: word, count. Made by\n"
            "# `python -m knowledge.calibrate frequencies` from GoEmotions, HWU64, BANKING77, XQuAD, DSTC11.\n"
        )
        sys.stdout.write("\n".join(frequencies(arguments.data)) + "\n")


if __name__ == "__main__":
    main()
