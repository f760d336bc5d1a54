"""An utterance's questions are told apart, and from what is told around them."""

import pytest

from agent.questions import questions_of

SEVERAL = [
    ("Do you take old tents back? And where is your shop in Cork?", 2),
    ("What does a ticket cost, and can I bring my dog?", 2),
    ("How early do I have to board with a car and where is the office?", 2),
    ("Tell me what the delivery costs and how long it takes.", 2),
    ("I have two questions. Can I cancel, and how long until I get my money?", 2),
    ("可以带狗吗？自行车多少钱？", 2),
    ("船上能上网吗，还有几点关闸？", 2),
    ("Can I pay by card or do you only take cash?", 1),
    ("How do I return this and get my money back", 1),
    ("If my lamp breaks, can I return it?", 1),
    ("如果坏了，可以退吗？", 1),
]


@pytest.mark.parametrize(("text", "count"), SEVERAL)
def test_so_many_questions_are_asked(text: str, count: int) -> None:
    assert len(questions_of(text).asked) == count


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("My train leaves in five minutes, how long does delivery take?", "how long does delivery take?"),
        ("My mother died last week. Can I return the blanket?", "Can I return the blanket?"),
        ("When we got home my jacket was gone, so where do I ask?", "where do I ask?"),
        ("Hi, how are you? Can you help me? Where is the shop?", "Where is the shop?"),
        ("我赶时间，车快到了，要提前多久到？", "要提前多久到？"),
    ],
)
def test_what_is_told_goes_before_the_question(text: str, asked: str) -> None:
    said = questions_of(text)
    assert said.asked == (asked,)
    assert said.told


@pytest.mark.parametrize("text", ["Where is my order?", "My zip is broken.", "退货", "I want to complain."])
def test_what_asks_once_comes_back_whole(text: str) -> None:
    assert questions_of(text).asked == (text,)
    assert not questions_of(text).told
