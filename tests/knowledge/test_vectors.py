from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge import HashedEmbedder, Passage
from knowledge import vectors as module
from knowledge.unit import units_of
from knowledge.vectors import UnitVectors, quantise, write

WORDS = ["kettle", "lamp", "garden", "tent", "boots", "refund", "parcel", "invoice", "shelf", "engine"]


def made(count: int, seed: int = 1) -> list[Passage]:
    chance = np.random.default_rng(seed)
    return [
        Passage(
            id=f"p{n}",
            source=f"d{n // 3}",
            title=" ".join(chance.choice(WORDS, 3)),
            text=f"Text {n}. {n * 7}.",
        )
        for n in range(count)
    ]


def stored(folder: Path, passages: list[Passage], before: UnitVectors | None = None) -> UnitVectors:
    file = folder / f"vectors-{len(passages)}.npz"
    write(file, passages, HashedEmbedder(), before)
    found = UnitVectors.load(file, len(passages))
    assert found is not None
    return found


def test_what_is_read_back_is_what_was_embedded(tmp_path: Path) -> None:
    passages = made(20)
    vectors = stored(tmp_path, passages)
    units = units_of(passages)
    exact = HashedEmbedder().embed([unit.text for unit in units])
    assert vectors.shape == exact.shape
    np.testing.assert_allclose(vectors.read(slice(None)), exact, atol=0.01)
    assert vectors.owners.tolist() == [unit.passage for unit in units]
    assert vectors.headings.tolist() == [unit.heading for unit in units]


def test_the_first_look_by_signs_finds_what_a_look_at_all_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passages = made(900)
    exact = stored(tmp_path, passages)
    monkeypatch.setattr(module, "EXACT_UNITS", 10)
    monkeypatch.setattr(module, "SHORT_LIST", 100)
    short = stored(tmp_path, passages)
    same = 0
    for passage in passages[::9]:
        asked = HashedEmbedder().embed([passage.title])[0]
        all_, some = exact.near(asked), short.near(asked)
        assert len(some.units) < len(all_.units)
        best = all_.units[np.argsort(-all_.values)[:3]]
        same += len(set(best.tolist()) & set(some.units.tolist()))
    assert same / 300 > 0.97


def test_only_allowed_passages_are_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passages = made(60)
    allowed = np.arange(60) % 2 == 0
    asked = HashedEmbedder().embed(["lamp"])[0]
    for limit in (10_000, 10):
        monkeypatch.setattr(module, "EXACT_UNITS", limit)
        numbers, _ = stored(tmp_path, passages).near(asked, allowed).passages()
        assert len(numbers)
        assert not (numbers % 2).any()


class Counting(HashedEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def embed(self, texts):  # type: ignore[no-untyped-def]
        self.texts += len(texts)
        return super().embed(texts)


def test_units_that_were_known_are_not_embedded_again(tmp_path: Path) -> None:
    old = made(30)
    before = stored(tmp_path, old)
    new = [old[5], *made(2, seed=9), *old[10:]]
    counting = Counting()
    file = tmp_path / "vectors-new.npz"
    write(file, new, counting, before)
    found = UnitVectors.load(file, len(new))
    assert found is not None
    known = {unit.id for unit in units_of(old)}
    assert counting.texts == sum(unit.id not in known for unit in units_of(new))
    np.testing.assert_array_equal(
        found.read(slice(0, int(found.first[1]))),
        before.read(slice(int(before.first[5]), int(before.first[6]))),
    )


def test_damaged_vectors_are_not_opened(tmp_path: Path) -> None:
    stored(tmp_path, made(3))
    file = tmp_path / "vectors-3.npz"
    file.with_suffix(".i8").write_bytes(b"\0")
    assert UnitVectors.load(file, 3) is None
    file.write_bytes(b"PK")
    assert UnitVectors.load(file, 3) is None


def test_bytes_keep_the_directions_of_vectors() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    rows, scales = quantise(vectors)
    back = rows * scales[:, None]
    cosines = (back * vectors).sum(1) / np.linalg.norm(back, axis=1) / np.linalg.norm(vectors, axis=1)
    assert cosines.min() > 0.9999
    assert not quantise(np.zeros((1, 4), dtype=np.float32))[0].any()


def test_every_phrasing_of_an_answer_has_a_vector_of_its_own() -> None:
    phrasings = tuple(f"How do I do the thing number {n}?" for n in range(150))
    (passage,) = made(1)
    asked = [
        unit.text for unit in units_of([replace(passage, questions=phrasings)]) if unit.kind == "question"
    ]
    assert asked == list(phrasings)
