"""What is written → what is said, with a map back to what was written.

Chat models and articles write for the eye: Markdown, links, "$29.99", "3-5 days", "VV-10342". A voice needs
words. `spoken` rewrites by small rules, language by language, and keeps for every character of the result
the place in the writing that it came from, so that captions can show the writing in time with the voice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from speech.errors import SpeechError

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = r"\u3040-\u30ff"
_CHINESE = re.compile(f"[{_HAN}]")
_LETTER = re.compile(r"[^\W\d_]")

_WORD = re.compile(rf"[{_HAN}{_KANA}][^\w\s]*|[^\s{_HAN}{_KANA}]+")
"""A written word: one Chinese character, or what stands between spaces; punctuation stays with it."""

_MARKUP = '*_`#|>~[]()"“”‘’«»「」『』《》'

_LETTERS_PER_CHARACTER = 3
"""A Chinese character says about as much as three letters: what says more decides the language."""


MAX_TEXT_CHARACTERS = 20_000
"""About 25 minutes of speech; a voice is given sentences, so more is a mistake."""


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text ready for a voice."""

    text: str
    """Words, digits and punctuation only; empty when nothing in the writing can be said."""
    origins: tuple[int, ...]
    """For each character of `text`, the index of the written character that it came from; never falls."""


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """A word of the writing and the characters `first` to `last` (inclusive) that it fills there."""

    text: str
    first: int
    last: int


Rule = Callable[["Draft"], None]


class Draft:
    """A text being rewritten, each character tied to its place in the writing."""

    def __init__(self, written: str) -> None:
        self.text = written
        self.origins = list(range(len(written)))

    def replace(self, pattern: re.Pattern[str], said: str | Callable[[re.Match[str]], str]) -> None:
        """Put what is said in the place of every match."""
        pieces: list[str] = []
        origins: list[int] = []
        position = 0
        for match in pattern.finditer(self.text):
            start, end = match.span()
            new = said if isinstance(said, str) else said(match)
            pieces += [self.text[position:start], new]
            origins += self.origins[position:start]
            width = end - start
            if width:
                origins += [self.origins[start + k * width // len(new)] for k in range(len(new))]
            else:
                anchor = self.origins[start] if start < len(self.origins) else (self.origins or [0])[-1]
                origins += [anchor] * len(new)
            position = end
        if pieces:
            self.text = "".join(pieces) + self.text[position:]
            self.origins = origins + self.origins[position:]


def language_of(text: str, default: str = "en") -> str:
    """Tell Chinese from the rest by the script.

    Returns:
        "zh" when enough of the letters are Chinese characters, else `default` ("en" where that is "zh").
    """
    chinese = len(_CHINESE.findall(text))
    letters = len(_LETTER.findall(text)) - chinese
    if chinese and chinese * _LETTERS_PER_CHARACTER >= letters:
        return "zh"
    return "en" if default == "zh" and letters else default


def normal_language(language: str) -> str:
    """Cut a language tag down to ISO 639-1: "en-US" → "en", "cmn" → "zh"."""
    code = language.replace("_", "-").split("-")[0].lower()
    return {"cmn": "zh", "eng": "en", "zho": "zh"}.get(code, code)


def check_text(text: str) -> None:
    """Refuse a text that no sentence splitter would hand over.

    Raises:
        SpeechError: it has more than `MAX_TEXT_CHARACTERS`.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SpeechError(
            f"the text has {len(text)} characters, more than {MAX_TEXT_CHARACTERS}; "
            "split it into sentences and speak them one by one"
        )


def can_be_said(text: str) -> bool:
    """Whether there is any letter or digit in it."""
    return any(character.isalnum() for character in text)


def spoken(written: str, language: str) -> SpokenText:
    """Rewrite a text for the voice.

    Args:
        written: any text; Markdown, links, emoji and control characters are welcome.
        language: ISO 639-1. English and Chinese have their own rules for money, times, dates, codes and
            units; in other languages those are left to the engine.
    """
    from speech.spoken_chinese import CHINESE_RULES
    from speech.spoken_english import ENGLISH_RULES

    draft = Draft(written)
    strip_markup(draft)
    for rule in {"en": ENGLISH_RULES, "zh": CHINESE_RULES}.get(language, ()):
        rule(draft)
    strip_unspoken(draft)
    if not can_be_said(draft.text):
        return SpokenText("", ())
    return SpokenText(draft.text, tuple(draft.origins))


def written_words(written: str) -> tuple[WrittenWord, ...]:
    """Split the writing into the words that captions show (one character in Chinese)."""
    return tuple(
        WrittenWord(match.group().strip(_MARKUP) or match.group(), match.start(), match.end() - 1)
        for match in _WORD.finditer(written)
    )


_CODE_FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[ \t|:+-]{3,}$", re.MULTILINE)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_ANGLE_LINK = re.compile(r"<((?:https?://|mailto:)[^>\s]+)>")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>")
_LINE_START = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>+[ \t]?|[-*+•][ \t]+)+", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|(?<![\w])_{1,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)
_TABLE_EDGE = re.compile(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", re.MULTILINE)
_TABLE_BAR = re.compile(r"[ \t]*\|[ \t]*")
_LINE_END = re.compile(r"(?<=[^\s.,;:!?…。，；：！？、-])[ \t]*\n\s*(?=\S)")
_NEW_LINE = re.compile(r"\s*\n\s*")


def strip_markup(draft: Draft) -> None:
    """Take Markdown and tags away and keep their words; a line's end becomes a full stop."""
    draft.replace(_CODE_FENCE, "")
    draft.replace(_TABLE_RULE, "")
    draft.replace(_IMAGE_OR_LINK, lambda match: match.group(1))
    draft.replace(_ANGLE_LINK, lambda match: match.group(1))
    draft.replace(_TAG, " ")
    draft.replace(_LINE_START, "")
    for _ in range(3):  # emphasis inside emphasis
        draft.replace(_EMPHASIS, lambda match: match.group(2))
    draft.replace(_TABLE_EDGE, "")
    draft.replace(_TABLE_BAR, ", ")
    chinese = language_of(draft.text) == "zh"
    draft.replace(_LINE_END, "。" if chinese else ". ")
    draft.replace(_NEW_LINE, " ")


_SPACES = re.compile(r"\s{2,}")
_KEPT_SYMBOLS = "$€£¥+=<>%&°#@"
"""Symbols that the engines read aloud."""


def strip_unspoken(draft: Draft) -> None:
    """Take away emoji, control and format characters, private and unassigned code points."""
    draft.replace(_unspoken_pattern(draft.text), " ")
    draft.replace(_SPACES, " ")


def _unspoken_pattern(text: str) -> re.Pattern[str]:
    unspoken = {character for character in text if _is_unspoken(character)}
    return re.compile("[" + "".join(map(re.escape, sorted(unspoken))) + "]") if unspoken else _SPACES


def _is_unspoken(character: str) -> bool:
    if character in _KEPT_SYMBOLS:
        return False
    category = unicodedata.category(character)
    # So: emoji and dingbats, Sk: skin tones, Sm: arrows, Me/Mn beyond ASCII letters stay (accents).
    if category[0] == "C":
        return True
    return category in {"So", "Sk", "Sm", "Me"} or character in "*_`|~\\^{}\ufe0f"
