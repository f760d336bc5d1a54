"""The protocol of answering engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from agent.history import Exchange
from agent.phrases import Phrases
from agent.sentence import Sentence
from knowledge.passage import Passage


@dataclass(frozen=True, slots=True)
class Question:
    """A screened utterance with what the knowledge holds about it."""

    text: str
    language: str
    """ISO 639-1: the visitor's language, which is the answer's language too."""
    passages: tuple[Passage, ...]
    """Best first."""
    answerable: float
    """0..1, calibrated: how likely the knowledge answers it."""
    phrases: Phrases
    """The desk's fixed lines in `language`."""
    history: tuple[Exchange, ...] = ()
    """What was said before, as far as it was heard, the oldest first; what went before it is in `summary`."""
    summary: str = ""
    """Topics, values and open matters of what was said before `history`; empty in a short conversation."""
    manner: str = ""
    """How to answer this visitor now, one line for a language model; empty: as ever."""
    standalone: str = ""
    """`text` with what it leaves to the conversation put in, as the knowledge was asked; empty: as `text`."""
    parts: tuple[Question, ...] = ()
    """The questions in it that have an answer, where there are several; `passages` are then of all."""
    left: bool = False
    """It asks something besides that the knowledge does not answer."""
    again: bool = False
    """The visitor did not follow: `passages` are of the question before, to be answered in simpler words."""


class Answerer(Protocol):
    """Turns a question into sentences, the first as early as possible."""

    engine: str
    """Engine and model, for example "extractive" or "openai/gpt-4o-mini"."""

    def answer(self, question: Question) -> AsyncIterator[Sentence]:
        """Yield the reply; closing the iterator cancels whatever is under way.

        Raises:
            AnswererError: the engine could not answer.
        """
