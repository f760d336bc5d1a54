from __future__ import annotations

import subprocess
import sys

import pytest

from knowledge.stem import stem
from knowledge.words import language_of, tokens_of, words_of


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("agreed", "agre"),
        ("plastered", "plaster"),
        ("hopping", "hop"),
        ("filing", "file"),
        ("happy", "happi"),
        ("relational", "relat"),
        ("triplicate", "triplic"),
        ("adjustment", "adjust"),
        ("adoption", "adopt"),
        ("controlling", "control"),
        ("rate", "rate"),
        ("cease", "ceas"),
        ("sky", "sky"),
        ("is", "is"),
        ("hp10342", "hp10342"),
    ],
)
def test_stems_are_porters(word: str, expected: str) -> None:
    assert stem(word) == expected


@pytest.mark.parametrize(
    "forms",
    [("refund", "refunds", "refunded", "refunding"), ("cancel", "cancelled", "cancelling", "cancellation")],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def concepts(text: str) -> set[str]:
    return {name for word in words_of(text) for name in word.concepts}


@pytest.mark.parametrize(
    ("one", "other", "concept"),
    [
        ("I want my money back", "Refunds", "#refund"),
        ("send it back", "Returns", "#return"),
        ("my package", "the parcel", "#parcel"),
        ("it hasn't arrived", "late parcels", "#late"),
        ("退钱", "退款", "#refund"),
        ("包裹丢了", "it is lost", "#lost"),
    ],
)
def test_synonyms_meet_in_a_concept(one: str, other: str, concept: str) -> None:
    assert concept in concepts(one)
    assert concept in concepts(other)


def test_small_words_and_courtesy_are_dropped() -> None:
    assert [word.surface for word in words_of("Hi, um, could you please tell me about the lamp?")] == ["lamp"]
    assert [word.surface for word in words_of("您好，请问台灯的")] == ["台灯"]


def test_chinese_is_split_into_words_and_pairs() -> None:
    tokens = tokens_of("退货运费")
    assert "退货" in tokens
    assert "货运" in tokens


def test_mixed_scripts_keep_both() -> None:
    assert {"iphon", "#~cost"} <= set(tokens_of("iPhone多少钱"))


@pytest.mark.parametrize(
    ("text", "language"),
    [("Where is it?", "en"), ("在哪里", "zh"), ("我的 iPhone 呢", "zh"), ("", "en"), ("42", "en")],
)
def test_language_is_told_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_chinese_segmenter_is_silent() -> None:
    code = "from knowledge.words import words_of; words_of('包裹丢了')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, knowledge; "
        "print([name for name in ('chromadb', 'bm25s', 'jieba', 'numba', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
