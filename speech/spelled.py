"""English words as they are spoken and numbers as words, and spoken digits back into numbers."""

from __future__ import annotations

import re

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"]
_TEENS += ["sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_CURRENCIES = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yuan"}

_TOKEN = re.compile(r"([$€£¥])?\s?(\d[\d,]*)(?:[.:](\d{1,2}))?|([A-Za-z]+(?:['’][A-Za-z]+)*)|([%&@])")  # noqa: RUF001

LONGEST_COUNT = 4
"""Longer numbers are order numbers or telephone numbers, and said digit by digit."""

SHORTEST_NUMBER = 3
"""Digits said one after the other that make a number: "one or two" does not."""


def count(number: int, *, year: bool = True) -> list[str]:
    """Say a number below ten thousand: 342 is three hundred forty two, and 1998 is said like a year."""
    if number < 10:
        return [DIGITS[number]]
    if number < 20:
        return [_TEENS[number - 10]]
    if number < 100:
        return [_TENS[number // 10 - 2], *(count(number % 10) if number % 10 else ())]
    if number < 1000:
        return [DIGITS[number // 100], "hundred", *(count(number % 100) if number % 100 else ())]
    if year and 1000 < number < 3000 and number % 1000 > 99:
        hundreds, rest = divmod(number, 100)
        return [*count(hundreds), *(count(rest) if rest else ["hundred"])]
    return [*count(number // 1000), "thousand", *(count(number % 1000) if number % 1000 else ())]


def words_of(text: str) -> list[str]:
    """Return what is said when a text is read: lower-case words without punctuation.

    Short capitals are letters ("HP-10342" is h p one zero three four two); other scripts are passed over.
    """
    words: list[str] = []
    for currency, digits, part, word, sign in _TOKEN.findall(text):
        if word:
            spoken = word.replace("’", "'")  # noqa: RUF001
            if spoken.isupper() and 1 < len(spoken) <= 4 and not text.isupper():
                words += spoken.lower()
            else:
                words.append(spoken.lower())
        elif sign:
            words += {"%": ["percent"], "&": ["and"], "@": ["at"]}[sign]
        else:
            plain = digits.replace(",", "")
            if len(plain) > LONGEST_COUNT or (len(plain) > 1 and plain[0] == "0"):
                words += [DIGITS[int(digit)] for digit in plain]
            else:
                words += count(int(plain), year="," not in digits)
            words += [_CURRENCIES[currency]] if currency else []
            words += count(int(part)) if part.strip("0") else []
    return words


def with_numbers(text: str) -> str:
    """Write digits that were said one by one as a number: "is one zero three four two" gives "is 10342"."""
    written: list[str] = []
    run: list[str] = []
    for word in [*text.split(), ""]:
        if word in DIGITS or (word in ("oh", "o") and run):
            run.append(word)
            continue
        if len(run) >= SHORTEST_NUMBER:
            written.append("".join("0" if said in ("oh", "o") else str(DIGITS.index(said)) for said in run))
        else:
            written += run
        run = []
        if word:
            written.append(word)
    return " ".join(written)
