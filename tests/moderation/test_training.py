"""Training on a few texts: the written ones can be read, and what is learned can be saved."""

from pathlib import Path

import numpy as np
import pytest

from moderation.corpus import HEADS, Example, kept_aside, written
from moderation.features import hashes
from moderation.fitting import fit
from moderation.linear import LinearModel
from moderation.public_sets import public


def test_every_written_text_can_be_read_and_most_are_harmless() -> None:
    examples = list(written(most=2))
    positive = {head: sum(example.labels.get(head) == 1 for example in examples) for head in HEADS}
    assert min(positive.values()) >= 50
    harmless = sum(not any(example.labels.values()) for example in examples)
    assert harmless > 0.4 * len(examples)
    assert {example.chinese for example in examples} == {True, False}


def test_a_wrong_line_of_the_texts_is_named(tmp_path: Path) -> None:
    (tmp_path / "en_shop.txt").write_text("-\twhere is my order\nrude\tyou there\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"en_shop\.txt:2: write labels"):
        list(written(tmp_path))
    (tmp_path / "en_shop.txt").write_text("hate\t{one|two\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"en_shop\.txt:1: has a brace"):
        list(written(tmp_path))


def test_sets_that_are_not_there_are_left_out_and_told_of(tmp_path: Path) -> None:
    told: list[str] = []
    assert list(public(tmp_path, told.append)) == []
    assert any("davidson" in line for line in told)


def test_forms_of_one_template_are_kept_aside_together() -> None:
    forms = [Example(text, {}, "written:x", group="x:7") for text in ("a b", "a c", "d e f")]
    assert len({kept_aside(form) for form in forms}) == 1


def test_what_is_learned_is_saved_and_read_again(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    texts = [
        f"{word} {other}" for word in ("bad", "worse", "good", "better") for other in ("day", "tea", "bus")
    ]
    labels = {"toxic": np.array([float(text.split()[0] in ("bad", "worse")) for text in texts], np.float32)}
    model = fit(texts, labels, np.ones(len(texts), np.float32))
    model.save(tmp_path / "linear.npz")
    again = LinearModel.load(tmp_path / "linear.npz")
    asked = ["bad tea", "worse bus", "good day", "better tea"]
    assert (again.logits(asked)[:, 0] > 0).tolist() == [True, True, False, False]
    assert again.logits(asked) == pytest.approx(model.logits(asked))


def test_a_disguise_shares_features_with_what_it_hides() -> None:
    plain, hidden, other = (set(hashes(text)[0].tolist()) for text in ("you idiot", "you 1d10t", "you angel"))
    assert len(plain & hidden) > len(plain & other)
