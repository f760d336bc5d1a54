"""What the embedded classifier learns from: examples, and the texts that ship in `texts/`.

`moderation.public_sets` reads the public sets. Nothing here runs in the product.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
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
NOTHING = dict.fromkeys(HEADS, 0)
"""What is known of a harmless text."""
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
    return NOTHING | dict.fromkeys(heads, 1)


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
                    yield Example(paragraph, NOTHING, "told")


def asked(files: Sequence[Path]) -> Iterator[Example]:
    """What customers ask: `question` in each line of JSON; it is not learned from, and places thresholds."""
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            yield Example(json.loads(line)["question"], NOTHING, "asked")


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
