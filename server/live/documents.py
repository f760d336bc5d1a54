"""The documents of the HTTP interface: what clients ask with, and what the server answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.events import Felt
from server.live.protocol import Id, Language, Text


class Document(BaseModel):
    """Base of what the server answers."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ErrorBody(Document):
    """What went wrong."""

    code: str
    message: str
    remedy: str


class ErrorDocument(Document):
    """Every error of the HTTP interface; where there is a queue, with the place in it."""

    error: ErrorBody
    ahead: int | None = None
    ticket: str | None = None


class NewSession(BaseModel):
    """What a client says when it wants to talk."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    desk: Id | None = Field(default=None, description="Which desk; the first if left out.")
    language: Language | Literal[""] = Field(default="", description="In which it begins.")
    record: bool = Field(default=False, description="The visitor agrees to a recording.")
    client: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="What the client is, for the operators: page, kiosk, widget …"
    )
    ticket: Id | None = Field(default=None, description="A place in the queue that was given before.")


class DeskDocument(Document):
    """A desk as visitors see it."""

    id: str
    name: str
    persona: str
    company: str
    languages: list[str]
    greeting: dict[str, str]
    """language → what it says first."""
    captions: bool
    record: bool
    """Visitors may be asked whether they agree to a recording."""
    size: tuple[int, int]
    """Width and height of the picture."""
    poster: str | None = None
    """Path of a JPEG of its face, for the time without video."""
    keep: str = "masked"
    """How words of conversations are kept: masked (without personal data), plain, or none."""
    kept_days: float | None = None
    """For how many days; null where the server keeps nothing."""


class SessionDocument(Document):
    """A place at a desk."""

    session: str
    token: str
    expires_s: float
    """Seconds for which the token lets in; a session ends earlier when nobody joins or comes back."""
    ws: str
    """Path of the WebSocket."""
    desk: DeskDocument


class QueueDocument(Document):
    """A place in the queue."""

    ticket: str
    ahead: int
    ready: bool
    """True: ask for the session now, with the ticket."""


class ChatRequest(BaseModel):
    """A typed question."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: Text
    desk: Id | None = Field(default=None, description="Which desk; the first if left out.")
    language: Language | Literal[""] = Field(default="", description="The question's if left out.")
    session: Id | None = Field(
        default=None,
        description="Names the conversation that the question goes on with; the one of the answer before. "
        "A new one if left out.",
    )


class CitationDocument(Document):
    """A passage that an answer rests on."""

    source: str
    title: str
    text: str
    score: float
    url: str = ""
    """Where it can be opened at the right place, http or https; empty where it has no address."""
    page: int | None = None
    """Of its document, from 1."""
    section: str = ""
    """Headings that it stands under, with " > " between."""


class SentenceDocument(Document):
    """A sentence of a reply."""

    text: str
    language: str
    emotion: str
    citations: list[CitationDocument]


class FeelingDocument(Document):
    """What the visitor feels, as far as their words tell."""

    label: str
    """neutral, joy, sadness, anger, fear, surprise or disgust; neutral where it is not sure."""
    intensity: float
    """0..1"""
    confidence: float
    """0..1"""
    scores: dict[str, float]
    """Each label → 0..1; several may be likely at once."""

    @classmethod
    def of(cls, felt: Felt) -> FeelingDocument:
        """Write down what a reply told of the visitor."""
        emotion = felt.emotion
        confidence = felt.feeling.confidence if felt.feeling is not None else 0.0
        return cls(
            label=emotion.label,
            intensity=emotion.intensity,
            confidence=confidence,
            scores=dict(emotion.scores),
        )


class DataDocument(Document):
    """How a visitor gets what is kept of their conversation (GET), or has it erased (DELETE)."""

    path: str
    token: str
    """For the header `Authorization: Bearer`; good for a day."""


class ChatDocument(Document):
    """A whole answer."""

    session: str
    transcript: str
    reply: str
    outcome: str
    language: str
    sentences: list[SentenceDocument]
    citations: list[CitationDocument]
    timings_ms: dict[str, float]
    visitor_emotion: FeelingDocument | None = None
    """After the visitor's words; null where they could not be judged."""
    data: DataDocument | None = None
    """With the first answer of a conversation; null later on, and where the server keeps nothing."""


class HealthDocument(Document):
    """What is alive."""

    status: Literal["ok", "closing"]
    version: str
    uptime_s: float
    sessions: int
    max_sessions: int
    waiting: int
    loop_lag_ms: float
    """How late the event loop ran lately, at worst: over 40 ms, pictures suffer."""
    store: str
    """"ok", "none", or what is wrong with keeping events."""
    desks: dict[str, dict[str, str]]
    """desk → which engine does what."""
