"""Recognised text as words that can be compared: no case, no punctuation, Chinese character by character."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_APOSTROPHES = re.compile(r"(?<=\w)['\u2019\u02bc`](?=\w)")
_SIMPLER = str.maketrans(
    "對別說夠閉靜講請時間這個麼嗎還沒問題為什樣話號碼電話單訂們會個來後點開關係過從給讓幾兩錢買賣誰聽",
    "对别说够闭静讲请时间这个么吗还没问题为什样话号码电话单订们会个来后点开关系过从给让几两钱买卖谁听",
)
_CJK = re.compile(r"[\u3400-\u9fff]")


@lru_cache(maxsize=256)
def heard_words(text: str) -> tuple[str, ...]:
    """Split a text into words: "That's 5 元。" gives ("thats", "5", "元").

    The commonest traditional characters become simplified ones.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLER)
    return tuple(_WORD.findall(_APOSTROPHES.sub("", plain)))


def is_chinese(text: str, language: str = "") -> bool:
    """Whether a text is read by Chinese rules: it has Chinese characters, or no letters in that language."""
    return bool(_CJK.search(text)) or (language.startswith("zh") and not re.search(r"[A-Za-z]", text))
