"""Texts become the words that are said, and a model that pocketsphinx can load."""

from __future__ import annotations

from pathlib import Path

import pocketsphinx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.errors import EngineUnavailable
from speech.spelled import with_numbers, words_of
from speech.trigram import BACKGROUND_WORDS, LanguageFiles, build_language, derived_pronunciation, sentences

TEXTS = (
    "You can return a lamp within 30 days. How do I return a lamp?",
    "Delivery costs $4.95. The colour of the backpacks is green. Zzyzxq is not a word.",
    "如何退货？",  # noqa: RUF001
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("language")


@pytest.fixture(scope="module")
def language(folder: Path) -> LanguageFiles:
    return build_language(TEXTS, folder)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("How do I return it?", "how do i return it"),
        ("3-5 days", "three five days"),
        ("30 days, 24/7", "thirty days twenty four seven"),
        ("1,250 points", "one thousand two hundred fifty points"),
        ("in 2026", "in two thousand twenty six"),
        ("since 1998", "since nineteen ninety eight"),
        ("$29.99 or €5", "twenty nine dollars ninety nine or five euros"),
        ("20% off", "twenty percent off"),
        ("order HP-10342", "order h p one zero three four two"),
        ("don’t", "don't"),  # noqa: RUF001
        ("9:30", "nine thirty"),
        ("退货", ""),
    ],
)
def test_what_is_written_becomes_what_is_said(text: str, spoken: str) -> None:
    assert " ".join(words_of(text)) == spoken


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("my order number is one zero three four two", "my order number is 10342"),
        ("one oh five", "105"),
        ("one or two lamps", "one or two lamps"),
        ("oh i see", "oh i see"),
        ("two three", "two three"),
        ("", ""),
    ],
)
def test_digits_said_one_by_one_become_a_number(heard: str, written: str) -> None:
    assert with_numbers(heard) == written


@given(st.text(max_size=200))
def test_any_text_gives_plain_words(text: str) -> None:
    assert all(word == word.lower() and " " not in word and word for word in words_of(text))


def test_questions_count_more_than_statements() -> None:
    weights = {" ".join(words): weight for words, weight in sentences(TEXTS)}
    assert weights["how do i return a lamp"] > weights["you can return a lamp within thirty days"]


def test_a_model_of_the_texts_is_built_and_names_what_it_cannot_hear(language: LanguageFiles) -> None:
    assert language.unknown == ("zzyzxq",)
    assert {"lamp", "delivery", "backpacks", "colour", "hello"} <= language.words
    assert "zzyzxq" not in language.words
    arpa = language.model.read_text()
    assert "\\3-grams:" in arpa
    assert " return a lamp" in arpa
    listed = {line.split()[0].split("(")[0] for line in language.dictionary.read_text().splitlines()}
    assert language.words <= listed
    assert BACKGROUND_WORDS < len(listed) <= len(language.words) + BACKGROUND_WORDS


def test_probabilities_after_every_history_add_up_to_one(language: LanguageFiles) -> None:
    path = language.model
    model = pocketsphinx.NGramModel.readfile(str(path))
    lines = path.read_text().splitlines()
    ones = lines[lines.index("\\1-grams:") + 1 : lines.index("\\2-grams:") - 1]
    words = [line.split()[1] for line in ones if line.split()[1] != "<s>"]
    for history in (["lamp"], ["the"], ["return", "you"], ["of", "one"], ["<s>"]):
        total = sum(1.0001 ** model.prob([word, *history]) for word in words)
        assert total == pytest.approx(1.0, abs=0.05), history


def test_the_words_of_the_texts_are_likelier_than_in_general_english(language: LanguageFiles) -> None:
    model = pocketsphinx.NGramModel.readfile(str(language.model))
    assert model.prob(["lamp", "a", "return"]) > model.prob(["man", "a", "return"])
    assert model.prob(["know", "you"]) > model.prob(["above", "you"])


def test_the_model_is_built_once_for_the_same_texts(folder: Path, language: LanguageFiles) -> None:
    stamp = language.model.stat().st_mtime_ns
    again = build_language(TEXTS, folder)
    assert again == language
    assert again.model.stat().st_mtime_ns == stamp
    assert build_language(TEXTS[:1], folder).model != language.model
    assert len(list(folder.iterdir())) == 2, "a folder for each set of texts, and nothing half built"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineUnavailable, match="file"):
        build_language(TEXTS, tmp_path / "file")


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("colour", "K AH L ER"),
        ("lamps", "L AE M P S"),
        ("boxes", ""),
        ("backlamp", "B AE K L AE M P"),
        ("qqq", ""),
    ],
)
def test_words_are_pronounced_through_words_that_are_known(word: str, sounds: str) -> None:
    known = {"color": ["K AH L ER"], "lamp": ["L AE M P"], "back": ["B AE K"]}
    assert derived_pronunciation(word, known) == sounds
