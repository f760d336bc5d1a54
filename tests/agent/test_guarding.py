"""The guard is asked in threads of its own, and remembers what it read; its transformer is loaded once."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any, cast

import pytest

from agent.attending import _judged
from agent.emotion import Sentences
from agent.guarding import harmless
from agent.threads import TOOLS, in_guard, in_tool, in_voice
from moderation import Guard, Policy
from moderation.classifier import shared_classifier
from moderation.verdict import Action, Verdict
from tests.agent.scripted import WordGuard


async def test_tools_that_never_end_hold_up_no_other_visitor() -> None:
    over = threading.Event()
    hung = [asyncio.create_task(in_tool(over.wait, 60.0)) for _ in range(TOOLS + 40)]
    try:
        await asyncio.sleep(0)
        guard = WordGuard()
        async with asyncio.timeout(20):
            assert (await in_guard(guard.quick, "bad")).action is Action.REFUSE
            assert await in_voice(int, "1") == 1
        assert not any(one.done() for one in hung)
    finally:
        over.set()
        await asyncio.gather(*hung)


def test_a_passage_is_judged_once_by_each_guard() -> None:
    asked: list[str] = []

    class Counting(WordGuard):
        def quick(self, text: str, *more: Any, **named: Any) -> Verdict:
            asked.append(text)
            return super().quick(text, *more, **named)

    guard = Counting()
    for _ in range(3):
        assert harmless(cast("Guard", guard), "You have thirty days.")
        assert not harmless(cast("Guard", guard), "That is bad.")
    assert asked == ["You have thirty days.", "That is bad."]
    gone = weakref.ref(guard)
    del guard
    gc.collect()
    assert gone() is None


def test_feelings_are_read_by_the_guards_own_transformer() -> None:
    assert Sentences()._encoder is shared_classifier().encoder


@pytest.mark.parametrize(
    ("text", "action", "said"),
    [
        (
            "Thank you. Write to anna.b@gmail.com today.",
            "mask",
            "Thank you. Write to [e-mail address] today.",
        ),
        ("Thank you for waiting. We found it. You stupid bitch. Bye now.", "refuse", None),
        ("好的。谢谢您。", "allow", "好的。谢谢您。"),
    ],
)
def test_a_persons_words_are_judged_sentence_by_sentence(text: str, action: str, said: str | None) -> None:
    guard = Guard(Policy.from_table({"engines": {"embedded": False}}))
    verdict = _judged(guard, text, "zh" if not text.isascii() else "en")
    assert verdict.action.value == action
    assert said is None or verdict.text == said
