"""The `[emotion]` table of a `desk.toml`: how the desk answers a visitor who feels something."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from agent.section import Fraction, Language, Section
from agent.sentence import REPLY_EMOTIONS

SMILES = ("happy", "surprised")
"""Emotions of a reply that mock who is angry, sad, afraid or disgusted."""
TROUBLED = ("anger", "sadness", "fear", "disgust")
"""Feelings that are never met with one of `SMILES`, nor with more speed."""
_SORRY = {"en": "I am sorry about that.", "zh": "很抱歉给您带来了不好的体验。"}

DEFAULTS: dict[str, dict[str, Any]] = {
    "neutral": {},
    "joy": {"reply": "happy", "intensity": 0.5, "style": "warm"},
    "sadness": {
        "reply": "empathetic", "intensity": 0.7, "pace": 0.94,
        "opening": {"en": "I am sorry to hear that.", "zh": "听到这个情况，我很抱歉。"},
        "style": "gentle and supportive, no jokes, no cheerfulness",
    },
    "anger": {
        "reply": "apologetic", "intensity": 0.7, "pace": 0.92, "sentences": 3, "opening": _SORRY,
        "gesture": "apologise", "person": True,
        "style": "calm and to the point; say what can be done, do not argue, explain away or joke",
    },
    "fear": {
        "reply": "concerned", "intensity": 0.5, "pace": 0.95, "gesture": "reassure",
        "opening": {"en": "Let us look at this together.", "zh": "我们一起来看一下。"},
        "style": "calm and reassuring, what is safe and what to do first",
    },
    "surprise": {"intensity": 0.5, "style": "warm and plain"},
    "disgust": {
        "reply": "apologetic", "intensity": 0.6, "pace": 0.95, "sentences": 3, "opening": _SORRY,
        "style": "calm and to the point, no jokes",
    },
    "confused": {
        "reply": "empathetic", "intensity": 0.4, "pace": 0.88, "short": True, "gesture": "reassure",
        "opening": {"en": "Let us go through it step by step.", "zh": "我们一步一步来看。"},
        "style": "patient; short plain sentences, one step at a time, no technical words",
    },
    "hurried": {"sentences": 2, "pace": 1.04, "style": "brief; the answer first, nothing beside it"},
}  # fmt: skip
"""Feeling of the visitor → the keys in which its row differs from `MannerRow`'s."""

_USUAL_GESTURES = frozenset(str(row.get("gesture", "")) for row in DEFAULTS.values())


class MannerRow(Section):
    """One row: how a visitor with this feeling is answered. What a desk leaves out stays as it is."""

    reply: str = "neutral"
    """Emotion of voice and face; one of `agent.sentence.REPLY_EMOTIONS`."""
    intensity: Fraction = 0.5
    """Of the first sentence; those after it have less."""
    pace: Annotated[float, Field(ge=0.8, le=1.15)] = 1.0
    """Factor on the speed of the voice."""
    sentences: int = Field(default=0, ge=0, le=40)
    """Most sentences of an answer; 0: as many as the desk's `limits` allow."""
    short: bool = False
    """Cut long sentences at their clauses."""
    opening: dict[Language, Annotated[str, Field(max_length=200)]] = Field(default_factory=dict)
    """Said before the answer, once in a conversation; empty: nothing."""
    gesture: str = ""
    """Motion with the first sentence, one of `avatar.GESTURES`; empty: as emotion and answer ask."""
    person: bool = False
    """Offer a person."""
    style: str = Field(default="", max_length=200)
    """How a language model should answer."""

    @field_validator("reply")
    @classmethod
    def _an_emotion(cls, reply: str) -> str:
        if reply not in REPLY_EMOTIONS:
            raise ValueError(f"use one of {', '.join(REPLY_EMOTIONS)}")
        return reply

    @field_validator("gesture")
    @classmethod
    def _a_gesture(cls, gesture: str) -> str:
        if gesture not in _USUAL_GESTURES:  # to ask the face takes 80 ms, which most desks need not spend
            from avatar import gesture_names

            if gesture not in gesture_names():
                raise ValueError(f"use one of {', '.join(gesture_names())}, or leave it empty")
        return gesture


def _row(name: str) -> MannerRow:
    return MannerRow.model_validate(DEFAULTS[name])


class Feelings(Section):
    """How the visitor's feeling shapes replies: one row for each feeling."""

    on: bool = True
    """Shape replies by the visitor's feeling; false: every visitor is answered alike."""
    camera: bool = False
    """Read the visitor's face too, where their camera is on and allowed."""
    neutral: MannerRow = _row("neutral")
    joy: MannerRow = _row("joy")
    sadness: MannerRow = _row("sadness")
    anger: MannerRow = _row("anger")
    fear: MannerRow = _row("fear")
    surprise: MannerRow = _row("surprise")
    disgust: MannerRow = _row("disgust")
    confused: MannerRow = _row("confused")
    """Does not follow: says so, asks the same again, or was asked back twice."""
    hurried: MannerRow = _row("hurried")
    """Has no time."""

    @model_validator(mode="before")
    @classmethod
    def _over_the_defaults(cls, given: Any) -> Any:
        """Lay a desk's rows over the defaults, key by key.

        Raises:
            ValueError: a key is not known.
        """
        if not isinstance(given, dict):
            return given
        _known(given, cls.model_fields, "emotion")
        merged = dict(given)
        for name in DEFAULTS.keys() & given.keys():
            row = given[name]
            if isinstance(row, dict):
                _known(row, MannerRow.model_fields, f"emotion.{name}")
                usual = _row(name).model_dump()
                opening = row.get("opening", {})
                if isinstance(opening, dict):
                    row = {**row, "opening": {**usual["opening"], **opening}}
                merged[name] = {**usual, **row}
        return merged

    @model_validator(mode="after")
    def _never_mocking(self) -> Feelings:
        for name in TROUBLED:
            row = self.row(name)
            if row.reply in SMILES:
                raise ValueError(
                    f"emotion.{name}.reply may not be {row.reply!r}, which would mock the visitor; "
                    "use apologetic, empathetic, concerned or neutral"
                )
            if row.pace > 1.0:
                raise ValueError(f"emotion.{name}.pace is {row.pace:g}; be calm: at most 1.0")
        return self

    def row(self, feeling: str) -> MannerRow:
        """Return a feeling's row; that of `neutral` for one that has none."""
        return getattr(self, feeling) if feeling in DEFAULTS else self.neutral


def _known(given: dict[Any, Any], fields: Any, where: str) -> None:
    for key in given:
        if key not in fields:
            near = difflib.get_close_matches(str(key), list(fields), n=1, cutoff=0.5)
            hint = f"is {near[0]!r} meant?" if near else f"there are: {', '.join(fields)}"
            raise ValueError(f"there is no key {where}.{str(key)[:40]}; {hint}")
