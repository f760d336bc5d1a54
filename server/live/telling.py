"""What happens in a conversation, as messages over the wire."""

from __future__ import annotations

from typing import Any

from agent.cards import web_address
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HeardWords,
    Notice,
    QuestionsSuggested,
    SentenceBegan,
    StateChanged,
    TurnEnded,
)
from agent.sentence import Citation

FOR_VISITORS = {
    "hearing_failed": "That could not be heard. Please say it again, or type it.",
    "not_understood": "I heard you, but could not make out the words.",
    "engine_failed": "Something went wrong while answering. Please ask again.",
    "voice_failed": "The voice is not there at the moment. Please read the answer.",
    "picture_failed": "The picture is not there at the moment. The conversation goes on.",
    "recording": "This conversation is being recorded, as you agreed.",
    "recording_ended": "The recording has ended. The conversation goes on.",
}
"""Notices that concern visitors, in words for them; the others, and what engines say, are for operators."""


def told_of(event: ConversationEvent) -> tuple[str, dict[str, Any]] | None:
    """Return the message's type and fields; None for what visitors are not told."""
    match event:
        case StateChanged():
            return "state", {"state": event.state}
        case HeardWords():
            return "heard", {"turn": event.turn, "text": event.text, "final": event.final}
        case SentenceBegan():
            sentence = event.sentence
            return "sentence", {
                "turn": event.turn,
                "text": sentence.text,
                "language": sentence.language,
                "citations": [citation_document(one) for one in sentence.citations],
                "emotion": sentence.emotion.label,
                "intensity": round(sentence.emotion.intensity, 3),
                "outcome": sentence.outcome.value,
                "by": "person" if sentence.person else "ai",
                "name": sentence.person,
            }
        case CardShown():
            card = event.card
            return "card", {
                "turn": event.turn,
                "form": card.kind,
                "title": card.title,
                "items": list(card.items),
                "url": card.url,
            }
        case QuestionsSuggested():
            questions = [one.text for one in event.suggestions]
            return "suggestions", {"turn": event.turn, "heading": event.heading, "questions": questions}
        case TurnEnded():
            return "turn", {
                "turn": event.turn,
                "outcome": event.outcome.value,
                "heard": event.heard,
                "interrupted": event.interrupted,
                "timings_ms": dict(event.timings_ms),
            }
        case Notice() if event.code in FOR_VISITORS:
            return "notice", {"code": event.code, "message": FOR_VISITORS[event.code]}
        case _:
            return None


def citation_document(citation: Citation) -> dict[str, object]:
    """Return a citation as it goes over the wire."""
    return {
        "source": citation.source,
        "title": citation.title,
        "text": citation.text,
        "score": round(citation.score, 3),
        "url": web_address(citation),
        "page": citation.page,
        "section": citation.section,
    }
