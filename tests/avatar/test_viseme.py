import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import (
    SOUND_WEIGHTS,
    VISEME_WEIGHTS,
    VISEMES,
    is_bilabial,
    visemes_of,
    weights_of_sound,
)
from speech import mnemonics

CONSONANTS = [*"pbmfvθðtdnlszʃʒkɡŋhɹjwɕʂx", "tʃ", "dʒ", "tɕ", "ʈʂ", "ts"]
VOWELS = [*"iɪeɛæaɑɔoʊuyəɚɤɨ"]
MARKS = ["ː", "ˑ", "ʰ", "ʲ", "ʷ", "ˈ", "ˌ", "̩", "̃", "̯", "͡", "5", "4", "˥", "˩", "˧˥", " "]


def names(symbol: str) -> list[str]:
    return [viseme for viseme, _ in visemes_of(symbol)]


def test_all_fifteen_visemes_have_weights_within_bounds() -> None:
    assert set(VISEME_WEIGHTS) == set(VISEMES)
    assert len(VISEMES) == 15
    for weights in (*VISEME_WEIGHTS.values(), *SOUND_WEIGHTS.values()):
        assert set(weights) <= set(ARKIT_BLENDSHAPES)
        assert all(0 < weight <= 1 for weight in weights.values())


def test_no_two_visemes_look_the_same() -> None:
    for first in VISEMES:
        for second in VISEMES[VISEMES.index(first) + 1 :]:
            a, b = VISEME_WEIGHTS[first], VISEME_WEIGHTS[second]
            assert sum(abs(a.get(n, 0) - b.get(n, 0)) for n in {*a, *b}) > 0.25, (first, second)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("", ["sil"]), ("p", ["PP"]), ("pʰ", ["PP"]), ("m̩", ["PP"]), ("f", ["FF"]), ("ð", ["TH"]),
        ("tʃ", ["CH"]), ("t͡ʃ", ["CH"]), ("t͜ʃ", ["CH"]), ("ʧ", ["CH"]), ("ʈʂ", ["CH"]), ("ʈʂʰ", ["CH"]),
        ("ʂ", ["CH"]), ("ɕ", ["SS"]), ("tɕ", ["SS"]), ("ʨʰ", ["SS"]), ("ts", ["SS"]), ("iː", ["ih"]),
        ("ɪ", ["ih"]), ("y", ["ou"]), ("ɤ", ["E"]), ("ɯ", ["ih"]), ("œ", ["oh"]), ("ʝ", ["kk"]),
        ("ɚ", ["RR"]), ("ə˞", ["RR"]), ("ɑː", ["aa"]), ("ə", ["E"]), ("ŋ", ["kk"]), ("ɡ", ["kk"]),
        ("g", ["kk"]),
        ("l", ["nn"]), ("ɫ", ["nn"]), ("w", ["ou"]), ("aɪ", ["aa", "ih"]), ("oʊ", ["oh", "ou"]),
        ("ɔɪ", ["oh", "ih"]), ("aʊ", ["aa", "ou"]), ("eɪ", ["E", "ih"]), ("uo", ["ou", "oh"]),
        ("i5", ["ih"]), ("ˈɛ", ["E"]), ("ɑ̃", ["aa"]), ("ü", ["ou"]), ("iau˥˩", ["ih", "aa", "ou"]),
        # espeak-ng's makeshift Mandarin, as Piper's voices spell it
        ("ts.", ["CH"]), ("ts.h", ["CH"]), ("tɕh", ["SS"]), ("ph", ["PP"]), ("s.", ["CH"]), ("i.", ["ih"]),
        ("h", ["kk"]), ("5", ["sil"]), ("˧˥", ["sil"]), ("|", ["sil"]),
    ],
)  # fmt: skip
def test_sounds_of_english_and_mandarin(symbol: str, expected: list[str]) -> None:
    assert names(symbol) == expected


@pytest.mark.parametrize("symbol", ["ǂ", "ꞵ", "字", "ʘ", "ъ"])
def test_an_unknown_letter_still_has_a_shape(symbol: str) -> None:
    assert all(viseme in VISEMES for viseme, _ in visemes_of(symbol))


@pytest.mark.parametrize("language", ["en-us", "en-gb", "cmn", "de", "fr"])
def test_every_sound_of_the_voices_is_known(language: str) -> None:
    for table in mnemonics._tables(language):
        for mnemonic in table:
            for segment in mnemonics.sound(mnemonic, language).segments:
                pairs = visemes_of(segment.symbol)
                # a sound that is guessed at comes back letter by letter; one that is known is one sound
                assert len(pairs) == 1, segment.symbol
                assert pairs[0][0] != "DD" or pairs[0][1] in {"t", "d", "ɖ", "ʈ", "ɾ", "ʔ", "ɗ"}, (
                    segment.symbol
                )


@given(st.text(max_size=8))
@example("ʰ")
@example("̃")
@example("")
def test_any_text_has_visemes(symbol: str) -> None:
    pairs = visemes_of(symbol)
    assert pairs
    for (viseme, sound), following in zip(pairs, [*pairs[1:], ("", "")], strict=True):
        assert viseme in VISEMES
        assert viseme != following[0]
        assert set(weights_of_sound(viseme, sound)) <= set(ARKIT_BLENDSHAPES)
    if not any(unicodedata.category(c) in ("Ll", "Lo") for c in unicodedata.normalize("NFD", symbol.lower())):
        assert pairs == (("sil", ""),)


@given(st.sampled_from(CONSONANTS + VOWELS), st.lists(st.sampled_from(MARKS), max_size=3), st.booleans())
def test_marks_change_no_shape(base: str, marks: list[str], before: bool) -> None:
    # stress marks may stand before the letter, all others follow it
    symbol = ("ˈ" if before else "") + base + "".join(marks)
    assert names(symbol) == names(base)


@given(st.lists(st.tuples(st.sampled_from(CONSONANTS), st.sampled_from(VOWELS)), min_size=1, max_size=3))
def test_a_symbol_of_several_sounds_shows_them_in_order(syllables: list[tuple[str, str]]) -> None:
    parts = [part for syllable in syllables for part in syllable]
    all_shown = [viseme for part in parts for viseme in names(part)]
    assert names("".join(parts)) == [v for i, v in enumerate(all_shown) if i == 0 or v != all_shown[i - 1]]


def test_bilabials() -> None:
    assert all(is_bilabial(s) for s in ("p", "b", "m", "pʰ", "mː"))
    assert not any(is_bilabial(s) for s in ("", "f", "n", "w", "a"))
