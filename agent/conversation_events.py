"""What happens in a live conversation, in the order in which it happens; for pages, records and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.cards import Card
from agent.events import Felt
from agent.handoff_record import Handoff
from agent.sentence import Citation, Emotion, Outcome, Sentence
from agent.suggestion import Heading, Suggestion
from moderation.verdict import Verdict


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The conversation listens, thinks, speaks, or has paused because the visitor speaks."""

    state: str
    """A value of `agent.turn.TurnState`."""


@dataclass(frozen=True, slots=True)
class HeardWords:
    """Words of the visitor; those of an utterance that goes on may change."""

    turn: int
    text: str
    """As the guard lets it through: personal data masked."""
    final: bool


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """The guard has judged the visitor's words or a sentence of the reply."""

    turn: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class VisitorFelt:
    """What the visitor feels, as far as it can be told from what they said and how."""

    turn: int
    emotion: Emotion
    """All that is known together; `neutral` with little confidence where it is not sure."""
    words: Emotion
    """By the words of this turn alone."""
    voice: Emotion | None
    """By the voice alone; None where nothing was heard."""
    confidence: float
    """0..1"""

    @classmethod
    def of(cls, turn: int, felt: Felt) -> VisitorFelt:
        """Tell a live conversation's listeners what a reply told."""
        confidence = felt.feeling.confidence if felt.feeling is not None else 0.0
        return cls(turn, felt.emotion, felt.words, felt.voice, confidence)


@dataclass(frozen=True, slots=True)
class SentenceBegan:
    """The first sound of a sentence leaves now."""

    turn: int
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """A question and its reply are over, or the reply was interrupted."""

    turn: int
    question: str
    """As the guard lets it through; empty for a greeting."""
    heard: str
    """What of the reply left before it ended."""
    outcome: Outcome
    interrupted: bool
    citations: tuple[Citation, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """Since the last voiced sample of the question, or since it was typed: turn_end, transcript,
    first_sentence, first_sound (handed to the transport). Only what happened is named."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something went another way than planned; holds no visitor's words."""

    code: str
    """For example "engine_failed", "not_understood", "tool_failed"."""
    message: str


@dataclass(frozen=True, slots=True)
class CardShown:
    """A link or a list that goes with the reply is to be shown: nobody wants to hear it."""

    turn: int
    card: Card


@dataclass(frozen=True, slots=True)
class HandoffBegan:
    """The visitor waits for a person from now on; or wanted one, where nobody is there."""

    turn: int
    handoff: Handoff


@dataclass(frozen=True, slots=True)
class HandoffEnded:
    """The visitor wants no person any more."""

    turn: int


@dataclass(frozen=True, slots=True)
class PersonTold:
    """The visitor said something to the person who has the conversation; it is for that person alone."""

    turn: int
    text: str
    """As that person reads it: telephone numbers and addresses unmasked."""
    flagged: str = ""
    """Why the desk itself would not have answered it: a rule of the guard, or "unclear"."""


@dataclass(frozen=True, slots=True)
class QuestionsSuggested:
    """What the visitor may ask next is to be shown."""

    turn: int
    """After which."""
    heading: Heading
    suggestions: tuple[Suggestion, ...]
    """Best first."""


@dataclass(frozen=True, slots=True)
class SuggestionPicked:
    """The visitor has taken a suggestion up; it is asked next."""

    turn: int
    """After which it was made."""
    number: int
    """Its place, from 0."""
    suggestion: Suggestion


ConversationEvent = (
    StateChanged
    | HeardWords
    | VerdictGiven
    | VisitorFelt
    | SentenceBegan
    | CardShown
    | TurnEnded
    | Notice
    | QuestionsSuggested
    | SuggestionPicked
    | HandoffBegan
    | HandoffEnded
    | PersonTold
)
