"""What a server tells its visitors over the WebSocket, as the events that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.cards import Card
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HandoffBegan,
    HandoffEnded,
    HeardWords,
    Notice,
    QuestionsSuggested,
    SentenceBegan,
    StateChanged,
    TurnEnded,
)
from agent.handoff_record import Handoff
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.suggestion import Suggestion


def event_of(told: Mapping[str, Any], turn: int) -> ConversationEvent | None:
    """Read a message; None for what is no event of the conversation.

    Args:
        told: the message, as JSON has it.
        turn: the conversation's latest turn, for messages that name none.

    Raises:
        KeyError, ValueError: it is not as this version's server tells it.
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
        case "person":
            waits = told["state"] == "waiting"
            return HandoffBegan(turn, _handoff()) if waits else HandoffEnded(turn)
        case "notice":
            return Notice(told["code"], told["message"])
        case _:
            return None


def _sentence(told: Mapping[str, Any]) -> Sentence:
    citations = tuple(
        Citation(one["source"], one["title"], one["text"], one["score"]) for one in told["citations"]
    )
    return Sentence(told["text"], told["language"], Emotion(told["emotion"], 1.0), citations=citations)


def _handoff() -> Handoff:
    """A visitor is told that they wait, not why."""
    return Handoff("asked", there=True, consent=False, language="", summary="", transcript=())
