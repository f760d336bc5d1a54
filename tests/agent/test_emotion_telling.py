"""What asks for nothing: praise is met with thanks, distress with an open ear."""

from pathlib import Path
from typing import Annotated, Any

import pytest

from agent.answerer import Question
from agent.emotion_telling import Telling, telling
from agent.events import Event, Heard, Screened, Written
from agent.extractive import ExtractiveAnswerer
from agent.phrases import CHINESE, ENGLISH
from agent.reply import reply as replying
from agent.scripted import ScriptedAnswerer
from agent.sentence import Outcome, Sentence
from agent.tools import Slot, tool
from speech.recognizer import Transcript
from tests.agent.scripted import Listening, scripted_engines


def reply(text: str, language: str = "en") -> list[Sentence]:
    phrases = CHINESE if language == "zh" else ENGLISH
    return list(ExtractiveAnswerer().compose(Question(text, language, (), 0.0, phrases)))


@pytest.mark.parametrize("text", [
    "the tent is amazing, thank you", "I love your shop!", "Great service, thanks!", "It works perfectly.",
    "帐篷太棒了，谢谢", "谢谢你们，服务很好", "我太开心了", "客服真有耐心，好评",
])  # fmt: skip
def test_praise_is_praise(text: str) -> None:
    assert telling(text) is Telling.PRAISE


@pytest.mark.parametrize("text", [
    "best tent for families", "nice jackets", "I'd love to order a tent",
    "The tent is great, but the zip broke",
    "How great is the tent?", "great, another broken tent", "My parcel never came.", "I want a refund",
    "有很好的帐篷吗", "帐篷很好，但是拉链坏了", "我想要最好的帐篷", "",
])  # fmt: skip
def test_wishes_questions_and_reports_are_no_praise(text: str) -> None:
    assert telling(text) is None


def test_praise_is_answered_with_joy() -> None:
    first, *_ = reply("the tent is amazing, thank you")
    assert (first.text, first.emotion.label, first.outcome) == (
        "I am glad to hear that.", "happy", Outcome.ANSWERED,
    )  # fmt: skip
    assert reply("帐篷太棒了，谢谢", "zh")[0].text == "听您这么说，我很高兴。"


@pytest.mark.parametrize(
    "text", ["I'm furious.", "great, another broken tent", "I hate you all, you never deliver!"]
)
def test_who_complains_and_asks_nothing_is_asked_for_more(text: str) -> None:
    sentences = reply(text)
    assert sentences[0].text == "Please tell me a little more, and I will help where I can."
    assert {one.outcome for one in sentences} == {Outcome.ABSTAINED}


def test_an_angry_question_that_is_not_known_is_still_not_known() -> None:
    assert reply("You are awful! Do you sell boats?")[0].text.startswith(
        "I am sorry, I do not have an answer"
    )
    assert reply("真行啊，又坏了", "zh")[0].text == "请您再多说一点，我会尽力帮您。"


async def events_of(
    text: str, folder: Path, answerer: ScriptedAnswerer, *tools: Any
) -> tuple[list[Event], Any]:
    engines = scripted_engines(folder, answerer, tools=tools)
    try:
        heard = Heard(Transcript(text, "en", 1.0, "typed"))
        return [event async for event in replying(heard, engines)], engines.knowledge
    finally:
        engines.close()


@pytest.mark.usefixtures("own_state")
async def test_a_search_sees_the_question_and_who_answers_sees_all_of_it(tmp_path: Path) -> None:
    answerer = Listening(["It is on its way."])
    events, knowledge = await events_of("I love it! How do I clean it?", tmp_path, answerer)
    assert knowledge.queries == ["How do I clean it?"]
    assert answerer.asked[0].text == "I love it! How do I clean it?"
    assert (
        next(event for event in events if isinstance(event, Screened)).verdict.text == answerer.asked[0].text
    )


@pytest.mark.usefixtures("own_state")
async def test_who_is_angry_hears_the_opening_before_a_tool_asks_and_a_wish_is_seen_behind_it(
    tmp_path: Path,
) -> None:
    digits = Slot(r"\d{5}", ask={"en": "What is the number?"})

    @tool(about="cancel", changes=True, confirm={"en": "Shall I cancel order {number}?"})
    def cancel(number: Annotated[str, digits], *, language: str, state_dir: Path) -> str:
        """Cancel an order."""
        raise AssertionError("nothing is cancelled before it is confirmed")

    events, _ = await events_of("I am furious! Cancel my order.", tmp_path, ScriptedAnswerer([]), cancel)
    said = [event.sentence for event in events if isinstance(event, Written)]
    assert [one.text for one in said] == ["I am sorry about that.", "What is the number?"]
    assert said[-1].outcome is Outcome.CLARIFIED
