"""What the embedded classifier learns from: public data sets by path, and the texts that ship in `texts/`.

Nothing here runs in the product. A data set that is not there is left out, and said to be so.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from moderation.normalise import has_han
from moderation.phrase import Phrase, parse

TEXTS = Path(__file__).with_name("texts")
HEADS = (
    "hate",
    "harassment",
    "sexual",
    "sexual_minors",
    "violence",
    "self_harm",
    "dangerous",
    "profanity",
    "injection",
    "toxic",
)
"""What is learned: the policy's categories that take understanding, and "toxic", which several sets label."""
_NONE = dict.fromkeys(HEADS, 0)
SHORTEST = 30
"""Characters of a paragraph that says something."""
LIGHTEST, WEIGHTIEST = 0.6, 2.0
"""Of a written text: a sentence of its own counts more than one of many forms."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it."""

    text: str
    labels: Mapping[str, int]
    """head → 0 or 1; a head that is missing is not known."""
    source: str
    weight: float = 1.0
    group: str = ""
    """Examples of one group are much alike: they are learned from together, or kept aside together."""

    @property
    def chinese(self) -> bool:
        """Whether it is written in Chinese."""
        return has_han(self.text)


def _positive(*heads: str) -> dict[str, int]:
    return _NONE | dict.fromkeys(heads, 1)


def written(folder: Path = TEXTS, most: int = 24, seed: int = 7) -> Iterator[Example]:
    """The texts that ship: templates, each in at most `most` forms chosen at random.

    Raises:
        ValueError: A line is wrong; the message names file and line.
    """
    chance = random.Random(seed)
    for language in ("en", "zh"):
        files = sorted(folder.glob(f"{language}_*.txt"))
        shared = _sets(folder / f"{language}_sets.txt") if (folder / f"{language}_sets.txt").exists() else {}
        for file in files:
            if file.stem.endswith("_sets"):
                continue
            yield from _templates(file, shared | _sets(file), most, chance)


def _sets(file: Path) -> dict[str, list[str]]:
    sets: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("@") and "\t" in line:
            name, alternatives = line[1:].split("\t", 1)
            sets[name.strip()] = [each.strip() for each in alternatives.split("|")]
    return sets


def _templates(
    file: Path, sets: Mapping[str, Sequence[str]], most: int, chance: random.Random
) -> Iterator[Example]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith(("#", "@")):
            continue
        names, tab, template = line.partition("\t")
        heads = [] if names.strip() == "-" else [name.strip() for name in names.split(",")]
        if not tab or not set(heads) <= set(HEADS):
            raise ValueError(f"{file.name}:{number}: write labels, a tab and a template; labels: {HEADS}")
        try:
            phrase = parse(template, sets)
        except ValueError as error:
            raise ValueError(f"{file.name}:{number}: {error}") from error
        labels = _positive(*heads)
        toxic = {"hate", "harassment", "sexual", "sexual_minors", "violence"} & set(heads)
        if toxic or "profanity" in heads:
            labels["toxic"] = 1
        elif heads:
            del labels["toxic"]
        forms = _sample(phrase, most, chance)
        weight = min(WEIGHTIEST, max(LIGHTEST, 3.0 / len(forms) ** 0.5))
        for form in forms:
            yield Example(form, labels, f"written:{file.stem}", weight, f"{file.stem}:{number}")


def _sample(phrase: Phrase, most: int, chance: random.Random) -> list[str]:
    """At most `most` different forms; more where there are more alternatives."""
    wanted = min(most, phrase.count, 2 + int(phrase.count**0.5))
    if phrase.count <= wanted:
        return phrase.forms()
    forms: dict[str, None] = {}
    for _ in range(4 * wanted):
        forms[" ".join(_one(phrase, chance).split())] = None
        if len(forms) == wanted:
            break
    return list(forms)


def _one(phrase: Phrase, chance: random.Random) -> str:
    parts = (chance.choice(piece) for piece in phrase.pieces)
    return "".join(_one(part, chance) if isinstance(part, Phrase) else part for part in parts)


def told(folders: Sequence[Path]) -> Iterator[Example]:
    """What companies tell their customers: the paragraphs of Markdown documents, which are no harm."""
    for folder in folders:
        for file in sorted(folder.rglob("*.md")):
            for paragraph in file.read_text(encoding="utf-8").split("\n\n"):
                if len(paragraph) > SHORTEST:
                    yield Example(paragraph, _NONE, "told")


def asked(files: Sequence[Path]) -> Iterator[Example]:
    """What customers ask: `question` in each line of JSON; it is not learned from, and places thresholds."""
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield Example(json.loads(line)["question"], _NONE, "asked")


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
        "2": _NONE,
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

        labels: dict[str, int] = dict(_NONE)
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
        yield Example(row["text"], {"toxic": 1, "injection": 0} if toxic else _NONE, "surge")


def _cold(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "dev.csv"):
        offensive = int(row["label"])
        labels = {"hate": 1, "toxic": 1, "injection": 0} if offensive else _NONE
        yield Example(row["TEXT"], labels, "cold")


def _diasafety(folder: Path) -> Iterator[Example]:
    for row in json.loads((folder / "val.json").read_text(encoding="utf-8")):
        if row["category"] == "Offending User":
            unsafe = row["label"] == "Unsafe"
            labels = {"harassment": 1, "toxic": 1} if unsafe else {"harassment": 0, "toxic": 0}
            yield Example(row["response"], labels, "diasafety", 0.7)


def _piguard(folder: Path) -> Iterator[Example]:
    for row in json.loads((folder / "wildguard.json").read_text(encoding="utf-8")):
        yield Example(row["prompt"], _NONE, "piguard")


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
            yield Example(row["Utterance"], _NONE, "cped", 0.5)


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
                yield Example(row[column], _NONE, folder.name)

    return read


def _hwu64(folder: Path) -> Iterator[Example]:
    for row in _csv(next(folder.glob("*.csv"))):
        yield Example(row.get("utterance") or next(iter(row.values())), _NONE, "hwu64", 0.5)


def _xquad(folder: Path) -> Iterator[Example]:
    for file in sorted(folder.glob("*.json")):
        for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                yield Example(paragraph["context"], _NONE, "xquad")
                for sentence in paragraph["context"].replace("。", "。\n").replace(". ", ".\n").splitlines():
                    if len(sentence) > 10:
                        yield Example(sentence, _NONE, "xquad", 0.5)
                for question in paragraph["qas"]:
                    yield Example(question["question"], _NONE, "xquad", 0.5)


def _bipia(folder: Path) -> Iterator[Example]:
    """The e-mails alone: what is hidden in them there are requests that would be harmless by themselves."""
    for line in (folder / "email" / "train.jsonl").read_text(encoding="utf-8").splitlines():
        yield Example(json.loads(line)["context"], _NONE, "bipia", 2.0)


def _dstc11(folder: Path) -> Iterator[Example]:
    for file in sorted(folder.glob("val/logs.json")):
        for number, log in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            if number % 2 == 0:
                for turn in {log[-1]["text"], *(turn["text"] for turn in log[::4])}:
                    yield Example(turn, _NONE, "dstc11", 0.5)
    for places in json.loads((folder / "knowledge.json").read_text(encoding="utf-8")).values():
        for place in places.values():
            for review in place.get("reviews", {}).values():
                yield Example(" ".join(review["sentences"].values()), _NONE, "dstc11")
            for question in place.get("faqs", {}).values():
                yield Example(f"{question['question']} {question['answer']}", _NONE, "dstc11")


def _covid(folder: Path) -> Iterator[Example]:
    for row in _csv(folder / "eval_question_similarity_en.csv"):
        yield Example(row["question_1"], _NONE, "covid_faq")
    for row in _csv(folder / "faq_covidbert.csv"):
        if row["lang"] in ("en", "zh"):
            yield Example(row["answer"][:1000], _NONE, "covid_faq")


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


def kept_aside(example: Example) -> bool:
    """Whether an example is not learned from, but tells how well was learned: about one group in ten.

    Plain words are all learned from: there is nothing to be told of them but that they are harmless.
    """
    if example.source.endswith("_things"):
        return False
    return crc32((example.group or example.text).encode()) % 10 == 3


def say(line: str) -> None:
    """Tell whoever trains."""
    sys.stderr.write(line + "\n")
