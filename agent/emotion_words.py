"""Words that tell feelings: which cues a text holds, denied or intensified, in English and Chinese."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LEXICON = Path(__file__).with_name("emotion_lexicon.toml")
LONGEST_PHRASE = 5
"""Words of an English entry at most."""
LONGEST_CHINESE = 5
"""Characters of a Chinese entry at most."""
DENIED_WORDS = 3
"""Words after "not" that it still denies, unless a clause ends before."""
DENIED_CHARACTERS = 3
"""The same in Chinese, after 不 or 没."""
MOST_LETTERS = 1000
"""Of a text: feelings are told soon, and nobody says more in one breath."""

MODIFIERS = ("very", "slightly", "not")
"""Cues that change what follows them rather than tell a feeling."""

_TOKEN = re.compile(
    r"[a-z]+(?:'[a-z]+)*|[0-9]+|[\u3400-\u9fff]|\.{2,}|…+|[!?]+|[.,;:~()\"\-]"
    r"|[\U0001f1e6-\U0001faff\u2600-\u27bf]|[:;=]-?[)(dpo/|\\*]+|<3|\^\^|t_t"
)
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_CLAUSE = frozenset(",.;:!?()") | {"but", "but,", "though", "although", "because", "…", "..."}
_STRETCHED = re.compile(r"([a-z\u3400-\u9fff!?.~])\1{2,}")
_FACE_LEFT = str.maketrans("，。！？；：、（）“”‘’～", ",.!?;:,()\"\"''~")
_JOY_FACES = "😀😃😄😁😆😅🤣😂🙂😊😇🥰😍🤩😘☺😚😋🤗👍👏🙌❤💕💖💗😎🎉🥳✨💪😻🌹"
_SAD_FACES = "😢😭😞😔😟🙁☹😣😖😫😩🥺😿💔😥😓😪"
_ANGRY_FACES = "😠😡🤬😤👿💢🖕👎"
_FEAR_FACES = "😨😰😱😬🫣"
_SURPRISED_FACES = "😮😯😲😳🤯🙀"
_DISGUST_FACES = "🤢🤮💩🙄😒"
FACES: dict[str, str] = {
    **dict.fromkeys(_JOY_FACES, "joy"),
    **dict.fromkeys(_SAD_FACES, "sadness"),
    **dict.fromkeys(_ANGRY_FACES, "anger"),
    **dict.fromkeys(_FEAR_FACES, "fear"),
    **dict.fromkeys(_SURPRISED_FACES, "surprise"),
    **dict.fromkeys(_DISGUST_FACES, "disgust"),
}
"""Emoji → the feeling that they show."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One entry of the lexicon, found in a text."""

    name: str
    denied: bool
    intensified: bool
    softened: bool
    first: int
    """Its first token."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text as the classifier reads it."""

    tokens: tuple[str, ...]
    """Lower case; each Chinese character, emoji and mark of punctuation is one."""
    denied: tuple[bool, ...]
    """For each token, whether "not" reaches it."""
    cues: tuple[Cue, ...]
    loud: bool
    """Written in capitals."""
    stretched: bool
    """Written like "sooo" or "!!!"."""

    @property
    def chinese(self) -> bool:
        """Whether most of its words are Chinese."""
        chinese = sum(1 for token in self.tokens if _CHINESE.match(token))
        return chinese > sum(1 for token in self.tokens if token[0].isascii() and token[0].isalpha())


@dataclass(frozen=True, slots=True)
class _Lexicon:
    phrases: dict[str, tuple[str, ...]]
    """English words, spaces between → cues."""
    beginnings: dict[str, tuple[str, ...]]
    characters: dict[str, tuple[str, ...]]


def said(text: str) -> Said:
    """Read a text: its words, and what they tell of feelings."""
    text = unicodedata.normalize("NFKC", text[:MOST_LETTERS]).replace("[NAME]", " name ")
    text = text.translate(_FACE_LEFT)
    letters = [letter for letter in text if letter.isascii() and letter.isalpha()]
    loud = len(letters) >= 6 and sum(map(str.isupper, letters)) > 0.7 * len(letters)
    text = text.lower()
    stretched = bool(_STRETCHED.search(text))
    tokens = tuple(_TOKEN.findall(_STRETCHED.sub(r"\1\1", text)))
    found = _found(tokens)
    denied = _reach(tokens, found)
    cues = tuple(
        Cue(
            name,
            denied[first],
            _near(found, first, "very") or _after(found, last, "very"),
            _near(found, first, "slightly"),
            first,
        )
        for first, last, names in found
        for name in names
        if name not in MODIFIERS
    )
    return Said(tokens, denied, cues, loud, stretched)


_Found = list[tuple[int, int, tuple[str, ...]]]


def _found(tokens: tuple[str, ...]) -> _Found:
    """Find entries, the longest at each place: first token, the one behind the last, cues."""
    lexicon = _lexicon()
    found: _Found = []
    begin = 0
    while begin < len(tokens):
        token = tokens[begin]
        if token in FACES:
            found.append((begin, begin + 1, (FACES[token],)))
        chinese = bool(_CHINESE.match(token))
        longest = LONGEST_CHINESE if chinese else LONGEST_PHRASE
        table, glue = (lexicon.characters, "") if chinese else (lexicon.phrases, " ")
        for length in range(min(longest, len(tokens) - begin), 0, -1):
            names = table.get(glue.join(tokens[begin : begin + length]))
            if names:
                found.append((begin, begin + length, names))
                begin += length - 1
                break
        else:
            names = None if chinese else _beginning(token, lexicon)
            if names:
                found.append((begin, begin + 1, names))
        begin += 1
    return found


def _beginning(token: str, lexicon: _Lexicon) -> tuple[str, ...] | None:
    for length in range(len(token), 2, -1):
        names = lexicon.beginnings.get(token[:length])
        if names:
            return names
    return ("not",) if token.endswith("n't") else None


def _reach(tokens: tuple[str, ...], found: _Found) -> tuple[bool, ...]:
    """Tell for each token whether "not" reaches it."""
    denied = [False] * len(tokens)
    for _, last, names in found:
        if "not" not in names:
            continue
        for place in range(last, len(tokens)):
            token = tokens[place]
            reach = DENIED_CHARACTERS if _CHINESE.match(token) else DENIED_WORDS
            if place >= last + reach or token in _CLAUSE or token[0] in "!?.":
                break
            denied[place] = True
    return tuple(denied)


def _near(found: _Found, first: int, modifier: str) -> bool:
    return any(modifier in names and first - 2 <= last <= first for _, last, names in found)


def _after(found: _Found, last: int, modifier: str) -> bool:
    return any(modifier in names and last <= first <= last + 1 for first, _, names in found)


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    lexicon = _Lexicon({}, {}, {})
    for name, languages in tomllib.loads(LEXICON.read_text(encoding="utf-8")).items():
        for entry in re.split(r"[|\n]+", languages["en"]):
            if entry:
                table = lexicon.beginnings if entry.endswith("*") else lexicon.phrases
                key = " ".join(_TOKEN.findall(entry.rstrip("*")))
                table[key] = (*table.get(key, ()), name)
        for entry in languages["zh"].split():
            key = "".join(_TOKEN.findall(entry))
            lexicon.characters[key] = (*lexicon.characters.get(key, ()), name)
    return lexicon
