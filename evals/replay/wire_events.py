"""What a server tells over the WebSocket or keeps of a session, as the events that it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.cards import Card
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HandoffBegan,
    HeardWords,
    Notice,
    QuestionsSuggested,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
    VisitorFelt,
)
from agent.handoff_record import Handoff
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.suggestion import Suggestion
from moderation.verdict import Action, Direction, Verdict
from server.live.acting import ToolCalled

WITHDRAWN = "withdrawn"
"""Reason of a kept handoff that the visitor took back."""
NOT_KEPT = "(what it said is not kept)"
"""Result of a kept action."""


def event_of(told: Mapping[str, Any]) -> ConversationEvent | ToolCalled | None:
    """Read a message; None for what is no event of the conversation.

    Args:
        told: the message, as JSON has it.

    Raises:
        KeyError, ValueError, TypeError: it is not as this version's server tells it.
    """
    match told["type"]:
        case "state":
            return StateChanged(told["state"])
        case "heard":
            return HeardWords(told["turn"], told["text"], told["final"])
        case "sentence":
            return SentenceBegan(told["turn"], _sentence(told))
        case "turn":
            return TurnEnded(
                told["turn"],
                "",
                told["heard"],
                Outcome(told["outcome"]),
                told["interrupted"],
                (),
                told["timings_ms"],
            )
        case "card":
            card = Card(told["form"], told["title"], tuple(told["items"]), told["url"])
            return CardShown(told["turn"], card)
        case "suggestions":
            asked = tuple(Suggestion(text, "", "") for text in told["questions"])
            return QuestionsSuggested(told["turn"], told["heading"], asked)
        case "notice":
            return Notice(told["code"], told["message"])
        case "verdict" | "felt" | "handoff" | "tool":
            return _inner(told["type"], told["turn"], told)
        case _:
            return None


def events_kept(rows: Iterable[Mapping[str, Any]]) -> Iterator[ConversationEvent | ToolCalled]:
    """Yield what visitors are not told, of what is kept of a session.

    Args:
        rows: the `events` of its data.

    Raises:
        KeyError, ValueError, TypeError: they are not as this version's server writes them.
    """
    for row in rows:
        kind, data = row["kind"], row["data"]
        if kind == "handoff" and data["reason"] == WITHDRAWN:
            continue
        if kind in ("verdict", "felt", "handoff", "tool"):
            yield _inner(kind, row["turn"], data)


def _inner(kind: str, turn: int, data: Mapping[str, Any]) -> ConversationEvent | ToolCalled:
    """Read what visitors are not told."""
    match kind:
        case "verdict":
            action, direction = Action(data["action"]), Direction(data["direction"])
            return VerdictGiven(
                turn, Verdict(action, data["rule"], "", direction, data["category"], scores=data["scores"])
            )
        case "felt":
            felt = Emotion(data["label"], data["intensity"])
            return VisitorFelt(turn, felt, felt, None, data["confidence"])
        case "handoff":
            handoff = Handoff(data["reason"], data["there"], data["consent"], "", "", ())
            return HandoffBegan(turn, handoff)
        case _:
            given = {str(name): str(value or "") for name, value in data["arguments"].items()}
            return ToolCalled(turn, data["name"], given, data.get("result", NOT_KEPT), data["failed"])


def _sentence(told: Mapping[str, Any]) -> Sentence:
    citations = tuple(
        Citation(one["source"], one["title"], one["text"], one["score"]) for one in told["citations"]
    )
    return Sentence(
        told["text"],
        told["language"],
        Emotion(told["emotion"], told.get("intensity", 1.0)),
        Outcome(told.get("outcome", Outcome.ANSWERED)),
        citations,
    )
