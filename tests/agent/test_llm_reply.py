"""Whole replies with a language model's server behind them."""

import asyncio
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import HttpUrl

from agent.beginning import Act
from agent.errands import next_step
from agent.events import Ended, Event, Heard, Noted, Spoken
from agent.extractive import ExtractiveAnswerer
from agent.history import Memory
from agent.llm import Asking, OpenAIAnswerer
from agent.phrases import ENGLISH
from agent.reply import reply
from agent.sentence import Outcome
from agent.settings import Answering, Persona
from speech.recognizer import Transcript
from tests.agent.scripted import scripted_engines
from tests.agent.test_llm_tools import TOOLS, answered, call
from tests.openai_server import Behaviour, openai_server

HEARD = Heard(Transcript("How many days may I keep it before I return it?", "en", 1.0, "typed"))


pytestmark = pytest.mark.usefixtures("own_state")


async def played(behaviour: Behaviour, folder: Path, *, fallback: bool = True) -> list[Event]:
    with openai_server(behaviour) as url:
        settings = Answering(engine="openai", base_url=HttpUrl(url), model="test", timeout_s=2.0)
        engines = scripted_engines(
            folder,
            OpenAIAnswerer(settings, Persona(company="Acme")),
            fallback=ExtractiveAnswerer() if fallback else None,
        )
        try:
            return [event async for event in reply(HEARD, engines)]
        finally:
            engines.close()


def lines(events: list[Event]) -> list[str]:
    return [event.sentence.text for event in events if isinstance(event, Spoken)]


async def test_only_what_the_knowledge_says_is_spoken(tmp_path: Path) -> None:
    pieces = ["You have thirty days [1]. ", "After that we sell your data [1]. ", "It is [1]"]
    events = await played(Behaviour(pieces), tmp_path)
    assert lines(events) == ["You have thirty days."]
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome is Outcome.ANSWERED


async def test_the_first_sentence_is_spoken_while_the_second_is_not_yet_written(tmp_path: Path) -> None:
    behaviour = Behaviour(["You have thirty days [1]. You", " have [1]."], stall_after=1)
    with openai_server(behaviour) as url:
        settings = Answering(engine="openai", base_url=HttpUrl(url), model="test", timeout_s=30.0)
        engines = scripted_engines(tmp_path, OpenAIAnswerer(settings, Persona(company="Acme")))
        async with aclosing(reply(HEARD, engines)) as events:
            async for event in events:
                if isinstance(event, Spoken):
                    break
        engines.close()
        assert await asyncio.to_thread(behaviour.disconnected.wait, 5)


async def test_a_server_that_dies_in_the_middle_is_apologised_for(tmp_path: Path) -> None:
    events = await played(Behaviour(["You have thirty days [1]. ", "And", "more"], die_after=2), tmp_path)
    first, last = lines(events)
    assert first == "You have thirty days."
    assert last.startswith("I am sorry")
    assert any("broken off" in event.message for event in events if isinstance(event, Noted))


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(status=500), Behaviour(raw="data: {oops\n\n"), Behaviour([" "]), Behaviour(status=429)],
)
async def test_a_broken_server_gives_way_to_the_knowledge_alone(behaviour: Behaviour, tmp_path: Path) -> None:
    events = await played(behaviour, tmp_path)
    assert lines(events) == ["You have thirty days."]
    assert any("knowledge alone" in event.message for event in events if isinstance(event, Noted))


async def test_a_yes_to_what_the_model_wants_done_runs_it(tmp_path: Path) -> None:
    behaviour = Behaviour(calls=[call("cancel_order", order_number="41170")])
    (sentence,) = await answered(behaviour, tmp_path, text="Cancel my order 41170")
    assert isinstance(sentence, Asking)
    memory = Memory((), sentence.errand)
    step = next_step("Yes, please.", memory, TOOLS, ENGLISH, language="en", now_s=time.monotonic())
    assert isinstance(step, Act)
    assert (step.tool.name, step.values) == ("cancel_order", {"order_number": "41170"})
    step = next_step("No, thank you.", memory, TOOLS, ENGLISH, language="en", now_s=time.monotonic())
    assert not isinstance(step, Act)
