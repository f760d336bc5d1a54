"""Who does not follow, and who has no time."""

from __future__ import annotations

import pytest

from agent.confusion import is_confused
from agent.history import Exchange, Memory
from agent.hurry import is_hurried
from agent.sentence import Outcome
from agent.shortening import shorter
from agent.slots import Errand, Stage


def exchange(question: str, outcome: Outcome = Outcome.ANSWERED, *, interrupted: bool = False) -> Exchange:
    return Exchange(question, "Thirty days.", outcome, interrupted)


@pytest.mark.parametrize(
    "text",
    [
        "what do you mean", "I don't understand", "Sorry, I don't get it", "you've lost me", "huh?",
        "Could you explain that again please?", "this is so confusing", "I still don't follow",
        "没听懂", "什么意思？", "你说的是什么意思", "我没明白你的意思", "能解释一下吗", "听不懂", "说简单点",
    ],
)  # fmt: skip
def test_who_says_that_they_do_not_follow_is_understood(text: str) -> None:
    assert is_confused(text, Memory())


@pytest.mark.parametrize(
    "text",
    [
        "what does warranty mean", "I'm not confused", "now I understand", "I lost my card",
        "what is the return policy", "don't get me wrong, I like it", "my child is lost",
        "保修是什么意思", "我不懂英文可以用中文吗", "我明白了", "没什么意思", "我的意思是要退货",
    ],
)  # fmt: skip
def test_a_question_about_a_word_is_no_confusion(text: str) -> None:
    assert not is_confused(text, Memory())


def test_who_asks_the_same_again_does_not_follow() -> None:
    memory = Memory((exchange("How long can I return the tent?"),))
    assert is_confused("how long can I return a tent", memory)
    assert not is_confused("how long is the warranty of the tent", memory)
    cut = Memory((exchange("How long can I return the tent?", interrupted=True),))
    assert not is_confused("how long can I return a tent", cut)


def test_two_questions_back_are_one_too_many_unless_something_is_being_done() -> None:
    back = (exchange("the thing", Outcome.CLARIFIED), exchange("that other one", Outcome.CLARIFIED))
    assert is_confused("the blue one", Memory(back))
    assert not is_confused("the blue one", Memory(back[:1]))
    errand = Errand("order_status", Stage.ASKED, "en", 0.0)
    assert not is_confused("the blue one", Memory(back, errand))


@pytest.mark.parametrize("text", ["I'm in a hurry", "my train leaves in ten minutes", "我赶时间", "长话短说"])
def test_who_has_no_time_is_heard(text: str) -> None:
    assert is_hurried(text)


@pytest.mark.parametrize(
    "text", ["how quickly does it arrive", "no hurry", "不着急", "多快能到", "急救箱有吗"]
)
def test_a_question_about_speed_is_no_hurry(text: str) -> None:
    assert not is_hurried(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "We ship to France, Spain, and Italy, and the parcel takes a week.",
            ["We ship to France, Spain, and Italy.", "And the parcel takes a week."],
        ),
        (
            "If you are late, and you have no ticket, you can call us; we are open until six.",
            ["If you are late, and you have no ticket, you can call us.", "We are open until six."],
        ),
        (
            "您可以在30天内退货，请保留原包装；退款会在七个工作日内到账。",
            ["您可以在30天内退货。", "请保留原包装。", "退款会在七个工作日内到账。"],
        ),
        ("如果商品损坏，请拍照发给我们，我们会在两天内回复您。", []),
        ("You have thirty days.", []),
    ],
)
def test_long_sentences_are_cut_where_a_clause_stands_by_itself(text: str, parts: list[str]) -> None:
    assert shorter(text) == (parts or [text])
