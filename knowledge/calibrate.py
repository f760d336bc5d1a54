"""How the constants in this package were made: `python -m knowledge.calibrate --help`.

Nothing here runs in the product. Data is given by path; the sets are described in the README of the
development data.
"""

from __future__ import annotations

import argparse
import collections
import csv
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.base import KnowledgeBase
from knowledge.document import find_documents
from knowledge.fitting import Rows, fit, fit_order
from knowledge.lexicon import english_words
from knowledge.words import language_of

HELD = 5
"""Every so many questions of BANKING77's training part are asked and not known."""
TOPIC_SETS = (7, 1)
"""Seeds of the intents that are left out."""
TOLD_BY = (0, 1, 2, 3, 4, 7, 18, 19, 20)
"""Signals that tell whether a topic is meant: not those that say the same of every question there."""


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


@dataclass(frozen=True, slots=True)
class Sample:
    """A question with the documents that answer it; none where nothing does."""

    question: str
    language: str
    sources: tuple[str, ...]
    kind: str


def read_questions(file: Path, split: str = "") -> list[Sample]:
    """Read questions from JSON lines (as in `evals/data`) or tab-separated lines (as in the tests).

    Small talk and requests for a person are left out: they are not the knowledge's work.
    """
    samples = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if file.suffix == ".jsonl":
            item = json.loads(line)
            if item["kind"] in ("in", "out", "near") and split in ("", item.get("split", "")):
                sources = tuple(item.get("expect_sources", ()))
                samples.append(Sample(item["question"], item["language"], sources, item["kind"]))
        else:
            kind, language, listed, question = line.split("\t")
            answers = () if listed == "-" else tuple(listed.split("|"))
            samples.append(Sample(question, language, answers, kind))
    return samples


def measure(base: KnowledgeBase, samples: Sequence[Sample], threshold: float) -> dict[str, float]:
    """Return, by kind and language, how often the knowledge does right.

    In-domain: the best passage is of a right document (`found`), and its score is above the threshold as
    well (`answered`). Others: the score is below (`abstained`).
    """
    tallies: dict[str, list[bool]] = collections.defaultdict(list)
    for sample in samples:
        passages = base.search(sample.question, k=3)
        best = passages[0] if passages else None
        score = best.score if best else 0.0
        label = f"{sample.kind}-{sample.language}"
        if sample.sources:
            right = best is not None and best.source.partition("#")[0] in sample.sources
            tallies[f"{label} found"].append(right)
            tallies[f"{label} answered"].append(right and score >= threshold)
            tallies[f"{label} wrong"].append(not right and score >= threshold)
        else:
            tallies[f"{label} abstained"].append(score < threshold)
    return {name: round(sum(values) / len(values), 3) for name, values in sorted(tallies.items())}


def retrieval(base: KnowledgeBase, file: Path) -> dict[str, float]:
    """Return recall@1, recall@5 and MRR of questions to paragraphs, on a SQuAD-format set."""
    texts, asked = _paragraphs(file)
    base.add_texts(texts.items())
    ranks = []
    for question, id_ in asked:
        found = [passage.id for passage in base.search(question, k=10)]
        ranks.append(found.index(id_) + 1 if id_ in found else 0)
    return {
        "questions": len(ranks),
        "recall@1": round(sum(rank == 1 for rank in ranks) / len(ranks), 3),
        "recall@5": round(sum(0 < rank <= 5 for rank in ranks) / len(ranks), 3),
        "mrr": round(sum(1 / rank for rank in ranks if rank) / len(ranks), 3),
    }


def paragraph_rows(file: Path, count: int = 250, seed: int = 3) -> list[Rows]:
    """Return `order_rows` of some questions of a SQuAD-format set."""
    texts, asked = _paragraphs(file)
    chosen = random.Random(seed).sample(asked, min(count, len(asked)))
    with tempfile.TemporaryDirectory() as folder, closing(KnowledgeBase.open(folder)) as base:
        base.add_texts(texts.items())
        return order_rows(base, [Sample(text, language_of(text), (id_,), "in") for text, id_ in chosen])


def _paragraphs(file: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return a set's paragraphs by id, and its questions with the paragraph that answers each."""
    texts: dict[str, str] = {}
    asked: list[tuple[str, str]] = []
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            id_ = f"{article.get('title', article.get('id', ''))}-{len(texts)}-{number}"
            texts[id_] = paragraph["context"]
            asked += [(item["question"], id_) for item in paragraph["qas"]]
    return texts, asked


def evidence_rows(base: KnowledgeBase, samples: Sequence[Sample], top: int = 1) -> Rows:
    """Return the signals of each question's best passages, and whether their document is a right one."""
    signals, labels = [], []
    for sample in samples:
        for passage, evidence in base.evidence(sample.question, k=top):
            signals.append(evidence.signals())
            labels.append(passage.source.partition("#")[0] in sample.sources)
    return np.asarray(signals), np.asarray(labels, dtype=float)


def order_rows(base: KnowledgeBase, samples: Sequence[Sample]) -> list[Rows]:
    """Return for each question the rows of its passages, by `Evidence.places`; questions without a right one
    are left out.
    """
    found = []
    for sample in samples:
        near = [item for item in base.evidence(sample.question, k=200) if item[0].language == sample.language]
        labels = [float(passage.source.partition("#")[0] in sample.sources) for passage, _ in near]
        if any(labels):
            found.append((np.asarray([evidence.places() for _, evidence in near]), np.asarray(labels)))
    return found


def general_samples(data: Path, count: int = 300, seed: int = 3) -> list[Sample]:
    """Return HWU64 utterances: what people say to assistants, and no shop can answer."""
    found: list[str] = []
    for file in sorted((data / "hwu64").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            found += [row[0] for row in csv.reader(rows)]
    return [Sample(text, "en", (), "hwu64") for text in random.Random(seed).sample(found, count)]


def intent_rows(data: Path, seed: int = 7) -> Rows:
    """Return rows of BANKING77's training questions as an FAQ, a quarter of its intents left out.

    Four questions an intent are the knowledge; others of the same intents must be found, those of the
    intents left out and HWU64's must not.
    """
    chance = random.Random(seed)
    by_intent: dict[str, list[str]] = collections.defaultdict(list)
    with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            by_intent[row["category"]].append(row["text"].strip())
    intents = sorted(by_intent)
    chance.shuffle(intents)
    left_out = len(intents) // 4
    texts, samples = [], []
    for number, intent in enumerate(intents):
        chance.shuffle(by_intent[intent])
        known = number >= left_out
        if known:
            texts += [(f"{intent}#{at}", text) for at, text in enumerate(by_intent[intent][:4])]
        sources = (intent,) if known else ()
        samples += [Sample(text, "en", sources, "banking") for text in by_intent[intent][4:8]]
    for file in sorted((data / "hwu64").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            foreign = [row[0] for row in csv.reader(rows)]
        samples += [Sample(text, "en", (), "hwu64") for text in chance.sample(foreign, 150)]
    with tempfile.TemporaryDirectory() as folder, closing(KnowledgeBase.open(folder)) as base:
        base.add_texts(texts)
        return evidence_rows(base, samples)


def topic_rows(data: Path, seed: int) -> tuple[Rows, Rows]:
    """Return rows of BANKING77's training questions, four of five known, without a quarter of its intents.

    The fifths are asked, and HWU64's questions.

    Args:
        data: folder of the development data.
        seed: of the intents left out.

    Returns:
        Rows of BANKING77's questions and of HWU64's; a label is 1 where the best passage is of the right
        intent.
    """
    with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as lines:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(lines)]
    chance = random.Random(seed)
    intents = sorted({intent for _, intent in rows})
    chance.shuffle(intents)
    missing = set(intents[: len(intents) // 4])
    texts = [(f"{i}#{n}", t) for n, (t, i) in enumerate(rows) if n % HELD and i not in missing]
    asked = chance.sample(rows[::HELD], 1000)
    found = []
    with tempfile.TemporaryDirectory() as folder, closing(KnowledgeBase.open(folder)) as base:
        base.add_texts(texts)
        samples = [Sample(text, "en", () if i in missing else (i,), "banking") for text, i in asked]
        for group in (samples, general_samples(data, 500)):
            signals, labels = [], []
            for sample in group:
                for passage, evidence in base.evidence(sample.question, k=1):
                    signals.append(evidence.topical_signals())
                    labels.append(passage.source.partition("#")[0] in sample.sources)
            found.append((np.asarray(signals), np.asarray(labels, dtype=float)))
    return found[0], found[1]


def fit_topics(data: Path, ridge: float = 60.0) -> list[float]:
    """Return bias and weights of the likelihood where topics were learnt, fitted to signals of spread 1."""
    parts = [topic_rows(data, seed) for seed in TOPIC_SETS]
    signals = np.concatenate([rows for both in parts for rows, _ in both])
    spread = np.where(np.isin(np.arange(signals.shape[1]), TOLD_BY), signals.std(axis=0), 0.0)
    scale = np.where(spread > 1e-6, 1.0 / np.maximum(spread, 1e-6), 0.0)
    groups = []
    for known, foreign in parts:
        groups.append(((known[0] * scale, known[1]), float(len(known[1]))))
        groups.append(((foreign[0] * scale, foreign[1]), len(foreign[1]) / 2))
    model = fit(groups, ridge=ridge)
    return [float(model[0]), *(model[1:] * scale).tolist()]


def small_rows(documents: Path, samples: Sequence[Sample], parts: int = 6, seed: int = 7) -> Rows:
    """Return rows of small knowledges: the documents dealt out to `parts` folders.

    Each question is asked of the part that answers it and of one that does not: the second is as near to
    the shop's business as an unanswered question can be.
    """
    chance = random.Random(seed)
    files = list(find_documents(documents))
    chance.shuffle(files)
    found: list[Rows] = []
    for part in range(parts):
        with tempfile.TemporaryDirectory() as folder, closing(KnowledgeBase.open(folder)) as base:
            own = files[part::parts]
            for source, file in own:
                copy = Path(folder, "documents", source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
            base.add(Path(folder, "documents"))
            held = {source for source, _ in own}
            answered = [sample for sample in samples if held & set(sample.sources)]
            others = [sample for sample in samples if not held & set(sample.sources)]
            found.append(
                evidence_rows(base, answered + chance.sample(others, min(len(answered), len(others))))
            )
    return np.concatenate([rows for rows, _ in found]), np.concatenate([labels for _, labels in found])


def main() -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    words = steps.add_parser("frequencies", help="write data/english_words.txt to standard output")
    words.add_argument("data", type=Path)
    measured = steps.add_parser("measure", help="questions to a folder of documents")
    measured.add_argument("documents", type=Path)
    measured.add_argument("questions", type=Path, nargs="+")
    measured.add_argument("--split", default="", help="of the JSON lines: dev or test")
    measured.add_argument("--threshold", type=float, default=0.5)
    fitted = steps.add_parser("fit", help="the constants of answerability.py")
    fitted.add_argument("data", type=Path)
    fitted.add_argument("documents", type=Path)
    fitted.add_argument("questions", type=Path, nargs="+")
    ordered = steps.add_parser("order", help="the order of answerability.py")
    ordered.add_argument("documents", type=Path)
    ordered.add_argument("questions", type=Path, nargs="+")
    ordered.add_argument("--paragraphs", type=Path, nargs="*", default=[], help="SQuAD-format sets")
    topical = steps.add_parser("topics", help="the likelihood in answerability.py where topics were learnt")
    topical.add_argument("data", type=Path)
    found = steps.add_parser("retrieval", help="recall on a SQuAD-format set")
    found.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.step == "frequencies":
        sys.stdout.write(
            "# How often English words occur in general talk: word, count. Made by\n"
            "# `python -m knowledge.calibrate frequencies` from GoEmotions, HWU64,\n"
            "# BANKING77, XQuAD and DSTC11.\n"
        )
        sys.stdout.write("\n".join(frequencies(arguments.data)) + "\n")
        return
    if arguments.step == "topics":
        bias, *weights = (round(value, 2) for value in fit_topics(arguments.data))
        lines = (
            f"TOPIC_BIAS = {bias}",
            f"TOPIC_WEIGHTS = {tuple(weights)}",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder, closing(KnowledgeBase.open(folder)) as base:
        if arguments.step == "fit":
            base.add(arguments.documents)
            samples = [s for file in arguments.questions for s in read_questions(file, "dev")]
            near = [sample for sample in samples if sample.kind == "near"]
            groups = [
                (evidence_rows(base, samples), 400.0),
                (evidence_rows(base, near), 30.0),
                (evidence_rows(base, general_samples(arguments.data)), 70.0),
                (small_rows(arguments.documents, samples), 40.0),
            ]
            bias, *weights = (round(float(value), 2) for value in fit(groups))
            sys.stdout.write(f"BIAS = {bias}\nWEIGHTS = {tuple(weights)}\n")
            return
        if arguments.step == "order":
            base.add(arguments.documents)
            samples = [s for file in arguments.questions for s in read_questions(file, "dev")]
            questions = [(rows, 1.0) for rows in order_rows(base, samples)]
            for file in arguments.paragraphs:
                questions += [(rows, 0.4) for rows in paragraph_rows(file)]
            order = tuple(round(float(value), 2) for value in fit_order(questions))
            sys.stdout.write(f"ORDER = {order}\n")
            return
        if arguments.step == "measure":
            base.add(arguments.documents)
            samples = [s for file in arguments.questions for s in read_questions(file, arguments.split)]
            figures = measure(base, samples, arguments.threshold)
        else:
            figures = retrieval(base, arguments.file)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
