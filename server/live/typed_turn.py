"""One typed question and what comes of it: what its asker is told, and what is kept."""

from __future__ import annotations

import secrets
import time
from typing import Any

from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HeardWords,
    Notice,
    SentenceBegan,
    TurnEnded,
    VerdictGiven,
    VisitorFelt,
)
from agent.events import Ended, Event, Felt, Noted, Screened, Shown, Written
from agent.history import Exchange
from agent.sentence import Citation, Outcome, Sentence
from moderation.verdict import Category
from server.live.documents import (
    ChatDocument,
    ChatRequest,
    CitationDocument,
    DataDocument,
    FeelingDocument,
    SentenceDocument,
)
from server.live.telling import citation_document


class TypedTurn:
    """What has happened in a turn so far.

    Args:
        asked: the question.
    """

    def __init__(self, asked: ChatRequest) -> None:
        self._asked = asked
        self.data: DataDocument | None = None
        """How its asker gets at what is kept of the conversation; None: they were told, or nothing is."""
        self.session = asked.session or secrets.token_urlsafe(12)
        self.own_name = "" if asked.session else self.session
        """Of its conversation, where this server made it up."""
        self._began_s = time.perf_counter()
        self._heard: str | None = None
        self._grave = False
        self._sentences: list[Sentence] = []
        self._timings_ms: dict[str, float] = {}
        self._felt: FeelingDocument | None = None
        self._over = False
        self.outcome = Outcome.ANSWERED

    @property
    def text(self) -> str:
        """The question as it came."""
        return self._asked.text

    @property
    def begun(self) -> bool:
        """Whether the guard has looked at the question."""
        return self._heard is not None

    def kept(self, event: Event, number: int) -> list[ConversationEvent]:
        """Return what is kept of an event: the same as of one in a live conversation; before `take`.

        Args:
            event: of the reply.
            number: of the turn in its conversation.
        """
        match event:
            case Screened():
                judged = VerdictGiven(number, event.verdict)
                return (
                    [judged]
                    if self._heard is not None
                    else [HeardWords(number, event.verdict.text, True), judged]
                )
            case Felt():
                return [VisitorFelt.of(number, event)]
            case Written():
                return [SentenceBegan(number, event.sentence)]
            case Shown():
                return [CardShown(number, event.card)]
            case Noted():
                return [Notice(event.code, event.message)]
            case _:
                return []

    def ended(self, number: int) -> TurnEnded | None:
        """Return what is kept of the whole turn; None where it did not begin."""
        if self._heard is None:
            return None
        said = self.document().reply
        return TurnEnded(
            number, self._heard, said, self.outcome, not self._over, self._citations(), self._timings_ms
        )

    def exchange(self) -> Exchange | None:
        """Return what is remembered of the turn; None where it did not begin."""
        if self._heard is None:
            return None
        document = self.document()
        return Exchange(
            self._heard,
            document.reply,
            self.outcome,
            not self._over,
            document.language,
            grave=self._grave,
        )

    def take(self, event: Event) -> list[tuple[str, dict[str, Any]]]:
        """Follow an event; returns the messages that tell of it."""
        if isinstance(event, Screened) and self._heard is None:
            self._heard = event.verdict.text
            self._grave = event.verdict.category == Category.SELF_HARM
            return [("heard", {"turn": 1, "text": self._heard, "final": True})]
        if isinstance(event, Felt):
            self._felt = FeelingDocument.of(event)
        if isinstance(event, Written):
            if not self._sentences:
                self._timings_ms["first_sentence"] = self._after_ms()
            self._sentences.append(event.sentence)
            return [("sentence", {"turn": 1, **_sentence(event.sentence).model_dump()})]
        if isinstance(event, Shown):
            card = event.card
            fields = {"form": card.kind, "title": card.title, "items": list(card.items), "url": card.url}
            return [("card", {"turn": 1, **fields})]
        if isinstance(event, Ended):
            self.outcome, self._over = event.outcome, True
            self._timings_ms["total"] = self._after_ms()
            document = self.document()
            return [
                (
                    "turn",
                    {
                        "turn": 1,
                        "session": document.session,
                        "data": self.data.model_dump() if self.data is not None else None,
                        "outcome": document.outcome,
                        "heard": document.reply,
                        "interrupted": False,
                        "timings_ms": document.timings_ms,
                    },
                )
            ]
        return []

    def document(self) -> ChatDocument:
        """Return the whole turn."""
        language = self._sentences[-1].language if self._sentences else self._asked.language
        return ChatDocument(
            session=self.session,
            transcript=self._heard if self._heard is not None else "",
            reply=("" if language == "zh" else " ").join(one.text for one in self._sentences),
            outcome=self.outcome.value,
            language=language,
            sentences=[_sentence(one) for one in self._sentences],
            citations=[_citation(one) for one in self._citations()],
            timings_ms=self._timings_ms,
            visitor_emotion=self._felt,
            data=self.data,
        )

    def _citations(self) -> tuple[Citation, ...]:
        """Return what its sentences rest on, each once."""
        return tuple(dict.fromkeys(one for sentence in self._sentences for one in sentence.citations))

    def _after_ms(self) -> float:
        return round((time.perf_counter() - self._began_s) * 1e3, 1)


def _sentence(sentence: Sentence) -> SentenceDocument:
    return SentenceDocument(
        text=sentence.text,
        language=sentence.language,
        emotion=sentence.emotion.label,
        citations=[_citation(one) for one in sentence.citations],
    )


def _citation(citation: Citation) -> CitationDocument:
    return CitationDocument.model_validate(citation_document(citation))
