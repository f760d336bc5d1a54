import pytest

from avatar.pose import ARKIT_BLENDSHAPES
from avatar.viseme import VISEME_WEIGHTS, VISEMES, is_bilabial, visemes_of


def test_all_fifteen_visemes_have_weights_within_bounds() -> None:
    assert set(VISEME_WEIGHTS) == set(VISEMES)
    assert len(VISEMES) == 15
    for weights in VISEME_WEIGHTS.values():
        assert set(weights) <= set(ARKIT_BLENDSHAPES)
        assert all(0 < weight <= 1 for weight in weights.values())


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("", ["sil"]), ("p", ["PP"]), ("pʰ", ["PP"]), ("m̩", ["PP"]), ("f", ["FF"]), ("ð", ["TH"]),
        ("tʃ", ["CH"]), ("t͡ʃ", ["CH"]), ("ʈʂ", ["CH"]), ("ʈʂʰ", ["CH"]), ("ʂ", ["CH"]), ("ɕ", ["SS"]),
        ("tɕ", ["SS"]), ("ts", ["SS"]), ("iː", ["ih"]), ("ɪ", ["ih"]), ("y", ["ou"]), ("ɤ", ["E"]),
        ("ɚ", ["RR"]), ("ɑː", ["aa"]), ("ə", ["E"]), ("ŋ", ["kk"]), ("ɡ", ["kk"]), ("g", ["kk"]),
        ("l", ["nn"]), ("ɫ", ["nn"]), ("w", ["ou"]), ("aɪ", ["aa", "ih"]), ("oʊ", ["oh", "ou"]),
        ("ɔɪ", ["oh", "ih"]), ("aʊ", ["aa", "ou"]), ("eɪ", ["E", "ih"]), ("uo", ["ou", "oh"]),
        ("i5", ["ih"]), ("ˈɛ", ["E"]), ("ɑ̃", ["aa"]), ("ü", ["ou"]),
    ],
)  # fmt: skip
def test_sounds_of_english_and_mandarin(symbol: str, expected: list[str]) -> None:
    assert [viseme for viseme, _ in visemes_of(symbol)] == expected


@pytest.mark.parametrize("symbol", ["ǂ", "ꞵ", "字", "ʘ", "ъ"])
def test_an_unknown_letter_still_has_a_shape(symbol: str) -> None:
    assert all(viseme in VISEMES for viseme, _ in visemes_of(symbol))


def test_bilabials() -> None:
    assert all(is_bilabial(s) for s in ("p", "b", "m", "pʰ", "mː"))
    assert not any(is_bilabial(s) for s in ("", "f", "n", "w", "a"))
