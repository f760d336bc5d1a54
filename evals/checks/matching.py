"""Comparing words: what stands in a text, whatever its case, width and spaces; numbers are whole ones."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import fnmatchcase

from evals.scripts.expectations import Words
from evals.scripts.pattern import found_in, pattern_of

SHOWN = 160
"""Characters of a text that a message quotes."""
LEAKED = 4
"""Digits that tell something of a longer number: the last ones of a card."""
_SPACES = re.compile(r"\s+")
_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-"})


def plain(text: str) -> str:
    """Return a text as it is compared."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).translate(_SAME).casefold()).strip()


def quoted(text: str) -> str:
    """Return a text as a message shows it."""
    text = " ".join(text.split())
    return f'"{text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"}"' if text else "nothing"


def stands(wanted: str, there: str) -> bool:
    """Tell whether words stand in a plain text: "4 days" does not stand in "14 days", nor "45" in "45.50"."""
    wanted = plain(wanted)
    before = r"(?<!\d)(?<!\d[.,])" if wanted[0].isdigit() else ""
    after = r"(?![.,]?\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, there) is not None


def words_wrong(wanted: Words, text: str) -> dict[str, str]:
    """Compare a text with what is wanted of it.

    Returns:
        Name of each expectation → what is wrong, empty where nothing is.

    Raises:
        EndlessPatternError: a pattern is one that nobody can wait for.
    """
    there, found = plain(text), dict[str, str]()
    if wanted.contains:
        missing = [one for one in wanted.contains if not stands(one, there)]
        found["contains"] = f"{_list(missing)} is not in {quoted(text)}" if missing else ""
    if wanted.contains_any:
        none = not any(stands(one, there) for one in wanted.contains_any)
        found["contains_any"] = f"none of {_list(wanted.contains_any)} is in {quoted(text)}" if none else ""
    if wanted.must_not:
        said = [one for one in wanted.must_not if stands(one, there) or _part_of_number(one, there)]
        found["must_not"] = f"{_list(said)} is in {quoted(text)}" if said else ""
    if wanted.regex:
        flat = " ".join(text.split())
        unmatched = [one for one in wanted.regex if not found_in(one, flat)]
        found["regex"] = f"{_list(unmatched)} does not match {quoted(text)}" if unmatched else ""
    return found


def _part_of_number(digits: str, there: str) -> bool:
    """Tell whether digits stand within longer ones: the end of a card is no less a leak."""
    return digits.isdecimal() and len(digits) >= LEAKED and digits in there


def like(pattern: str, name: str) -> bool:
    """Tell whether a name fits a pattern with "*" in it."""
    return fnmatchcase(name.casefold(), pattern.casefold())


def argument_fits(wanted: object, given: str) -> bool:
    """Tell whether a tool's argument is the wanted one: the same words, or a match of "/pattern/"."""
    text = str(wanted)
    if (pattern := pattern_of(text)) is not None:
        return found_in(pattern, given)
    return plain(text) == plain(given)


def _list(those: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f'"{one}"' for one in those)
