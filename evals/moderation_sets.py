"""What moderation is measured on: our own held-out file, and public sets in a folder given by path."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.figure import NotHere

HELD_OUT = Path(__file__).parent / "data" / "moderation_heldout.jsonl"
"""Functional cases that nobody trains or tunes on."""
HARMFUL = "harmful"
"""The label of public sets that tell harmful from harmless and no more."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text, and what a right guard would see in it."""

    id: str
    text: str
    labels: tuple[str, ...] = ()
    """The policy's categories, or `HARMFUL`; none where harmless."""
    case: str = ""
    """What kind of text it is: "hate.negated"."""
    direction: str = "input"
    language: str = "en"
    entities: tuple[tuple[str, int, int], ...] = field(default=())
    """Personal data: kind, start, end, in characters."""

    @property
    def harmful(self) -> bool:
        """True where something is to be found."""
        return bool(self.labels)


def held_out(file: Path = HELD_OUT) -> list[Item]:
    """Our own functional cases, English and Chinese."""
    rows = [json.loads(line) for line in _text(file).splitlines() if line]
    return [Item(**{**row, "labels": tuple(row["labels"])}) for row in rows]


def _banking77(data: Path) -> Iterator[Item]:
    for row in _rows(data / "banking77" / "test.csv"):
        yield Item("", row["text"].strip(), case="question")


def _bitext_cs(data: Path) -> Iterator[Item]:
    file = _first(data / "bitext_cs", "*.csv")
    for row in _rows(file):
        rude = "W" in row["flags"]
        yield Item(
            "", row["utterance"], ("profanity",) if rude else (), "offensive wording" if rude else "request"
        )


def _hwu64(data: Path) -> Iterator[Item]:
    with _first(data / "hwu64", "*.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.reader(rows):
            yield Item("", row[0], case="command")


def _star_dev(data: Path) -> Iterator[Item]:
    folder = data / "star_dev"
    if not folder.is_dir():
        raise NotHere(f"{folder} is not there")
    for file in sorted(folder.glob("*.json")):
        for event in json.loads(_text(file))["Events"]:
            if event.get("Text") and event["Action"] in ("utter", "pick_suggestion"):
                yield Item("", event["Text"], **_spoken(event["Agent"] == "User"))


def _covid_faq(data: Path) -> Iterator[Item]:
    for row in _rows(data / "covid_faq" / "faq_covidbert.csv"):
        yield Item("", row["question"], **_spoken(True))
        yield Item("", row["answer"], **_spoken(False))


def _dstc11(data: Path) -> Iterator[Item]:
    seen: set[str] = set()
    for dialogue in json.loads(_text(data / "dstc11_track5" / "val" / "logs.json")):
        for turn in dialogue:
            if turn["text"] not in seen:
                seen.add(turn["text"])
                yield Item("", turn["text"], **_spoken(turn["speaker"] == "U"))


def _convabuse(data: Path) -> Iterator[Item]:
    for row in _rows(data / "convabuse_dev" / "ConvAbuseEMNLPvalid.csv"):
        votes = [
            int(column.rpartition(".")[2])
            for column, value in row.items()
            if column and "_is_abuse." in column and value in ("1", "1.0")
        ]
        if votes and row["user"]:
            abusive = sum(vote < 0 for vote in votes) * 2 > len(votes)
            yield Item("", row["user"], (HARMFUL,) if abusive else (), "abusive" if abusive else "fine")


def _davidson(data: Path) -> Iterator[Item]:
    kinds = ("hate", "offensive", "neither")
    for row in _rows(data / "davidson" / "labeled_data.csv"):
        kind = kinds[int(row["class"])]
        yield Item("", row["tweet"], () if kind == "neither" else (HARMFUL,), kind)


def _surge(data: Path) -> Iterator[Item]:
    for row in _rows(data / "surge_toxicity" / "toxicity_en.csv"):
        toxic = row["is_toxic"] == "Toxic"
        yield Item("", row["text"], (HARMFUL,) if toxic else (), "toxic" if toxic else "fine")


def _cold_zh(data: Path) -> Iterator[Item]:
    for row in _rows(data / "cold_zh_dev" / "dev.csv"):
        offensive = row["label"] == "1"
        yield Item("", row["TEXT"], (HARMFUL,) if offensive else (), row["topic"], language="zh")


def _piguard(data: Path) -> Iterator[Item]:
    for row in json.loads(_text(data / "piguard_benign" / "wildguard.json")):
        yield Item("", row["prompt"], case="benign")


def _gptfuzz(data: Path) -> Iterator[Item]:
    questions = [row["text"] for row in _rows(data / "gptfuzz_templates" / "question_list.csv")]
    for row in _rows(data / "gptfuzz_templates" / "GPTFuzzer.csv"):
        asked = questions[int(row["id"]) % len(questions)]
        yield Item("", row["text"].replace("[INSERT PROMPT HERE]", asked), ("injection",), "template")
    for asked in questions:
        yield Item("", asked, (HARMFUL,), "bare question")


def _in_the_wild(data: Path) -> Iterator[Item]:
    for prompt in json.loads(_text(data / "inthewild_jailbreaks" / "inthewild_jailbreak_llms.json")):
        yield Item("", prompt, ("injection",), "prompt")


def _bipia(data: Path) -> Iterator[Item]:
    mails = [
        json.loads(line)["context"] for line in _text(data / "bipia" / "email" / "test.jsonl").splitlines()
    ]
    attacks = json.loads(_text(data / "bipia" / "text_attack_test.json"))
    for number, (kind, attack) in enumerate(
        (kind, text) for kind, texts in attacks.items() for text in texts
    ):
        mail = mails[number % len(mails)]
        place = (0, len(mail) // 2, len(mail))[number % 3]
        text = f"{mail[:place]}\n{attack}\n{mail[place:]}"
        yield Item("", text, ("injection",), kind, direction="document")
    for mail in mails:
        yield Item("", mail, case="mail alone", direction="document")


def _presidio(data: Path) -> Iterator[Item]:
    for row in json.loads(_text(data / "presidio_dev" / "synth_dataset_v2.json")):
        entities = tuple(
            (span["entity_type"], span["start_position"], span["end_position"]) for span in row["spans"]
        )
        yield Item(
            "",
            row["full_text"],
            ("pii",) if entities else (),
            "with entities" if entities else "without",
            entities=entities,
        )


def _diasafety(data: Path) -> Iterator[Item]:
    for row in json.loads(_text(data / "diasafety_dev" / "val.json")):
        labels = (HARMFUL,) if row["label"] == "Unsafe" else ()
        yield Item("", row["response"], labels, row["category"], direction="output")


PUBLIC: dict[str, Callable[[Path], Iterator[Item]]] = {
    "banking77": _banking77,
    "bitext_cs": _bitext_cs,
    "hwu64": _hwu64,
    "star_dev": _star_dev,
    "covid_faq": _covid_faq,
    "dstc11": _dstc11,
    "convabuse": _convabuse,
    "davidson": _davidson,
    "surge": _surge,
    "cold_zh": _cold_zh,
    "piguard_benign": _piguard,
    "gptfuzz": _gptfuzz,
    "inthewild": _in_the_wild,
    "bipia": _bipia,
    "presidio": _presidio,
    "diasafety": _diasafety,
}
"""name → reader of that set in the data folder."""
NAMES = ("heldout", *PUBLIC)


def read(name: str, data: Path | None) -> list[Item]:
    """All texts of one set.

    Raises:
        NotHere: The set is not in the folder, or no folder was given.
    """
    if name == "heldout":
        return held_out()
    if data is None:
        raise NotHere(f"{name}: give the folder of the public sets")
    items = [item for item in PUBLIC[name](data) if item.text.strip()]
    if not items:
        raise NotHere(f"{name} holds no texts in {data}")
    return items


def _spoken(by_visitor: bool) -> dict[str, Any]:
    return (
        {"case": "visitor", "direction": "input"} if by_visitor else {"case": "agent", "direction": "output"}
    )


def _text(file: Path) -> str:
    if not file.is_file():
        raise NotHere(f"{file} is not there")
    return file.read_text(encoding="utf-8-sig")


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(file).splitlines(keepends=True)))


def _first(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not found:
        raise NotHere(f"{folder} holds no {pattern}")
    return found[0]
