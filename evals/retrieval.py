"""How well and how fast the knowledge finds: `python -m evals.retrieval DATA [NAME…] [--json]`.

DATA is a folder of public sets, each in a folder of its own; a set that is not there is passed over.
Everything is asked of the knowledge as it ships, through `KnowledgeBase`. The sets' test parts are measured
here and nowhere fitted to; `--dev` asks a part of the training questions instead, for work on the search.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from evals.figure import Figures, NotHere
from evals.retrieval_speed import SEED, embed, speed, speed_200k
from knowledge import KnowledgeBase
from knowledge.table import default_embedder

Pairs = list[tuple[str, str]]

MOST_FOREIGN = 1500
"""Foreign questions that are asked; more tell no more."""
DEV_SHARE = 5
"""With `--dev`, every fifth training question is asked and the others are known."""


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float:
    """Return the share of pairs in which the inside one is greater; ties count half."""
    values = np.concatenate([np.asarray(inside, dtype=float), np.asarray(outside, dtype=float)])
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[places]
    more = ranks[: len(inside)].sum() - len(inside) * (len(inside) + 1) / 2.0
    return float(more / (len(inside) * len(outside)))


def xquad_en(data: Path, dev: bool) -> Figures:
    """English questions to paragraphs."""
    return _paragraphs(data / "xquad_en" / "xquad.en.json")


def xquad_zh(data: Path, dev: bool) -> Figures:
    """Chinese questions to paragraphs, translated."""
    return _paragraphs(data / "xquad_en" / "xquad.zh.json")


def cmrc2018(data: Path, dev: bool) -> Figures:
    """Chinese questions to paragraphs."""
    return _paragraphs(data / "cmrc2018" / "cmrc2018_trial.json")


def banking77(data: Path, dev: bool) -> Figures:
    """Intents by nearest FAQ entry, and how well answerable questions are told from others."""
    known, asked = _banking(data, dev)
    foreign = _hwu64(data)
    with knowledge_of([(f"{intent}#{n}", text) for n, (text, intent) in enumerate(known)]) as base:
        found = [base.search(text, k=5) for text, _ in asked]
        best = [passages[0].id.partition("#")[0] if passages else "" for passages in found]
        inside = [passages[0].score if passages else 0.0 for passages in found]
        outside = [base.answerable(text) for text in foreign]
    right = [name == intent for name, (_, intent) in zip(best, asked, strict=True)]
    return {
        "questions": len(asked),
        "accuracy": statistics.fmean(right),
        "recall@5": statistics.fmean(
            any(p.id.partition("#")[0] == intent for p in passages)
            for passages, (_, intent) in zip(found, asked, strict=True)
        ),
        "auroc_hwu64": auroc(inside, outside),
    }


def left_out(data: Path, dev: bool) -> Figures:
    """How well questions of known intents are told from those of a quarter that was left out."""
    known, asked = _banking(data, dev)
    intents = sorted({intent for _, intent in known})
    random.Random(SEED).shuffle(intents)
    missing = set(intents[: len(intents) // 4])
    texts = [(f"{intent}#{n}", text) for n, (text, intent) in enumerate(known) if intent not in missing]
    with knowledge_of(texts) as base:
        scores = [(base.answerable(text), intent in missing) for text, intent in asked]
    return {
        "questions": len(asked),
        "auroc": auroc([s for s, gone in scores if not gone], [s for s, gone in scores if gone]),
    }


def covid_faq(data: Path, dev: bool) -> Figures:
    """How well the vectors tell questions that ask the same from others."""
    rows = _rows(data / "covid_faq" / "eval_question_similarity_en.csv")
    embedder = default_embedder()
    first = embedder.embed([row["question_1"] for row in rows])
    second = embedder.embed([row["question_2"] for row in rows])
    likeness = (first * second).sum(axis=1)
    same = np.asarray([row["similar"].strip() == "1" for row in rows])
    return {"questions": len(rows), "auroc": auroc(likeness[same], likeness[~same])}


def dstc11(data: Path, dev: bool) -> Figures:
    """FAQ entries and reviews for the last turn of a conversation, alone and with what went before."""
    folder = data / "dstc11_track5"
    texts = []
    for domain, entities in _json(folder / "knowledge.json").items():
        for number, entity in entities.items():
            name = entity["name"] or domain
            for at, faq in entity.get("faqs", {}).items():
                text = f"# {name}: {faq['question']}\n\n{faq['answer']}"
                texts.append((f"{domain}/{number}/faq/{at}", text))
            for at, review in entity.get("reviews", {}).items():
                said = " ".join(review["sentences"].values())
                texts.append((f"{domain}/{number}/review/{at}", f"# {name}: review\n\n{said}"))
    cases: list[tuple[list[str], set[str]]] = []
    for turns, label in zip(
        _json(folder / "val" / "logs.json"), _json(folder / "val" / "labels.json"), strict=True
    ):
        right = {
            f"{item['domain']}/{item['entity_id']}/{item['doc_type']}/{item['doc_id']}"
            for item in label.get("knowledge", ())
        }
        if right:
            cases.append(([turn["text"] for turn in turns], right))
    cases = random.Random(SEED).sample(cases, min(400, len(cases)))
    figures: Figures = {"questions": len(cases)}
    with knowledge_of(texts) as base:
        for name, kept in (("alone", 0), ("with_history", 12)):
            first = fifth = 0
            for turns, right in cases:
                context = turns[:-1][-kept:] if kept else []
                found = [passage.id for passage in base.search(turns[-1], k=5, context=context)]
                first += bool(found) and found[0] in right
                fifth += bool(right & set(found))
            figures[f"recall@1_{name}"] = first / len(cases)
            figures[f"recall@5_{name}"] = fifth / len(cases)
    return figures


MEASURES: dict[str, Callable[[Path, bool], Figures]] = {
    "xquad_en": xquad_en,
    "xquad_zh": xquad_zh,
    "cmrc2018": cmrc2018,
    "banking77": banking77,
    "left_out": left_out,
    "covid_faq": covid_faq,
    "dstc11": dstc11,
    "embed": embed,
    "speed": speed,
    "speed_200k": speed_200k,
}
SLOW = ("speed_200k",)
"""Measured when named only."""


def measure(data: Path, names: Sequence[str], dev: bool = False) -> dict[str, Figures]:
    """Return the figures of each measure whose set is there."""
    found = {}
    for name in names:
        sys.stderr.write(f"{name}\n")
        try:
            figures = MEASURES[name](data, dev)
        except NotHere as error:
            sys.stderr.write(f"{name}: passed over, {error}\n")
            continue
        found[name] = {key: round(value, 4) for key, value in figures.items()}
    return found


def _paragraphs(file: Path) -> Figures:
    texts: Pairs = []
    asked: Pairs = []
    for article in _json(file)["data"]:
        for paragraph in article["paragraphs"]:
            id_ = str(len(texts))
            texts.append((id_, paragraph["context"]))
            asked += [(item["question"], id_) for item in paragraph["qas"]]
    ranks = []
    with knowledge_of(texts) as base:
        for question, id_ in asked:
            found = [passage.id for passage in base.search(question, k=10)]
            ranks.append(found.index(id_) + 1 if id_ in found else 0)
    return {
        "questions": len(ranks),
        "recall@1": statistics.fmean(rank == 1 for rank in ranks),
        "recall@5": statistics.fmean(0 < rank <= 5 for rank in ranks),
        "mrr": statistics.fmean(1 / rank if rank else 0.0 for rank in ranks),
    }


def _banking(data: Path, dev: bool) -> tuple[Pairs, Pairs]:
    """Return the known and the asked questions, each with its intent."""
    known = [(row["text"].strip(), row["category"]) for row in _rows(data / "banking77" / "train.csv")]
    if not dev:
        return known, [
            (row["text"].strip(), row["category"]) for row in _rows(data / "banking77" / "test.csv")
        ]
    asked = [row for number, row in enumerate(known) if number % DEV_SHARE == 0]
    return [row for number, row in enumerate(known) if number % DEV_SHARE], asked


def _hwu64(data: Path) -> list[str]:
    found: list[str] = []
    for file in sorted((data / "hwu64").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            found += [row[0] for row in csv.reader(rows) if row]
    if not found:
        raise NotHere(f"{data / 'hwu64'} holds no questions")
    return random.Random(SEED).sample(found, min(MOST_FOREIGN, len(found)))


@contextmanager
def knowledge_of(texts: Sequence[tuple[str, str]]) -> Iterator[KnowledgeBase]:
    """Give a knowledge that holds these ids and texts, as it ships; it is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        base = KnowledgeBase.open(folder)
        base.add_texts(texts)
        base.warm_up()
        try:
            yield base
        finally:
            base.close()


def _json(file: Path) -> Any:
    if not file.is_file():
        raise NotHere(f"{file} is not there")
    return json.loads(file.read_text(encoding="utf-8"))


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise NotHere(f"{file} is not there")
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def main() -> None:
    """Measure from the shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the sets")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--dev", action="store_true", help="ask a part of the training questions")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - MEASURES.keys())
    if unknown:
        parser.error(f"no measure is called {unknown[0]!r}; there are: {', '.join(MEASURES)}")
    names = arguments.names or [name for name in MEASURES if name not in SLOW]
    found = measure(arguments.data, names, arguments.dev)
    if arguments.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, figures in found.items():
        sys.stdout.write(
            f"{name:12}" + "  ".join(f"{key} {value:g}" for key, value in figures.items()) + "\n"
        )


if __name__ == "__main__":
    main()
