"""What is kept of a session: how its events become rows, and what readers get back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, assert_never
from urllib.parse import unquote_plus

from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HandoffBegan,
    HandoffEnded,
    HeardWords,
    Notice,
    PersonTold,
    QuestionsSuggested,
    SentenceBegan,
    StateChanged,
    SuggestionPicked,
    TurnEnded,
    VerdictGiven,
    VisitorFelt,
)
from agent.sentence import Citation
from server.live.acting import ToolCalled


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A visitor has taken a place."""

    desk: str
    language: str = ""
    client: str = ""
    """What the client is: page, kiosk, widget …"""
    recorded: bool = False
    """The visitor has agreed to a recording."""


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The session is over."""

    reason: str
    """For example "visitor", "idle", "closing"."""


@dataclass(frozen=True, slots=True)
class ClientReported:
    """What the visitor's browser measured."""

    measures: Mapping[str, float | int | None]
    """As in `protocol.Report`, without its type and turn."""
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class TurnRated:
    """What the visitor thinks of a reply; the last one of a turn counts."""

    turn: int
    value: int
    """1: good, -1: bad, 0: neither after all."""


StoredEvent = ConversationEvent | ToolCalled | SessionOpened | SessionClosed | ClientReported | TurnRated


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it is written."""

    session_id: str
    at: float
    """Seconds since 1970, UTC."""
    kind: str
    turn: int | None
    data: str
    """JSON"""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it was kept."""

    id: str
    desk: str
    language: str
    client: str
    recorded: bool
    opened_at: float | None
    """Seconds since 1970, UTC; None where the news of it was lost."""
    closed_at: float | None
    """None: it goes on, or its server was killed less than half a minute ago."""
    reason: str
    """"server_lost": its server was killed; it was closed afterwards, with the time of its last event."""
    turns: int
    server: str = ""
    """Which of the servers that share the database held it."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it was kept."""

    id: int
    """Grows in the order of writing."""
    session_id: str
    at: float
    kind: str
    """As `row_of` names them: "heard", "verdict", "tool", "sentence", "turn" and so on."""
    turn: int | None
    data: Mapping[str, Any] = field(default_factory=dict)


class Words(Protocol):
    """What of the words of a conversation is kept."""

    def of_visitor(self, text: str) -> str | None:
        """Return a visitor's words as they are kept; None where none are."""

    def of_desk(self, text: str) -> str | None:
        """Return words that the visitor was told as they are kept; None where none are."""


class NoWords:
    """Keeps no words: of a conversation of which nobody knows what may be kept."""

    def of_visitor(self, text: str) -> None:
        """Return None."""

    def of_desk(self, text: str) -> None:
        """Return None."""


class AllWords:
    """Keeps all words as they come."""

    def of_visitor(self, text: str) -> str:
        """Return the words."""
        return text

    def of_desk(self, text: str) -> str:
        """Return the words."""
        return text


def row_of(session_id: str, event: StoredEvent, at: float, words: Words) -> Row | None:
    """Write an event down as it is now; None for what is not kept: words that may still change.

    Of a verdict everything is kept but the text that was judged.

    Args:
        session_id: whose.
        event: what happened.
        at: seconds since 1970, UTC.
        words: what of the words is kept; of those that are not, their length is.
    """
    turn: int | None = None
    data: dict[str, Any]
    match event:
        case SessionOpened() | SessionClosed():
            return None
        case StateChanged(state=state):
            kind, data = "state", {"state": state}
        case HeardWords():
            if not event.final:
                return None
            kind, turn = "heard", event.turn
            data = _kept("text", event.text, words.of_visitor(event.text))
        case VisitorFelt():
            kind, turn = "felt", event.turn
            scores, voice = event.emotion.scores, event.voice
            data = {"label": event.emotion.label, "intensity": event.emotion.intensity, "scores": scores}
            data |= {
                "confidence": event.confidence,
                "words": event.words.label,
                "voice": voice and voice.label,
            }
        case VerdictGiven():
            verdict = event.verdict
            kind, turn = "verdict", event.turn
            data = {
                "action": verdict.action.value,
                "direction": verdict.direction.value,
                "rule": verdict.rule,
                "category": verdict.category,
                "scores": verdict.scores,
                "rules": verdict.rules,
                "spans": len(verdict.spans),
            }
        case SentenceBegan():
            sentence = event.sentence
            kind, turn = "sentence", event.turn
            data = {
                **_kept("text", sentence.text, words.of_desk(sentence.text)),
                "language": sentence.language,
                "emotion": sentence.emotion.label,
                "outcome": sentence.outcome.value,
                "citations": _citations(sentence.citations, words),
            }
            if sentence.person:
                data["person"] = sentence.person
        case CardShown():
            card = event.card
            kind, turn = "card", event.turn
            items = [words.of_desk(item) for item in card.items]
            data = {"kind": card.kind, "title": words.of_desk(card.title), "items": items}
            data = (
                {"kind": card.kind} if data["title"] is None else {**data, "url": _address(card.url, words)}
            )
        case TurnEnded():
            kind, turn = "turn", event.turn
            data = {
                **_kept("heard", event.heard, words.of_desk(event.heard), "heard_characters"),
                "outcome": event.outcome.value,
                "interrupted": event.interrupted,
                "citations": _citations(event.citations, words),
                "timings_ms": event.timings_ms,
            }
            if (question := words.of_visitor(event.question)) is not None:
                data["question"] = question
        case QuestionsSuggested():
            kind, turn = "suggested", event.turn
            shown = [asdict(one) for one in event.suggestions if words.of_desk(one.text) is not None]
            data = {"heading": event.heading, "suggestions": shown}
        case HandoffBegan():
            handoff = event.handoff
            kind, turn = "handoff", event.turn
            data = {"reason": handoff.reason, "there": handoff.there, "consent": handoff.consent}
        case HandoffEnded():
            kind, turn, data = "handoff", event.turn, {"reason": "withdrawn"}
        case PersonTold():
            return None  # the visitor's words are kept as the guard lets them through
        case SuggestionPicked():
            kind, turn = "picked", event.turn
            data = {"number": event.number}
            if words.of_desk(event.suggestion.text) is not None:
                data |= asdict(event.suggestion)
        case Notice():
            said = words.of_desk(event.message)  # an engine's complaint may quote what it was given
            kind, data = "notice", {"code": event.code, **({} if said is None else {"message": said})}
        case ToolCalled():
            kind, turn = "tool", event.turn
            given = {name: words.of_visitor(value) for name, value in event.arguments.items()}
            data = {"name": event.tool, "arguments": given, "failed": event.failed}
            told = event.result if event.failed else None  # else it may name customers, and no rule sees that
            data |= _kept("result", event.result, told)
        case TurnRated():
            kind, turn, data = "rating", event.turn, {"value": event.value}
        case ClientReported():
            kind, turn = "report", event.turn
            data = {name: value for name, value in event.measures.items() if value is not None}
        case _:
            assert_never(event)
    text = json.dumps(_plain(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Row(session_id, at, kind, turn, text)


def _kept(name: str, text: str, kept: str | None, length: str = "characters") -> dict[str, Any]:
    return {length: len(text)} if kept is None else {name: kept}


def _citations(citations: Iterable[Citation], words: Words) -> list[dict[str, Any]]:
    """Return what replies rest on: a tool's results name the visitor, so they are words like all others."""
    rows = []
    for each in citations:
        row = {"source": each.source, "score": each.score, "page": each.page, "section": each.section}
        told = {
            "title": words.of_desk(each.title),
            "text": words.of_desk(each.text),
            "url": _address(each.url, words),
        }
        rows.append(row | {name: value for name, value in told.items() if value is not None})
    return rows


def _address(url: str, words: Words) -> str | None:
    """Return a web address as it is kept: it may hold what a form was filled in with, in web writing."""
    plain = unquote_plus(url)
    kept = words.of_desk(plain)
    return url if kept == plain else kept


def _plain(value: Any) -> Any:
    """Return what every database's JSON takes: no NaN, no half of a surrogate pair, numbers of this world."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    number = float(value)
    return round(number, 4) if math.isfinite(number) else None
