from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.answerer import Question
from agent.extractive import ExtractiveAnswerer
from agent.history import Exchange
from agent.phrases import CHINESE, ENGLISH
from agent.selection import MOST_HAN, MOST_SENTENCES, MOST_WORDS, select
from agent.sentence import REPLY_EMOTIONS, Outcome, Sentence
from knowledge import KnowledgeBase, Passage

RETURNS = Passage(
    id="r",
    source="en/returns.md#window",
    title="Returns: The return window",
    text="You can return items within 30 days of delivery. Sale items can be returned in the same way.",
    score=0.9,
)
LAMPS = Passage(
    id="l",
    source="en/lamps.md#care",
    title="Lamp care: Cleaning",
    text="Wipe lamps with a dry cloth. Never use water.",
    score=0.3,
)
REFUND_ZH = Passage(
    id="z",
    source="zh/refunds.md#多久",
    title="退款：退款需要多久",
    text="我们收到退货后三个工作日内退款。钱会退回原来的付款方式。",
    score=0.9,
    language="zh",
)


def ask(text: str, *passages: Passage, language: str = "en") -> list[Sentence]:
    phrases = CHINESE if language == "zh" else ENGLISH
    score = passages[0].score if passages else 0.0
    return list(ExtractiveAnswerer().compose(Question(text, language, passages, score, phrases)))


def with_score(passage: Passage, score: float) -> Passage:
    return replace(passage, score=score)


def test_an_answer_is_the_documents_own_words_with_its_source() -> None:
    sentences = ask("how long can I return something?", RETURNS, LAMPS)
    assert sentences[0].text == "You can return items within 30 days of delivery."
    assert sentences[-1].outcome is Outcome.ANSWERED
    assert all(sentence.text in RETURNS.text for sentence in sentences)
    assert all([citation.source for citation in s.citations] == ["en/returns.md#window"] for s in sentences)
    assert sentences[0].citations[0].score == 0.9


WARRANTY = Passage(
    id="w",
    source="en/warranty.md",
    title="Warranty: How long it lasts",
    text="Everything has a warranty of 2 years. Lamps have a warranty of 5 years. Backpacks have 10 years.",
    score=0.9,
)


@pytest.mark.parametrize(
    ("text", "standalone", "expected"),
    [
        ("And for lamps?", "How long is the warranty on lamps?", ["Lamps have a warranty of 5 years."]),
        ("How long is that?", "How long is that, warranty?", ["Everything has a warranty of 2 years."]),
        ("How long is the warranty?", "", None),
    ],
)
def test_a_follow_up_is_not_told_all_over_again(
    text: str, standalone: str, expected: list[str] | None
) -> None:
    before = Exchange("How long is the warranty?", WARRANTY.text, Outcome.ANSWERED, False, "en")
    question = Question(
        text, "en", (WARRANTY,), 0.9, ENGLISH, history=(before,), standalone=standalone or text
    )
    said = [sentence.text for sentence in ExtractiveAnswerer().compose(question)]
    assert said == (expected or WARRANTY.text.replace(". ", ".|").split("|"))


async def test_the_answer_comes_as_a_stream() -> None:
    question = Question("how long can I return something?", "en", (RETURNS,), 0.9, ENGLISH)
    streamed = [sentence async for sentence in ExtractiveAnswerer().answer(question)]
    assert streamed == list(ExtractiveAnswerer().compose(question))


@pytest.mark.parametrize("passages", [(), (LAMPS,), (with_score(RETURNS, 0.29), LAMPS)])
def test_it_says_that_it_does_not_know(passages: tuple[Passage, ...]) -> None:
    sentences = ask("who won the world cup?", *passages)
    assert "".join(s.text for s in sentences).startswith("I am sorry, I do not have an answer")
    assert {s.outcome for s in sentences} == {Outcome.ABSTAINED}
    assert not any(s.citations for s in sentences)


def test_the_threshold_is_the_desks() -> None:
    question = Question("can I return something?", "en", (with_score(RETURNS, 0.7),), 0.7, ENGLISH)
    strict = ExtractiveAnswerer(answer_from=0.8)
    assert {s.outcome for s in strict.compose(question)} == {Outcome.ABSTAINED}
    assert {s.outcome for s in ExtractiveAnswerer(answer_from=0.6).compose(question)} == {Outcome.ANSWERED}


def test_two_close_topics_are_asked_back_about() -> None:
    warranty = Passage(
        "w", "en/warranty.md", "Warranty: Two years", "Lamps have two years of warranty.", 0.68
    )
    sentences = ask("my lamp is not right, what now", with_score(RETURNS, 0.7), warranty)
    said = " ".join(s.text for s in sentences)
    assert "Returns" in said
    assert "Warranty" in said
    assert sentences[-1].outcome is Outcome.CLARIFIED
    assert [c.source for c in sentences[-1].citations] == ["en/returns.md#window", "en/warranty.md"]


def test_two_sections_of_one_document_are_one_topic() -> None:
    other = Passage("r2", "en/returns.md#how", "Returns: How", "Print the label.", 0.69)
    assert ask("send it back please", with_score(RETURNS, 0.7), other)[-1].outcome is Outcome.ANSWERED


def test_a_topic_that_was_named_is_not_asked_back_about() -> None:
    warranty = Passage(
        "w", "en/warranty.md", "Warranty: Two years", "Lamps have two years of warranty.", 0.68
    )
    sentences = ask("what is your return policy for lamps", with_score(RETURNS, 0.7), warranty)
    assert {s.outcome for s in sentences} == {Outcome.ANSWERED}


def test_a_likely_topic_below_the_threshold_is_offered_with_a_second_one() -> None:
    warranty = Passage("w", "en/warranty.md", "Warranty", "Lamps have two years of warranty.", 0.4)
    sentences = ask("return a lamp under warranty", with_score(RETURNS, 0.45), warranty)
    assert sentences[-1].outcome is Outcome.CLARIFIED


def test_a_passage_in_the_other_language_is_announced_in_the_visitors() -> None:
    sentences = ask("退货期限", RETURNS, language="zh")
    assert (sentences[0].language, sentences[0].text) == ("zh", CHINESE.other_language)
    assert sentences[1].language == "en"
    assert sentences[1].citations


def test_a_good_passage_in_the_visitors_language_is_preferred() -> None:
    sentences = ask("多久退款", with_score(RETURNS, 0.95), REFUND_ZH, language="zh")
    assert {s.language for s in sentences} == {"zh"}
    assert sentences[0].text == "我们收到退货后三个工作日内退款。"


@pytest.mark.parametrize(
    ("text", "outcome", "start"),
    [
        ("hello", Outcome.ANSWERED, "Hello"),
        ("thanks, that was great", Outcome.ANSWERED, "You are very welcome"),
        ("are you a robot?", Outcome.ANSWERED, "I am {name}, an AI assistant"),
        ("let me talk to a human", Outcome.HANDOFF, "Of course"),
    ],
)
def test_small_talk_needs_no_knowledge(text: str, outcome: Outcome, start: str) -> None:
    sentences = ask(text, RETURNS)
    assert sentences[0].text.startswith(start)
    assert {s.outcome for s in sentences} == {outcome}
    assert not any(s.citations for s in sentences)


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("my lamp arrived broken, can I return it", "apologetic"),
        ("this is ridiculous, how do I return this", "apologetic"),
        ("I got a scam mail about my return", "concerned"),
        ("can I return a gift", "happy"),
        ("can I return it within a month", "neutral"),
        ("台灯收到就坏了，能退吗", "apologetic"),
    ],
)
def test_the_voice_fits_what_happened(question: str, label: str) -> None:
    sentences = ask(question, RETURNS)
    first = next(sentence for sentence in sentences if sentence.citations)
    assert first.emotion.label == label
    assert all(s.emotion.label in REPLY_EMOTIONS for s in sentences)


def test_the_sentences_asked_for_are_chosen_in_their_order() -> None:
    text = (
        "The Dublin store is near the river. It opens at nine. "
        "Parking is free for two hours behind the store. "
        "This holds on Sundays too. The cafe sells cake. Dogs are welcome."
    )
    chosen = select(text, "is parking free at the store", "en")
    assert "Parking is free for two hours behind the store." in chosen
    assert 1 <= len(chosen) <= MOST_SENTENCES
    assert " ".join(chosen) in text


def test_an_answer_never_begins_with_a_sentence_that_leans_on_another() -> None:
    text = "Gift cards never expire. They can be used in every store. Ask us for more."
    assert select(text, "which store takes it, every store?", "en")[0] == "Gift cards never expire."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (
            " ".join(
                f"Sentence {n} talks at some length about the return of many different lamps."
                for n in range(9)
            ),
            "en",
        ),
        (
            "".join(
                f"第{n}句话讲的是关于退货运费和退款时间的一些非常具体的规定和说明以及例外情况。"
                for n in range(9)
            ),
            "zh",
        ),
    ],
)
def test_an_answer_is_short_enough_to_be_heard(text: str, language: str) -> None:
    chosen = select(text, "return 退货", language)
    if language == "en":
        assert len(" ".join(chosen).split()) <= MOST_WORDS
    else:
        assert len("".join(chosen)) <= MOST_HAN


def test_answers_of_a_real_index_rest_on_it(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add_texts(
        [
            ("returns", "# Returns\n\nYou can return items within 30 days."),
            ("delivery", "# Delivery\n\nDelivery costs 4 euros and takes three days."),
        ]
    )
    found = tuple(base.search("how much is shipping"))
    sentences = ask("how much is shipping", *found)
    assert sentences[0].text == "Delivery costs 4 euros and takes three days."
    assert sentences[0].citations[0].source == "delivery"
    lost = tuple(base.search("who wrote hamlet"))
    assert ask("who wrote hamlet", *lost)[-1].outcome is Outcome.ABSTAINED
