"""Visemes: which of the 15 mouth shapes a sound has, and what each shape is in ARKit weights."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""The Oculus set, in its usual order."""


def mirrored(weights: dict[str, float]) -> dict[str, float]:
    """Names ending in _ stand for their Left and Right shape."""
    out: dict[str, float] = {}
    for name, weight in weights.items():
        if name.endswith("_"):
            out[name[:-1] + "Left"] = out[name[:-1] + "Right"] = weight
        else:
            out[name] = weight
    return out


VISEME_WEIGHTS: dict[str, dict[str, float]] = {
    name: mirrored(weights)
    for name, weights in {
        "sil": {},
        "PP": {"mouthClose": 0.10, "mouthPress_": 0.06, "mouthRollLower": 0.30, "mouthRollUpper": 0.24},
        "FF": {"jawOpen": 0.04, "mouthRollLower": 0.78, "mouthUpperUp_": 0.58, "mouthFunnel": 0.05},
        "TH": {"jawOpen": 0.20, "tongueOut": 0.64, "mouthUpperUp_": 0.16, "mouthLowerDown_": 0.32},
        "DD": {"jawOpen": 0.08, "mouthUpperUp_": 0.28, "mouthLowerDown_": 0.36, "mouthStretch_": 0.15},
        "kk": {"jawOpen": 0.20, "mouthUpperUp_": 0.12, "mouthLowerDown_": 0.20},
        "CH": {"jawOpen": 0.05, "mouthFunnel": 0.75, "mouthPucker": 0.25},
        "SS": {
            "jawOpen": 0.03, "mouthStretch_": 0.45, "mouthLowerDown_": 0.55, "mouthUpperUp_": 0.40,
            "mouthSmile_": 0.15,
        },
        "nn": {
            "jawOpen": 0.12, "tongueOut": 0.30, "mouthUpperUp_": 0.16, "mouthLowerDown_": 0.26,
            "mouthStretch_": 0.06,
        },
        "RR": {"jawOpen": 0.10, "mouthFunnel": 0.32, "mouthPucker": 0.48},
        "aa": {"jawOpen": 0.54, "mouthUpperUp_": 0.24, "mouthLowerDown_": 0.18},
        "E": {
            "jawOpen": 0.29, "mouthStretch_": 0.28, "mouthSmile_": 0.20, "mouthLowerDown_": 0.30,
            "mouthUpperUp_": 0.25,
        },
        "ih": {
            "jawOpen": 0.10, "mouthStretch_": 0.34, "mouthSmile_": 0.34, "mouthLowerDown_": 0.30,
            "mouthUpperUp_": 0.24,
        },
        "oh": {"jawOpen": 0.36, "mouthFunnel": 0.52, "mouthPucker": 0.36},
        "ou": {"jawOpen": 0.13, "mouthPucker": 0.95, "mouthFunnel": 0.36},
    }.items()
}  # fmt: skip
"""Viseme → ARKit weights in [0, 1], tuned by eye on the built-in rigs; `mouthClose` undoes `jawOpen`."""

_OWN_WEIGHTS: dict[str, dict[str, float]] = {
    "l ɫ": {"jawOpen": 0.22, "tongueOut": 0.52, "mouthUpperUp_": 0.20, "mouthLowerDown_": 0.30},
    "w ʍ": {"jawOpen": 0.06, "mouthPucker": 1.0, "mouthFunnel": 0.30},
    "y ʏ ɥ": {"jawOpen": 0.07, "mouthPucker": 0.90, "mouthFunnel": 0.14},
    "ʊ": {"jawOpen": 0.16, "mouthPucker": 0.64, "mouthFunnel": 0.36},
    "ɯ ɰ ɨ ɿ ʅ": {"jawOpen": 0.07, "mouthStretch_": 0.30, "mouthLowerDown_": 0.40, "mouthUpperUp_": 0.26},
    "ɤ": {"jawOpen": 0.22, "mouthStretch_": 0.20, "mouthLowerDown_": 0.28, "mouthUpperUp_": 0.20},
    "ə": {"jawOpen": 0.20, "mouthUpperUp_": 0.16, "mouthLowerDown_": 0.22},
    "æ": {
        "jawOpen": 0.44, "mouthStretch_": 0.30, "mouthSmile_": 0.12, "mouthUpperUp_": 0.25,
        "mouthLowerDown_": 0.25,
    },
    "ʌ ɐ": {"jawOpen": 0.38, "mouthUpperUp_": 0.20, "mouthLowerDown_": 0.22},
    "ɒ": {"jawOpen": 0.48, "mouthFunnel": 0.30, "mouthPucker": 0.12},
    "o": {"jawOpen": 0.30, "mouthFunnel": 0.50, "mouthPucker": 0.48},
    "ø œ": {"jawOpen": 0.24, "mouthFunnel": 0.42, "mouthPucker": 0.50},
    "ɪ": {
        "jawOpen": 0.17, "mouthStretch_": 0.24, "mouthSmile_": 0.20, "mouthLowerDown_": 0.30,
        "mouthUpperUp_": 0.24,
    },
    "ɜ": {"jawOpen": 0.20, "mouthFunnel": 0.26, "mouthPucker": 0.16, "mouthLowerDown_": 0.10},
    "ɚ ɝ": {"jawOpen": 0.17, "mouthFunnel": 0.34, "mouthPucker": 0.32},
    "r ɽ": {"jawOpen": 0.15, "mouthUpperUp_": 0.16, "mouthLowerDown_": 0.24},
    "ʂ ʐ ʈʂ ɖʐ tʂ dʐ": {"jawOpen": 0.06, "mouthFunnel": 0.52, "mouthPucker": 0.12, "mouthLowerDown_": 0.16},
}  # fmt: skip
SOUND_WEIGHTS: dict[str, dict[str, float]] = {
    sound: mirrored(weights) for sounds, weights in _OWN_WEIGHTS.items() for sound in sounds.split()
}
"""Sounds that look different from their viseme's: the tongue of /l/, the open lips of /æ/, the front /y/."""

_SOUNDS: dict[str, tuple[str, ...]] = {
    "PP": ("p", "b", "m", "ɓ", "ʙ"),
    "FF": ("f", "v", "ɱ", "ʋ", "ɸ", "β", "pf"),
    "TH": ("θ", "ð"),
    "DD": ("t", "d", "ɖ", "ʈ", "ɾ", "ʔ", "ɗ"),
    "kk": (
        "k",
        "ɡ",
        "g",
        "x",
        "ɣ",
        "h",
        "ɦ",
        "ŋ",
        "q",
        "χ",
        "ħ",
        "c",
        "ɟ",
        "ç",
        "ʝ",
        "ɢ",
        "ʕ",
        "ɴ",
        "ʀ",
        "ʁ",
    ),
    "CH": ("tʃ", "dʒ", "ʧ", "ʤ", "ʃ", "ʒ", "ʈʂ", "ɖʐ", "ʂ", "ʐ", "tʂ", "dʐ"),
    "SS": ("s", "z", "ʦ", "ʣ", "ʨ", "ʥ", "ts", "dz", "ɕ", "ʑ", "tɕ", "dʑ"),
    "nn": ("n", "l", "ɫ", "ɬ", "ɮ", "ɭ", "ɳ", "ɲ", "ʎ", "ʟ"),
    "RR": ("ɹ", "r", "ɻ", "ɚ", "ɝ", "ɜ", "ɽ"),
    "aa": ("a", "ɑ", "ɐ", "ʌ", "ɒ", "æ", "ɶ"),
    "E": ("e", "ɛ", "ə", "ɘ", "ɤ"),
    "ih": ("i", "ɪ", "j", "ɨ", "ᵻ", "ɿ", "ʅ", "ɯ", "ɰ"),
    "oh": ("o", "ɔ", "ɞ", "ø", "œ"),
    "ou": ("u", "ʊ", "w", "y", "ʏ", "ɥ", "ʉ", "ɵ", "ʍ"),
}
_VISEME_OF = {sound: viseme for viseme, sounds in _SOUNDS.items() for sound in sounds}
_LONGEST = max(map(len, _VISEME_OF))

_SPELLINGS = (("ts.", "ʈʂ"), ("s.", "ʂ"), ("z.", "ʐ"), ("i.", "ʅ"), ("ə˞", "ɚ"), ("ɜ˞", "ɝ"))
"""Makeshift spellings of espeak-ng's Mandarin, and vowels with a hook."""
_BREATH = re.compile(r"(?<=[ptkʂsɕʃc])h$")
"""An h after a consonant of the same symbol is its breath, no sound for the lips."""

WEAK_SOUNDS = frozenset({"ə", "ɐ", "ᵻ", "h", "ɦ", "ʔ"})
"""Sounds that hardly shape the mouth: it passes through on the way from one neighbour to the other."""
VOWELS = frozenset({"aa", "E", "ih", "oh", "ou", "RR"})
BILABIALS = frozenset(_SOUNDS["PP"])


@lru_cache(maxsize=1024)
def visemes_of(symbol: str) -> tuple[tuple[str, str], ...]:
    """(viseme, sound) pairs of an IPA symbol in order: one for "p", two for "aɪ", ("sil", "") for a pause.

    Stress, length, tone, aspiration and other marks are ignored; an unknown letter goes by its base letter,
    and failing that counts as a vowel "E" or a tongue-tip consonant "DD".
    """
    text = unicodedata.normalize("NFD", symbol.strip().lower().replace("g", "ɡ"))
    for written, meant in _SPELLINGS:
        text = text.replace(written, meant)
    text = _BREATH.sub("", text)
    # combining marks and modifier letters (ʰ ː ˈ) carry no lip shape, tones come as digits or tone letters
    text = "".join(c for c in text if unicodedata.category(c) in ("Ll", "Lo"))
    if not text:
        return (("sil", ""),)
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        for length in range(min(_LONGEST, len(text) - at), 0, -1):
            sound = text[at : at + length]
            if sound in _VISEME_OF:
                found.append((_VISEME_OF[sound], sound))
                at += length
                break
        else:
            found.append(("E" if "VOWEL" in unicodedata.name(text[at], "") else "DD", text[at]))
            at += 1
    merged = [pair for i, pair in enumerate(found) if i == 0 or pair[0] != found[i - 1][0]]
    return tuple(merged)


def weights_of_sound(viseme: str, sound: str = "") -> dict[str, float]:
    """ARKit weights of a sound: its own where it differs from its viseme, else the viseme's."""
    return SOUND_WEIGHTS.get(sound, VISEME_WEIGHTS[viseme])


def is_bilabial(symbol: str) -> bool:
    """True for sounds that need the lips to meet: /p b m/."""
    return any(sound in BILABIALS for _, sound in visemes_of(symbol))
