"""The phones that the model tells apart, and which IPA symbols of any voice each one stands for."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from speech.articulation import PAUSE
from speech.mnemonics import is_vowel

_CONSONANTS = "p b m f v θ ð t d n l s z ʃ ʒ tʃ dʒ tɕ ɕ ts k ɡ ŋ h ɹ j w"
_VOWELS = "i ɪ e ɛ ə ɚ æ a ɑ ʌ ɔ o ɤ u ʊ y"
_SHAPES = "p f θ t k tʃ s n ɹ a e i o u"

PHONES: tuple[str, ...] = (PAUSE, *_CONSONANTS.split(), *_VOWELS.split())
"""One IPA symbol each, the pause first; the order of the model's outputs."""

SHAPES: tuple[str, ...] = (PAUSE, *_SHAPES.split())
"""One IPA symbol for each shape of the mouth that can be seen: what an estimate consists of."""

_SHAPE_OF: dict[str, str] = {
    symbol: shape
    for shape, symbols in {
        PAUSE: (PAUSE,),
        "p": ("p", "b", "m"),
        "f": ("f", "v"),
        "θ": ("θ", "ð"),
        "t": ("t", "d"),
        "k": ("k", "ɡ", "ŋ", "h"),
        "tʃ": ("ʃ", "ʒ", "tʃ", "dʒ"),
        "s": ("s", "z", "tɕ", "ɕ", "ts"),
        "n": ("n", "l"),
        "ɹ": ("ɹ", "ɚ"),
        "a": ("æ", "a", "ɑ", "ʌ"),
        "e": ("e", "ɛ", "ə", "ɤ"),
        "i": ("i", "ɪ", "j"),
        "o": ("ɔ", "o"),
        "u": ("u", "ʊ", "w", "y"),
    }.items()
    for symbol in symbols
}

SHAPE_OF_PHONE: tuple[int, ...] = tuple(SHAPES.index(_SHAPE_OF[phone]) for phone in PHONES)
"""For each of `PHONES`, the index of its shape in `SHAPES`."""

_SIMILAR = {
    "ɓ": "b", "ʙ": "b", "ɱ": "m", "ʋ": "v", "ɸ": "f", "β": "v", "pf": "f",
    "ʔ": "t", "ʈ": "t", "ɖ": "d", "ɾ": "d", "ɗ": "d", "ɽ": "d",
    "ɳ": "n", "ɲ": "n", "ɴ": "ŋ", "ɫ": "l", "ɬ": "l", "ɮ": "l", "ɭ": "l", "ʎ": "l", "ʟ": "l",
    "ʂ": "ʃ", "ʐ": "ʒ", "ʈʂ": "tʃ", "tʂ": "tʃ", "ɖʐ": "dʒ", "dʐ": "dʒ", "dʑ": "tɕ", "ʑ": "ɕ", "dz": "ts",
    "c": "k", "q": "k", "g": "ɡ", "ɟ": "ɡ", "ɢ": "ɡ", "x": "h", "χ": "h", "ç": "h", "ħ": "h", "ɦ": "h",
    "ɣ": "h", "ʕ": "h", "ʝ": "j", "r": "ɹ", "ɻ": "ɹ", "ʀ": "ɹ", "ʁ": "ɹ", "ɝ": "ɚ", "ɜ": "ɚ",
    "ɐ": "ʌ", "ɶ": "a", "ɒ": "ɔ", "ɞ": "ɔ", "ø": "ɛ", "œ": "ɛ", "ɘ": "ə", "ɨ": "ɪ", "ᵻ": "ɪ", "ɿ": "ɪ",
    "ʅ": "ɪ", "ɯ": "u", "ɰ": "w", "ʉ": "u", "ɵ": "ʊ", "ʏ": "y", "ɥ": "y", "ʍ": "w",
}  # fmt: skip
"""Sounds without a phone of their own → the phone that sounds most like them."""


@lru_cache(maxsize=1024)
def phone_index(symbol: str) -> int:
    """Find the phone of an IPA symbol.

    Args:
        symbol: one segment, with or without diacritics ("tʰ", "ɑ̃"); empty for a pause.

    Returns:
        Index in `PHONES`. Never fails: an unknown vowel counts as ə, another unknown sound as t.
    """
    if symbol == PAUSE:
        return 0
    letters = unicodedata.normalize("NFD", symbol.replace("͡", ""))
    base = "".join(letter for letter in letters if unicodedata.category(letter) in ("Ll", "Lo"))
    for name in (base, base[:1]):
        name = _SIMILAR.get(name, name)
        if name in PHONES and name:
            return PHONES.index(name)
    return PHONES.index("ə" if is_vowel(base) else "t")
