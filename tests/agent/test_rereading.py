"""Among what was found goes first what tells the price, the day or the place that was asked for."""

import pytest

from agent.reading import days_of
from agent.rereading import reread, tells
from agent.selection import select
from knowledge.passage import Passage


def passage(source: str, text: str, score: float, language: str = "en") -> Passage:
    return Passage(source, source, source.partition("#")[2], text, score, language)


FARES = (
    passage("fares#Cover", "Crossing cover costs 4 pounds.", 0.9),
    passage("routes#To Halvik", "The crossing to Halvik costs 38 pounds.", 0.8),
    passage("ports#Ports", "We sail from Ardmore. There is a cafe in Halvik.", 0.7),
)
HOURS = (
    passage("a#Where", "The office in Kilbeg is in the customs house.", 0.9),
    passage("b#Hours", "It is open from Monday to Friday from 7 to 8. On Sundays it is closed.", 0.8),
)
COVER = (
    passage("cover#What it pays", "The cover pays when you fall ill.", 0.9),
    passage("cover#More", "The cover does not pay for hotel nights.", 0.85),
)
CHINESE = (
    passage("甲#票价", "到阿德莫尔的票 14 英镑。", 0.85, "zh"),
    passage("乙#时间", "售票处星期一到星期五营业。星期天不营业。", 0.8, "zh"),
)


@pytest.mark.parametrize(
    ("question", "found", "first"),
    [
        ("What does the crossing to Halvik cost?", FARES, "routes#To Halvik"),
        ("Is the office open on Sunday?", HOURS, "b#Hours"),
        ("Is the office open on Wednesday?", HOURS, "b#Hours"),
        ("What does the cover not pay for?", COVER, "cover#More"),
        ("What does the cover pay for?", COVER, "cover#What it pays"),
        ("星期天营业吗？", CHINESE, "乙#时间"),
    ],
)
def test_what_tells_what_is_asked_goes_first(question: str, found: tuple[Passage, ...], first: str) -> None:
    again = reread(question, found, found[0].language, 0.5)
    assert again[0].source == first
    assert {one.id for one in again} == {one.id for one in found}
    assert [one.score for one in again] == sorted((one.score for one in again), reverse=True)


def test_what_is_no_answer_overtakes_none_that_is() -> None:
    found = (FARES[0], passage("routes#To Halvik", "The crossing to Halvik costs 38 pounds.", 0.3))
    assert reread("What does the crossing to Halvik cost?", found, "en", 0.5)[0].source == "fares#Cover"


def test_a_passage_tells_only_the_price_of_what_was_named() -> None:
    assert tells("What does the crossing to Halvik cost?", FARES[1])
    assert not tells("What does the crossing to Halvik cost?", FARES[2])
    assert not tells("Tell me about crossings", FARES[1])


def test_the_answer_begins_with_the_day_that_was_asked_for() -> None:
    text = (
        "Our shops open at 10 from Monday to Saturday. On Sundays we open at noon. "
        "Amsterdam opens at noon on Mondays."
    )
    assert select(text, "When does the Amsterdam shop open on Monday?", "en")[0].startswith("Amsterdam")
    assert select(text, "Are you open on Sundays?", "en")[0].startswith("On Sundays")


def test_days_between_two_are_spoken_of() -> None:
    assert days_of("from Friday to Monday") == {4, 5, 6, 0}
    assert days_of("周一到周三，周末休息") == {0, 1, 2, 5, 6}
