"""A scripted conversation: who says what when, under which circumstances, and what should come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from evals.scripts.expectations import ConversationExpectation, Strict, TurnExpectation

LONGEST_AUDIO_S = 1_800.0
"""Of a conversation in sound: silence is computed, too, and real ones are shorter than half an hour."""
NOISES = ("babble", "white", "pink", "hum")
"""Kinds of noise that are made; others are sound files."""
Path_ = tuple[str | int, ...]
"""Where something stands in a script, for example ("turns", 0, "expect", "contains")."""


class Noise(Strict):
    """What is heard behind the visitor."""

    kind: str = "babble"
    """"babble", "white", "pink", "hum", or a sound file beside the script."""
    snr_db: float = Field(default=15.0, ge=-10, le=60)
    """How much louder than the noise the voice is, in decibels, over its voiced parts."""


class Echo(Strict):
    """The loudspeaker's sound in the microphone, as without an echo canceller."""

    delay_ms: float = Field(default=120.0, ge=0, le=1000)
    level_db: float = Field(default=-30.0, ge=-60, le=0)
    """Of the echo against what was played."""


class Voice(Strict):
    """How the visitor sounds in audio mode."""

    speaker: str = ""
    """A voice of the synthesizer, for example "en-us+f3"; empty: its usual one for the language."""
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    """Factor on the usual speed."""
    pitch: float = Field(default=1.0, ge=0.5, le=2.0)
    """Factor on the usual pitch."""
    noise: Noise | None = None
    echo: Echo | None = None
    telephone: bool = False
    """Band of 300 to 3400 Hz at 8 kHz, as over the telephone."""
    room_s: float = Field(default=0.0, ge=0, le=2)
    """Reverberation time (RT60) of the visitor's room in seconds; 0: none."""


class BargeIn(Strict):
    """The turn begins while the reply before it is heard."""

    after_s: float = Field(default=1.0, ge=0)
    """Seconds after the first sound of that reply."""


class Turn(Strict):
    """Something that the visitor says, or does not say."""

    user: str = ""
    """The words; with `wav`, what is said in it."""
    wav: str = ""
    """A recording of it, beside the script; in audio mode it is played instead of a synthesized voice."""
    pause_s: float = Field(default=0.6, ge=0, le=3600)
    """How long the visitor waits after the reply before; without words: how long they are silent."""
    barge_in: BargeIn | None = None
    """Do not wait for the end of the reply before."""
    voice: Voice | None = None
    """How this turn sounds, where that is unlike the others."""
    expect: TurnExpectation = TurnExpectation()

    @field_validator("user")
    @classmethod
    def _words(cls, words: str) -> str:
        if words and not words.strip():
            raise ValueError("only spaces: write words, or leave it out where the visitor is silent")
        return words

    @field_validator("barge_in", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """`true`, or a number of seconds, will do."""
        if value is True or value in ("yes", "on"):
            return {}
        if value is False or value in ("no", "off"):
            return None
        return {"after_s": value} if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _breaks_in_with_something(self) -> Turn:
        if self.barge_in is not None and not self.user and not self.wav:
            raise ValueError("it breaks in but says nothing: give it `user`")
        return self


class Fixtures(Strict):
    """The circumstances, the same at every replay."""

    clock: datetime | None = None
    """What day and time it is when the conversation begins; the desk's own time zone unless one is given."""
    knowledge: str = ""
    """Version of the knowledge that the script was written for; another one is told, and not an error."""
    people: Literal["none", "there", "away"] = "none"
    """Whether the company has people who take conversations over, and whether they are there."""
    files: dict[str, str] = Field(default_factory=dict)
    """Name in the desk's state folder → file beside the script that is copied there first, for its tools."""
    customer: dict[str, str] = Field(default_factory=dict)
    """Facts of the visitor; "{customer.name}" in what they say is replaced by them."""
    seed: int = 0

    @field_validator("clock", mode="before")
    @classmethod
    def _no_number(cls, value: Any) -> Any:
        """A year alone would be taken for seconds since 1970."""
        if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdigit()):
            raise ValueError(f"{value} is no date and time; write one such as 2026-05-04T10:00")
        return value


class Script(Strict):
    """One scripted conversation."""

    id: str = Field(pattern=r"^[\w][\w.\-]*$", max_length=120)
    """Names it in reports; the file's name if left out."""
    title: str = ""
    tags: tuple[str, ...] = ()
    """A list, or a mapping: {topic: refund} is the tag "topic:refund"."""
    language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    """That the visitor speaks, ISO 639-1."""
    desk: str = ""
    """Which desk it is for; the command's if left out."""
    mode: Literal["text", "audio", "both"] = "both"
    """Whether it makes sense in words, in sound, or both."""
    timeout_s: float = Field(default=120.0, gt=0, le=3600)
    """Longest that one reply is waited for, in seconds of the conversation."""
    fixtures: Fixtures = Fixtures()
    voice: Voice = Voice()
    turns: tuple[Turn, ...] = Field(min_length=1, max_length=200)
    expect: ConversationExpectation = ConversationExpectation()

    _file: Path = PrivateAttr(default=Path())
    _lines: Mapping[Path_, int] = PrivateAttr(default_factory=dict)

    @field_validator("tags", mode="before")
    @classmethod
    def _tags(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return tuple(f"{key}:{one}" for key, one in value.items())
        return tuple(value.split()) if isinstance(value, str) else value

    @property
    def file(self) -> Path:
        """Where it was read; empty where it was made by a program."""
        return self._file

    def line(self, *path: str | int) -> int:
        """Return the line of something in it, from 1, or of what it stands in; 0: there is none."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)

    def line_of(self, pattern: str) -> int:
        """Return the line at which a regular expression stands, by itself or between slashes; 0: nowhere."""
        for path, text in _texts(self.model_dump(mode="json"), ()):
            if text in (pattern, f"/{pattern}/"):
                return self.line(*path)
        return 0

    def line_of_noise(self, noise: Noise) -> int:
        """Return the line at which a noise of it stands: its own, or that of a turn's voice."""
        for number, turn in enumerate(self.turns):
            if turn.voice is not None and turn.voice.noise is noise:
                return self.line("turns", number, "voice", "noise", "kind")
        return self.line("voice", "noise", "kind")

    def placed(self, file: Path, lines: Mapping[Path_, int]) -> Script:
        """Remember where it was read; returns itself."""
        self._file, self._lines = file, lines
        return self

    def runs_in(self, mode: str) -> bool:
        """Tell whether it makes sense in "text" or "audio"; recordings without words do in audio only."""
        mute = mode == "text" and any(turn.wav and not turn.user for turn in self.turns)
        return self.mode in ("both", mode) and not mute

    def beside(self) -> list[str]:
        """Return the files that it names, as it names them; some kinds of noise are none."""
        voices = [self.voice, *(turn.voice for turn in self.turns)]
        noises = [voice.noise.kind for voice in voices if voice is not None and voice.noise is not None]
        return [*(turn.wav for turn in self.turns if turn.wav), *self.fixtures.files.values(), *noises]

    def said(self, turn: Turn) -> str:
        """Return a turn's words with the customer's facts in them."""
        text = turn.user
        for name, value in self.fixtures.customer.items():
            text = text.replace(f"{{customer.{name}}}", value)
        return text


def _texts(value: Any, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Give every text within a value, with its path."""
    if isinstance(value, str):
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _texts(one, (*path, key))
