"""Phrases with alternatives: `{we|i} {|really} guarantee` stands for four plain phrases.

A phrase of few forms is looked up as these forms. One of many forms is looked up by its anchors, plain pieces
of which one must occur, and only then compared as a regular expression, made when first needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from moderation.normalise import fold, has_han

EXPRESSION = "re:"
"""A phrase that starts so is a regular expression; every other phrase is taken word by word."""
MAX_PLAIN_FORMS = 64
"""Forms; above, a regular expression costs less than its forms."""
_SIGN = re.compile(r"[{|}]")
_NO_WORD = re.compile(r"[^\w*]+|_")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A parsed phrase: pieces one after the other, each a list of alternatives: phrases or plain text."""

    pieces: tuple[tuple[Phrase | str, ...], ...]

    @property
    def count(self) -> int:
        """How many plain phrases it stands for (equal ones counted twice)."""
        return prod(
            sum(part.count if isinstance(part, Phrase) else 1 for part in piece) for piece in self.pieces
        )

    def forms(self) -> list[str]:
        """Every plain phrase, with single spaces."""
        return list(dict.fromkeys(" ".join(form.split()) for form in self._forms()))

    def _forms(self) -> list[str]:
        parts = [
            [form for part in piece for form in (part._forms() if isinstance(part, Phrase) else [part])]
            for piece in self.pieces
        ]
        return ["".join(combination) for combination in product(*parts)]

    def expression(self) -> str:
        """A regular expression of all forms; a space may be missing in the text ("killyourself")."""
        return "".join(
            _expression(piece[0]) if len(piece) == 1 else f"(?:{'|'.join(map(_expression, piece))})"
            for piece in self.pieces
        )

    def anchors(self) -> tuple[str, ...]:
        """Plain pieces of which at least one occurs in every form: the rarest such choice; may be empty."""
        best: tuple[str, ...] = ()
        for piece in self.pieces:
            choice: list[str] = []
            for part in piece:
                own = part.anchors() if isinstance(part, Phrase) else _longest(part)
                if not own:
                    break
                choice += own
            else:
                if _rarity(choice) > _rarity(best):
                    best = tuple(dict.fromkeys(choice))
        return best


def parse(phrase: str, sets: Mapping[str, Sequence[str]] | None = None) -> Phrase:
    """Read a phrase; `{@name}` stands for the alternatives in `sets`.

    Raises:
        ValueError: Braces do not match, or a set is unknown.
    """
    parsed, at = _sequence(phrase, 0, sets or {})
    if at != len(phrase):
        raise ValueError("has a brace or bar that matches no other; write {one|other}")
    return parsed


def check(phrase: str) -> None:
    """Check that a phrase can be looked for.

    Raises:
        ValueError: Braces do not match, or nothing in a phrase of many forms must occur.
    """
    parsed = parse(phrase)
    if parsed.count > MAX_PLAIN_FORMS and not parsed.anchors():
        raise ValueError("has many forms and no word that must occur; write it with one, or split it")


def plain(form: str) -> str:
    """A plain phrase as it stands in a reading: in words with spaces around, or dense where it is Chinese."""
    text = _NO_WORD.sub(" ", fold(form).text.replace("'", ""))
    return "".join(text.split()) if has_han(text) else f" {' '.join(text.split())} "


def _sequence(phrase: str, at: int, sets: Mapping[str, Sequence[str]]) -> tuple[Phrase, int]:
    pieces: list[tuple[Phrase | str, ...]] = []
    while at < len(phrase) and phrase[at] not in "|}":
        if phrase[at] == "{":
            piece, at = _alternatives(phrase, at + 1, sets)
            pieces.append(piece)
        else:
            sign = _SIGN.search(phrase, at)
            end = sign.start() if sign else len(phrase)
            pieces.append((phrase[at:end],))
            at = end
    return Phrase(tuple(pieces)), at


def _alternatives(
    phrase: str, at: int, sets: Mapping[str, Sequence[str]]
) -> tuple[tuple[Phrase | str, ...], int]:
    if phrase.startswith("@", at):
        end = phrase.find("}", at)
        name = phrase[at + 1 : end]
        if end < 0 or name not in sets:
            raise ValueError(f"names a set {name!r} that does not exist; known: {', '.join(sets) or 'none'}")
        return tuple(sets[name]), end + 1
    parts: list[Phrase | str] = []
    while True:
        part, at = _sequence(phrase, at, sets)
        if at >= len(phrase):
            raise ValueError("has a brace that is not closed; write {one|other}")
        single = len(part.pieces) == 1 and len(part.pieces[0]) == 1 and isinstance(part.pieces[0][0], str)
        parts.append(part.pieces[0][0] if single else part if part.pieces else "")
        at += 1
        if phrase[at - 1] == "}":
            return tuple(parts), at


def _expression(part: Phrase | str) -> str:
    if isinstance(part, Phrase):
        return part.expression()
    text = _NO_WORD.sub(" ", fold(part).text.replace("'", ""))
    return re.escape(text).replace(r"\ ", " ?")


def _longest(text: str) -> tuple[str, ...]:
    pieces = _NO_WORD.sub(" ", fold(text).text.replace("'", "")).split()
    return (max(pieces, key=len),) if pieces else ()


def _rarity(anchors: Sequence[str]) -> float:
    """How seldom anchors are met: long ones seldom, many often; a Chinese character counts as three."""
    if not anchors:
        return 0.0
    shortest = min(len(anchor) * (3 if has_han(anchor) else 1) for anchor in anchors)
    return min(shortest, 8) + 1 / len(anchors)
