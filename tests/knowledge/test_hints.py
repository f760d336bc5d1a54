"""Documents that contradict each other are found, and documents that agree are left alone."""

from pathlib import Path

import pytest

from knowledge import KnowledgeBase
from knowledge.hints import Hint, find_hints
from server.hinting import facts_of
from tests.knowledge.conftest import DELIVERY, FAQ, REFUND_ZH, RETURNS, WARRANTY

SHOP = {"returns": RETURNS, "delivery": DELIVERY, "warranty": WARRANTY, "faq": FAQ, "refunds": REFUND_ZH}


def hints(folder: Path, **documents: str) -> list[Hint]:
    for name, text in {**SHOP, **documents}.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    base = KnowledgeBase.open(folder / "index")
    base.add([folder / f"{name}.md" for name in (*SHOP, *documents)])
    found = find_hints(base, facts_of)
    base.close()
    return found


def faq(question: str, answer: str, language: str = "en") -> str:
    return f"---\ntitle: More\nkind: faq\nlanguage: {language}\n---\n\n## {question}\n\n{answer}\n"


@pytest.mark.parametrize(
    ("question", "answer", "about", "place"),
    [
        (
            "How long is the warranty on lamps?",
            "All lamps have a warranty of three years.",
            "month",
            "warranty.md",
        ),
        ("Do you take American Express?", "American Express is accepted.", "not", "faq.md"),
        ("退款要多久？", "收到退货后十五个工作日内退款。", "workday", "refunds.md"),
    ],
)
def test_other_amounts_and_a_not_on_one_subject_are_contradictions(
    tmp_path: Path, question: str, answer: str, about: str, place: str
) -> None:
    (hint,) = hints(tmp_path, more=faq(question, answer, "zh" if about == "workday" else "en"))
    assert (hint.kind, hint.about) == ("contradiction", about)
    sources = {hint.first.source.partition("#")[0], hint.second.source.partition("#")[0]}
    assert sources == {"more.md", place}
    assert answer in (hint.first.text, hint.second.text)


@pytest.mark.parametrize(
    "agreeing",
    [
        faq("How long is the warranty on lamps?", "Lamps come with two years of warranty."),
        faq("How long is the warranty on tents?", "All tents have a warranty of five years."),
        faq("Do you take Diners Club?", "Diners Club is accepted."),
        faq("退款要多久？", "退货到了以后，3 个工作日内退款。", "zh"),
    ],
)
def test_what_agrees_or_speaks_of_other_things_is_left_alone(tmp_path: Path, agreeing: str) -> None:
    assert hints(tmp_path, more=agreeing) == []


def test_what_stands_there_twice_is_named_once(tmp_path: Path) -> None:
    (hint,) = hints(tmp_path, copy=DELIVERY.partition("## Late")[0].replace("Delivery", "Shipping"))
    assert (hint.kind, hint.about) == ("duplicate", "")
    assert {hint.first.source, hint.second.source} == {"delivery.md#time-and-fee", "copy.md#time-and-fee"}


def test_a_copy_with_another_amount_is_a_contradiction(tmp_path: Path) -> None:
    copy = DELIVERY.partition("## Late")[0].replace("costs 4 euros", "costs 6 euros")
    assert [one.about for one in hints(tmp_path, copy=copy)] == ["eur"]


def test_a_price_for_each_place_is_no_contradiction(tmp_path: Path) -> None:
    prices = {"Astoria": 5, "Bellevue": 8, "Carlton": 11, "Dorchester": 14, "Excelsior": 17, "Fairmont": 20}
    head = "---\ntitle: {}\nkind: faq\n---\n\n"
    text = (
        "## What does parking cost?\n\nParking costs {} euros.\n\n## Is there a pool?\n\nThere is {} pool.\n"
    )
    places = {
        name: head.format(name) + text.format(price, "a" if price % 2 else "no")
        for name, price in prices.items()
    }
    assert hints(tmp_path, **places) == []
