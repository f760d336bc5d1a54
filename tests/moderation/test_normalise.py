import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.disguise import disguises
from moderation.normalise import dense, fold, has_han, language_of, words
from moderation.spoken_digits import spoken_numbers


def all_readings(text: str) -> list[str]:
    folded = fold(text)
    return [words(folded).text, *(reading.text for reading in disguises(folded))]


@pytest.mark.parametrize(
    "text",
    [
        "Kill YOU",
        "ｋｉｌｌ　ｙｏｕ",
        "kіll уоu",
        "k\u200bi\u00adll you",
        "ki\u0301ll you",
        "𝐤𝐢𝐥𝐥 𝕪𝕠𝕦",
        "K1ll y0u",
        "k!ll you",
    ]
    + [
        "k i l l  y o u",
        "k.i.l.l  y.o.u",
        "kiiiill yooou",
        "kill, you!",
        "kill\u202eyou".replace("\u202e", " "),
    ],
)
def test_a_disguised_text_reads_plainly(text: str) -> None:
    assert any(" kill you " in reading for reading in all_readings(text))


@pytest.mark.parametrize(
    "text", ["Where is order HP-10342?", "a 1080p TV for $200 at 10am", "me@shop.example", "It's 5 x 3 cm"]
)
def test_a_plain_text_has_no_disguise(text: str) -> None:
    assert list(disguises(fold(text))) == []


def test_apostrophes_vanish_and_words_keep_their_place() -> None:
    text = "I don’t  know!"
    reading = words(fold(text))
    assert reading.text == " i dont know "
    start = reading.text.index("dont")
    assert text[slice(*reading.original(start, start + 4))] == "don’t"


def test_chinese_is_read_without_what_stands_between() -> None:
    text = "自 杀，b\u200b了"
    reading = dense(fold(text))
    assert reading.text == "自杀b了"
    assert text[slice(*reading.original(0, 2))] == "自 杀"


@example("Ǝʇ")
@given(st.text(st.characters(codec=None), max_size=200))
def test_every_reading_maps_into_the_text(text: str) -> None:
    folded = fold(text)
    for reading in (folded, words(folded), dense(folded), *disguises(folded), *spoken_numbers(folded)):
        assert len(reading.text) == len(reading.positions)
        assert all(0 <= position < max(len(text), 1) for position in reading.positions)
        inner = list(reading.positions)[1:-1]
        assert inner in (
            sorted(inner),
            sorted(inner, reverse=True),
        )  # what stands on its head is read backwards


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好，iPhone", "zh"),
        ("hello", "en"),
        ("", "en"),
        ("Привет", "en"),
        ("看 a very long English sentence", "en"),
    ],
)
def test_the_language_is_told_by_the_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_chinese_characters_are_known() -> None:
    assert has_han("a好")
    assert not has_han("カタカナ")


@pytest.mark.parametrize(
    ("text", "digits", "part"),
    [
        (
            "it is four seven one one, double five triple six ok",
            "4711" + "55" + "666",
            "four seven one one, double five triple six",
        ),
        ("forty two forty two 42 forty two", "42424242", "forty two forty two 42 forty two"),
        ("我的是幺三八零零一三八零零零吧", "13800138000", "幺三八零零一三八零零零"),
        ("nineteen eighty four oh five six", "1984056", "nineteen eighty four oh five six"),
    ],
)
def test_spoken_digits_are_read(text: str, digits: str, part: str) -> None:
    [reading] = spoken_numbers(fold(text))
    assert reading.text == digits
    assert text[slice(*reading.original(0, len(digits)))] == part


@pytest.mark.parametrize(
    "text", ["I want two lamps and three chairs", "order one oh three four two", "一三四五"]
)
def test_a_few_spoken_digits_are_no_number(text: str) -> None:
    assert list(spoken_numbers(fold(text))) == []
