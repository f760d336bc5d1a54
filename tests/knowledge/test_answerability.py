from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import KnowledgeBase
from knowledge.calibrate import Sample, intent_rows, measure, read_questions, retrieval
from knowledge.fitting import fit

DATA = Path(__file__).parents[2].parent / "shared" / "data"
DESK = Path(__file__).parents[2] / "agent" / "desks" / "demo" / "knowledge"
ENOUGH = 0.5


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("How many days do I have to return something?", "returns.md#the-return-window"),
        ("can I send it back if I don't like it", "returns.md"),
        ("umm hi could you please tell me how much shipping costs", "delivery.md#time-and-fee"),
        ("my package still hasn't arrived", "delivery.md#late-parcels"),
        ("do you take mastercard", "faq-payment.md#which-cards-do-you-accept"),
        ("is my lamp under guarantee", "warranty.md"),
        ("warrantee for a lammp", "warranty.md"),
        ("多久能退钱", "refunds-zh.md#退款需要多久"),
        ("我的快递丢了", "refunds-zh.md#包裹丢失"),
    ],
)
def test_related_questions_find_their_passage_and_score_high(
    shop: KnowledgeBase, question: str, source: str
) -> None:
    best = shop.search(question)[0]
    assert best.source.startswith(source)
    assert best.score >= ENOUGH


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "who won the world cup",
        "how tall is mount everest",
        "recommend me a lasagna recipe",
        "what is your favourite colour",
        "can I return my library book here",
        "do you sell insulin",
        "how do I return to Rome by train",
        "what is the warranty on a Toyota",
        "how do I cancel my Netflix delivery",
        "play some jazz",
        "asdf qwer zxcv",
        "what?",
        "",
        "珠穆朗玛峰有多高",
        "今天天气怎么样",
        "给我讲个笑话",
    ],
)
def test_unrelated_questions_score_low(shop: KnowledgeBase, question: str) -> None:
    assert shop.answerable(question) < ENOUGH


def test_a_question_in_one_language_finds_an_article_in_the_other(shop: KnowledgeBase) -> None:
    assert shop.search("保修多久")[0].source.startswith("warranty.md")
    assert any(passage.language == "zh" for passage in shop.search("when do I get my refund"))


def test_the_asked_for_language_comes_first(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add_texts([("en", "We accept Visa."), ("zh", "我们接受 Visa 卡。")])
    assert base.search("Visa", language="zh")[0].id == "zh"
    assert base.search("Visa", language="en")[0].id == "en"


def test_nothing_breaks_on_odd_questions(shop: KnowledgeBase) -> None:
    for question in (
        "\0",
        "?" * 5000,
        "return " * 3000,
        "😀🎉",
        "' OR 1=1 --",
        "\ud800",
        "退" * 2000,
        "a" * 10_000,
    ):
        assert 0.0 <= shop.answerable(question) <= 1.0


@pytest.mark.skipif(not DESK.is_dir(), reason="the demo desk's documents are not there")
def test_the_demo_desk_answers_what_it_should_and_nothing_else(tmp_path: Path) -> None:
    samples = read_questions(Path(__file__).with_name("questions.tsv"))
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(DESK)
    figures = measure(base, samples, ENOUGH)
    assert figures["in-en answered"] >= 0.85
    assert figures["in-zh answered"] >= 0.75
    assert figures["in-en wrong"] <= 0.07
    assert figures["out-en abstained"] >= 0.93
    assert figures["out-zh abstained"] >= 0.85
    assert figures["near-en abstained"] >= 0.85


def test_measuring_counts_right_wrong_and_abstained(shop: KnowledgeBase) -> None:
    samples = [
        Sample("my package still hasn't arrived", "en", ("delivery.md",), "in"),
        Sample("my package still hasn't arrived", "en", ("warranty.md",), "in"),
        Sample("what is the capital of Mongolia", "en", (), "out"),
    ]
    figures = measure(shop, samples, ENOUGH)
    assert (figures["in-en found"], figures["in-en wrong"], figures["out-en abstained"]) == (0.5, 0.5, 1.0)


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
@pytest.mark.parametrize(
    ("name", "first", "five"),
    [("xquad_en/xquad.en.json", 0.90, 0.98), ("cmrc2018/cmrc2018_trial.json", 0.975, 0.99)],
)
def test_paragraphs_are_found_by_questions(tmp_path: Path, name: str, first: float, five: float) -> None:
    figures = retrieval(KnowledgeBase.open(tmp_path / "index"), DATA / name)
    assert figures["recall@1"] >= first
    assert figures["recall@5"] >= five


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
def test_fitting_learns_to_tell_known_intents_from_foreign_ones() -> None:
    rows = intent_rows(DATA)
    model = fit([(rows, 300.0)])
    likely = model[0] + rows[0] @ model[1:]
    known, foreign = likely[rows[1] == 1], likely[rows[1] == 0]
    area = (known[:, None] > foreign[None, :]).mean()
    assert area > 0.8
