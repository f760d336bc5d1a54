"""Confusables: what one character reads as, whatever script, style or trick it was written in."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

TRADITIONAL = Path(__file__).with_name("lexicon") / "traditional.txt"


def _pairs(table: str) -> dict[str, str]:
    return {pair[0]: pair[1:] for pair in table.split()}


_CONFUSABLES = _pairs(
    # Cyrillic
    "аa вb еe ёe ѕs іi їi јj кk ӏl мm нh оo рp сc тt уy ԁd ԛq ԝw хx ѵv һh ьb гr пn зe цu иu чy "
    "өo ӧo ҝk ҡk ӊh ңh ҫc ғf ұy үy ӕae єe ыbl яr дd лn фo жx шw щw бb эe юio ъb "
    # Armenian, Greek, Coptic
    "սu օo ոn հh զq եt կk յj ցg ւi տs աw αa βb γy εe ηn ιi κk νv οo ρp σo ςs τt υu χx ωw ϲc ϳj "
    "λl μu πn θo φo ψw ξe δd ⲟo ⲥc ⲣp "
    # small capitals and other Latin letters
    "ɑa ɡg ıi ɩi ʏy ɴn ʀr ʟl ɪi ɢg ʙb ʜh ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜱs "
    "ƒf ħh łl øo đd þp ŧt ßss æae œoe ɓb ɗd ɠg ɦh ɨi ɫl ɱm ɳn ɵo ʂs ʈt ʉu ʋv ʐz ƙk ƥp ɛe ʃs ʒz ɲn ŋn "
    # Canadian syllabics and Cherokee (whose case folding gives capitals)
    "ᗩa ᗷb ᑕc ᗪd ᗴe ᖴf ᕼh ᒍj ᒪl ᗰm ᑎn ᑭp ᑫq ᖇr ᔕs ᑌu ᐯv ᗯw ᙭x "
    "Ꭺa Ᏼb Ꮯc Ꭰd Ꭼe Ꮐg Ꮋh Ꭵi Ꭻj Ꮶk Ꮮl Ꮇm Ꮲp Ꮢr Ꮪs Ꭲt Ꮩv Ꮤw Ꮓz "
    # signs that stand for letters
    "ℯe ℓl ₿b ©c ®r "
    # variants of Chinese characters that hide from word lists
    "伱你 妳你 祢你 沵你 迩你 莪我 峩我 硪我 洎自 菿到 苆切 屄逼 巜你 嫲妈 嬷妈 玍生 芇草 "
    # punctuation in one spelling
    "’' ‘' ʼ' ´' ＇' –- —- ‐- ‑- −- ﹣- "
)
"""Look-alikes in one spelling. A wrong reading of honest Russian or Greek costs nothing."""
_RANGES = (
    (0x1F130, 0x1F149),  # squared letters
    (0x1F150, 0x1F169),  # letters in dark circles
    (0x1F170, 0x1F189),  # letters in dark squares
    (0x1F1E6, 0x1F1FF),  # regional indicators, of which flags are made
    (0x249C, 0x24B5),  # letters in parentheses
    (0x1F110, 0x1F129),
)
"""Alphabets of signs, first and last: a to z in order."""
_TAGS = range(0xE0020, 0xE007F)
"""Unicode tag characters: an invisible copy of ASCII, used to hide instructions in a text."""
_INVISIBLE = ("Mn", "Me", "Cf", "Cs")
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800")
"""Letters by category that show nothing."""


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """Look-alikes, sign alphabets, and traditional Chinese characters as simplified ones."""
    table = _CONFUSABLES | {"\N{REVERSED HAND WITH MIDDLE FINGER EXTENDED}": " fuck you "}
    for first, last in _RANGES:
        table |= {chr(code): chr(ord("a") + code - first) for code in range(first, last + 1)}
    return table | _simplified_forms()


@lru_cache(maxsize=1)
def _simplified_forms() -> dict[str, str]:
    """Traditional Chinese characters and their simplified forms."""
    blocks = "".join(
        line if line.strip() else "\n"
        for line in TRADITIONAL.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    traditional, _, simple = blocks.strip().partition("\n")
    return dict(zip(traditional, simple, strict=True))


def simplified(text: str) -> str:
    """Return a text with its traditional Chinese characters in their simplified forms."""
    forms = _simplified_forms()
    return "".join(forms.get(character, character) for character in text)


@lru_cache(maxsize=16384)
def read(character: str) -> str:
    """What one character reads as: nothing, one character, or several; lower case."""
    table = _table()
    if character in table:
        return table[character]
    if ord(character) in _TAGS:
        return chr(ord(character) - 0xE0000).lower()
    if character in _BLANK_LETTERS:
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    kept: list[str] = []
    for part in unicodedata.normalize("NFKD", character):
        category = unicodedata.category(part)
        if category in _INVISIBLE or (category == "Cc" and not part.isspace()):
            continue
        for folded in part.casefold():
            kept.append(table.get(folded, folded))
    return "".join(kept)
