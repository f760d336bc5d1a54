from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge import KnowledgeBase

ASKED = {
    "card": [
        "my card has not arrived",
        "where is my new card",
        "the card I ordered is still missing",
        "how long until the card comes",
        "still waiting for my card",
        "card delivery status",
        "when do I get my card",
    ],
    "pin": [
        "I forgot my pin",
        "how do I change the pin",
        "my pin is blocked",
        "reset the secret number of my card",
        "pin entered wrongly too often",
        "unlock my pin",
        "where can I set a new pin",
    ],
    "查询": [
        "我的余额是多少",
        "怎么查余额",
        "账户里还有多少钱",
        "余额查询",
        "想看一下余额",
        "余额在哪里看",
        "查一下账户余额",
    ],
}


def made(folder: Path, mark: str = "#") -> KnowledgeBase:
    base = KnowledgeBase.open(folder)
    base.add_texts(
        [(f"{topic}{mark}{n}", text) for topic, texts in ASKED.items() for n, text in enumerate(texts)]
    )
    return base


def test_many_ways_to_ask_for_few_answers_are_learnt(tmp_path: Path) -> None:
    base = made(tmp_path)
    topics = base._load()._topics
    assert topics is not None
    assert sorted(set(topics.of)) == [0, 1, 2]
    for question, topic in (
        ("has the card that I ordered been sent", "card"),
        ("cannot remember my pin", "pin"),
        ("余额怎么看", "查询"),
    ):
        found, evidence = base.evidence(question, 1)[0]
        assert found.id.startswith(topic)
        assert evidence.topics == 1.0
        assert evidence.topic > 0.6


def test_numbered_texts_of_one_name_and_long_ones_are_one_topic(tmp_path: Path) -> None:
    base = made(tmp_path, "-")
    long = f"my card is late, {'really, ' * 20}what can I do"
    base.add_texts([("card-99", long)])
    topics = base._load()._topics
    assert topics is not None
    assert sorted(set(topics.of)) == [0, 1, 2]
    assert base.search(long, 1)[0].id == "card-99"


def test_a_question_of_no_topic_is_less_likely_answered_than_one_of_a_topic(tmp_path: Path) -> None:
    base = made(tmp_path)
    assert base.answerable("is my new card still on its way") > base.answerable("can I open a savings plan")


def test_what_was_learnt_of_topics_outlives_the_process(tmp_path: Path) -> None:
    question = "has the card that I ordered been sent"
    expected = made(tmp_path).evidence(question)
    assert KnowledgeBase.open(tmp_path).evidence(question) == expected


def test_knowledge_of_articles_has_no_topics(shop: KnowledgeBase) -> None:
    assert shop._load()._topics is None
    assert shop.evidence("how long can I return it", 1)[0][1].topics == 0.0


def test_topics_of_an_older_version_are_not_taken(tmp_path: Path) -> None:
    base = made(tmp_path)
    base.remove([f"pin#{n}" for n in range(7)])
    topics = base._load()._topics
    assert topics is not None
    assert len(topics.of) == base.count == 14
    assert len(list(tmp_path.glob("topics-*.npz"))) == 1


@pytest.mark.parametrize("damage", [None, b"PK\x03\x04 broken off", b"", "format"])
def test_topics_that_are_lost_broken_or_of_an_older_program_are_learnt_again(
    tmp_path: Path, damage: bytes | str | None
) -> None:
    question = "has the card that I ordered been sent"
    expected = made(tmp_path).evidence(question)
    (file,) = tmp_path.glob("topics-*.npz")
    if damage is None:
        file.unlink()
    elif isinstance(damage, bytes):
        file.write_bytes(damage)
    else:
        with np.load(file) as found:
            older = {**found, "format": np.int32(1)}
        np.savez(file, **older)
    assert KnowledgeBase.open(tmp_path).evidence(question) == expected
    before = file.stat().st_mtime_ns
    assert KnowledgeBase.open(tmp_path).evidence(question) == expected
    assert file.stat().st_mtime_ns == before  # it was kept
