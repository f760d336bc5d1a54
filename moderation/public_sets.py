"""Public data sets that the embedded classifier learns from; nothing here runs in the product."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from moderation.corpus import HEADS, NOTHING, Example


def public(folder: Path, note: Callable[[str], None] = lambda _: None) -> Iterator[Example]:
    """Every public set that is found in `folder` (the names of `READERS`)."""
    for name, reader in READERS.items():
        if (folder / name).is_dir():
            yield from reader(folder / name)
        else:
            note(f"{name}: not in {folder}, left out")


def _csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _davidson(folder: Path) -> Iterator[Example]:
    classes = {
        "0": {"hate": 1, "toxic": 1, "injection": 0, "self_harm": 0, "dangerous": 0},
        "1": {"hate": 0, "toxic": 1, "profanity": 1, "injection": 0, "self_harm": 0, "dangerous": 0},
        "2": NOTHING,
    }
    for row in _csv(folder / "labeled_data.csv"):
        votes = int(row[{"0": "hate_speech", "1": "offensive_language", "2": "neither"}[row["class"]]])
        sure = votes / int(row["count"])
        yield Example(row["tweet"], classes[row["class"]], "davidson", sure)


def _convabuse(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "ConvAbuseEMNLPtrain.csv"):
        votes = [
            severity
            for key, value in row.items()
            if "_is_abuse." in key and value == "1"
            for severity in [int(key.rpartition(".")[2])]
        ]
        if not votes:
            continue
        abusive = sum(vote < 0 for vote in votes) / len(votes)

        def kind(*names: str, row: Mapping[str, str] = row) -> bool:
            return any(value == "1" for key, value in row.items() if key.endswith(names))

        labels: dict[str, int] = dict(NOTHING)
        if abusive >= 0.5:
            labels |= {"harassment": 1, "toxic": 1}
            labels["sexual"] = int(kind("_sex_harassment"))
            labels["hate"] = int(kind("_racist", "_homophobic", "_transphobic", "_ableist"))
            for unknown in ("violence", "profanity"):
                del labels[unknown]
        elif abusive > 0 or 0 in votes:
            labels = {"hate": 0, "injection": 0, "self_harm": 0, "dangerous": 0, "harassment": 0, "toxic": 0}
        yield Example(row["user"], labels, "convabuse", max(abusive, 1 - abusive))


def _surge(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "toxicity_en.csv"):
        toxic = row["is_toxic"].strip().lower().startswith("toxic")
        yield Example(row["text"], {"toxic": 1, "injection": 0} if toxic else NOTHING, "surge")


def _cold(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "dev.csv"):
        offensive = int(row["label"])
        labels = {"hate": 1, "toxic": 1, "injection": 0} if offensive else NOTHING
        yield Example(row["TEXT"], labels, "cold")


def _diasafety(folder: Path) -> Iterator[Example]:
    for row in json.loads((folder / "val.json").read_text(encoding="utf-8")):
        if row["category"] == "Offending User":
            unsafe = row["label"] == "Unsafe"
            labels = {"harassment": 1, "toxic": 1} if unsafe else {"harassment": 0, "toxic": 0}
            yield Example(row["response"], labels, "diasafety", 0.7)


def _piguard(folder: Path) -> Iterator[Example]:
    for row in json.loads((folder / "wildguard.json").read_text(encoding="utf-8")):
        yield Example(row["prompt"], NOTHING, "piguard")


def _gptfuzz(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "GPTFuzzer.csv"):
        text = row["text"].replace("[INSERT PROMPT HERE]", "").strip()
        yield Example(text, {"injection": 1}, "gptfuzz")
    for row in _csv(folder / "question_list.csv"):
        yield Example(row["text"], {"dangerous": 1, "injection": 0}, "gptfuzz", 0.8)


def _inthewild(folder: Path) -> Iterator[Example]:
    for text in json.loads((folder / "inthewild_jailbreak_llms.json").read_text(encoding="utf-8")):
        yield Example(text, {"injection": 1}, "inthewild", 0.6)


def _cped(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "valid_split.csv"):
        if row["Emotion"] in ("neutral", "happy", "relaxed", "grateful", "positive-other", "worried"):
            yield Example(row["Utterance"], NOTHING, "cped", 0.5)


def _goemotions(folder: Path) -> Iterator[Example]:
    """What its readers felt to be kind or neutral is not toxic; much else is not known."""
    kind = {0, 1, 4, 5, 7, 8, 13, 15, 17, 18, 20, 21, 23, 27}
    for number, line in enumerate((folder / "train.tsv").read_text(encoding="utf-8").splitlines()):
        text, labels, _ = line.split("\t")
        if number % 3 == 0 and {int(label) for label in labels.split(",")} <= kind - {27}:
            yield Example(text, {head: 0 for head in HEADS if head != "profanity"}, "goemotions", 0.4)


def _column(file: str, column: str) -> Callable[[Path], Iterator[Example]]:
    def read(folder: Path) -> Iterator[Example]:
        for row in _csv(folder / file):
            if row.get(column):
                yield Example(row[column], NOTHING, folder.name)

    return read


def _hwu64(folder: Path) -> Iterator[Example]:
    for row in _csv(next(folder.glob("*.csv"))):
        yield Example(row.get("utterance") or next(iter(row.values())), NOTHING, "hwu64", 0.5)


def _xquad(folder: Path) -> Iterator[Example]:
    for file in sorted(folder.glob("*.json")):
        for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                yield Example(paragraph["context"], NOTHING, "xquad")
                for sentence in paragraph["context"].replace("。", "。\n").replace(". ", ".\n").splitlines():
                    if len(sentence) > 10:
                        yield Example(sentence, NOTHING, "xquad", 0.5)
                for question in paragraph["qas"]:
                    yield Example(question["question"], NOTHING, "xquad", 0.5)


def _bipia(folder: Path) -> Iterator[Example]:
    """The e-mails alone: what is hidden in them there are requests that would be harmless by themselves."""
    for line in (folder / "email" / "train.jsonl").read_text(encoding="utf-8").splitlines():
        yield Example(json.loads(line)["context"], NOTHING, "bipia", 2.0)


def _dstc11(folder: Path) -> Iterator[Example]:
    for file in sorted(folder.glob("val/logs.json")):
        for number, log in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            if number % 2 == 0:
                for turn in dict.fromkeys((log[-1]["text"], *(turn["text"] for turn in log[::4]))):
                    yield Example(turn, NOTHING, "dstc11", 0.5)
    for places in json.loads((folder / "knowledge.json").read_text(encoding="utf-8")).values():
        for place in places.values():
            for review in place.get("reviews", {}).values():
                yield Example(" ".join(review["sentences"].values()), NOTHING, "dstc11")
            for question in place.get("faqs", {}).values():
                yield Example(f"{question['question']} {question['answer']}", NOTHING, "dstc11")


def _covid(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "eval_question_similarity_en.csv"):
        yield Example(row["question_1"], NOTHING, "covid_faq")
    for row in _csv(folder / "faq_covidbert.csv"):
        if row["lang"] in ("en", "zh"):
            yield Example(row["answer"][:1000], NOTHING, "covid_faq")


READERS: dict[str, Callable[[Path], Iterator[Example]]] = {
    "davidson": _davidson,
    "convabuse_dev": _convabuse,
    "surge_toxicity": _surge,
    "cold_zh_dev": _cold,
    "diasafety_dev": _diasafety,
    "piguard_benign": _piguard,
    "gptfuzz_templates": _gptfuzz,
    "inthewild_jailbreaks": _inthewild,
    "cped_zh": _cped,
    "goemotions": _goemotions,
    "banking77": _column("train.csv", "text"),
    "covid_faq": _covid,
    "hwu64": _hwu64,
    "xquad_en": _xquad,
    "bipia": _bipia,
    "dstc11_track5": _dstc11,
}
"""A set's folder → what it teaches; each is marked `train` in its collection."""
