"""What came of a replayed conversation: all that checks and reports look at, and nothing that they compute.

Times are milliseconds since the visitor's last sound, or since their words were typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

Mode = Literal["text", "audio"]
MISSED = "nothing_to_break_into"
"""Notice of a turn that was to break in and met no reply."""
WEBRTC = "webrtc"
"""Value of a record's engine "path" where it is of a running server."""


@dataclass(slots=True)
class Said:
    """One sentence of a reply."""

    text: str
    language: str
    emotion: str
    intensity: float
    outcome: str
    citations: list[dict[str, Any]] = field(default_factory=list)
    """Each with source, title, text and score."""
    own: bool = False
    """One of the desk's fixed lines."""


@dataclass(slots=True)
class Judged:
    """A verdict of the guard, without the words."""

    direction: str
    action: str
    rule: str
    category: str
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Called:
    """A business action that was taken."""

    tool: str
    arguments: dict[str, str]
    result: str
    """What it said; or why it failed."""
    failed: bool = False


@dataclass(slots=True)
class TurnRecord:
    """One turn of the script, and what came of it."""

    number: int
    """Of the script's turn, from 0."""
    said: str
    """The visitor's words as the script has them."""
    understood: str = ""
    """As the desk took them, personal data masked; empty where nothing was heard."""
    heard: str = ""
    """As the recognizer wrote them, in audio mode; personal data masked."""
    sentences: list[Said] = field(default_factory=list)
    heard_reply: str = ""
    """The reply as far as it sounded."""
    answered: bool = False
    """Something was said to it."""
    outcome: str = ""
    interrupted: bool = False
    verdicts: list[Judged] = field(default_factory=list)
    tools: list[Called] = field(default_factory=list)
    handoff: str | None = None
    """Why the visitor was passed on to a person, or would have been; None: they were not."""
    visitor_emotion: str = ""
    confidence: float = 0.0
    """Of the visitor's emotion, 0..1."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    yielded_ms: float | None = None
    """Of a turn that broke in: from its first sound until the reply before fell silent; None: it did not."""
    resumed: bool | None = None
    """Of a turn that broke in: the reply before went on after it; None: it did not break in."""
    resumed_wrong: str = ""
    """What the reply before then said twice, or left out; empty: it went on from where it was."""
    cards: list[dict[str, str]] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What went another way than planned, by code."""
    timed_out: bool = False
    """No end of its reply came within the script's `timeout_s`."""
    transcribed: str = ""
    """The reply's sound transcribed back, in audio mode where that is asked for."""
    began_s: float = 0.0
    """When the visitor began to speak, on the conversation's timeline."""
    ended_s: float = 0.0
    """When they fell silent."""
    pauses_s: list[float] = field(default_factory=list)
    """How long they paused in between, in audio mode."""
    reply_began_s: float | None = None
    """When the reply's first sound left."""
    reply_ended_s: float | None = None

    @property
    def emotion(self) -> str:
        """Of the first sentence that is said with any, past what is only read back; empty without a reply."""
        emotions = [one.emotion for one in self.sentences]
        return next((one for one in emotions if one != "neutral"), "neutral" if emotions else "")

    @property
    def reply(self) -> str:
        """All sentences of the reply, heard or not."""
        apart = "" if any(one.language == "zh" for one in self.sentences) else " "
        return apart.join(one.text for one in self.sentences)


@dataclass(slots=True)
class MediaRecord:
    """Sound and picture of a conversation, as measured."""

    sound: str = ""
    """Stereo wav in the report's folder, by its path there: the visitor left, the desk right."""
    video: str = ""
    """mp4 in the report's folder; empty where none was kept."""
    frames: int = 0
    drawn: int = 0
    """Frames of which there is a picture of their own."""
    face_present: float | None = None
    """Share of the looked-at frames in which a face stands where it belongs; None: no pictures."""
    longest_freeze_s: float | None = None
    av_offset_ms: float | None = None
    """By how much the lips come after the sound; below 0: before it. None: too little was said."""
    lips_apart: bool = False
    """Much is said, and the lips have nothing to do with it: they stand still, or are far too late."""
    lip_closure: float | None = None
    """Share of the sounds p, b and m at which the lips close; None: there were none."""
    bilabials: int = 0
    """How many there were."""
    silent_replies: int = 0
    """Replies of which no sound left."""
    silent_noise_db: float | None = None
    """Level of what leaves in silence, dBFS; None: true silence."""


@dataclass(slots=True)
class ConversationRecord:
    """A script that was replayed once."""

    script: str
    """Its id."""
    desk: str
    mode: Mode
    repeat: int = 0
    """Which replay of it, from 0."""
    seed: int = 0
    language: str = "en"
    tags: list[str] = field(default_factory=list)
    title: str = ""
    file: str = ""
    turns: list[TurnRecord] = field(default_factory=list)
    greeting: str = ""
    databases: dict[str, Any] = field(default_factory=dict)
    """Number of a database expectation → its rows, or what is wrong with its query."""
    media: MediaRecord | None = None
    engines: dict[str, str] = field(default_factory=dict)
    knowledge: str = ""
    """Version of the knowledge that answered."""
    lasted_s: float = 0.0
    """Of the conversation."""
    took_s: float = 0.0
    """Of the clock on the wall."""
    cpu_s: float = 0.0
    error: str = ""
    """Why the replay itself failed; never held against the desk."""
    untold: dict[str, str] = field(default_factory=dict)
    """Name of an expectation that cannot be judged here → why, and how it can."""
    unsure_from: int | None = None
    """Turn from which on circumstances may be others than the script's: what fails then says nothing."""
    unsure: str = ""
    """Why, and how they can be the script's."""
    notes: list[str] = field(default_factory=list)
    """What whoever reads the verdict should know, and is no failure."""


_RECORD: TypeAdapter[ConversationRecord] = TypeAdapter(ConversationRecord)


def to_json(record: ConversationRecord) -> dict[str, Any]:
    """Return a record as JSON has it."""
    document: dict[str, Any] = _RECORD.dump_python(record, mode="json")
    return document


def from_json(document: dict[str, Any]) -> ConversationRecord:
    """Read a record from JSON.

    Raises:
        pydantic.ValidationError: it is none.
    """
    return _RECORD.validate_python(document)
