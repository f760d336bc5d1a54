"""A second look at what a word list found: read in its sentence, a listed word is often harmless.

"Whoever calls them vermin should be ashamed" holds a listed phrase and means the opposite. The embedded
classifier reads the sentence around such a find, and takes it back where it sees no harm at all in it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from moderation.screener import Finding
from moderation.verdict import Category, Direction

log = logging.getLogger(__name__)

DOUBTFUL = frozenset(
    (
        Category.HATE,
        Category.HARASSMENT,
        Category.SEXUAL,
        Category.VIOLENCE,
        Category.DANGEROUS,
        Category.PROFANITY,
    )
)
"""Where a find may be taken back: never where it is about minors, self-harm, orders or secrets."""
Judge: TypeAlias = Callable[[Sequence[str], Direction], Sequence[Mapping[str, float]]]
"""Category → 0..1 for each text, at once."""
HARMLESS = 0.08
"""Below this score in every category of harm a sentence counts as harmless."""
CERTAIN = 0.9
"""From this score on a listed phrase is what it is, in whatever sentence: slurs, threats."""
CARRIED = 8
"""Letters around a find that a sentence must have to say more than the find itself."""
FAINT = 0.4
"""Share of its score that a find keeps: it is known of, and decides nothing."""
_END = re.compile(r"[.!?。！？\n]")
AROUND = 200
"""Characters on either side in which a sentence's ends are looked for."""


class SecondLook:
    """Takes back what word lists found in harmless sentences.

    Args:
        judge: scores sentences.
        listed: rules whose finds may be taken back.
    """

    def __init__(self, judge: Judge, listed: Iterable[str]) -> None:
        self._judge = judge
        self._listed = frozenset(rule for rule in listed if rule.partition(".")[0] in DOUBTFUL)

    def at(self, text: str, findings: Sequence[Finding], direction: Direction) -> list[Finding]:
        """Return the findings; those that are taken back with a faint score."""
        sentences = {
            finding: sentence
            for finding in findings
            if finding.rule in self._listed and finding.score < CERTAIN
            for sentence in [_around(text, finding)]
            if len(sentence) >= finding.end - finding.start + CARRIED
        }
        if not sentences:
            return list(findings)
        asked = list(dict.fromkeys(sentences.values()))
        try:
            judged = self._judge(asked, direction)
        except Exception as error:  # no second opinion: the first one stands
            log.warning("no second look at what was found: %s", type(error).__name__)
            return list(findings)
        harmless = {
            sentence
            for sentence, scores in zip(asked, judged, strict=True)
            if max((scores.get(category, 0.0) for category in DOUBTFUL), default=0.0) < HARMLESS
        }
        return [
            Finding(finding.rule, finding.score * FAINT, finding.start, finding.end, finding.replacement)
            if sentences.get(finding) in harmless
            else finding
            for finding in findings
        ]


def _around(text: str, finding: Finding) -> str:
    """The sentence or sentences that a find stands in."""
    before = text[max(0, finding.start - AROUND) : finding.start]
    after = text[finding.end : finding.end + AROUND]
    begins = max((match.end() for match in _END.finditer(before)), default=0)
    end = _END.search(after)
    return before[begins:] + text[finding.start : finding.end] + (after[: end.end()] if end else after)
