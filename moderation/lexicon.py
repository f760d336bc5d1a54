"""Word lists: phrases of every category, found in all readings of a text in one pass (Aho-Corasick)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from moderation.errors import ModerationError
from moderation.normalise import Reading, has_han
from moderation.phrase import MAX_PLAIN_FORMS, Phrase, parse, plain
from moderation.screener import Finding, Subject

FOLDER = Path(__file__).with_name("lexicon")
_DENIALS = frozenset(
    ("not", "no", "never", "cannot", "cant", "dont", "doesnt", "didnt", "wont", "wouldnt", "isnt", "arent")
    + ("without", "nobody", "neither", "nor", "unable")
)
_DENIAL_REACH = 3
"""Words before a phrase in which a denial counts: "we can not always guarantee"."""
_DENIALS_ZH = ("不", "无法", "没", "别", "勿", "未")
_DENIAL_REACH_ZH = 4
"""Characters before a Chinese phrase in which a denial counts: 不能保证."""
_NUMBERED = re.compile(r"-?[0-9]")
"""What follows initials that are a product's: SB-900."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule's phrases."""

    rule: str
    """"category.name"; empty for harmless phrases, inside which no hit counts."""
    score: float
    phrases: tuple[str, ...]
    deniable: bool = False
    """True where "not" before the phrase turns it harmless."""
    beside_chinese: bool = False
    """True where the phrase counts only in a text that holds Chinese, or as the whole text."""
    spoken: bool = False
    """True where the phrase is one for what the desk says: for who makes a lexicon of it."""
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Named alternatives that the phrases use."""


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    entry: Entry


@dataclass(slots=True, eq=False)
class _Template:
    """A phrase of many forms, compared once one of its anchors was met."""

    phrase: Phrase
    entry: Entry
    han: bool
    _expression: re.Pattern[str] | None = None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        if self._expression is None:
            body = self.phrase.expression()
            self._expression = re.compile(body if self.han else rf"(?<= )(?:{body})(?= )")
        return self._expression.finditer(text)


_Table: TypeAlias = dict[str, list[Entry | _Template]]


class Lexicon:
    """A screener made of word lists."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Compile entries; ValueError where a phrase cannot be read."""
        tables: tuple[_Table, _Table] = ({}, {})
        for entry in entries:
            for text in entry.phrases:
                phrase = parse(text, entry.sets)
                if phrase.count <= MAX_PLAIN_FORMS:
                    for form in map(plain, phrase.forms()):
                        if form.strip():
                            tables[has_han(form)].setdefault(form, []).append(entry)
                    continue
                anchors = phrase.anchors()
                if not anchors:
                    raise ValueError(
                        f"{entry.rule}: a phrase of many forms has no word that must occur; split it"
                    )
                template = _Template(phrase, entry, any(map(has_han, anchors)))
                for anchor in anchors:
                    tables[template.han].setdefault(anchor, []).append(template)
        self._latin, self._han = map(_automaton, tables)

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Every phrase found, harmless ones and denied ones left out."""
        found: set[tuple[str, int, int]] = set()
        for reading in (subject.words, *subject.disguises):
            yield from self._findings(self._latin, reading, 1, found, subject)
        if subject.dense is not None:
            for reading in (subject.dense, *subject.dense_disguises):
                yield from self._findings(self._han, reading, 0, found, subject)

    def _findings(
        self,
        automaton: Any,
        reading: Reading,
        padding: int,
        found: set[tuple[str, int, int]],
        subject: Subject,
    ) -> Iterator[Finding]:
        text = reading.text
        hits = [] if automaton is None else list(_hits(automaton, text, padding))
        harmless = [hit for hit in hits if not hit.entry.rule]
        for hit in hits:
            entry = hit.entry
            if not entry.rule or any(_covers(safe, hit, padding) for safe in harmless):
                continue
            if entry.deniable and denied(text, hit.start):
                continue
            start, end = reading.original(hit.start, hit.end)
            if entry.beside_chinese and (
                _NUMBERED.match(subject.text, end)
                or (subject.dense is None and text[hit.start : hit.end] != text.strip())
            ):
                continue
            key = (entry.rule, start, end)
            if key not in found:
                found.add(key)
                yield Finding(entry.rule, entry.score, start, end)


def _covers(safe: _Hit, hit: _Hit, padding: int) -> bool:
    """True where a harmless phrase holds the hit, or goes on from its end ("want to die" + "die laughing").

    In Chinese, which does not part words, any overlap counts.
    """
    if padding:
        return hit.end <= safe.end and (
            safe.start <= hit.start or hit.start < safe.start < hit.end < safe.end
        )
    return safe.start < hit.end and hit.start < safe.end and safe.end - safe.start >= 2


def _hits(automaton: Any, text: str, padding: int) -> Iterator[_Hit]:
    templates: dict[_Template, None] = {}
    for last, (length, rows) in automaton.iter(text):
        for row in rows:
            if isinstance(row, _Template):
                templates[row] = None
            else:
                yield _Hit(last + 1 - length + padding, last + 1 - padding, row)
    for template in templates:
        for match in template.finditer(text):
            yield _Hit(match.start(), match.end(), template.entry)


def _automaton(table: _Table) -> Any:
    import ahocorasick

    if not table:
        return None
    automaton = ahocorasick.Automaton()
    for key, rows in table.items():
        automaton.add_word(key, (len(key), tuple(rows)))
    automaton.make_automaton()
    return automaton


def denied(text: str, start: int) -> bool:
    """True where "not", "cannot", 不 and the like stand shortly before a phrase."""
    nearby = text[max(0, start - _DENIAL_REACH_ZH) : start]
    if has_han(nearby):
        return any(denial in nearby for denial in _DENIALS_ZH)
    before = text[max(0, start - 60) : start].replace("'", "")  # characters: more than three words
    return not _DENIALS.isdisjoint(before.split()[-_DENIAL_REACH:])


def entries(language: str) -> Sequence[Entry]:
    """The word list that ships for a language.

    Raises:
        ModerationError: The file is missing or broken.
    """
    return _entries(FOLDER / f"{language}.toml")


@lru_cache(maxsize=8)
def _entries(path: Path) -> tuple[Entry, ...]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        sets = table.get("sets", {})
        return tuple(
            Entry(
                rule=row.get("rule", ""),
                score=float(row.get("score", 0.0)),
                phrases=tuple(row["phrases"]),
                deniable=bool(row.get("deniable", False)),
                beside_chinese=bool(row.get("beside_chinese", False)),
                spoken=bool(row.get("spoken", False)),
                sets=sets,
            )
            for row in table["entry"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModerationError(
            f"{path.name}: the word list is broken ({error}). Install Visavis again."
        ) from error
