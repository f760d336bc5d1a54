"""What one turn tells for the figures of a desk: its topic, and how the visitor felt; no words of it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.sentence import Outcome

UNANSWERED = "unanswered"
"""Topic of questions for which the desk had no answer."""
PERSON = "a person"
"""Topic of turns that only asked for one."""
OTHER = "other"
"""Topic of turns that rest on nothing: greetings, thanks, questions back."""
TOPIC_CHARS = 80
VALENCE: dict[str, float] = {
    "joy": 1.0, "surprise": 0.0, "neutral": 0.0, "fear": -0.6, "sadness": -0.7, "disgust": -0.9,
    "anger": -1.0,
}  # fmt: skip
"""Feeling at full intensity → sentiment, -1 to 1."""
NEGATIVE = -0.3
"""Sentiment from which a turn, and the conversation on its topic, is negative."""
REMEMBERED = 20_000
"""Sessions of which is known what was counted; the oldest are forgotten first."""

_TITLE = re.compile(r": |：")


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the event store, as far as it counts here."""

    at: float
    """Seconds since 1970, UTC."""
    session: str
    desk: str
    kind: str
    turn: int | None
    data: Mapping[str, Any]
    server: str = ""
    """Which of the servers that share the store held the session."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A turn."""

    at: float
    """Seconds since 1970, UTC."""
    session: str
    desk: str
    topic: str
    sentiment: float
    """-1 to 1."""
    begins: bool = False
    """The session's first."""
    opens: bool = False
    """The session's first on this topic."""
    sours: bool = False
    """The conversation on this topic is negative from here on; told once for each session and topic."""
    rated: bool = False
    """No turn, but what the visitor thinks of an earlier one."""


KINDS = ("turn", "felt", "rating")
"""Events that an `Observer` looks at."""


class Observer:
    """Makes observations of events, in the order of their writing."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def take(self, event: Event) -> Observation | None:
        """Take an event; None: it tells nothing by itself."""
        session = self._sessions.setdefault(event.session, _Session())
        self._sessions.move_to_end(event.session)
        while len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)
        turn = event.turn or 0
        if event.kind == "felt":
            session.felt[turn] = sentiment_of(event.data)
            return None
        if event.kind == "rating":
            topic, value = session.topics.get(turn), event.data.get("value")
            if topic is None or value not in (-1, 1):
                return None
            return session.observed(event, topic, float(value), rated=True)
        if event.kind != "turn":
            return None
        topic = session.topics[turn] = topic_of(event.data)
        return session.observed(event, topic, session.felt.pop(turn, 0.0))


@dataclass(slots=True)
class _Session:
    felt: dict[int, float] = field(default_factory=dict)
    """Turn → sentiment, of turns that are not over."""
    topics: dict[int, str] = field(default_factory=dict)
    """Turn → topic."""
    sour: set[str] = field(default_factory=set)

    def observed(self, event: Event, topic: str, sentiment: float, *, rated: bool = False) -> Observation:
        sours = sentiment <= NEGATIVE and topic not in self.sour
        if sours:
            self.sour.add(topic)
        return Observation(
            event.at,
            event.session,
            event.desk,
            topic,
            sentiment,
            begins=not rated and len(self.topics) == 1,
            opens=not rated and list(self.topics.values()).count(topic) == 1,
            sours=sours,
            rated=rated,
        )


def sentiment_of(feeling: Mapping[str, Any]) -> float:
    """Return a feeling's sentiment, -1 to 1: its label's, as far as it is felt."""
    label, intensity = str(feeling.get("label", "")), feeling.get("intensity", 0.0)
    felt = float(intensity) if isinstance(intensity, int | float) else 0.0
    return VALENCE.get(label, 0.0) * min(max(felt, 0.0), 1.0)


def topic_of(turn: Mapping[str, Any]) -> str:
    """Name what a turn was about: by the document that the answer rests on, else the tool, else its outcome.

    Args:
        turn: data of a turn's event.
    """
    cited = turn.get("citations")
    found: Sequence[Any] = cited if isinstance(cited, list) else ()
    cases = [one for one in found if isinstance(one, dict)]
    documents = [one for one in cases if not str(one.get("source", "")).startswith("tool:")]
    for one in (*documents, *cases):
        title = _TITLE.split(str(one.get("title") or one.get("source") or ""), maxsplit=1)[0].strip()
        if title:
            return title.rstrip(" ?？.。")[:TOPIC_CHARS]
    outcome = turn.get("outcome")
    if outcome == Outcome.ABSTAINED.value:
        return UNANSWERED
    return PERSON if outcome == Outcome.HANDOFF.value else OTHER
