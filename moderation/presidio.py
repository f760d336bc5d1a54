"""Presidio, where it is installed: names, places and other personal data that a language model recognises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from moderation.errors import ModerationError
from moderation.screener import Finding, Subject

RULES: Mapping[str, str] = {
    "PERSON": "pii.name",
    "LOCATION": "pii.address",
    "STREET_ADDRESS": "pii.address",
    "MEDICAL_LICENSE": "pii.national_id",
    "US_DRIVER_LICENSE": "pii.driving_licence",
    "US_PASSPORT": "pii.passport",
    "US_BANK_NUMBER": "pii.account",
}
"""What is taken from Presidio; the other kinds are found without it, by checksums."""
MIN_SCORE = 0.6
"""Presidio's own sureness, 0 to 1; its weak patterns, which need context, stand below."""


class Recognized(Protocol):
    """One finding of Presidio."""

    entity_type: str
    start: int
    end: int
    score: float


class Analyzer(Protocol):
    """What is called of `presidio_analyzer.AnalyzerEngine`."""

    def analyze(
        self,
        text: str,
        language: str,
        entities: list[str] | None = None,
        score_threshold: float | None = None,
    ) -> Sequence[Any]:
        """The findings in a text."""
        ...

    def get_supported_entities(self, language: str | None = None) -> list[str]:
        """The kinds that can be found in a language."""
        ...


class PresidioScreener:
    """A screener that asks Presidio; slower than the rules, so only for what is kept or for small desks."""

    def __init__(self, analyzer: Analyzer | None = None, languages: Iterable[str] = ("en",)) -> None:
        """A screener.

        Args:
            analyzer: an `AnalyzerEngine`; None: one with Presidio's defaults.
            languages: ISO 639-1 codes that it has models for; texts in others are left alone.

        Raises:
            ModerationError: Presidio or its language model is not installed.
        """
        self._languages = frozenset(languages)
        self._analyzer = analyzer or _default(sorted(self._languages))

    def screen(self, subject: Subject) -> Iterator[Finding]:
        """Findings `pii.*` of the kinds in `RULES`."""
        if subject.language not in self._languages:
            return
        known = set(self._analyzer.get_supported_entities(subject.language))
        wanted = [kind for kind in RULES if kind in known]
        if not wanted:
            return
        for found in self._analyzer.analyze(
            subject.text, subject.language, entities=wanted, score_threshold=MIN_SCORE
        ):
            rule = RULES.get(found.entity_type)
            if rule is not None and 0 <= found.start < found.end <= len(subject.text):
                score = min(max(float(found.score), 0.0), 1.0)
                yield Finding(rule, score, found.start, found.end, rule.partition(".")[2])


def _default(languages: list[str]) -> Analyzer:
    if find_spec("presidio_analyzer") is None:
        raise ModerationError("Presidio is not installed. Run: pip install presidio-analyzer")
    try:
        engine: Analyzer = import_module("presidio_analyzer").AnalyzerEngine(supported_languages=languages)
    except (OSError, SystemExit, ValueError) as error:  # a spaCy model that cannot be found or downloaded
        raise ModerationError(
            f"Presidio's language model cannot be loaded ({error}). "
            "Run: python -m spacy download en_core_web_lg"
        ) from error
    return engine
