"""The documents of the inbox: visitors who were passed on, as people and their programs get them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from server.live.documents import Document
from server.live.protocol import at_most, seen

SAY_CHARS = 1000
"""Longest text to be said at once: a minute of talk."""
State = Literal["waiting", "taken", "back", "left", "withdrawn", "missed", "nobody"]


class LineDocument(Document):
    """One thing that was said."""

    at: float | None = None
    """Seconds since 1970, UTC; null for what was said before the visitor was passed on."""
    who: Literal["visitor", "ai", "person"]
    text: str
    name: str = ""
    """Of the person."""
    interrupted: bool = False
    """The visitor interrupted it; the text is what they heard."""
    flagged: str = ""
    """Why the desk would not have answered these words: a rule of the guard, or "unclear"."""


class EntryDocument(Document):
    """A visitor who was passed on."""

    session: str
    desk: str
    state: State
    """waiting; taken: a person has the conversation; back: the desk has it again; left: the visitor has gone;
    withdrawn: they want no person any more; missed: nobody came in time; nobody: it was out of hours."""
    reason: str
    """asked, anger, failure, policy, guard or model."""
    language: str
    asked_at: float
    """Seconds since 1970, UTC."""
    changed_at: float
    by: str = ""
    """Name of the person who has, or had, the conversation."""
    consent: bool = False
    """The visitor agreed that what they told of themselves is passed on."""
    live: bool = False
    """The conversation goes on, so that it can be taken."""
    summary: str = ""
    data: dict[str, list[str]] = Field(default_factory=dict)
    """names, phones, emails, numbers, addresses; empty without consent."""


class HandoffDocument(EntryDocument):
    """A visitor who was passed on, with what was said."""

    transcript: list[LineDocument] = Field(default_factory=list)
    """As it was heard; without consent, what the visitor told of themselves before is masked."""


class InboxDocument(Document):
    """Everybody who was passed on."""

    waiting: list[EntryDocument]
    """Who has waited longest comes first."""
    taken: list[EntryDocument]
    closed: list[EntryDocument]
    """The latest first."""


class SayRequest(BaseModel):
    """Words for the avatar to say."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=SAY_CHARS),
        BeforeValidator(seen),
        at_most(SAY_CHARS),
    ]


class SaidDocument(Document):
    """Words that the avatar is saying."""

    said: str
    """As the guard lets them through: personal data may be masked."""
