"""Porter's stemmer: English words to their stems.

After M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980.
"""

from __future__ import annotations

import re
from functools import lru_cache

_C = "[^aeiou](?:[^aeiouy]*)"
_V = "[aeiouy](?:[aeiou]*)"
_MEASURE_1 = re.compile(f"^(?:{_C})?{_V}{_C}")
"""At least one vowel-consonant sequence: m > 0."""
_MEASURE_IS_1 = re.compile(f"^(?:{_C})?{_V}{_C}(?:{_V})?$")
_MEASURE_2 = re.compile(f"^(?:{_C})?{_V}{_C}{_V}{_C}")
_VOWEL = re.compile(f"^(?:{_C})?[aeiouy]")
_CVC = re.compile(f"^{_C}[aeiouy][^aeiouwxy]$")
_DOUBLE = re.compile(r"([^aeiouylsz])\1$")

_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "bli": "ble",
    "alli": "al", "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate",
    "alism": "al", "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive",
    "biliti": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = (
    "ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize",
    "al", "er", "ic", "ou",
)  # fmt: skip
_STEP_2_ORDER = sorted(_STEP_2, key=len, reverse=True)
_STEP_3_ORDER = sorted(_STEP_3, key=len, reverse=True)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of a lower-case English word; words of two letters and words with digits stay."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word
    # A leading y is a consonant, unlike every other y after a consonant.
    leading_y = word[0] == "y"
    word = "Y" + word[1:] if leading_y else word
    word = _endings(_past_and_plural(word))
    return word.lower()


def _past_and_plural(word: str) -> str:
    """Steps 1a, 1b and 1c: plurals, -ed, -ing, final y."""
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        if _MEASURE_1.match(word[:-3]):
            word = word[:-1]
    elif word.endswith(("ed", "ing")):
        root = word[:-2] if word.endswith("ed") else word[:-3]
        if _VOWEL.match(root):
            word = root
            if word.endswith(("at", "bl", "iz")) or _CVC.match(word):
                word += "e"
            elif _DOUBLE.search(word):
                word = word[:-1]
    if word.endswith("y") and _VOWEL.match(word[:-1]):
        word = word[:-1] + "i"
    return word


def _endings(word: str) -> str:
    """Steps 2 to 5: derivational endings, final e and double l."""
    for endings, order in ((_STEP_2, _STEP_2_ORDER), (_STEP_3, _STEP_3_ORDER)):
        for ending in order:
            if word.endswith(ending):
                root = word[: -len(ending)]
                if _MEASURE_1.match(root):
                    word = root + endings[ending]
                break
    for ending in _STEP_4:
        if word.endswith(ending):
            root = word[: -len(ending)]
            if _MEASURE_2.match(root):
                word = root
            break
    else:
        if word.endswith(("sion", "tion")) and _MEASURE_2.match(word[:-3]):
            word = word[:-3]
    if word.endswith("e"):
        root = word[:-1]
        if _MEASURE_2.match(root) or (_MEASURE_IS_1.match(root) and not _CVC.match(root)):
            word = root
    if word.endswith("ll") and _MEASURE_2.match(word):
        word = word[:-1]
    return word
