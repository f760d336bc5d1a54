import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest

from agent.answerer import Answerer, Question
from agent.conversation import Conversation
from agent.conversation_events import (
    CardShown,
    ConversationEvent,
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    TurnEnded,
)
from agent.scripted import ScriptedAnswerer
from agent.sentence import Outcome, Sentence
from agent.stage import LiveMoment
from agent.tools import Slot, Tool, tool
from speech.audio import to_mono_16k
from speech.scripted import ScriptedRecognizer
from speech.synthesizer import load_synthesizer
from tests.agent.scripted import conversing, scripted_engines

LONG = "This is a long answer that goes on for a while, so that one can speak over it."


pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """About two seconds of somebody speaking, at 16 kHz."""
    synthesizer = load_synthesizer()
    try:
        speech = synthesizer.speak("I would like to return the tent, please.", language="en")
    finally:
        synthesizer.close()
    return to_mono_16k(speech.pcm, speech.sample_rate)


@dataclass
class Talk:
    conversation: Conversation
    events: list[ConversationEvent] = field(default_factory=list)
    moments: list[LiveMoment] = field(default_factory=list)

    async def until(self, kind: type, count: int = 1, within_s: float = 15.0) -> list:
        """Wait until so many events of a kind have come."""
        async with asyncio.timeout(within_s):
            while len(found := [e for e in self.events if isinstance(e, kind)]) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found

    async def speak(self, pcm: np.ndarray, silence_s: float = 0.0) -> None:
        """Speak into the microphone in real time."""
        loop = asyncio.get_running_loop()
        began, piece = loop.time(), 320
        sound = np.concatenate([pcm, np.zeros(int(silence_s * 16_000), np.float32)])
        for number, start in enumerate(range(0, len(sound), piece)):
            await asyncio.sleep(max(0.0, began + number * 0.02 - loop.time()))
            self.conversation.hear(sound[start : start + piece])

    @property
    def turns(self) -> list[TurnEnded]:
        return [event for event in self.events if isinstance(event, TurnEnded)]

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events if isinstance(event, StateChanged)]


@asynccontextmanager
async def talking(
    folder: Path,
    answerer: Answerer,
    heard: tuple[str, ...] = (),
    tools: tuple[Tool, ...] = (),
    turn_end: Callable[[np.ndarray], float] | None = None,
) -> AsyncIterator[Talk]:
    engines = scripted_engines(folder, answerer, tools=tools)
    engines.recognizer = ScriptedRecognizer(heard)
    before = asyncio.all_tasks()
    events: list[ConversationEvent] = []
    moments: list[LiveMoment] = []
    async with conversing(engines, moments.append, events.append, turn_end=turn_end) as conversation:
        talk = Talk(conversation, events, moments)
        await talk.until(StateChanged)
        yield talk
    assert asyncio.all_tasks() == before


async def test_a_typed_question_is_answered_and_what_was_heard_is_remembered(tmp_path: Path) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["You have thirty days.", "It is free."])) as talk:
        talk.conversation.type("May I return it?")
        (turn,) = await talk.until(TurnEnded)
    assert turn.heard == "You have thirty days. It is free."
    assert turn.question == "May I return it?"
    assert turn.outcome is Outcome.ANSWERED
    assert not turn.interrupted
    assert 0 <= turn.timings_ms["first_sentence"] <= turn.timings_ms["first_sound"]
    assert talk.states == ["listening", "thinking", "speaking", "listening"]
    assert [event.sentence.text for event in talk.events if isinstance(event, SentenceBegan)] == [
        "You have thirty days.",
        "It is free.",
    ]
    assert any(np.abs(moment.pcm).max() > 0 for moment in talk.moments)


async def test_a_spoken_question_is_heard_and_its_answer_was_begun_before_the_turn_ended(
    tmp_path: Path, voice: np.ndarray
) -> None:
    answerer = ScriptedAnswerer(["You have thirty days."])
    async with talking(tmp_path, answerer, ("I want to return the tent.",)) as talk:
        await talk.speak(np.concatenate([np.zeros(8000, np.float32), voice]), silence_s=1.0)
        (turn,) = await talk.until(TurnEnded)
    assert turn.question == "I want to return the tent."
    assert answerer.said == 1
    assert 300 < turn.timings_ms["turn_end"] < turn.timings_ms["first_sound"]
    assert [event.final for event in talk.events if isinstance(event, HeardWords)] == [False, True]


async def test_who_speaks_over_a_reply_is_heard_and_the_rest_of_it_never_sounds(
    tmp_path: Path, voice: np.ndarray
) -> None:
    heard = ("No, I want to return the tent.",)
    async with talking(tmp_path, ScriptedAnswerer([LONG]), heard) as talk:
        talk.conversation.type("Tell me something.")
        await talk.until(SentenceBegan)
        await asyncio.sleep(0.8)
        await talk.speak(voice, silence_s=0.6)
        first, second = await talk.until(TurnEnded, 2)
    assert first.interrupted
    assert 0 < len(first.heard) < len(LONG)
    assert LONG.startswith(first.heard)
    assert second.question == heard[0]
    assert second.heard == LONG
    assert "paused" in talk.states
    assert [exchange.reply for exchange in talk.conversation.history.exchanges] == [first.heard, LONG]


async def test_a_hum_over_a_reply_only_holds_it_up(tmp_path: Path, voice: np.ndarray) -> None:
    async with talking(tmp_path, ScriptedAnswerer([LONG]), ("mm-hm",)) as talk:
        talk.conversation.type("Tell me something.")
        await talk.until(SentenceBegan)
        await asyncio.sleep(0.8)
        await talk.speak(voice[: len(voice) // 2], silence_s=0.5)
        (turn,) = await talk.until(TurnEnded)
    assert not turn.interrupted
    assert turn.heard == LONG
    assert talk.states == ["listening", "thinking", "speaking", "paused", "speaking", "listening"]


async def test_the_stop_button_ends_a_reply_at_once(tmp_path: Path) -> None:
    async with talking(tmp_path, ScriptedAnswerer([LONG, LONG])) as talk:
        talk.conversation.type("Tell me something.")
        await talk.until(SentenceBegan)
        await asyncio.sleep(0.5)
        talk.conversation.stop()
        after = len(talk.moments)
        await asyncio.sleep(0.4)
        (turn,) = talk.turns
        assert turn.interrupted
        # one moment may be under way, one holds the fade
        assert all(not moment.pcm.any() for moment in talk.moments[after + 2 :])
        talk.conversation.type("And now?")
        await talk.until(SentenceBegan, 2)
        talk.conversation.type("Stop it!")
        _, second = await talk.until(TurnEnded, 2)
        assert second.interrupted
        await asyncio.sleep(0.2)
        assert len(talk.turns) == 2


async def test_who_goes_on_while_the_answer_is_made_is_not_talked_over_and_gets_one_answer_to_both(
    tmp_path: Path, voice: np.ndarray
) -> None:
    asked: list[str] = []

    class Listed(ScriptedAnswerer):
        async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
            asked.append(question.text)
            async for sentence in super().answer(question):
                yield sentence

    answerer = Listed(["You have thirty days."], pause_s=0.9)
    async with talking(tmp_path, answerer, ("I want to return the tent.",)) as talk:
        talk.conversation.type("Hello there.")
        await asyncio.sleep(0.3)
        first = len(talk.moments)
        await talk.speak(voice)
        assert all(not moment.pcm.any() for moment in talk.moments[first:])
        await talk.speak(voice[:0], silence_s=0.8)
        (turn,) = await talk.until(TurnEnded)
        await asyncio.sleep(0.3)
        assert len(talk.turns) == 1
    assert turn.question == "Hello there. I want to return the tent."
    assert asked.count(turn.question) == 1  # the answer that was begun ahead is the one that is given
    assert turn.heard == "You have thirty days."
    assert talk.states == ["listening", "thinking", "paused", "thinking", "speaking", "listening"]


async def test_a_tool_runs_once_though_the_visitor_goes_on_while_it_works(
    tmp_path: Path, voice: np.ndarray
) -> None:
    calls = []

    @tool(about="cancel")
    def cancel_order(
        order: Annotated[str, Slot(pattern=r"\d{4}", ask={})], language: str, state_dir: Path
    ) -> str:
        """Cancels an order."""
        calls.append(order)
        time.sleep(1.2)
        return "The order is cancelled."

    heard = ("And are you open today?",)
    async with talking(tmp_path, ScriptedAnswerer(["We are."]), heard, (cancel_order,)) as talk:
        talk.conversation.type("Please cancel order 1234.")
        await asyncio.sleep(0.2)
        await talk.speak(voice[: len(voice) // 2], silence_s=0.8)
        first, second = await talk.until(TurnEnded, 2)
    assert calls == ["1234"]
    assert first.heard == "The order is cancelled."
    assert second.question == heard[0]
    assert second.heard == "We are."


async def test_a_microphone_that_is_unplugged_in_the_middle_of_a_word_ends_the_turn(
    tmp_path: Path, voice: np.ndarray
) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["Yes."]), ("Are you open today?",)) as talk:
        await talk.speak(voice[: len(voice) // 2])
        (turn,) = await talk.until(TurnEnded, within_s=6.0)
    assert turn.question == "Are you open today?"


class Raising:
    engine = "raising"

    async def answer(self, question: Question) -> AsyncGenerator[Sentence, None]:
        yield Sentence("It begins well.", question.language)
        raise RuntimeError("the engine broke")


async def test_an_engine_that_breaks_is_apologised_for_and_the_next_question_is_answered(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path, Raising()) as talk:
        talk.conversation.type("One?")
        (turn,) = await talk.until(TurnEnded)
        assert turn.heard.startswith("It begins well. I am sorry")
        assert turn.outcome is Outcome.HANDOFF
        assert [event.code for event in talk.events if isinstance(event, Notice)] == ["engine_failed"]
        talk.conversation.type("Two?")
        await talk.until(TurnEnded, 2)


async def test_the_greeting_may_be_said_again_and_a_question_ends_it(tmp_path: Path) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["Yes."])) as talk:
        await talk.conversation.greet()
        await talk.until(TurnEnded)
        talk.conversation.replay()
        await talk.until(SentenceBegan, 2)
        talk.conversation.type("Are you open?")
        turns = await talk.until(TurnEnded, 3)
    assert [turn.question for turn in turns] == ["", "", "Are you open?"]
    assert "AI" in turns[0].heard
    assert turns[1].interrupted
    assert len(talk.conversation.history.exchanges) == 1


async def test_a_muted_or_flooding_microphone_does_no_harm(tmp_path: Path, voice: np.ndarray) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["Yes."]), ("one", "two")) as talk:
        talk.conversation.mute(True)
        await talk.speak(voice, silence_s=0.5)
        talk.conversation.mute(False)
        assert not [event for event in talk.events if isinstance(event, HeardWords)]
        for _ in range(200):
            talk.conversation.hear(np.random.default_rng(0).normal(0, 0.3, 16_000).astype(np.float32))
        assert sum(map(len, talk.conversation._hearing._microphone._pieces)) <= 6 * 16_000
        talk.conversation.type("Are you open?")
        await talk.until(TurnEnded)


@pytest.mark.parametrize("trouble", ["broken", "slow"])
async def test_who_tells_nothing_of_the_voice_holds_nothing_up(
    tmp_path: Path, voice: np.ndarray, trouble: str
) -> None:
    answered = threading.Event()

    def turn_end(pcm: np.ndarray) -> float:
        if trouble == "broken":
            raise RuntimeError("as it was told")
        answered.wait(30.0)
        return 0.0

    heard = ("I want to return the tent.",)
    async with talking(tmp_path, ScriptedAnswerer(["Yes."]), heard, turn_end=turn_end) as talk:
        await talk.speak(voice, silence_s=0.8)
        (turn,) = await talk.until(TurnEnded)
        answered.set()
    assert turn.question == heard[0]


async def test_closing_lets_what_is_being_said_end_where_that_is_wished(tmp_path: Path) -> None:
    threads = threading.active_count()
    async with talking(tmp_path, ScriptedAnswerer(["One moment, this is short."])) as talk:
        talk.conversation.type("Hello?")
        await talk.until(SentenceBegan)
        await talk.conversation.close(finish_sentence=True)
    (turn,) = talk.turns
    assert turn.heard == "One moment, this is short."
    assert not turn.interrupted
    assert threading.active_count() <= threads + 6


async def test_a_number_is_asked_for_and_a_change_confirmed_over_turns(tmp_path: Path) -> None:
    calls = []

    @tool(about="cancel", changes=True, confirm={"en": "Shall I cancel order {order}?"})
    def cancel_order(
        order: Annotated[str, Slot(pattern=r"\d{4}", ask={"en": "What is your order number?"})],
        language: str,
        state_dir: Path,
    ) -> str:
        """Cancels an order."""
        calls.append(order)
        return "The order is cancelled."

    async with talking(tmp_path, ScriptedAnswerer(["never"]), tools=(cancel_order,)) as talk:
        for number, words in enumerate(("Please cancel my order.", "four one one seven", "yes"), 1):
            assert calls == []
            talk.conversation.type(words)
            await talk.until(TurnEnded, number)
        asked, confirmed, done = talk.turns
        talk.conversation.type("yes")
        await talk.until(TurnEnded, 4)
    assert asked.heard == "What is your order number?"
    assert confirmed.heard.endswith("Shall I cancel order 4 1 1 7?")
    assert done.heard == "The order is cancelled."
    assert calls == ["4117"]


async def test_a_confirmation_that_was_cut_off_is_put_again(tmp_path: Path) -> None:
    calls = []

    @tool(about="cancel", changes=True, confirm={"en": f"{LONG} Shall I cancel order {{order}}?"})
    def cancel_order(
        order: Annotated[str, Slot(pattern=r"\d{4}", ask={})], language: str, state_dir: Path
    ) -> str:
        """Cancels an order."""
        calls.append(order)
        return "The order is cancelled."

    async with talking(tmp_path, ScriptedAnswerer(["never"]), tools=(cancel_order,)) as talk:
        talk.conversation.type("Please cancel order 4117.")
        await talk.until(SentenceBegan)
        talk.conversation.stop()
        await talk.until(TurnEnded)
        talk.conversation.type("yes")
        await talk.until(TurnEnded, 2)
    assert talk.turns[1].heard.endswith("Shall I cancel order 4 1 1 7?")
    assert calls == []


async def test_a_link_of_an_answer_is_shown(tmp_path: Path) -> None:
    async with talking(tmp_path, ScriptedAnswerer(["Look here: https://shop.example/t."])) as talk:
        talk.conversation.type("May I return it?")
        (turn,) = await talk.until(TurnEnded)
    assert turn.heard == "Look here."
    (shown,) = [event for event in talk.events if isinstance(event, CardShown)]
    assert (shown.turn, shown.card.url) == (turn.turn, "https://shop.example/t")


@pytest.mark.parametrize("more", ["please", "thank you"])
async def test_what_was_never_asked_aloud_cannot_be_agreed_to(tmp_path: Path, more: str) -> None:
    calls = []

    @tool(about="cancel", changes=True, confirm={"en": "Shall I cancel order {order}?"})
    def cancel_order(
        order: Annotated[str, Slot(pattern=r"\d{4}", ask={})], language: str, state_dir: Path
    ) -> str:
        """Cancels an order."""
        calls.append(order)
        return "The order is cancelled."

    async with talking(tmp_path, ScriptedAnswerer(["Never."]), tools=(cancel_order,)) as talk:
        talk.conversation.type("Please cancel order 4117.")
        async with asyncio.timeout(10):
            while talk.conversation.history.errand is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert not talk.turns
        talk.conversation.type(more)  # before the question has sounded
        (turn,) = await talk.until(TurnEnded)
    assert calls == []
    assert turn.heard == "Shall I cancel order 4 1 1 7?"


async def test_what_a_tool_tells_can_be_interrupted_and_the_question_is_answered(
    tmp_path: Path, voice: np.ndarray
) -> None:
    @tool(about="order")
    def order_status(
        order: Annotated[str, Slot(pattern=r"\d{4}", ask={})], language: str, state_dir: Path
    ) -> str:
        """Tells where an order is."""
        return LONG

    heard = ("Are you open on Sunday?",)
    async with talking(tmp_path, ScriptedAnswerer(["We are."]), heard, (order_status,)) as talk:
        talk.conversation.type("Where is order 1234?")
        await talk.until(SentenceBegan)
        await talk.speak(voice[: len(voice) // 2], silence_s=0.8)
        first, second = await talk.until(TurnEnded, 2)
    assert first.interrupted
    assert second.question == heard[0]
    assert second.heard == "We are."
