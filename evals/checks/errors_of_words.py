"""Errors in what was heard, for each word said; for each letter in Chinese."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_]+(?:'[^\W_]+)*", re.UNICODE)


def words_of(text: str, language: str) -> list[str]:
    """Return the words that are counted: without case, signs and spelt numbers as speech has them.

    Args:
        text: as it is written.
        language: ISO 639-1.
    """
    from speech import spelled
    from speech.spoken_text import spoken

    if not text:
        return []
    said = spoken(unicodedata.normalize("NFKC", text), language).text
    if language == "en":
        return spelled.words_of(said)
    return _WORD.findall(said.casefold())


def word_error_rate(said: str, heard: str, language: str) -> float:
    """Return substitutions, deletions and insertions for each word of what was said; 1.0 where nothing came.

    Args:
        said: what should have been heard.
        heard: what was.
        language: ISO 639-1.
    """
    from jiwer import process_words

    reference, found = words_of(said, language), words_of(heard, language)
    if not reference:
        return float(len(found) > 0)
    return float(process_words(" ".join(reference), " ".join(found)).wer)
