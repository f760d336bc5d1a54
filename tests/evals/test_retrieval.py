from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.retrieval import auroc, main, measure
from evals.retrieval_speed import generated


def test_auroc_counts_pairs_in_the_right_order() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.1], [0.9]) == 0.0
    assert auroc([0.5, 0.5], [0.5]) == 0.5
    assert auroc([3, 1], [2]) == 0.5


def test_generated_passages_are_the_same_each_time_and_differ() -> None:
    first, again = list(generated(1200)), list(generated(1200))
    assert first == again
    assert len({id_ for id_, _ in first}) == len({text for _, text in first}) == 1200


@pytest.fixture
def data(tmp_path: Path) -> Path:
    subjects = {"tower": "The tower is ninety metres high.", "bridge": "The bridge crosses the river Lee."}
    paragraphs = [
        {"context": text, "qas": [{"question": f"What about the {name}?"}]} for name, text in subjects.items()
    ]
    file = tmp_path / "xquad_en" / "xquad.en.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    return tmp_path


def test_what_is_found_is_counted_and_a_set_that_is_missing_passed_over(data: Path) -> None:
    found = measure(data, ["xquad_en", "cmrc2018"])
    assert found == {"xquad_en": {"questions": 2, "recall@1": 1.0, "recall@5": 1.0, "mrr": 1.0}}


def test_an_unknown_measure_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["retrieval", str(data), "nonsense"])
    with pytest.raises(SystemExit):
        main()
