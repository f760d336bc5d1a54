"""Suggestions within a whole conversation."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent.conversation_events import QuestionsSuggested, SentenceBegan, SuggestionPicked, TurnEnded
from agent.recommend import Recommender
from agent.scripted import ScriptedAnswerer
from agent.suggestion import About, Suggestion
from tests.agent.test_conversation import talking

NEXT = (Suggestion("What does it cost?", "faq.md#cost", "What does it cost?"),)


class Fixed:
    """Suggests the same after everything, once it may."""

    def __init__(self) -> None:
        self.asked: list[About] = []
        self.may = asyncio.Event()

    def recommend(self, about: About, engines: Any) -> tuple[str, tuple[Suggestion, ...]]:
        self.asked.append(about)
        return "next", NEXT


@pytest.fixture(autouse=True)
def fixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixed:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    found = Fixed()
    monkeypatch.setattr(Recommender, "of", lambda engines: found)
    return found


async def test_after_an_answer_questions_are_suggested_and_one_that_is_picked_is_asked(
    tmp_path: Path, fixed: Fixed
) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["It takes two days."])) as talk:
        talk.conversation.type("How long does it take?")
        (shown,) = await talk.until(QuestionsSuggested)
        assert shown == QuestionsSuggested(1, "next", NEXT)
        await talk.until(TurnEnded)
        talk.conversation.pick(1, 0)
        talk.conversation.pick(7, 0)
        await talk.until(TurnEnded, 2)
    kinds = [type(event) for event in talk.events]
    assert kinds.index(SentenceBegan) < kinds.index(QuestionsSuggested)  # the answer goes first
    assert kinds.count(SuggestionPicked) == 1
    assert [turn.question for turn in talk.turns] == ["How long does it take?", "What does it cost?"]
    assert fixed.asked[1].asked == ("How long does it take?",)


async def test_who_wants_no_suggestions_gets_none(tmp_path: Path, fixed: Fixed) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["It takes two days."])) as talk:
        talk.conversation.suggest(False)
        talk.conversation.type("How long does it take?")
        await talk.until(TurnEnded)
    assert fixed.asked == []
    assert not any(isinstance(event, QuestionsSuggested) for event in talk.events)
