"""Visemes: which of the 15 mouth shapes a sound has, and what each shape is in ARKit weights."""

from __future__ import annotations

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
    "sil": {},
    "PP": mirrored({"mouthClose": 0.07, "mouthPress_": 0.12, "mouthRollLower": 0.42, "mouthRollUpper": 0.34}),
    "FF": mirrored({"jawOpen": 0.05, "mouthRollLower": 0.62, "mouthUpperUp_": 0.50, "mouthClose": 0.02}),
    "TH": mirrored({"jawOpen": 0.17, "tongueOut": 0.66, "mouthUpperUp_": 0.25, "mouthLowerDown_": 0.22}),
    "DD": mirrored({"jawOpen": 0.12, "mouthUpperUp_": 0.28, "mouthLowerDown_": 0.32, "mouthStretch_": 0.12}),
    "kk": mirrored({"jawOpen": 0.17, "mouthUpperUp_": 0.18, "mouthLowerDown_": 0.28, "mouthStretch_": 0.08}),
    "CH": mirrored({"jawOpen": 0.08, "mouthFunnel": 0.60, "mouthPucker": 0.15, "mouthUpperUp_": 0.15}),
    "SS": mirrored(
        {
            "jawOpen": 0.04,
            "mouthStretch_": 0.32,
            "mouthLowerDown_": 0.42,
            "mouthUpperUp_": 0.32,
            "mouthSmile_": 0.14,
        }
    ),
    "nn": mirrored(
        {
            "jawOpen": 0.13,
            "tongueOut": 0.22,
            "mouthUpperUp_": 0.18,
            "mouthLowerDown_": 0.28,
            "mouthStretch_": 0.08,
        }
    ),
    "RR": mirrored({"jawOpen": 0.11, "mouthFunnel": 0.38, "mouthPucker": 0.28, "mouthLowerDown_": 0.10}),
    "aa": mirrored({"jawOpen": 0.48, "mouthUpperUp_": 0.22, "mouthLowerDown_": 0.20}),
    "E": mirrored(
        {
            "jawOpen": 0.26,
            "mouthStretch_": 0.28,
            "mouthSmile_": 0.20,
            "mouthLowerDown_": 0.32,
            "mouthUpperUp_": 0.28,
        }
    ),
    "ih": mirrored(
        {
            "jawOpen": 0.14,
            "mouthStretch_": 0.34,
            "mouthSmile_": 0.28,
            "mouthLowerDown_": 0.34,
            "mouthUpperUp_": 0.26,
        }
    ),
    "oh": mirrored({"jawOpen": 0.32, "mouthFunnel": 0.50, "mouthPucker": 0.28}),
    "ou": mirrored({"jawOpen": 0.12, "mouthPucker": 0.78, "mouthFunnel": 0.32}),
}
"""Viseme → ARKit weights in [0, 1], tuned by eye on the built-in rig; `mouthClose` undoes `jawOpen`."""

SOUND_WEIGHTS: dict[str, dict[str, float]] = {}

_SOUNDS: dict[str, tuple[str, ...]] = {
    "PP": ("p", "b", "m", "ɓ", "ʙ"),
    "FF": ("f", "v", "ɱ", "ʋ", "ɸ", "β", "pf"),
    "TH": ("θ", "ð"),
    "DD": ("t", "d", "ɖ", "ʈ", "ɾ", "ʔ", "ɗ"),
    "kk": ("k", "ɡ", "g", "x", "ɣ", "h", "ɦ", "ŋ", "q", "χ", "ħ", "c", "ɟ", "ç", "ɢ", "ʕ", "ɴ"),
    "CH": ("tʃ", "dʒ", "ʃ", "ʒ", "ʈʂ", "ɖʐ", "ʂ", "ʐ", "tʂ", "dʐ"),
    "SS": ("s", "z", "ts", "dz", "ɕ", "ʑ", "tɕ", "dʑ"),
    "nn": ("n", "l", "ɫ", "ɬ", "ɮ", "ɭ", "ɳ", "ɲ", "ʎ", "ʟ"),
    "RR": ("ɹ", "r", "ɻ", "ʀ", "ʁ", "ɚ", "ɝ", "ɜ", "ɽ"),
    "aa": ("a", "ɑ", "ɐ", "ʌ", "ɒ", "æ", "ɶ"),
    "E": ("e", "ɛ", "ə", "ɘ", "ɤ", "ø", "œ"),
    "ih": ("i", "ɪ", "j", "ɨ", "ᵻ", "ɿ", "ʅ"),
    "oh": ("o", "ɔ", "ɞ"),
    "ou": ("u", "ʊ", "w", "y", "ʏ", "ɥ", "ʉ", "ɯ", "ɰ", "ɵ", "ʍ"),
}
_VISEME_OF = {sound: viseme for viseme, sounds in _SOUNDS.items() for sound in sounds}
_LONGEST = max(map(len, _VISEME_OF))

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
    text = unicodedata.normalize("NFD", symbol.strip().lower().replace("͡", "").replace("g", "ɡ"))
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
