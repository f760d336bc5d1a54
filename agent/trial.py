"""The trial of a suggestion: in which words a passage is asked for, and whether the desk answers from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agent.answerer import Question
from agent.backchannel import is_stop
from agent.beginning import Aside
from agent.errands import next_step
from agent.extractive import ExtractiveAnswerer
from agent.history import Memory
from agent.sentence import Citation, Outcome
from agent.smalltalk import small_talk
from agent.suggestion import topic_of
from knowledge.passage import Passage

if TYPE_CHECKING:
    from agent.engines import Engines

LONGEST = {"en": 72, "zh": 30}
"""Characters of a button."""


def tried(passage: Passage, engines: Engines) -> str:
    """Return words that a visitor may ask for a passage with; "" where none come through the trial.

    Args:
        passage: of the desk's knowledge.
        engines: the desk's; they search and screen, and nothing is said or done.
    """
    return next((text for text in _phrasings(passage) if _answers(text, passage, engines)), "")


def is_asked(passage: Passage) -> bool:
    """Tell whether a passage says how people ask for it."""
    return passage.kind == "faq" or any(_is_question(one) for one in (*passage.questions, passage.title))


def name_of(passage: Passage | Citation) -> str:
    """Return what a passage is called; of a question its document's title is no part."""
    heading = passage.section.rpartition(" > ")[2]
    return heading if _is_question(heading) else passage.title


def _is_question(text: str) -> bool:
    return text.rstrip().endswith(("?", "？"))


def _phrasings(passage: Passage) -> list[str]:
    """Return the ways to ask for a passage that fit on a button, the most natural first."""
    questions = [one for one in passage.questions if _is_question(one)]
    heading = passage.section.rpartition(" > ")[2]
    names = [passage.title] if passage.kind == "faq" else [*questions[:2], heading, passage.title]
    longest = LONGEST.get(passage.language, LONGEST["en"])
    whole = [re.sub(r"\s+", " ", one).strip() for one in (*names, *questions[:2])]
    return list(dict.fromkeys(one for one in whole if 1 < len(one) <= longest))


def _answers(text: str, passage: Passage, engines: Engines) -> bool:
    """Tell whether a desk that is asked this says what the passage says, and does nothing else."""
    language = passage.language
    phrases = engines.desk.phrases(language)
    if is_stop(text) or small_talk(text) is not None or engines.desk.settings.handoff.speaks_of(text):
        return False
    if not isinstance(next_step(text, Memory(), engines.tools, phrases, language=language, now_s=0.0), Aside):
        return False
    for direction in ("document", "output", "input"):
        verdict = engines.guard.quick(text, direction=direction, language=language)
        if not verdict.passes or verdict.text != text:
            return False
    passages, answerable = engines.look_up(text, language)
    asked = Question(text, language, passages, answerable, phrases)
    answerer = ExtractiveAnswerer(answer_from=engines.desk.settings.knowledge.answer_from)
    first = next(answerer.compose(asked), None)
    wanted = topic_of(passage.source, passage.title)
    return (
        first is not None
        and first.outcome is Outcome.ANSWERED
        and any(topic_of(one.source, one.title) == wanted for one in first.citations)
    )
