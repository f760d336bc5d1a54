"""Disguises: further readings of a text that shows signs of leetspeak, spaced-out, starred or misspelt words.

A plain text has none, and costs little more than a look at each word.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from moderation.normalise import Reading, Token, join, tokens
from moderation.spelling import MASKS, rejoined, respelt, unstarred

_LEET = (
    str.maketrans("0123456789@$!|+€£¢", "oizeasgtbgasiiteec"),
    str.maketrans("0123456789@$!|+€£¢", "olzeasgtbgasilteec"),
)
"""Two alphabets: "1" is an i ("sh1t") or an l ("k1ll")."""
_SIGN = re.compile(rf"[0-9€£¢|+{re.escape(MASKS)}]")
_REPEATED = re.compile(r"([a-z])\1\1+")
_LETTER = r"[a-z0-9@$!]"
_GAP = r"[ \t\n.\-_*,~/|+=·•^:;'\"()\[\]{}<>#&]"
_SPACED = re.compile(rf"(?<![a-z0-9'])(?:{_LETTER}{_GAP}{{1,3}}){{2,60}}{_LETTER}(?![a-z0-9])")
"""Three to 61 single letters with one to three signs between; the two are disjoint, so it is linear."""
_SPACES = re.compile(r"\s{2,}")
_BETWEEN = re.compile(f"{_GAP}+")
_MEASURE = re.compile(
    r"[$€£+]?[0-9.,:]+(?:am|pm|st|nd|rd|th|[a-z]{1,2})?|[a-z]{3,}[0-9]+|[a-z]{1,2}[0-9]{2,6}[a-z]?"
)
"""An amount, a time, a size, a name with a number: "10am", "$200", "1080p", "covid19", "a55"."""
_LATIN = re.compile(r"[a-z]")
_EDGES = ".,;:?()[]{}\"'|+-"
_MIN_DISGUISE = 3
"""Letters; "b2" is a size, "k1ll" a disguise."""
_BROKEN = re.compile(r"(?<![a-z.\-])[a-z]{1,24}[.\-][a-z.\-]{0,24}[a-z]")
"""A word with points or hyphens where letters are missing: "f-ck"."""

_TURNED = dict(zip("ɐqɔpǝɟƃɥᴉıɾʞןɯuodbɹsʇnʌʍxʎzɓ˙", "abcdefghiijklmnopqrstuvwxyzg.", strict=True))
"""Letters upside down, as they read when the text is turned round."""
_TURNED_SIGNS = frozenset("ɐɔǝɟƃɥᴉɾʞןɯɹʇʌʍʎ")
_MIN_TURNED = 2
"""Different turned letters: fewer stand in honest phonetic notation."""

_SPLIT_ROWS = """
亻尔=你 人尔=你 女马=妈 女也=她 女又=奴 女表=婊 女昌=娼 女支=妓 女票=嫖 女干=奸 弓虽=强 弓单=弹 火乍=炸
扌喿=操 扌桑=操 贝戋=贱 马扁=骗 歹匕=死 木仓=枪 又鸟=鸡 口巴=吧 口乞=吃 犭句=狗 犭者=猪 忄生=性 衤果=裸
禾中=种 氵衮=滚 牜勿=物 广发=废 自木几=自杀 贝者=赌 尸吊=屌 米青=精 氵夜=液
"""
_SPLIT_CHARACTERS = dict(row.split("=") for row in _SPLIT_ROWS.split())
"""Characters written as their parts, and the character."""
_SPLIT = re.compile("|".join(sorted(_SPLIT_CHARACTERS, key=len, reverse=True)))
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_INSERTED = re.compile(rf"(?<=[{_HAN}])[0-9a-z]{{1,2}}(?=[{_HAN}])")
"""One or two digits or letters between Chinese characters: 傻1逼."""


def disguises(folded: Reading) -> Iterator[Reading]:
    """Further `words` readings with disguised words undone; none for plain text."""
    seen: set[str] = set()
    for text in _variants(folded):
        if text.text not in seen:
            seen.add(text.text)
            yield text


def dense_disguises(dense: Reading) -> Iterator[Reading]:
    """Further `dense` readings: split characters put together, inserted digits and letters left out."""
    source, text = dense.positions, dense.text
    for pattern, replace in ((_SPLIT, True), (_INSERTED, False)):
        at = 0
        pieces: list[str] = []
        starts, ends = array("i"), array("i")
        for match in pattern.finditer(text):
            begin, end = match.span()
            pieces.append(text[at:begin])
            starts.extend(source[at:begin])
            ends.extend([position + 1 for position in source[at:begin]])
            if replace:
                meant = _SPLIT_CHARACTERS[match.group()]
                pieces.append(meant)
                starts.extend([source[begin]] * len(meant))
                ends.extend([source[end - 1] + 1] * len(meant))
            at = end
        if at:
            pieces.append(text[at:])
            starts.extend(source[at:])
            ends.extend([position + 1 for position in source[at:]])
            yield Reading("".join(pieces), starts, ends)


def _variants(folded: Reading) -> Iterator[Reading]:
    text = folded.text
    plain = _meant(tokens(folded))
    if plain is not None:
        yield join(folded, plain)
    spaced = [
        match.span()
        for match in _SPACED.finditer(text)
        if sum(map(str.isalpha, match.group())) >= _MIN_DISGUISE
    ]
    signs = _SIGN.search(text) and any(_is_disguise(token) for token in text.split())
    broken = ("-" in text or "." in text) and any(unstarred(each[0]) for each in _BROKEN.finditer(text))
    if spaced or signs or broken or _REPEATED.search(text):
        for keep, alphabet in ((1, _LEET[0]), (2, _LEET[1])):  # "fuuuck" has one letter, "asssshole" two
            undone = list(_undisguised(text, spaced, keep, alphabet))
            yield join(folded, undone)
            meant = _meant(undone)
            if meant is not None:
                yield join(folded, meant)
    if len(_TURNED_SIGNS.intersection(text)) >= _MIN_TURNED:
        turned = Reading(
            "".join(_TURNED.get(sign, sign) for sign in reversed(text)),
            array("i", reversed(folded.positions)),
        )
        yield join(turned, tokens(turned))


def _meant(found: Iterator[Token] | list[Token]) -> list[Token] | None:
    """The tokens with what they stand for in their place; None where all stand for themselves."""
    rows = list(found)
    words = [word.replace("'", "") for _, _, word in rows]
    meant: list[Token] = []
    changed = False
    index = 0
    while index < len(rows):
        start, end, _ = rows[index]
        word, count = rejoined(words, index)
        if count:
            meant.append((start, rows[index + count - 1][1], word))
            index += count
            changed = True
            continue
        parts = respelt(words[index])
        if parts:
            changed = True
            exact = end - start == sum(map(len, parts))
            for part in parts:
                meant.append((start, start + len(part) if exact else end, part))
                start += len(part) if exact else 0
        else:
            meant.append(rows[index])
        index += 1
    return meant if changed else None


def _is_disguise(token: str) -> bool:
    """True for "k1ll", "sh!t", "f*ck", "a$$"; False for "hello!", "1080p", "hp-10342", "me@shop.example"."""
    core = token.strip(_EDGES).rstrip("!*")
    if token.rstrip(".,;:?!)\"'").endswith("*") and core.isalpha() and unstarred(token.strip(_EDGES + "!")):
        return True
    if not _MIN_DISGUISE <= len(core) <= 40 or not _SIGN.search(core) or ("@" in core and "." in core):
        return False
    if _MEASURE.fullmatch(core) or not _LATIN.search(core):
        return False
    letters = sum(map(str.isalpha, core))
    signs = len(_SIGN.findall(core))
    return letters >= 1 and signs <= max(letters, 3) and letters + signs >= len(core) - 1


def _undisguised(
    text: str, spaced: list[tuple[int, int]], keep: int, alphabet: dict[int, int]
) -> Iterator[Token]:
    at = 0
    for start, end in [*spaced, (len(text), len(text))]:
        for match in re.finditer(r"\S+", text[at:start]):
            yield from _read_token(match.group(), at + match.start(), keep, alphabet)
        begin = start
        for gap in [*_SPACES.finditer(text, start, end), None]:  # two spaces part spaced-out words
            stop = gap.start() if gap else end
            yield begin, stop, _shorten(_BETWEEN.sub("", text[begin:stop]).translate(alphabet), keep)
            begin = gap.end() if gap else end
        at = end


def _read_token(token: str, start: int, keep: int, alphabet: dict[int, int]) -> Iterator[Token]:
    if _is_disguise(token):
        core = token.strip(_EDGES + "!")
        meant = unstarred(core)
        if not meant:
            core = core.rstrip("*")
            meant = "".join(sign for sign in core.translate(alphabet) if sign.isalnum() or sign == "*")
        offset = start + token.index(core)
        yield offset, offset + len(core), _shorten(meant, keep)
        return
    broken = _BROKEN.search(token)
    meant = unstarred(broken[0]) if broken else ""
    if broken and meant:
        yield start + broken.start(), start + broken.end(), meant
        return
    for first, last, word in tokens(Reading(token, range(len(token)))):
        yield start + first, start + last, _shorten(word.replace("'", ""), keep)


def _shorten(word: str, keep: int) -> str:
    return _REPEATED.sub(lambda match: match.group(1) * keep, word)
