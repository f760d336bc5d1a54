"""An utterance in its clauses, and what a search and a tool see of it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.emotion_clauses import asked_of, clauses_of, only_feels, told_of


@pytest.mark.parametrize(("text", "asked"), [
    ("I am furious! Where is my order?", "Where is my order?"),
    ("Great, I love it! How do I return a tent?", "How do I return a tent?"),
    ("You people are useless, how do I get my money back?", "how do I get my money back?"),
    ("i am so angry where is my parcel", "where is my parcel"),
    ("This is ridiculous! Cancel my order 10342.", "Cancel my order 10342."),
    ("Are you kidding me? When do you open?", "When do you open?"),
    ("Hello there! Thanks a lot. Do you ship to Spain?", "Do you ship to Spain?"),
    ("Sorry to bother you, do you ship to Spain?", "do you ship to Spain?"),
    ("我太开心了！怎么退帐篷？", "怎么退帐篷？"),
    ("气死我了，怎么还没到？", "怎么还没到？"),
    ("我很生气我的订单呢", "我的订单呢"),
    ("你们太过分了！帮我取消订单10342。", "帮我取消订单10342。"),
])  # fmt: skip
def test_a_search_sees_the_question_without_the_feeling(text: str, asked: str) -> None:
    assert asked_of(text) == asked


@pytest.mark.parametrize("text", [
    "The tent leaks. Can I return it?",
    "I love hiking in the rain, which boots are good?",
    "I hate you all, you never deliver!",
    "Where the hell is my order?",
    "yes, great",
    "no thanks",
    "I am furious!",
    "What a joke!",
    "帐篷坏了，能修吗？",
    "你们太过分了，一直不发货！",
    "开心果多少钱？",
    "好的",
    "",
    "?!?!",
])  # fmt: skip
def test_what_tells_of_things_and_what_asks_for_nothing_stays_whole(text: str) -> None:
    assert asked_of(text) == text


def test_what_is_told_beside_a_question_is_found() -> None:
    assert told_of("I am furious! Where is my order?") == "I am furious!"
    assert told_of("帐篷坏了，怎么办？") == "帐篷坏了，"
    assert told_of("Where is my order?") == told_of("I am furious!") == ""


def test_only_feelings_and_courtesy_are_told_from_things() -> None:
    assert all(
        map(
            only_feels,
            ("I'm so angry with you people!", "Great service, thanks!", "气死我了", "真是垃圾公司"),
        )
    )
    assert not any(map(only_feels, ("My tent is broken!", "Are you angry?", "帐篷太棒了", "", "10342")))


@given(st.text(alphabet="aI ,.!?？，。我很生气great where怎么\n1—", max_size=60))
def test_clauses_together_are_the_utterance(text: str) -> None:
    assert "".join(clause.text for clause in clauses_of(text)) == text
    assert len(asked_of(text)) <= len(text)


def test_a_text_of_megabytes_is_left_as_it_is_at_once() -> None:
    began = time.thread_time()
    huge = "great, " * 100_000
    assert asked_of(huge) == huge
    assert time.thread_time() - began < 5
