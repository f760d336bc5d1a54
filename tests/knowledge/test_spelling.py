"""Misspelt words of a question are put right, and words that are right are left alone."""

import pytest

from knowledge import KnowledgeBase
from knowledge.spelling import Speller
from tests.knowledge.conftest import DELIVERY, FAQ, RETURNS, WARRANTY


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in {"a": WARRANTY, "b": RETURNS, "c": DELIVERY, "d": FAQ}.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    base = KnowledgeBase.open(folder / "index")
    base.add([folder / f"{name}.md" for name in "abcd"])
    base.add_texts([("sirocco", "The Sirocco stove burns gas.")])
    return base


@pytest.fixture(scope="module")
def speller(shop: KnowledgeBase) -> Speller:
    return shop._load()._speller


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("whats the waranty?", "what is the warranty?"),
        ("How long does delivry take", "How long does delivery take"),
        ("can i get a refnud", "can i get a refund"),
        ("my adress is wrong", "my address is wrong"),
        ("dont you recieve it", "do not you receive it"),
        ("is ther parking", "is there parking"),
        ("does the siroco need gas", "does the sirocco need gas"),
        ("DELIVRY?", "delivery?"),
    ],
)
def test_a_misspelt_word_is_put_right(speller: Speller, typed: str, meant: str) -> None:
    assert speller.mend(typed) == meant


@pytest.mark.parametrize(
    "right",
    [
        "What is the warranty on a lamp?",
        "I was in Oslo with Refundo",  # names
        "its colour, a quiche and a tent",  # words, however rare
        "xqzt 10342 a1b2 usb-c",
        "保修多久？ iPhone 也可以吗",
        "Ünïcödé straße",
        "",
    ],
)
def test_what_is_spelt_right_or_unknown_is_left_alone(speller: Speller, right: str) -> None:
    assert speller.mend(right) == right


def test_a_misspelt_question_is_answered_as_likely_as_the_one_that_was_meant(shop: KnowledgeBase) -> None:
    (typed,), (meant,) = (shop.search(f"whats the {word} on lamps", 1) for word in ("waranty", "warranty"))
    assert (typed.source, typed.score) == (meant.source, meant.score)
    assert typed.score > 0.5
