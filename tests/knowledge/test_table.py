from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge import HashedEmbedder, KnowledgeBase, Passage, TableEmbedder
from knowledge.distil import kinds, quantise, read_texts
from knowledge.unit import units_of


@pytest.fixture(scope="module")
def table() -> TableEmbedder:
    return TableEmbedder()


def test_english_that_means_the_same_is_nearer_than_english_that_shares_words(table: TableEmbedder) -> None:
    asked, same, other = table.embed(
        ["how do I get my money back", "Where is my refund?", "How do I get to the station?"]
    )
    assert asked @ same > asked @ other


def test_vectors_have_length_one_or_zero_and_languages_share_one_space(table: TableEmbedder) -> None:
    vectors = table.embed(["late parcel", "包裹晚到了", "", "\ud800", "a" * 10_000])
    assert vectors.shape == (5, table.dimension)
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths[:2], 1.0, atol=1e-5)
    assert lengths[2] == 0.0
    assert np.isfinite(vectors).all()


def test_chinese_is_told_by_its_words_alone(table: TableEmbedder) -> None:
    texts = ["退款要多久", "多久能退钱"]
    hashed = HashedEmbedder().embed(texts)
    found = table.embed(texts)
    assert found[0] @ found[1] == pytest.approx(float(hashed[0] @ hashed[1]), abs=1e-5)
    assert table.general(found[0]) is None


def test_general_talk_is_told_from_a_shops_business(table: TableEmbedder) -> None:
    weather, refund = table.embed(
        ["what is the weather like tomorrow", "the refund label of my sleeping bag"]
    )
    near, far = table.general(weather), table.general(refund)
    assert near is not None
    assert far is not None
    assert near > far


def test_without_its_files_the_hashed_embedder_does_the_work(tmp_path: Path, documents: Path) -> None:
    assert not TableEmbedder(tmp_path).present
    base = KnowledgeBase.open(tmp_path / "index", embedder=HashedEmbedder())
    base.add(documents)
    assert base.search("how long do I have to return it")[0].source.startswith("en/returns.md")
    assert base.answerable("who painted the mona lisa") < 0.5


def test_a_passage_is_found_by_its_title_its_questions_and_each_sentence_once() -> None:
    passage = Passage(
        "1", "a.md", "Returns", "Thirty days. Returns are free.\n\nReturns", questions=("Returns",)
    )
    units = units_of([passage])
    assert [unit.kind for unit in units] == ["title", "sentence", "sentence", "whole"]
    assert len({unit.id for unit in units}) == 4
    assert units_of([passage]) == units


def test_replaced_text_under_the_same_id_gets_new_vectors(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add_texts([("a", "Cats sleep sixteen hours.")])
    before = np.array(base._load().vectors.rows)
    base.add_texts([("a", "The tram stops at the harbour.")])
    assert not np.allclose(before, np.array(base._load().vectors.rows))


def test_quantised_rows_are_within_half_a_step() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 256)).astype(np.float32)
    quantised, scales = quantise(rows)
    steps = scales.astype(np.float32)[:, None]
    assert (np.abs(quantised * steps - rows) <= 0.56 * steps).all()


def test_kinds_of_talk_are_the_centres_of_what_is_alike() -> None:
    axes = np.eye(8, dtype=np.float32)[:2]
    noisy = np.repeat(axes, 20, axis=0) + np.random.default_rng(0).normal(0, 0.01, (40, 8)).astype(np.float32)
    noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    centres = kinds(noisy, count=6)
    assert (noisy @ centres.T).max(axis=1).min() > 0.99


def test_texts_are_read_once_each_and_shortest_first(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("a longer sentence here\nshorter one\n\nshorter one\nhi\n", encoding="utf-8")
    assert read_texts([file, file]) == ["shorter one", "a longer sentence here"]
