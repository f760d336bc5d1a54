"""A trigram language model and dictionary from a desk's texts, for pocketsphinx.

The desk's own sentences make its words and word orders likely; question openings, greetings and digits are
added, and what is usual in English stands behind them (ngrams.py), so that other speech finds other words.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from speech.errors import EngineUnavailable
from speech.ngrams import GeneralEnglish, arpa
from speech.spelled import DIGITS, words_of

VERSION = 4
"""Part of the cache key: raise it when the model that the same texts give changes."""

BACKGROUND_WORDS = 3_000
"""Most common English words that are added to the desk's.

Without them foreign speech is forced into the desk's words, and sounds surer than it is.
"""

QUESTION_WEIGHT = 4
"""How often a question counts: visitors ask more like the questions than like the answers."""

OPENING_WEIGHT = 3

OPENINGS = """
hello|hi|hey|good morning|good afternoon|good evening|thank you|thank you very much|thanks|goodbye|bye
bye bye|yes|yes please|no|no thank you|okay|sure|please|sorry|excuse me|stop|wait|that is all|never mind
how do i|how can i|how long does|how long is|how long will it take|how long does it take
how much does it cost to|how much is|how many|can i|can you|can i get|could you|could i|may i
do i need to|do i have to|do you have|do you offer|do you sell|do you ship to|do you accept|does it|is it
is there a|is it possible to|are there|are you|what is|what is your|what is the|what are|what are your
what does|what do i do if|what happens if|what should i do|what can you do|what is your name
what time do you|where is my|where are you|where can i find|when will i|when will|when does the
when do you|which|who|why was my|why is my|why did you|why do you|i want to|i would like to|i'd like to
i need to|i need help with|i need a|i have a question about|i have a problem with|i have lost my
i lost my|i forgot my|i did not receive|i didn't get my|i never received my|i am looking for
i'm looking for|i bought|i ordered|i have ordered|i cannot|i can't|i don't|i do not understand
it does not|it doesn't|tell me about|tell me more|tell me how|please tell me|please help me
can you help me|help me with|my order number is|my order is|my order has not arrived|my order arrived
the order number is|it is|it's|i want to talk to a human|i would like to speak to a person
can i speak to someone|can i talk to an agent|that is not what i asked|can you repeat that
say that again please|are you a robot|are you a human
""".strip().replace("\n", "|")
"""What customers begin with, and say beside questions, whatever the desk sells."""


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """What pocketsphinx loads."""

    model: Path
    """ARPA trigram model."""
    dictionary: Path
    words: frozenset[str]
    """The desk's own words, without the background."""
    unknown: tuple[str, ...]
    """Words of the texts that cannot be heard, because no pronunciation is known."""


def build_language(texts: Sequence[str], folder: Path) -> LanguageFiles:
    """Build the model for a desk's texts, or find it where it was built before.

    Args:
        texts: The desk's documents and questions; other scripts than Latin are passed over.
        folder: Where the files are kept, one sub-folder for each set of texts.

    Raises:
        EngineUnavailable: pocketsphinx is not installed, or the folder cannot be written.
    """
    digest = hashlib.sha256(json.dumps([VERSION, OPENINGS, *texts]).encode()).hexdigest()[:16]
    home = folder / f"trigram-{digest}"
    try:
        if not (home / "words.json").is_file():
            _build(texts, folder, home)
        record = json.loads((home / "words.json").read_text())
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"the language model cannot be kept in {home} ({error}): make room there, or remove that folder"
        ) from None
    return LanguageFiles(
        home / "desk.arpa", home / "desk.dict", frozenset(record["words"]), tuple(record["unknown"])
    )


def _build(texts: Sequence[str], folder: Path, home: Path) -> None:
    try:
        import pocketsphinx
    except ImportError:
        raise EngineUnavailable("pocketsphinx is not installed: run `pip install pocketsphinx`") from None
    pronunciations = _pronunciations(Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")))
    unknown: set[str] = set()
    heard: list[tuple[list[str], int]] = []
    for words, weight in sentences(texts):
        for word in {word for word in words if word not in pronunciations}:
            sounds = derived_pronunciation(word, pronunciations)
            if sounds:
                pronunciations[word] = [sounds]
            else:
                unknown.add(word)
        if known := [word for word in words if word in pronunciations]:
            heard.append((known, weight))
    desk = sorted({word for words, _ in heard for word in words})
    general = GeneralEnglish.load()
    common = [word for word in general.unigrams if word in pronunciations][:BACKGROUND_WORDS]
    model = arpa(heard, general, BACKGROUND_WORDS)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        draft = Path(scratch, "draft")
        draft.mkdir()
        (draft / "desk.arpa").write_text(model)
        with (draft / "desk.dict").open("w") as file:
            for word in sorted({*desk, *common}):
                for number, sounds in enumerate(pronunciations[word], 1):
                    file.write(f"{word}{f'({number})' if number > 1 else ''} {sounds}\n")
        (draft / "words.json").write_text(json.dumps({"words": desk, "unknown": sorted(unknown)}))
        # Two processes may build at once: the first to rename wins, the other finds it done.
        try:
            os.rename(draft, home)
        except OSError:
            if not (home / "words.json").is_file():
                raise


def sentences(texts: Iterable[str]) -> list[tuple[list[str], int]]:
    """Split texts, and what is added to them, into sentences of spoken words, each with its weight."""
    found: list[tuple[list[str], int]] = []
    for text in texts:
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
            if words := words_of(sentence):
                found.append((words, QUESTION_WEIGHT if sentence.rstrip().endswith("?") else 1))
    found += [(opening.split(), OPENING_WEIGHT) for opening in OPENINGS.split("|")]
    # Every digit after every digit: order numbers know no grammar.
    found += [([first, second], 1) for first in DIGITS for second in DIGITS]
    found += [(["my", "order", "number", "is", digit], 1) for digit in DIGITS]
    return found


def _pronunciations(path: Path) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, sounds = line.split(None, 1)
        entries.setdefault(word.split("(")[0], []).append(sounds.strip())
    return entries


def derived_pronunciation(word: str, known: dict[str, list[str]]) -> str:
    """Pronounce a word through words that are known: its ending cut off, respelled, or as a compound.

    Returns:
        ARPAbet symbols, or "" where no way is found.
    """
    for british, american in (
        ("our", "or"),
        ("ise", "ize"),
        ("ogue", "og"),
        ("lment", "llment"),
        ("yre", "ire"),
    ):
        if british in word and (respelled := word.replace(british, american)) in known:
            return known[respelled][0]
    for ending in ("'s", "s"):
        if word.endswith(ending) and (stem := word.removesuffix(ending)) in known:
            sounds = known[stem][0]
            last = sounds.split()[-1]
            if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
                return f"{sounds} IH Z"
            return f"{sounds} {'S' if last in ('P', 'T', 'K', 'F', 'TH') else 'Z'}"
    for ending, tail in (("ing", "IH NG"), ("ed", "D")):
        if word.endswith(ending) and len(stem := word.removesuffix(ending)) > 2:
            for base in (stem, stem + "e"):
                if base in known:
                    return f"{known[base][0]} {tail}"
    for cut in range(len(word) - 3, 2, -1):
        if word[:cut] in known and word[cut:] in known:
            return f"{known[word[:cut]][0]} {known[word[cut:]][0]}"
    return ""
