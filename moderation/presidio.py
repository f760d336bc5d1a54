"""Presidio, where it is installed: names, places and other personal data that a language model recognises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
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
    """A screener that asks Presidio; slower than the rules, so only for what is kept.

    Thread-safe, as Presidio is.
    """

    def __init__(self, models: Mapping[str, str], analyzer: Analyzer | None = None) -> None:
        """A screener.

        Args:
            models: ISO 639-1 code → spaCy's model for it, a package's name or a folder; texts in other
                languages are left alone.
            analyzer: an `AnalyzerEngine`; None: one with these models and Presidio's own patterns.

        Raises:
            ModerationError: Presidio or a model is not installed, or cannot be loaded.
        """
        self._languages = frozenset(models)
        self._analyzer = analyzer or _opened(models)

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


def _opened(models: Mapping[str, str]) -> Analyzer:
    if find_spec("presidio_analyzer") is None:
        raise ModerationError("Presidio is not installed. Run: pip install 'visavis[presidio]'")
    spacy, presidio = import_module("spacy"), import_module("presidio_analyzer")
    for model in models.values():
        # Presidio would fetch it from the network instead of saying so.
        if not (spacy.util.is_package(model) or Path(model).is_dir()):
            raise ModerationError(
                f"spaCy has no model {model!r}. Run: python -m spacy download {Path(model).name}"
            )
    named = [{"lang_code": language, "model_name": model} for language, model in models.items()]
    settings = {"nlp_engine_name": "spacy", "models": named}
    try:
        provider = import_module("presidio_analyzer.nlp_engine").NlpEngineProvider(nlp_configuration=settings)
        engine: Analyzer = presidio.AnalyzerEngine(
            nlp_engine=provider.create_engine(), supported_languages=list(models)
        )
    except (OSError, SystemExit, ValueError) as error:
        raise ModerationError(
            f"Presidio cannot use its language models ({error}). Install models for spaCy {spacy.__version__}"
        ) from error
    return engine
