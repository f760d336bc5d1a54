"""espeak-ng's own names of sounds → IPA segments for the timeline.

One `Segment` per IPA segment: a diphthong or a Mandarin final is split into its parts, because the lips
move within it, each with its share of the time; an affricate stays one ("tʃ"), because its closure and
release are one movement. Length marks are left out, the timeline says how long; aspiration, palatalisation
and nasality stay as diacritics after the base letter. The table was read off espeak-ng 1.52 by running the
same texts with mnemonic and with IPA names; where its IPA is a makeshift (Mandarin "ts.", "onɡ", "i.") it
is put right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from speech.articulation import PAUSE


@dataclass(frozen=True, slots=True)
class Segment:
    """One IPA segment within a mnemonic."""

    symbol: str
    """IPA; a pause is the empty string."""
    share: float
    """0..1 of the mnemonic's time."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What one mnemonic stands for."""

    segments: tuple[Segment, ...]
    """In order; empty for a change of language."""
    stress: int = 0
    """0 unstressed, 1 secondary, 2 primary."""
    known: bool = True
    """False when the table lacks the mnemonic and the segments are a guess from its letters."""


_CONSONANTS = """
p p, b b, t t, d d, k k, g ɡ, f f, v v, T θ, D ð, s s, z z, S ʃ, Z ʒ, h h, H h, m m, n n, N ŋ, l l, r r, j j,
w w, x x, X χ, C ç, c c, q q, R r, R2 r, r- r, * ɾ, ** ɾ, B β, Q ɣ, J^ ʝ, l^ ʎ, n^ ɲ, N\\ ɴ, N- ŋ,
p\\ ɸ, r` ɽ,
r. ɽ, n. ɳ, d. ɖ, t. ʈ, s. ʂ, z. ʐ, t2 t, t# ɾ, n- n, l- l, m- m, L ɫ, s\\ ɕ, z2 z, w2 w,
w# w, ss s, ; j, _j j, ? ʔ,
tS tʃ, dZ dʒ, ts ts, ts2 ts, dz dz, pF pf, S; ɕ, Z; ʑ, z; ʑ, t; tʲ, d; dʲ, tS; tɕ, dZ; dʑ, ts; tɕ, dz; dʑ,
t_s ts, t_s\\ tɕ, d_z\\ dʑ, ph pʰ, th tʰ, kh kʰ, p# pʰ, b# bʰ, d# dʰ, k# kʰ, g# ɡʰ, c# cʰ, J# ɟʰ, d.# ɖʰ,
t.# ʈʰ,
tsh tsʰ, ts. ʈʂ, ts.h ʈʂʰ, tS;h tɕʰ, p- p, q- q, s- s
"""

_VOWELS = """
a a, a# ɐ, a: a, aa a, A ɑ, A: ɑ, V ʌ, 0 ɒ, O ɔ, O: ɔ, O2 ɔ, o o, o: o, U ʊ, u u, u: u, u# u, u- ɯ, 8 ɵ,
@ ə, @- ə, @2 ə, @5 ə, 3 ə, 3: ɜ, E ɛ, E# ɛ, E: ɛ, E2 ɛ, e e, e: e, & æ, I ɪ, I# ɪ, I2 ɪ, i i, i: i, y y,
y: y, Y ø, Y: ø, W œ, A~ ɑ̃, E~ ɛ̃, O~ ɔ̃, W~ œ̃, e~ ẽ, u~ ũ, &~ ɐ̃, &U~ ɐ̃ ʊ,
aI a ɪ, aU a ʊ, OI ɔ ɪ, eI e ɪ, oU o ʊ, eU e ʊ, EI ɛ ɪ, VU ʌ ʊ, OY ɔ ø, Wy œ y, yU y ʊ,
i@ i ə, e@ ɛ ə, U@ ʊ ə, o@ ɔ, A@ ɑ, O@ ɔ, i@3 ɪ ə, aI@ a ɪ ə, aI3 a ɪ ə, @L ə l,
au a u, ei e i, ou o u, ing i ŋ, ong o ŋ, ai a i
"""

_LANGUAGES = {
    "en": """
r ɹ, r- ɹ, a æ, aa æ, t# ɾ
""",
    # The two Englishes differ in what follows a vowel before r.
    "en-us": """
0 ɑ, 3 ɚ, 3: ɝ, i@3 ɪ ɹ, e@ ɛ ɹ, U@ ʊ ɹ, o@ ɔ ɹ, A@ ɑ ɹ, O@ ɔ ɹ, aI3 a ɪ ɚ
""",
    "en-gb": """
oU ə ʊ
""",
    "de": """
3 ɐ, r ʁ, y ʏ
""",
    "fr": """
r ʁ
""",
    "pl": """
y ɨ
""",
    "ru": """
y ɨ
""",
    "cmn": """
X x, i. ɨ, i[ ɨ, o- ɤ, @r ɚ, A ɑ, Au ɑ u, iA i ɑ, iE i ɛ, io i o, iou i o u, ua u a, uai u a i, uei u e i,
uo u o, u@ u ə, y& y ɛ, y@ y ə, yE y ɛ, yi y i, ong ʊ ŋ, ai a i, ei e i, ou o u
""",
}

_VOWEL_LETTERS = frozenset("aeiouyøœɶɑɒɔəɘɚɛɜɝɞɨɪɯɤɵʉʊʌæɐʏᵻ")

_RISING = frozenset({"iA", "iE", "io", "ua", "uo", "u@", "y&", "y@", "yE", "yi"})
"""Finals that begin with a glide: the short part comes first."""

_SHARES = {1: (1.0,), 2: (0.6, 0.4), 3: (0.25, 0.45, 0.3)}
_RISING_SHARES = (0.35, 0.65)

_PAUSES = frozenset({"", "_", "_:", "_::", "_|", "_!", "_^_", "||", "|"})

_STRESS = {"'": 2, ",": 1, "%": 0, "=": 0}

_SWITCH = re.compile(r"\(([a-z][a-z0-9-]*)\)?$")
"""A pseudo phoneme "(en)": what follows is spoken by that language's rules; cut off at 8 bytes."""


def _table(*sources: str) -> dict[str, tuple[str, ...]]:
    entries = (entry.split() for source in sources for entry in source.split(","))
    return {entry[0]: tuple(entry[1:]) for entry in entries if entry}


_COMMON = _table(_CONSONANTS, _VOWELS)
_SPECIAL = {language: _table(source) for language, source in _LANGUAGES.items()}


def is_vowel(symbol: str) -> bool:
    """Whether an IPA segment is a vowel, which can carry stress."""
    return symbol[:1] in _VOWEL_LETTERS and bool(symbol)


def switched_language(mnemonic: str) -> str | None:
    """Return the language that a pseudo phoneme like "(en)" switches to, None for a sound."""
    match = _SWITCH.match(mnemonic)
    return match.group(1) if match else None


@lru_cache(maxsize=4096)
def sound(mnemonic: str, language: str = "en-us") -> Sound:
    """Look one mnemonic up.

    Args:
        mnemonic: as espeak-ng names it, with or without its stress mark: "tS", "'aI", "_:".
        language: of the voice, as espeak-ng names it ("en-us", "cmn", "de").

    Returns:
        Its IPA segments, whose shares add up to 1. Never fails: a mnemonic that the table lacks is read
        letter by letter and marked as not `known`.
    """
    stress = 0
    name = mnemonic
    while name[:1] in _STRESS and name[:1]:
        stress = max(stress, _STRESS[name[0]])
        name = name[1:]
    if name in _PAUSES:
        return Sound((Segment(PAUSE, 1.0),))
    if switched_language(name) is not None:
        return Sound(())
    if language.startswith("cmn"):
        stress = min(stress, 1)  # a full tone is marked like a stress, on nearly every syllable
    symbols = _look_up(name, language)
    if symbols is None:
        return Sound(_segments(name, _guess(name, language)), stress, known=False)
    return Sound(_segments(name, symbols), stress)


def _tables(language: str) -> tuple[dict[str, tuple[str, ...]], ...]:
    family = language.split("-")[0].split("/")[-1]
    exact = "en-gb" if family == "en" and language != "en-us" else language
    return tuple(_SPECIAL[key] for key in dict.fromkeys((exact, family)) if key in _SPECIAL) + (_COMMON,)


def _look_up(name: str, language: str) -> tuple[str, ...] | None:
    return next((table[name] for table in _tables(language) if name in table), None)


def _guess(name: str, language: str) -> tuple[str, ...]:
    """Read an unknown mnemonic from left to right by its longest known pieces."""
    symbols: list[str] = []
    position = 0
    while position < len(name):
        for end in range(len(name), position, -1):
            found = _look_up(name[position:end], language)
            if found is not None:
                symbols += found
                position = end
                break
        else:
            position += 1  # a modifier that only colours the sound
    return tuple(symbols) or ("ə",)


def _segments(name: str, symbols: tuple[str, ...]) -> tuple[Segment, ...]:
    shares: tuple[float, ...]
    if name in _RISING and len(symbols) == 2:
        shares = _RISING_SHARES
    else:
        shares = _SHARES.get(len(symbols), (1.0 / len(symbols),) * len(symbols))
    return tuple(Segment(symbol, share) for symbol, share in zip(symbols, shares, strict=True))
