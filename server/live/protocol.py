"""The wire: every message that a browser and the server exchange."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from server.live.errors import LiveError
from server.live.mistakes import in_words

SDP_CHARS = 60_000
"""Longest offer: Chromium's for one picture and one sound has 6,000, with every codec and address 20,000."""
TEXT_CHARS = 20_000
"""Longest typed question that is read at all; desks have a limit of their own below it."""
MESSAGE_BYTES = 65_536
"""Longest WebSocket message of any kind: an offer, or a second of sound."""
UP_RATE_HZ = 16_000
"""Of the sound that a client sends in binary messages: 16-bit little-endian mono."""
DOWN_RATE_HZ = 24_000
"""Of the sound that it gets back."""

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Signs that steer terminals or turn the direction of writing round, and spaces without a width; not tabs,
ends of lines and what joins letters and emoji."""


def seen(text: object) -> object:
    """Return a text without what nobody sees in it, for pydantic; whatever else comes, as it is."""
    return _UNSEEN.sub("", re.sub(r"\r\n?", "\n", text)) if isinstance(text, str) else text


def at_most(characters: int) -> BeforeValidator:
    """Refuse a text that is longer as it came: what nobody sees in it counts, as the schema says."""

    def check(text: object) -> object:
        if isinstance(text, str) and len(text) > characters:
            told = "String should have at most {max_length} characters"
            raise PydanticCustomError("string_too_long", told, {"max_length": characters})
        return text

    return BeforeValidator(check)


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_CHARS),
    BeforeValidator(seen),
    at_most(TEXT_CHARS),
]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Language = Literal["en", "zh"]
ShapeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]{1,40}$")]


class Message(BaseModel):
    """Base of what clients send: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Hello(Message):
    """The first message of a connection."""

    type: Literal["hello"]
    token: Annotated[str, StringConstraints(max_length=4096)]
    key: Annotated[str, StringConstraints(max_length=200)] = ""
    """Of `visavis operator add`, for who tests the desk: "ready" then holds `examined`, and it is told
    besides, of its own conversation: `verdict`, `felt`, `handoff`, `tool` and `sounding`."""
    people: Literal["", "none", "there", "away"] = ""
    """With a key alone: take it that the company has nobody who takes conversations over, or somebody who is
    there, or away; nobody is called. Left out: as it is."""


class Kept(Message):
    """The token of the last "ready" was kept; older ones are to let nobody in any more.

    Every "ready" holds a new `token`, with which to come back. A client that does not say this may come back
    with the one it came with, until it has used a newer one.
    """

    type: Literal["kept"]


class Offer(Message):
    """A WebRTC offer: the first, a renegotiation or an ICE restart."""

    type: Literal["offer"]
    sdp: Annotated[str, StringConstraints(min_length=1, max_length=SDP_CHARS)]


class Typed(Message):
    """A typed question."""

    type: Literal["text"]
    text: Text


class Stop(Message):
    """Be quiet."""

    type: Literal["stop"]


class Mute(Message):
    """The microphone is off, or on again."""

    type: Literal["mute"]
    muted: bool


class SpeakLanguage(Message):
    """The language to go on in; "" for the visitor's own."""

    type: Literal["language"]
    language: Language | Literal[""]


class Replay(Message):
    """Say the last reply again."""

    type: Literal["replay"]


class Pick(Message):
    """Ask a question that was suggested."""

    type: Literal["pick"]
    turn: int = Field(ge=0, le=1_000_000)
    """After which it was suggested, as in "suggestions"."""
    number: int = Field(ge=0, le=9)
    """Its place there, from 0."""


class Suggest(Message):
    """Whether the visitor wants questions to be suggested; they are until this says otherwise."""

    type: Literal["suggest"]
    on: bool


class Face(Message):
    """How the visitor's face moves, where their camera is on and they allow it; a few times a second at most.

    Only a desk with `camera = true` in its `[emotion]` takes it. Pictures stay with the visitor.
    """

    type: Literal["face"]
    blendshapes: Annotated[dict[ShapeName, Annotated[float, Field(ge=0, le=1)]], Field(max_length=60)]
    """ARKit's names → 0..1, as MediaPipe's face landmarker gives them."""


class Report(BaseModel):
    """What the browser measured; measures that are not known here are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    type: Literal["report"]
    turn: int | None = Field(default=None, ge=0, le=1_000_000)
    first_sound_ms: float | None = Field(default=None, ge=0, le=120_000, allow_inf_nan=False)
    """From the last voiced sample that was sent to the first sound of the reply that was played."""
    interrupt_ms: float | None = Field(default=None, ge=0, le=120_000, allow_inf_nan=False)
    """From the visitor's first voiced sample to silence."""
    jitter_ms: float | None = Field(default=None, ge=0, le=60_000, allow_inf_nan=False)
    skew_ms: float | None = Field(default=None, ge=-60_000, le=60_000, allow_inf_nan=False)
    """Sound minus picture; positive: the sound comes later."""
    fps: float | None = Field(default=None, ge=0, le=240, allow_inf_nan=False)
    freezes: int | None = Field(default=None, ge=0, le=1_000_000)


class Rating(Message):
    """What the visitor thinks of a reply."""

    turn: int = Field(ge=0, le=1_000_000, description="As its messages number it.")
    value: Literal[-1, 0, 1] = Field(
        description="1: it helped, -1: it did not, 0: neither after all. The last one of a turn counts."
    )


class Rate(Rating):
    """What the visitor thinks of a reply."""

    type: Literal["rate"]


class Audio(Message):
    """Sound over the WebSocket instead of WebRTC, on or off."""

    type: Literal["audio"]
    on: bool


class Withdraw(Message):
    """The visitor waits for a person, and wants none any more."""

    type: Literal["withdraw"]


class End(Message):
    """The visitor leaves."""

    type: Literal["end"]


ClientMessage = (
    Hello
    | Kept
    | Offer
    | Typed
    | Withdraw
    | Stop
    | Mute
    | SpeakLanguage
    | Replay
    | Pick
    | Suggest
    | Face
    | Report
    | Rate
    | Audio
    | End
)
_CLIENT: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


def parse_message(raw: str) -> ClientMessage:
    """Read a client's message.

    Raises:
        LiveError: "too_large", "bad_json" or "bad_message"; it names the field, never its content.
    """
    if len(raw) > MESSAGE_BYTES:
        raise LiveError(
            "too_large",
            f"a message of {len(raw)} characters is too long",
            f"send at most {MESSAGE_BYTES} bytes at once",
            status=413,
        )
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise LiveError(
            "bad_json", "the message is not JSON", 'send a JSON object with a "type", and sound as binary'
        ) from None
    try:
        return _CLIENT.validate_python(data)
    except (ValidationError, RecursionError) as error:
        raise LiveError("bad_message", complaint(error), "see /docs for the messages") from None


def complaint(error: ValidationError | RecursionError) -> str:
    """Say in a few words what is wrong with a document, without its content."""
    if isinstance(error, RecursionError):
        return "the message is nested too deeply"
    return in_words(error.errors(include_input=False, include_url=False))


def message(kind: str, **fields: Any) -> str:
    """Return a message from the server, as JSON text."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
