"""What a word list found may be taken back, where the sentence around it is harmless."""

from collections.abc import Sequence

import pytest

from moderation import Guard
from moderation.panel import Engine
from moderation.policy import Policy
from moderation.screener import Finding
from moderation.second_look import SecondLook
from moderation.verdict import Direction


class Reader:
    """Finds a sentence with a certain word harmful; remembers what it was asked."""

    name = "classifier"

    def __init__(self, harmful: str) -> None:
        self.harmful = harmful
        self.asked: list[str] = []

    def scores(self, texts: Sequence[str], direction: Direction) -> list[dict[str, float]]:
        self.asked += texts
        return [{"violence": 0.9 if self.harmful in text else 0.01} for text in texts]


def find(text: str, word: str, rule: str = "violence.threat") -> Finding:
    return Finding(rule, 0.8, text.index(word), text.index(word) + len(word))


def test_only_the_sentence_around_a_find_is_read() -> None:
    reader = Reader("nobody")
    text = "All is well! I will kill you all. Nice day."
    [kept] = SecondLook(reader.scores, ["violence.threat"]).at(
        text, [find(text, "kill you")], Direction.INPUT
    )
    assert reader.asked == [" I will kill you all."]
    assert kept.score < 0.5


def test_a_find_in_a_harmful_sentence_stands() -> None:
    text = "I will kill you all."
    found = [find(text, "kill you")]
    assert SecondLook(Reader("kill").scores, ["violence.threat"]).at(text, found, Direction.INPUT) == found


@pytest.mark.parametrize(
    "rule", ["self_harm.intent", "sexual_minors.content", "pii.card", "injection.override"]
)
def test_grave_finds_are_never_doubted(rule: str) -> None:
    reader, text = Reader("nobody"), "some words here"
    found = [find(text, "words", rule)]
    assert SecondLook(reader.scores, [rule]).at(text, found, Direction.INPUT) == found
    assert reader.asked == []


@pytest.mark.parametrize("score", [0.8, 0.95])
def test_slurs_and_finds_that_stand_alone_are_never_doubted(score: float) -> None:
    reader, text = Reader("nobody"), "words" if score < 0.9 else "some words in a sentence"
    found = [Finding("hate.slur", score, text.index("words"), text.index("words") + 5)]
    assert SecondLook(reader.scores, ["hate.slur"]).at(text, found, Direction.INPUT) == found
    assert reader.asked == []


def test_without_a_second_opinion_the_first_one_stands() -> None:
    def broken(texts: Sequence[str], direction: Direction) -> list[dict[str, float]]:
        raise RuntimeError("no memory")

    text = "I will kill you all."
    found = [find(text, "kill you")]
    assert SecondLook(broken, ["violence.threat"]).at(text, found, Direction.INPUT) == found


def test_the_policy_decides_whether_a_guard_doubts_its_lists() -> None:
    said = "have you seen the porn that he found on my phone"
    engine = Engine(Reader("nobody"), inline=True)
    doubting = Guard(Policy.load(), classifiers=[engine])
    certain = Guard(Policy.from_table({"engines": {"second_look": False}}), classifiers=[engine])
    assert doubting.screen(said).passes
    assert not certain.screen(said).passes
