"""What a script may expect: of one turn, and of the whole conversation.

Everything left out is not looked at. Words are compared without regard to case and spaces; where several are
named, `contains` wants all of them, `contains_any` one.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from agent.handoff import Reason
from agent.sentence import REPLY_EMOTIONS, Outcome
from evals.scripts.pattern import check_pattern, pattern_of
from moderation.verdict import Action, Direction

VISITOR_EMOTIONS = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust")
TIMINGS = ("turn_end", "transcript", "first_sentence", "first_sound", "reply_end")
"""Milliseconds since the visitor's last sound, or since the words were typed."""

_DOES = re.compile(r"\b(?:select|values|insert|replace|update|delete)\b", re.IGNORECASE)
"""What an SQL query does, once what it is made of stands aside: the first of these."""
_ASIDE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]", re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")
_REMARKS = re.compile(r"^(?:\s+|--[^\n]*\n|/\*.*?\*/)+", re.DOTALL)
"""What may stand before an SQL query."""


def several(value: Any) -> Any:
    """One thing may stand for a list of one."""
    return value if isinstance(value, list | tuple) or value is None else [value]


Texts = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(several)]
"""A text, or several; a list without any would look as if something were checked."""


class Strict(BaseModel):
    """Takes no key that it does not know, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Words(Strict):
    """What stands in a text, and what must not."""

    contains: Texts = ()
    """All of these stand in it."""
    contains_any: Texts = ()
    """At least one of these stands in it."""
    must_not: Texts = ()
    """None of these stands in it."""
    regex: Texts = ()
    """Each of these regular expressions matches somewhere, without regard to case."""

    @field_validator("contains", "contains_any", "must_not", "regex")
    @classmethod
    def _not_empty(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(str.strip, texts)):
            raise ValueError("an empty text stands in every other: write words, or leave it out")
        return texts

    @field_validator("regex")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            check_pattern(pattern)
        return patterns


class SomeWords(Words):
    """What stands in a text, and what must not; at least something of it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _something_wanted(self) -> SomeWords:
        if not self.model_fields_set:
            raise ValueError(f"nothing is wanted of it: write {' or '.join(f'`{one}`' for one in _WORDS)}")
        return self


_WORDS = tuple(Words.model_fields)


class ToolCall(Strict):
    """A business action that is taken."""

    name: str
    """Of the tool."""
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Those that are looked at, by name; a text between slashes, "/^10/", is a regular expression."""
    times: int = Field(default=1, ge=0)
    """How often; 0: never."""

    @field_validator("arguments")
    @classmethod
    def _patterns(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        for value in arguments.values():
            if (pattern := pattern_of(str(value))) is not None:
                check_pattern(pattern)
        return arguments


class VerdictGiven(Strict):
    """A verdict of the guard."""

    direction: Direction = Direction.INPUT
    action: Action | None = None
    rule: str = ""
    """Name of the rule that fired, "*" for any part of it: "pii.*"."""


class TurnExpectation(Words):
    """What one turn's reply should be; the words are those of the reply."""

    cites: Annotated[tuple[str, ...] | None, BeforeValidator(several)] = None
    """All of these sources are cited; "*" stands for any part of a name. An empty list: none at all."""
    cites_any: Texts = ()
    """At least one of these sources is cited."""
    outcome: Annotated[tuple[Outcome, ...], Field(min_length=1), BeforeValidator(several)] = ()
    """How the turn ends: one of these."""
    tools: Annotated[tuple[ToolCall, ...] | None, BeforeValidator(several)] = None
    """Actions that are taken in it; an empty list: none at all."""
    handoff: bool | Reason | None = None
    """Whether the visitor is passed on to a person, or why."""
    refused: bool | None = None
    """Whether the guard keeps the visitor's words, or the reply, back."""
    language: str | None = None
    """Of the reply, ISO 639-1."""
    emotion: Texts = ()
    """Of the reply's first sentence that is said with any; "neutral" where none is. One of these."""
    visitor_emotion: Texts = ()
    """What the visitor is found to feel: one of these."""
    verdicts: Annotated[tuple[VerdictGiven, ...] | None, BeforeValidator(several)] = None
    """Each of these is given in it; an empty list: nothing is found fault with, all verdicts are "allow"."""
    within_ms: dict[
        Literal["turn_end", "transcript", "first_sentence", "first_sound", "reply_end"], float
    ] = Field(default_factory=dict, min_length=1)
    """Timing → the most milliseconds since the visitor's last sound; one number stands for first_sound."""
    silent: bool | None = None
    """Whether nothing is to be said to it: a cough, a backchannel. Left out, a turn must be answered."""
    interrupted: bool | None = None
    """Whether the reply is broken into before its end."""
    heard_reply: SomeWords | None = None
    """The reply as far as it was heard; only that is remembered."""
    understood: SomeWords | None = None
    """The visitor's words as the desk took them, personal data masked."""
    yielded_ms: float | None = Field(default=None, gt=0)
    """Of a turn that breaks in: the reply before it falls silent within so many milliseconds."""
    resumed: bool | None = None
    """Of a turn that breaks in: whether the reply before it goes on afterwards."""
    wer: float | None = Field(default=None, ge=0)
    """Most errors in what was heard, for each word said; letters in Chinese. Audio only."""
    reply_wer: float | None = Field(default=None, ge=0)
    """Most errors when the reply's sound is transcribed back, for each word. Audio only."""
    grounded: bool | None = None
    """Whether every sentence of the reply is supported by what it cites."""
    cards: SomeWords | None = None
    """What is shown beside the reply: titles and addresses."""
    suggestions: SomeWords | None = None
    """The questions that are suggested after it."""

    @field_validator("within_ms", mode="before")
    @classmethod
    def _first_sound(cls, value: Any) -> Any:
        return {"first_sound": value} if isinstance(value, int | float) else value

    @field_validator("emotion")
    @classmethod
    def _shown(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        return _known(labels, REPLY_EMOTIONS)

    @field_validator("visitor_emotion")
    @classmethod
    def _felt(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        return _known(labels, VISITOR_EMOTIONS)


class Database(Strict):
    """What one of the desk's SQLite databases holds when the conversation is over."""

    file: str
    """In the desk's state folder, for example "requests.sqlite"."""
    query: str
    """SQL that only reads; its rows are compared."""
    rows: tuple[tuple[str | int | float | None, ...], ...] | None = None
    """Exactly these, in this order."""
    count: int | None = Field(default=None, ge=0)
    """How many rows there are."""

    @field_validator("file")
    @classmethod
    def _inside(cls, name: str) -> str:
        if not name.strip() or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"{name!r} leaves the desk's state folder: give a name inside it")
        return name

    @field_validator("query")
    @classmethod
    def _asks(cls, query: str) -> str:
        begin = _REMARKS.sub("", query).split(maxsplit=1)
        if not begin or begin[0].casefold() not in ("select", "with"):
            raise ValueError("it must be one SQL query that begins with SELECT or WITH")
        try:
            with closing(sqlite3.connect(":memory:")) as base:
                base.execute(f"EXPLAIN {query}")  # is not run: its tables are not here
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            if not re.match(r"no such (?:table|function|collation|module)", str(error)):
                raise ValueError(f"not one SQL query ({error}): begin with SELECT or WITH") from None
        if (does := _DOES.search(_flat(query))) is None or does[0].casefold() not in ("select", "values"):
            raise ValueError("it must only read: its rows are those of one SELECT")
        return query

    @model_validator(mode="after")
    def _something_wanted(self) -> Database:
        if self.rows is None and self.count is None:
            raise ValueError("nothing is wanted of the rows: write `rows`, or `count`")
        return self


class Media(Strict):
    """Sound and picture of the replies, in audio mode; what is left out has the usual limit."""

    av_offset_ms: float = Field(default=80.0, gt=0)
    """Most that lips and sound may be apart, either way."""
    lip_closure: float = Field(default=0.6, ge=0, le=1)
    """Share of the sounds p, b and m at which the lips close, at least."""
    face_present: float = Field(default=1.0, ge=0, le=1)
    """Share of the frames that show the face, at least."""
    freeze_s: float = Field(default=0.5, gt=0)
    """Longest time for which the picture may stand still."""


class ConversationExpectation(Words):
    """What the whole conversation should be; the words are those of all replies."""

    tools: Annotated[tuple[ToolCall, ...] | None, BeforeValidator(several)] = None
    """Actions that are taken in it; an empty list: none at all."""
    handoff: bool | Reason | None = None
    """Whether the visitor is passed on to a person, or why."""
    refused: bool | None = None
    """Whether the guard keeps anything back."""
    verdicts: Annotated[tuple[VerdictGiven, ...] | None, BeforeValidator(several)] = None
    """Each of these is given in it; an empty list: nothing is found fault with, all verdicts are "allow"."""
    within_ms: dict[
        Literal["turn_end", "transcript", "first_sentence", "first_sound", "reply_end"], float
    ] = Field(default_factory=dict, min_length=1)
    """Timing → the most milliseconds in any turn; one number stands for first_sound."""
    grounded: bool | None = None
    """Whether every sentence of every reply is supported by what it cites."""
    tools_work: bool | None = True
    """Whether no action that is taken fails; false: one is to fail; null: not looked at."""
    safe: bool | None = True
    """Whether nothing is said that the package's own policy forbids; null: not looked at."""
    state: Annotated[tuple[Database, ...], Field(min_length=1), BeforeValidator(several)] = ()
    """What the desk's databases hold afterwards: whether the task was done."""
    goal: str = ""
    """What a judge decides by yes or no, where a language model is set as judge: "the refund was offered"."""
    media: Media | None = Media()
    """Limits of sound and picture; null: they are not looked at."""

    @field_validator("within_ms", mode="before")
    @classmethod
    def _first_sound(cls, value: Any) -> Any:
        return {"first_sound": value} if isinstance(value, int | float) else value


def _flat(query: str) -> str:
    """Return an SQL query without remarks, texts, names in quotes, and what stands in brackets."""
    query, count = _ASIDE.sub(" ", query), 1
    while count:
        query, count = _INNERMOST.subn(" ", query)
    return query


def _known(labels: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    for label in labels:
        if label not in known:
            raise ValueError(f"{label!r} is no emotion here; choose from {', '.join(known)}")
    return labels
