from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.moderation_sets import HARMFUL
from evals.suites.figures import SuiteDataError
from evals.suites.safety import measure_safety, read_safety
from moderation import Action, Verdict


def _judge(texts: Sequence[str], direction: str) -> list[Verdict]:
    def one(text: str) -> Verdict:
        if "hate" in text:
            return Verdict(Action.REFUSE, "hate.slur", text, scores={"hate": 0.9}, rules=("hate.slur",))
        if "odd" in text:
            return Verdict(Action.SOFTEN, "violence.x", text, scores={"violence": 0.4}, rules=("violence.x",))
        return Verdict(Action.ALLOW, "", text)

    return [one(text) for text in texts]


def _labels(folder: Path, text: str, **options: object) -> list[tuple[str, ...]]:
    file = folder / "set.csv"
    file.write_text(text, encoding="utf-8")
    return [item.labels for item in read_safety(file, **options).items]  # type: ignore[arg-type]


def test_labels_are_told_from_one_column_or_from_one_for_each_kind(tmp_path: Path) -> None:
    assert _labels(tmp_path, "text,is_toxic\na,Toxic\nb,Not Toxic\n") == [(HARMFUL,), ()]
    assert _labels(tmp_path, "text,label\na,hate\nb,none\nc,self-harm\n") == [("hate",), (), ("self_harm",)]
    assert _labels(tmp_path, "prompt,S,H,SH\na,0,1,0\nb,1,0,1\nc,0,0,0\n") == [
        ("hate",), ("sexual", "self_harm"), (),
    ]  # fmt: skip
    assert _labels(tmp_path, "comment_text,toxic,insult\na,1,0\nb,0,0\n") == [(HARMFUL,), ()]
    assert _labels(tmp_path, "text,is_safe\na,true\nb,false\n") == [(), (HARMFUL,)]
    assert _labels(tmp_path, "text,toxicity\na,0.2\nb,0.7\n") == [(), (HARMFUL,)]
    assert _labels(tmp_path, "text,label\na,1\nb,0\n", category="injection") == [("injection",), ()]


def test_labels_that_cannot_be_told_are_asked_for(tmp_path: Path) -> None:
    rows = "tweet,class\na,0\nb,1\nc,2\n"
    with pytest.raises(SuiteDataError, match=r"set\.csv:4: is '2' in 'class' harmful\?.*--harmful"):
        _labels(tmp_path, rows)
    assert _labels(tmp_path, rows, harmful=("0", "1")) == [(HARMFUL,), (HARMFUL,), ()]


def test_sets_are_read_as_they_are_published(tmp_path: Path) -> None:
    pairs = "type,prompt\nhomonyms,a\ncontrast_homonyms,b\n"
    assert _labels(tmp_path, pairs) == [(), (HARMFUL,)]
    assert _labels(tmp_path, "text,label\na,adversarial_benign\nb,vanilla_harmful\nc,non-hateful\n") == [
        (), (HARMFUL,), (),
    ]  # fmt: skip
    assert _labels(tmp_path, "prompt,prompt_harm_label\na,harmful\nb,unharmful\nc,\n") == [(HARMFUL,), ()]
    assert _labels(tmp_path, "comment_text,toxic,insult\na,-1,-1\nb,1,1\nc,0,0\n") == [
        (HARMFUL, "harassment"), (),
    ]  # fmt: skip
    assert _labels(tmp_path, "text,rated\na,4.5\nb,1.0\n", label="rated", harmful=[">=3"]) == [
        (HARMFUL,), (),
    ]  # fmt: skip
    flags = {"animal_abuse": False, "violence,incitement": True}
    both = [{"prompt": "a", "response": "b", "category": flags, "is_safe": False}]
    file = tmp_path / "set.jsonl"
    file.write_text("\n".join(map(json.dumps, both)), encoding="utf-8")
    read = read_safety(file)
    assert read.items[0].labels == ("violence",)
    assert "--direction output" in read.how[1]
    assert read_safety(file, direction="output").items[0].text == "b"


def test_a_set_of_one_kind_says_so_and_is_counted_by_a_column_of_it(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text("Behavior,Kind\nhate one,Violence\nplain,Fraud\n", encoding="utf-8")
    with pytest.raises(SuiteDataError, match="set.csv:1: no column .* --all harmful"):
        read_safety(file)
    found = measure_safety(read_safety(file, every="harmful", by="kind", label="kind"), _judge)
    assert found.figures["recall"] == 0.5
    assert {name: part["recall"] for name, part in found.parts["by Kind"].items()} == {
        "Violence": 1.0, "Fraud": 0.0,
    }  # fmt: skip
    assert [row["labels"] for row in found.rows] == ["violence", HARMFUL]
    texts = tmp_path / "set.json"
    texts.write_text('["hate one", "two"]', encoding="utf-8")
    assert [item.text for item in read_safety(texts, every="harmful").items] == ["hate one", "two"]


def test_the_guards_verdicts_are_counted_by_category_language_and_threshold(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text(
        "text,label\nhate one,hate\nodd two,hate\nplain,hate\nfine,none\nodd three,none\n你好,none\n",
        encoding="utf-8",
    )
    found = measure_safety(read_safety(file), _judge)
    assert found.figures["recall"] == pytest.approx(2 / 3)
    assert found.figures["precision"] == pytest.approx(2 / 3)
    assert found.figures["false_alarms"] == pytest.approx(1 / 3)
    hate = found.parts["categories"]["hate"]
    assert hate["precision"] == 1.0
    assert hate["recall"] == pytest.approx(1 / 3)
    assert hate["recall_any_rule"] == pytest.approx(2 / 3)
    assert found.parts["languages"]["zh"]["false_alarms"] == 0
    curve = found.parts["thresholds on the greatest score"]
    assert curve["0.40"]["recall"] == pytest.approx(2 / 3)
    assert curve["0.45"] == {"recall": pytest.approx(1 / 3), "precision": 1.0, "false_alarms": 0.0, "f1": 0.5}


def test_languages_are_told_by_a_column_or_by_the_letters(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text(",lang,text,label\n7,,fine,0\n8,,你好,0\n9,zh-CN,ok,0\n", encoding="utf-8")
    assert [item.language for item in read_safety(file).items] == ["en", "zh", "zh"]


def test_what_a_set_cannot_tell_is_said(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text("text,label\nfine,0\nodd,0\n", encoding="utf-8")
    found = measure_safety(read_safety(file), _judge)
    assert "precision" not in found.figures
    assert any("recall" in name for name in found.not_measured)
