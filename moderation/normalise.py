"""Normalisation: plain readings of a text, however it was disguised, each with a map back to the original.

- `fold`: compatibility forms, accents, look-alikes, case and invisible characters are gone;
  punctuation stays.
- `words`: what is not Chinese in `fold`, as words with one space between, before and after; no apostrophes.
- `dense`: letters and digits of `fold` without anything between, for Chinese.
- `disguises`: further `words` readings with leetspeak, repeated and spaced-out letters undone; often none.

All take time linear in the text's length.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache


def _pairs(table: str) -> dict[str, str]:
    return {pair[0]: pair[1:] for pair in table.split()}


_CONFUSABLES = _pairs(
    # Cyrillic
    "аa вb еe ёe ѕs іi їi јj кk ӏl мm нh оo рp сc тt уy ԁd ԛq ԝw хx ѵv һh ьb гr пn зe цu иu чy "
    # Armenian and Greek
    "սu օo ոn հh զq αa βb γy εe ηn ιi κk νv οo ρp σo τt υu χx ωw ϲc ϳj "
    # small capitals and other Latin letters
    "ɑa ɡg ıi ɩi ʏy ɴn ʀr ʟl ɪi ɢg ʙb ʜh ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜱs "
    "ƒf ħh łl øo đd þp ŧt ßss æae œoe "
    # punctuation in one spelling
    "’' ‘' ʼ' ´' –- —- ‐- ‑- −-"
)
"""Look-alikes in one spelling. A wrong reading of honest Russian or Greek costs nothing."""
_TAGS = range(0xE0020, 0xE007F)
"""Unicode tag characters: an invisible copy of ASCII, used to hide instructions in a text."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_CHARACTER = re.compile(f"[{_HAN}]")
_WORD = re.compile(rf"[^\W_{_HAN}]+(?:'[^\W_{_HAN}]+)*")
_LETTERS = re.compile(r"[^\W_]+")

_LEET = str.maketrans("01345789@$!€", "oieastbgasie")
_LEET_SIGN = re.compile(r"[0-9@$!€*]")
_REPEATED = re.compile(r"([a-z])\1\1+")
_SPACED = re.compile(r"(?<![a-z0-9'])(?:[a-z0-9@$!][ .\-_*,~/|]{1,3}){2,40}[a-z0-9@$!](?![a-z0-9])")
"""Three to 41 single letters with one to three signs between; the two are disjoint, so it is linear."""
_SPACES = re.compile(r"\s{2,}")
_BETWEEN = re.compile(r"[ .\-_*,~/|]+")
_MEASURE = re.compile(r"[$€+]?[0-9.,:]+(?:am|pm|st|nd|rd|th|[a-z]{1,2})?|[a-z]{3,}[0-9]+")
"""An amount, a time, a size or a name with a number: "10am", "$200", "1080p", "covid19"."""
_EDGES = ".,;:?()[]{}\"'|+-"
_MIN_DISGUISE = 3
"""Letters; "b2" is a size, "k1ll" a disguise."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a text."""

    text: str
    positions: array[int] | range
    """Original position of each character of `text`."""
    ends: array[int] | None = None
    """Original end of each character, where it was read from more than one character."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original text that `text[start:end]` was read from."""
        if start >= end:
            return (0, 0)
        return self.positions[start], self.ends[end - 1] if self.ends else self.positions[end - 1] + 1


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    """What one character reads as: nothing, one character, or several."""
    code = ord(character)
    if code in _TAGS:
        return chr(code - 0xE0000).lower()
    kept: list[str] = []
    for part in unicodedata.normalize("NFKD", character):
        category = unicodedata.category(part)
        if category in ("Mn", "Me", "Cf", "Cs") or (category == "Cc" and not part.isspace()):
            continue
        for folded in part.casefold():
            kept.append(_CONFUSABLES.get(folded, folded))
    return "".join(kept)


def fold(text: str) -> Reading:
    """Read a text without disguised characters; punctuation and spaces stay."""
    if text.isascii() and not _CONTROL.search(text):
        return Reading(text.lower(), range(len(text)))
    pieces: list[str] = []
    positions = array("i")
    for index, character in enumerate(text):
        piece = _fold_character(character)
        if len(piece) == 1:
            pieces.append(piece)
            positions.append(index)
        elif piece:
            pieces.append(piece)
            positions.extend([index] * len(piece))
    return Reading("".join(pieces), positions)


def words(folded: Reading) -> Reading:
    """Read a folded text as words: `" where is my order "`; apostrophes vanish, other signs part words."""
    return _join(
        folded, ((match.start(), match.end(), match.group()) for match in _WORD.finditer(folded.text))
    )


def dense(folded: Reading) -> Reading:
    """Read a folded text as letters and digits alone, as Chinese phrases are looked for."""
    pieces: list[str] = []
    positions = array("i")
    for match in _LETTERS.finditer(folded.text):
        pieces.append(match.group())
        positions.extend(folded.positions[match.start() : match.end()])
    return Reading("".join(pieces), positions)


def disguises(folded: Reading) -> Iterator[Reading]:
    """Further `words` readings with leetspeak, repeated and spaced letters undone; none for plain text."""
    text = folded.text
    spaced = [
        match.span()
        for match in _SPACED.finditer(text)
        if sum(map(str.isalpha, match.group())) >= _MIN_DISGUISE
    ]
    leet = _LEET_SIGN.search(text) and any(_is_disguise(token) for token in text.split())
    if not (spaced or leet or _REPEATED.search(text)):
        return
    seen: set[str] = set()
    for keep in (1, 2):  # "fuuuck" has one letter, "asssshole" two
        reading = _join(folded, _undisguised(text, spaced, keep))
        if reading.text not in seen:
            seen.add(reading.text)
            yield reading


def has_han(text: str) -> bool:
    """True where a text holds a Chinese character."""
    return not text.isascii() and _HAN_CHARACTER.search(text) is not None


def language_of(text: str) -> str:
    """The language of a text by its script: "zh" from one fifth Chinese letters on, else "en"."""
    if text.isascii():
        return "en"
    head = text[:2000]  # characters: enough to tell
    han = len(_HAN_CHARACTER.findall(head))
    return "zh" if han and han * 5 >= sum(map(str.isalpha, head)) else "en"


def _join(folded: Reading, tokens: Iterable[tuple[int, int, str]]) -> Reading:
    """Words with one space between, from (start, end, word); a shortened word ends where its stretch ends."""
    pieces = [""]
    positions = array("i", [0])
    source = folded.positions
    for start, end, word in tokens:
        if "'" in word and len(word) == end - start:
            positions.extend([source[start + index] for index, sign in enumerate(word) if sign != "'"])
            word = word.replace("'", "")
        elif len(word) == end - start > 0:
            positions.extend(source[start:end])
        elif word and start < end:
            positions.extend([source[min(start + index, end - 1)] for index in range(len(word) - 1)])
            positions.append(source[end - 1])
        else:
            continue
        positions.append(source[end - 1])
        pieces.append(word)
    pieces.append("")
    return Reading(" ".join(pieces) if len(pieces) > 2 else " ", positions)


def _is_disguise(token: str) -> bool:
    """True for "k1ll", "sh!t", "f*ck", "a$$"; False for "hello!", "1080p", "hp-10342", "me@shop.example"."""
    core = token.strip(_EDGES).rstrip("!*")
    if not _MIN_DISGUISE <= len(core) <= 40 or not _LEET_SIGN.search(core) or ("@" in core and "." in core):
        return False
    if _MEASURE.fullmatch(core):
        return False
    letters = sum(map(str.isalpha, core))
    signs = len(_LEET_SIGN.findall(core))
    return letters >= 1 and signs <= max(letters, 2) and letters + signs >= len(core) - 1


def _undisguised(text: str, spaced: list[tuple[int, int]], keep: int) -> Iterator[tuple[int, int, str]]:
    at = 0
    for start, end in [*spaced, (len(text), len(text))]:
        for match in re.finditer(r"\S+", text[at:start]):
            yield from _read_token(match.group(), at + match.start(), keep)
        begin = start
        for gap in [
            *_SPACES.finditer(text, start, end),
            None,
        ]:  # two spaces part the words of spaced-out text
            stop = gap.start() if gap else end
            yield begin, stop, _shorten(_BETWEEN.sub("", text[begin:stop]).translate(_LEET), keep)
            begin = gap.end() if gap else end
        at = end


def _read_token(token: str, start: int, keep: int) -> Iterator[tuple[int, int, str]]:
    if _is_disguise(token):
        core = token.strip(_EDGES).rstrip("!*")
        offset = start + token.index(core)
        letters = "".join(sign for sign in core.translate(_LEET) if sign.isalnum() or sign == "*")
        yield offset, offset + len(core), _shorten(letters, keep)
        return
    for match in _WORD.finditer(token):
        word = match.group().replace("'", "")
        yield start + match.start(), start + match.end(), _shorten(word, keep)


def _shorten(word: str, keep: int) -> str:
    return _REPEATED.sub(lambda match: match.group(1) * keep, word)
