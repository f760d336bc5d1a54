"""What is taken from Presidio, with a scripted analyzer in its place."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from moderation import ModerationError
from moderation.presidio import PresidioScreener
from moderation.screener import Subject
from moderation.verdict import Direction


@dataclass
class Result:
    entity_type: str
    start: int
    end: int
    score: float


class ScriptedAnalyzer:
    def __init__(self, *results: Result) -> None:
        self.results = results
        self.asked: list[list[str] | None] = []

    def get_supported_entities(self, language: str | None = None) -> list[str]:
        return ["PERSON", "CREDIT_CARD"]

    def analyze(
        self,
        text: str,
        language: str,
        entities: list[str] | None = None,
        score_threshold: float | None = None,
    ) -> list[Result]:
        self.asked.append(entities)
        return list(self.results)


def test_names_are_taken_and_what_checksums_find_is_not_asked_for() -> None:
    analyzer = ScriptedAnalyzer(Result("PERSON", 0, 3, 0.85), Result("CREDIT_CARD", 4, 8, 1.0))
    found = list(PresidioScreener({"en": ""}, analyzer).screen(Subject("Ada 4111", Direction.INPUT, "en")))
    assert [(each.rule, each.start, each.end, each.replacement) for each in found] == [
        ("pii.name", 0, 3, "name")
    ]
    assert analyzer.asked == [["PERSON"]]


def test_a_language_without_a_model_is_left_alone() -> None:
    analyzer = ScriptedAnalyzer(Result("PERSON", 0, 2, 0.85))
    assert list(PresidioScreener({"en": ""}, analyzer).screen(Subject("张伟", Direction.INPUT, "zh"))) == []


@pytest.mark.skipif(find_spec("presidio_analyzer") is not None, reason="Presidio is installed")
def test_without_presidio_the_error_says_what_to_install() -> None:
    with pytest.raises(ModerationError, match=r"pip install 'visavis\[presidio\]'"):
        PresidioScreener({"en": "en_core_web_sm"})


@pytest.mark.skipif(find_spec("presidio_analyzer") is None, reason="Presidio is not installed")
def test_names_of_a_language_model_on_the_disk_are_found(tmp_path: Path) -> None:
    model = import_module("spacy").blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Mira Novak"}])
    model.to_disk(tmp_path / "names")
    screener = PresidioScreener({"en": str(tmp_path / "names")})
    text = "it was ordered by Mira Novak last week"
    found = list(screener.screen(Subject(text, Direction.INPUT, "en")))
    assert [(each.rule, text[each.start : each.end]) for each in found] == [("pii.name", "Mira Novak")]
    with pytest.raises(ModerationError, match="spacy download nowhere"):
        PresidioScreener({"en": "nowhere"})
