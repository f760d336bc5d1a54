"""Spelling: the word that a misspelt, starred, scrambled or run-together one stands for.

Only the words of `lexicon/spelling.toml` are looked for; every other word stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from moderation.errors import ModerationError

WORDS = Path(__file__).with_name("lexicon") / "spelling.toml"
MASKS = "*#%&@$!×•●■█○◯_"
"""Signs that stand for a letter that is left out: "f**k", "s#it"."""
_MASK = re.compile(r"[*#%&@$!×•●■█○◯_.\-]+")
_SOUNDS = (
    ("ck", "k"), ("ck", "q"), ("ck", "cc"), ("ck", "x"), ("f", "ph"), ("s", "z"), ("ss", "zz"), ("u", "oo"),
    ("i", "y"), ("i", "ee"), ("i", "ia"), ("er", "a"), ("er", "ah"), ("gg", "qq"), ("t", "th"), ("c", "k"),
    ("or", "er"), ("o", "u"), ("ks", "x"), ("ing", "in"), ("se", "z"),
)  # fmt: skip
"""Letters and what is written for them by their sound."""
_VOWELS = frozenset("aeiou")
MIN_SCRAMBLED = 6
"""Letters; a shorter word with its middle scrambled is too often another word."""
MAX_STARRED = 24
"""Signs and letters; no such word is longer."""
LONGEST = 48
"""Letters; a longer run is no words written as one."""
MIN_RUN = 7
"""Letters of the shortest words that are looked for as one: "fuckyou"."""


@dataclass(frozen=True, slots=True)
class _Words:
    known: frozenset[str]
    variants: dict[str, str]
    scrambled: dict[str, str]
    starred: tuple[str, ...]
    strong: frozenset[str]
    pieces: frozenset[str]
    """Every word that a run may be made of."""
    longest: int
    split: frozenset[str]
    fragments: frozenset[str]
    """Every part of a split word, so that most texts are left alone at once."""
    ordinary: frozenset[str]


@lru_cache(maxsize=1)
def _words() -> _Words:
    try:
        table = {
            name: tuple(text.split())
            for name, text in tomllib.loads(WORDS.read_text(encoding="utf-8")).items()
        }
        known = frozenset(word for row in table.values() for word in row)
        pieces = frozenset(table["strong"] + table["glue"])
        variants: dict[str, str] = {}
        for word in table["respelt"]:
            for variant in _variants(word):
                if variant not in known:
                    variants.setdefault(variant, word)
        return _Words(
            known=known,
            variants=variants,
            scrambled={_shuffled(word): word for word in table["respelt"] if len(word) >= MIN_SCRAMBLED},
            starred=table["starred"],
            strong=frozenset(table["strong"]),
            pieces=pieces,
            longest=max(map(len, pieces)),
            split=frozenset(table["split"]),
            ordinary=frozenset(table["ordinary"]),
            fragments=frozenset(
                word[start:end]
                for word in table["split"]
                for start in range(len(word))
                for end in range(start + 1, len(word) + (start > 0))
            ),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModerationError(
            f"{WORDS.name}: the word list is broken ({error!r}). Install Visavis again."
        ) from error


@lru_cache(maxsize=16384)
def respelt(word: str) -> tuple[str, ...]:
    """The words that a word stands for; empty where it stands for itself."""
    words = _words()
    if len(word) < 3 or word in words.known:
        return ()
    if word in words.variants:
        return (words.variants[word],)
    if len(word) >= MIN_SCRAMBLED:
        meant = words.scrambled.get(_shuffled(word))
        if meant is not None and word != meant:
            return (meant,)
    return _parted(word) if MIN_RUN <= len(word) <= LONGEST else ()


def unstarred(token: str) -> str:
    """The word that a token with signs in the place of letters stands for: "f**k"; "" for none."""
    letters = sum(map(str.isalpha, token))
    if not letters or not token[0].isalpha() or len(token) > MAX_STARRED:
        return ""
    parts = _MASK.split(token)
    if not all(part.isalpha() or not part for part in parts):
        return ""
    signs = _MASK.findall(token)
    exact = parts[0] + "".join(
        f"[a-z]{{{len(sign)}}}{part}" for sign, part in zip(signs, parts[1:], strict=True)
    )
    found = _first(exact)
    if found or letters < 2 or "*" not in token:
        return found
    return _first(parts[0] + "".join(f"[a-z]{{1,6}}{part}" for part in parts[1:]))


def rejoined(words: list[str], at: int) -> tuple[str, int]:
    """The word in pieces from `words[at]` on ("sh", "it"), and how many these are; "", 0 for none."""
    known = _words()
    joined = words[at]
    if joined not in known.fragments:
        return "", 0
    for count in range(2, 7):
        if at + count > len(words):
            break
        part = words[at + count - 1]
        joined += part
        if part not in known.fragments or len(joined) > 12:
            break
        if joined in known.split and any(piece not in known.ordinary for piece in words[at : at + count]):
            return joined, count
    return "", 0


def _variants(word: str) -> Iterator[str]:
    for index in range(len(word) - 1):
        yield word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    for index, letter in enumerate(word):
        yield word[: index + 1] + letter + word[index + 1 :]
        if index > 0 and (letter in _VOWELS or len(word) >= 5):
            yield word[:index] + word[index + 1 :]
    for sound, written in _SOUNDS:
        at = word.find(sound)
        while at >= 0:
            yield word[:at] + written + word[at + len(sound) :]
            at = word.find(sound, at + 1)


def _shuffled(word: str) -> str:
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


def _first(pattern: str) -> str:
    expression = re.compile(pattern)
    return next((word for word in _words().starred if expression.fullmatch(word)), "")


def _parted(run: str) -> tuple[str, ...]:
    """The fewest words that make up a run, one of them strong; empty where some letter is left over."""
    words = _words()
    best: list[tuple[str, ...] | None] = [()] + [None] * len(run)
    for start in range(len(run)):
        before = best[start]
        if before is None:
            continue
        for end in range(start + 1, min(len(run), start + words.longest) + 1):
            piece = run[start:end]
            if piece in words.pieces and (
                piece not in "iu" or start == 0 or (piece == "u" and end == len(run))
            ):
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = (*before, piece)
    found = best[-1]
    return found if found and not words.strong.isdisjoint(found) else ()
