from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals import moderation
from evals.moderation_counts import average_precision, entity_recall, figures
from evals.moderation_sets import Item, held_out
from moderation import Action, Category, Direction, Span, Verdict

BAD = Verdict(Action.REFUSE, "hate.slur", "", scores={"hate": 0.9}, rules=("hate.slur",))
RUDE = Verdict(Action.SOFTEN, "profanity.word", "", scores={"profanity": 0.6}, rules=("profanity.word",))
FINE = Verdict(Action.ALLOW, "", "")


def _judge(texts: Sequence[str], direction: str) -> list[Verdict]:
    return [BAD if "bad" in text else RUDE if "rude" in text else FINE for text in texts]


def _figures(*pairs: tuple[str, str]) -> dict[str, object]:
    items = [Item("", text, (label,) if label else ()) for text, label in pairs]
    return figures(moderation.judged(items, _judge))


def test_recall_and_false_alarms_are_shares_of_harmful_and_harmless_texts() -> None:
    found = _figures(
        ("bad", "hate"), ("missed", "hate"), ("rude", ""), ("fine", ""), ("fine", ""), ("ok", "")
    )
    assert found["recall"] == found["recall_stopped"] == found["recall_named"] == 0.5
    assert (found["false_alarms"], found["false_stops"]) == (0.25, 0.0)
    assert found["balanced_accuracy"] == 0.625
    assert found["f1"] == 0.5


def test_a_text_flagged_for_something_else_is_recalled_but_not_named() -> None:
    found = _figures(("rude", "violence"))
    assert (found["recall"], found["recall_stopped"], found["recall_named"]) == (1.0, 0.0, 0.0)
    assert "false_alarms" not in found


def test_average_precision_takes_equal_scores_together() -> None:
    assert average_precision([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert average_precision([0.9, 0.8], [False, True]) == 0.5
    assert average_precision([0.5, 0.5, 0.5, 0.5], [True, False, False, True]) == 0.5


def test_personal_data_counts_as_covered_from_four_fifths_on() -> None:
    text = "ring 0123456789 or 0123456789"
    item = Item("", text, ("pii",), entities=(("PHONE", 5, 15), ("PHONE", 19, 29)))
    verdict = Verdict(Action.MASK, "pii.phone", text, spans=(Span(6, 14, "pii"), Span(24, 29, "pii")))
    rows = moderation.judged([item], lambda texts, direction: [verdict])
    assert entity_recall(rows) == {"PHONE": {"n": 2, "recall": 0.5}}


def test_each_text_is_judged_in_its_own_direction() -> None:
    items = [Item("", "a"), Item("", "b", direction="output"), Item("", "c")]

    def judge(texts: Sequence[str], direction: str) -> list[Verdict]:
        return [Verdict(Action.ALLOW, "", text, Direction(direction)) for text in texts]

    seen = [(row.verdict.text, row.verdict.direction) for row in moderation.judged(items, judge)]
    assert seen == [("a", "input"), ("b", "output"), ("c", "input")]


def test_held_out_texts_that_were_trained_on_are_left_out(tmp_path: Path) -> None:
    first = held_out()[0]
    (tmp_path / "hate.txt").write_text(f"something\n{first.text.upper()}!\n", encoding="utf-8")
    found, rows = moderation.measure(["heldout"], None, _judge, known=moderation.folded(tmp_path))
    assert found["heldout"]["left_out"] == {first.language: 1}
    assert first.id not in {row.item.id for row in rows}


def test_the_held_out_file_has_both_languages_known_labels_and_as_many_harmless_as_harmful() -> None:
    items = held_out()
    assert (
        len({item.id for item in items}) == len({(item.text, item.direction) for item in items}) == len(items)
    )
    assert {label for item in items for label in item.labels} <= set(Category)
    assert {item.direction for item in items} <= set(Direction)
    for language in ("en", "zh"):
        harmful = Counter(item.harmful for item in items if item.language == language)
        assert harmful[False] >= harmful[True] > 200


def test_sets_of_the_folder_are_counted_and_missing_ones_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "banking77").mkdir()
    rows = "text,category\nWhere is my card?,card\nMy number is +44 20 7946 0123,card\n"
    (tmp_path / "banking77" / "test.csv").write_text(rows)
    moderation.main([str(tmp_path), "--set", "banking77", "hwu64", "--engine", "rules", "--json"])
    sets = json.loads(capsys.readouterr().out)["sets"]
    assert (sets["banking77"]["texts"], sets["banking77"]["masked"]) == (2, 0.5)
    assert "hwu64" in sets["hwu64"]["missing"]


def test_misses_are_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    moderation.main(["--engine", "rules", "--every", "50"])
    shown = capsys.readouterr()
    assert "all × en" in shown.out
    assert shown.err == ""
    assert not any(item.text in shown.out for item in held_out())
    moderation.main(["--engine", "rules", "--every", "50", "--misses"])
    assert '"text"' in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--every", "0"], ["no such folder"], ["--set", "nothing"]])
def test_wrong_arguments_are_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        moderation.main(wrong)
    assert "error: " in capsys.readouterr().err
