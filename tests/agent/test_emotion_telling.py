"""What asks for nothing: praise is met with thanks, distress with an open ear."""

import pytest

from agent.answerer import Question
from agent.emotion_telling import Telling, telling
from agent.extractive import ExtractiveAnswerer
from agent.phrases import CHINESE, ENGLISH
from agent.sentence import Outcome, Sentence


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
