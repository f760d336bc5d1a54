"""Names and addresses in a sentence that none of its sources holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.clauses import HAN, LATIN_WORD, Source
from agent.denying import ways
from agent.quantities import quantities

_ADDRESS = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/?\S*"
)

_NAMELESS = frozenset(
    ("i", "i'm", "i'll", "i've", "i'd", "ok", "ai", "mr", "mrs", "ms", "dr", "a", "am", "pm", "faq")
)
"""Written with a capital, and no name."""


def unknown_name(said: str, sources: Sequence[Source], about: Source, *, question: bool) -> bool:
    """Tell whether a sentence holds a name that nothing before it held."""
    there = frozenset[str]().union(*(source.latin for source in sources))
    chinese = bool(HAN.search(said))
    denied = ways().negation.search(ways().no_negation.sub(" ", said.replace("’", "'")))
    for match in LATIN_WORD.finditer(said):
        word = match.group()
        first = (
            not said[: match.start()].strip(" \"'“‘(") or said[: match.start()].rstrip()[-1:] in ".!?:。！？"
        )
        capital = word[0].isupper() and (
            not first or sum(c.isupper() for c in word) > 1 or any(map(str.isdigit, word))
        )
        if not (capital or chinese):
            continue
        if quantities(f"1 {word}")[:1] and quantities(f"1 {word}")[0].unit or quantities(word):
            continue
        plain = re.sub(r"'s?$", "", word.casefold().replace("’", "'"))
        if plain in _NAMELESS or plain in there or plain.rstrip("s") in there or f"{plain}s" in there:
            continue
        if plain in about.latin and (question or denied):
            continue
        return True
    return False


def unknown_address(said: str, sources: Sequence[Source]) -> bool:
    """Tell whether a sentence holds a web or e-mail address that none of its sources holds."""
    return any(not _has_address(found, sources) for found in _ADDRESS.findall(said))


def _has_address(found: str, sources: Sequence[Source]) -> bool:
    plain = found.rstrip(".,;:!?)。，").casefold()
    return any(plain in source.text.casefold() for source in sources)
