"""The release gate: nothing of a sentence is heard or shown before its verdict, whatever the engines do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import HttpUrl

from agent.conversation import Conversation
from agent.conversation_events import CardShown, ConversationEvent, SentenceBegan, TurnEnded
from agent.engines import Engines
from agent.events import Ended, ErrandMoved, Event, Heard, Screened, Shown, Spoken, Written
from agent.llm import OpenAIAnswerer
from agent.reply import reply
from agent.scripted import ScriptedAnswerer
from agent.sentence import Outcome
from agent.settings import Answering, Persona
from agent.stage import LiveMoment
from agent.tools import Slot, Tool, tool
from moderation import Guard, Policy
from moderation.panel import Engine
from moderation.verdict import Direction
from speech.recognizer import Transcript
from speech.scripted import ScriptedRecognizer
from speech.scripted_voice import ScriptedSynthesizer
from tests.agent.scripted import PASSAGE, conversing, scripted_engines
from tests.openai_server import Behaviour, openai_server

FINE, VILE, MORE = "You have thirty days.", "Those people are zorgs.", "And it is free."
NUMBER = Slot(pattern=r"\d{5}", ask={})
SAFE = "I'd like to keep our conversation respectful."


pytestmark = pytest.mark.usefixtures("own_state")


class Judge:
    """Finds hate in what holds "zorgs"; may think, raise, or hang until the test is over."""

    name = "judge"
    categories = frozenset(("hate", "self_harm"))

    def __init__(self, thinks_s: float = 0.0, error: Exception | None = None, only: str = "") -> None:
        self.thinks_s, self.error, self.only = thinks_s, error, only
        self.over = threading.Event()
        self.judged: list[tuple[float, str]] = []

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        if self.only in texts[0]:
            self.over.wait(self.thinks_s)
            if self.error is not None:
                raise self.error
        self.judged.append((time.perf_counter(), texts[0]))
        return [{"hate": 0.9 if "zorgs" in text else 0.1} for text in texts]


@pytest.fixture
def slow() -> Iterator[Judge]:
    judge = Judge(thinks_s=60.0)
    yield judge
    judge.over.set()


def guarded(engines: Engines, judge: Judge, budget_s: float = 30.0) -> Engines:
    policy = Policy.from_table({"engines": {"closed": ["self_harm"]}})
    engine = Engine(judge, budget_s=budget_s, directions=(Direction.OUTPUT,))
    engines.guard = Guard(policy, classifiers=[engine])
    return engines


def opened(
    folder: Path, lines: Sequence[str], judge: Judge, budget_s: float = 30.0, tools: tuple[Tool, ...] = ()
) -> Engines:
    return guarded(scripted_engines(folder, ScriptedAnswerer(lines), tools=tools), judge, budget_s)


def asked(text: str = "May I return it?") -> Heard:
    return Heard(Transcript(text, "en", 1.0, "typed"))


async def played(engines: Engines, text: str = "May I return it?") -> list[Event]:
    try:
        return [event async for event in reply(asked(text), engines)]
    finally:
        engines.close()


def left(events: list[Event]) -> list[str]:
    """Everything that a visitor would hear or read."""
    words = [event.sentence.text for event in events if isinstance(event, Written | Spoken)]
    words += [event.speech.text for event in events if isinstance(event, Spoken)]
    return words + [f"{event.card.title} {event.card.url}" for event in events if isinstance(event, Shown)]


async def test_a_sentence_that_an_engine_refuses_is_neither_heard_nor_shown(tmp_path: Path) -> None:
    lines = [FINE, f"{VILE} See [Zorgs](https://zorgs.example/x).", MORE]
    engines = opened(tmp_path, lines, Judge(thinks_s=0.1))
    answerer = engines.answerer
    events = await played(engines)
    assert not any("zorgs" in text.lower() for text in left(events))
    spoken = [event for event in events if isinstance(event, Spoken)]
    assert [one.sentence.text.startswith(start) for one, start in zip(spoken, (FINE, SAFE), strict=True)] == [
        True,
        True,
    ]
    assert spoken[0].speech.engine == spoken[1].speech.engine
    assert spoken[1].start_s == pytest.approx(spoken[0].start_s + spoken[0].speech.duration_s)
    assert MORE not in left(events)
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome is Outcome.REFUSED
    assert answerer.closed  # type: ignore[attr-defined]
    assert [event.verdict.rule for event in events if isinstance(event, Screened)][-1] == "hate.judge"


async def test_a_sentence_is_spoken_into_memory_while_engines_judge_it(tmp_path: Path, slow: Judge) -> None:
    engines = opened(tmp_path, [FINE, MORE], slow)
    events = reply(asked(), engines)
    seen: list[Event] = []

    async def follow() -> None:
        seen.extend([event async for event in events])

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        while engines.synthesizer.spoken != [FINE]:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert left(seen) == []
    assert not slow.judged
    slow.over.set()
    await following
    engines.close()
    spoken = [event for event in seen if isinstance(event, Spoken)]
    assert [one.sentence.text for one in spoken] == [FINE, MORE]
    assert spoken[0].waited_ms > 0


FAULTS = {
    "hangs": (Judge(thinks_s=60.0), 0.05, "engine.timeout"),
    "raises": (Judge(error=RuntimeError("boom")), 30.0, "engine.error"),
    "late": (Judge(thinks_s=2.0), 0.05, "engine.timeout"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_a_verdict_in_time_nothing_leaves(tmp_path: Path, fault: str) -> None:
    judge, budget_s, rule = FAULTS[fault]
    try:
        events = await played(opened(tmp_path, [FINE, MORE], judge, budget_s))
    finally:
        judge.over.set()
    [said] = [event.sentence.text for event in events if isinstance(event, Written)]
    assert "can't answer that just now" in said
    assert FINE not in left(events)
    assert [event.verdict.rule for event in events if isinstance(event, Screened)][-1] == rule


async def test_a_failure_in_tone_is_open_and_flagged(tmp_path: Path) -> None:
    judge = Judge(error=RuntimeError("boom"))
    judge.categories = frozenset(("hate", "profanity"))
    events = await played(opened(tmp_path, [FINE], judge))
    assert FINE in left(events)
    assert [event.verdict.failed for event in events if isinstance(event, Screened)][-1] == ("judge.error",)


async def test_a_guard_that_breaks_lets_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = opened(tmp_path, [FINE], Judge())

    def broken(*_: object, **__: object) -> None:
        raise KeyError("boom")

    monkeypatch.setattr(engines.guard, "slow", broken)
    monkeypatch.setattr(engines.guard, "screen", engines.guard.quick)
    events = await played(engines)
    assert FINE not in left(events)
    assert isinstance(events[-1], Ended)
    assert events[-1].outcome is Outcome.REFUSED


async def test_closing_a_reply_while_engines_judge_lets_nothing_out(tmp_path: Path, slow: Judge) -> None:
    engines = opened(tmp_path, [FINE, MORE], slow)
    before = asyncio.all_tasks()
    seen: list[Event] = []

    async def follow() -> None:
        async with aclosing(reply(asked(), engines)) as events:
            async for event in events:
                seen.append(event)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        while not engines.synthesizer.spoken:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    slow.over.set()
    await asyncio.sleep(0.05)
    assert left(seen) == []
    assert engines.answerer.closed  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before
    engines.close()


async def test_harm_that_two_sentences_hold_together_stops_the_second(tmp_path: Path) -> None:
    class Both(Judge):
        def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
            return [{"hate": 0.9 if "neighbours" in text and "vermin" in text else 0.0} for text in texts]

    events = await played(opened(tmp_path, ["Look at your neighbours.", "They are vermin."], Both()))
    assert "Look at your neighbours." in left(events)
    assert "They are vermin." not in left(events)


async def test_what_masks_hide_is_spoken_masked(tmp_path: Path) -> None:
    judge = Judge()
    events = await played(opened(tmp_path, ["Your card is 4111 1111 1111 1111."], judge))
    assert set(left(events)) == {"Your card is [card number]."}
    assert [text for _, text in judge.judged] == ["Your card is …."]


async def test_a_question_that_was_refused_is_answered_by_no_yes(tmp_path: Path) -> None:
    @tool(about="cancel", changes=True, confirm={"en": "Shall I tell the zorgs to cancel order {number}?"})
    def cancel(number: Annotated[str, NUMBER], *, language: str, state_dir: Path) -> str:
        """Cancel an order."""
        raise AssertionError

    events = await played(opened(tmp_path, [], Judge(), tools=(cancel,)), "cancel order 10342")
    moved = [event.errand for event in events if isinstance(event, ErrandMoved)]
    assert moved[0] is not None
    assert moved[-1] is None
    assert not any("zorgs" in text for text in left(events))


@dataclass
class Watched:
    """What leaves a live conversation."""

    events: list[ConversationEvent] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    conversation: Conversation | None = None

    def take(self, moment: LiveMoment) -> None:
        self.captions.append(moment.caption)

    async def ended(self) -> TurnEnded:
        async with asyncio.timeout(30):
            while True:
                for event in self.events:
                    if isinstance(event, TurnEnded):
                        return event
                await asyncio.sleep(0.01)


async def live(engines: Engines) -> AsyncGenerator[Watched, None]:
    engines.recognizer = ScriptedRecognizer(())
    watched = Watched()
    async with conversing(engines, watched.take, watched.events.append) as conversation:
        watched.conversation = conversation
        yield watched


async def test_a_live_visitor_neither_hears_nor_reads_what_is_refused(tmp_path: Path) -> None:
    lines = ["Fine.", f"{VILE} See [Zorgs](https://zorgs.example/x).", MORE]
    engines = opened(tmp_path, lines, Judge(thinks_s=0.2))
    engines.synthesizer = ScriptedSynthesizer(rate=8.0)
    async with aclosing(live(engines)) as lives:
        async for watched in lives:
            assert watched.conversation is not None
            watched.conversation.type("May I return it?")
            turn = await watched.ended()
            remembered = watched.conversation.history.exchanges[-1]
            break
    began = [event.sentence.text for event in watched.events if isinstance(event, SentenceBegan)]
    assert began[0] == "Fine."
    assert began[1].startswith(SAFE)
    assert len(began) == 2
    assert not any("zorgs" in caption.lower() for caption in watched.captions)
    assert not any(isinstance(event, CardShown) for event in watched.events)
    assert turn.heard.startswith(f"Fine. {SAFE}")
    assert remembered.reply == turn.heard
    assert turn.outcome is Outcome.REFUSED


async def test_a_sentence_of_a_model_that_is_refused_stops_the_stream_and_is_not_remembered(
    tmp_path: Path,
) -> None:
    pieces = ["You have thirty", " days [1]. ", "All zorgs", " pay the postage [1]. ", "Members pay", " no"]
    behaviour = Behaviour(pieces, pause_s=0.02, stall_after=5)
    with openai_server(behaviour) as url:
        settings = Answering(engine="openai", base_url=HttpUrl(url), model="test", timeout_s=30.0)
        model = OpenAIAnswerer(settings, Persona(company="Acme"))
        model.warm()  # what it imports takes longer than a visitor waits
        judge = Judge(thinks_s=0.2)
        engines = guarded(scripted_engines(tmp_path, model), judge)
        text = "You have thirty days. All zorgs pay the postage. Members pay no postage."
        engines.knowledge.passage = replace(PASSAGE, text=text)  # type: ignore[attr-defined]
        synthesizer = ScriptedSynthesizer(rate=8.0)
        engines.synthesizer = synthesizer
        async with aclosing(live(engines)) as lives:
            async for watched in lives:
                assert watched.conversation is not None
                watched.conversation.type("How many days may I keep it, and who pays the postage?")
                turn = await watched.ended()
                remembered = watched.conversation.history.exchanges[-1]
                break
        assert await asyncio.to_thread(behaviour.disconnected.wait, 5)
    began = [event.sentence for event in watched.events if isinstance(event, SentenceBegan)]
    assert any("zorgs" in text for _, text in judge.judged)  # the model said it, and the sources support it
    assert [one.text.startswith(start) for one, start in zip(began, (FINE, SAFE), strict=True)] == [
        True,
        True,
    ]
    assert not any(word in caption for caption in watched.captions for word in ("zorgs", "Members"))
    assert not any("Members" in text for text in synthesizer.spoken)
    assert turn.heard.startswith(f"{FINE} {SAFE}")
    assert remembered.reply == turn.heard
    assert turn.outcome is remembered.outcome is Outcome.REFUSED


async def test_a_barge_in_while_engines_judge_ends_the_reply(tmp_path: Path, slow: Judge) -> None:
    engines = opened(tmp_path, [FINE], slow)
    async with aclosing(live(engines)) as lives:
        async for watched in lives:
            assert watched.conversation is not None
            watched.conversation.type("May I return it?")
            async with asyncio.timeout(20):
                while not engines.synthesizer.spoken:  # type: ignore[attr-defined]  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            watched.conversation.stop()
            turn = await watched.ended()
            slow.over.set()
            await asyncio.sleep(0.1)
            break
    assert (turn.heard, turn.interrupted) == ("", True)
    assert not any(isinstance(event, SentenceBegan) for event in watched.events)
    assert set(watched.captions) == {""}


async def test_what_a_person_types_is_judged_before_the_avatar_says_it(tmp_path: Path) -> None:
    engines = opened(tmp_path, [], Judge(thinks_s=0.1))
    async with aclosing(live(engines)) as lives:
        async for watched in lives:
            assert watched.conversation is not None
            verdict = await watched.conversation.people.say(VILE)
            break
    assert verdict.rule == "hate.judge"
    assert engines.synthesizer.spoken == []  # type: ignore[attr-defined]
    assert not any(isinstance(event, SentenceBegan) for event in watched.events)
