from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge import DocumentError, KnowledgeBase, StoreError
from knowledge.embedder import HashedEmbedder, Vectors


@pytest.fixture
def base(documents: Path, tmp_path: Path) -> KnowledgeBase:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(documents)
    return base


def test_learning_reports_what_it_did(documents: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    report = base.add(documents)
    assert (report.added, report.updated, report.removed, report.unchanged) == (5, 0, 0, 0)
    assert report.passages == base.count == 9


@pytest.mark.parametrize("end", ["closed", "forgotten"])
def test_a_base_leaves_no_open_file(end: str, documents: Path, tmp_path: Path) -> None:
    def open_files() -> list[str]:
        return [
            file for file in map(os.path.realpath, Path("/proc/self/fd").iterdir()) if str(tmp_path) in file
        ]

    base = KnowledgeBase.open(tmp_path / "index")
    base.add(documents)
    assert open_files()
    if end == "closed":
        base.close()
    else:
        del base
        gc.collect()
    assert not open_files()


def test_unchanged_files_are_passed_over_and_lost_ones_forgotten(
    base: KnowledgeBase, documents: Path
) -> None:
    (documents / "en" / "delivery.md").unlink()
    (documents / "en" / "warranty.md").write_text("# Warranty\n\nAll lamps have a warranty of five years.")
    (documents / "en" / "stores.md").write_text("# Stores\n\nOur store in Dublin opens at nine.")
    report = base.add(documents)
    assert (report.added, report.updated, report.removed, report.unchanged) == (1, 1, 1, 3)
    assert "five years" in base.search("how long is the lamp warranty")[0].text
    assert not any("delivery.md" in passage.source for passage in base.search("standard delivery fee", 20))
    assert (
        base.search("when does the dublin store open")[0].source == "en/stores.md"
        or "Dublin" in base.texts()[-1]
    )


def test_learning_the_same_again_changes_nothing(base: KnowledgeBase, documents: Path) -> None:
    digest = base.digest()
    catalogue = base._store.folder / "catalogue.json"
    before = catalogue.stat().st_mtime_ns
    report = base.add(documents)
    assert (report.added, report.updated, report.removed, report.unchanged) == (0, 0, 0, 5)
    assert base.digest() == digest
    assert catalogue.stat().st_mtime_ns == before


def test_a_broken_document_is_skipped_with_its_reason_and_the_rest_is_learnt(
    documents: Path, tmp_path: Path
) -> None:
    (documents / "en" / "broken.md").write_bytes(b"\xff\xfe\x00")
    base = KnowledgeBase.open(tmp_path / "index")
    report = base.add(documents)
    assert [skipped.source for skipped in report.skipped] == ["en/broken.md"]
    assert report.added == 5


def test_texts_are_found_by_their_ids_and_replaced_under_them(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add_texts([("a", "Cats sleep sixteen hours."), ("b", "Dogs like long walks."), ("c", "# Fish")])
    assert base.search("how long do cats sleep")[0].id == "a"
    report = base.add_texts([("a", "Cats purr when they are content."), ("d", "  ")])
    assert (report.updated, len(report.skipped), base.count) == (1, 1, 3)
    assert base.search("why do cats purr")[0].text == "Cats purr when they are content."
    assert base.remove(["a"]).removed == 1
    assert base.search("cats") == []


def test_a_text_needs_an_id(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="empty id"):
        KnowledgeBase.open(tmp_path / "index").add_texts([("", "text")])


def test_folders_do_not_forget_each_others_documents(documents: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "parking.md").write_text("# Parking\n\nParking is free for two hours.")
    base = KnowledgeBase.open(tmp_path / "index")
    base.add([documents, other])
    base.add_texts([("note", "The lift is out of order.")])
    assert base.add(documents).removed == 0
    assert base.search("is parking free")[0].source == "parking.md"
    assert base.search("lift out of order")[0].id == "note"


def test_knowledge_survives_closing_and_may_be_opened_twice(base: KnowledgeBase) -> None:
    folder = base._store.folder
    first, second = KnowledgeBase.open(folder), KnowledgeBase.open(folder)
    question = "how long can I return it"
    assert first.search(question) == second.search(question) == base.search(question)
    first.close()
    assert first.search(question) == base.search(question)


def test_an_open_reader_sees_what_another_wrote_after_reopening(base: KnowledgeBase) -> None:
    reader = KnowledgeBase.open(base._store.folder)
    assert reader.count == 9
    base.add_texts([("extra", "We also sell maps of Ireland.")])
    assert reader.search("how long can I return it")[0].source.startswith("en/returns.md")
    reader.close()
    assert reader.search("maps of Ireland")[0].id == "extra"


def test_lost_side_files_are_made_again(base: KnowledgeBase) -> None:
    expected = base.search("my parcel is late")
    for pattern in ("vectors-*", "words-*.npz"):
        for file in base._store.folder.glob(pattern):
            file.unlink()
    assert KnowledgeBase.open(base._store.folder).search("my parcel is late") == expected


def test_a_write_that_breaks_off_leaves_the_old_knowledge(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, expected = base.digest(), base.search("how long can I return it")

    def fail(self: object, catalogue: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("knowledge.store.Store._replace_catalogue", fail)
        with pytest.raises(StoreError, match="No space left"):
            base.add_texts([("new", "Something new.")])
    again = KnowledgeBase.open(base._store.folder)
    assert (again.digest(), again.search("how long can I return it")) == (digest, expected)
    again.add_texts([("new", "Something new about hammocks.")])
    assert again.search("hammocks")[0].id == "new"


def test_two_processes_may_learn_into_one_index(tmp_path: Path) -> None:
    code = (
        "import sys; from knowledge import KnowledgeBase; "
        "KnowledgeBase.open(sys.argv[1]).add_texts([(sys.argv[2], 'Text about ' + sys.argv[2])])"
    )
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "index"), name], cwd=root)
        for name in ("apples", "pears")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    assert KnowledgeBase.open(tmp_path / "index").count == 2


class Lengths:
    """An embedder of another name and dimension."""

    name = "lengths-2"
    dimension = 2

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.asarray([[1.0, len(text) % 7] for text in texts], dtype=np.float32)


def test_another_embedder_means_another_index_never_a_mixture(base: KnowledgeBase, documents: Path) -> None:
    folder = base._store.folder
    other = KnowledgeBase.open(folder, embedder=Lengths())
    assert other.search("how long can I return it")[0].source.startswith("en/returns.md")
    other.add(documents)
    assert other._load().vectors.shape == (len(other._load().catalogue.units()), 2)
    back = KnowledgeBase.open(folder, embedder=HashedEmbedder())
    back.add(documents)
    assert back._load().vectors.shape == (len(back._load().catalogue.units()), HashedEmbedder.dimension)


def test_a_damaged_index_is_named(base: KnowledgeBase) -> None:
    (base._store.folder / "catalogue.json").write_text("{")
    with pytest.raises(StoreError, match="delete the folder and learn again"):
        KnowledgeBase.open(base._store.folder)


def test_an_index_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "index"
    file.write_text("")
    with pytest.raises(StoreError, match="is a file"):
        KnowledgeBase.open(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_can_be_searched_but_not_written(base: KnowledgeBase) -> None:
    folder = base._store.folder
    folder.chmod(0o500)
    try:
        again = KnowledgeBase.open(folder)
        assert again.search("my parcel is late")
        with pytest.raises(StoreError, match="cannot be written"):
            again.add_texts([("a", "b")])
    finally:
        folder.chmod(0o700)


def test_an_empty_knowledge_answers_nothing(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "new" / "index")
    assert (base.search("anything"), base.answerable("anything"), base.count, base.texts()) == (
        [],
        0.0,
        0,
        [],
    )
    assert not (tmp_path / "new").exists()


def test_texts_hold_titles_and_questions_for_the_recognizer(shop: KnowledgeBase) -> None:
    texts = shop.texts()
    assert "How long do I have to send something back?" in texts
    assert "Which cards do you accept?" in texts
    assert len(texts) == len(set(texts))


def test_equal_content_has_an_equal_digest(base: KnowledgeBase, documents: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(documents, copied)
    again = KnowledgeBase.open(tmp_path / "second")
    again.add(copied)
    assert again.digest() == base.digest()
    again.add_texts([("more", "More.")])
    assert again.digest() != base.digest()


def test_embedded_vectors_are_of_length_one_and_know_spelling_and_synonyms() -> None:
    vectors = HashedEmbedder().embed(
        ["my parcel is lost", "the pacel is lost", "a lost package", "red curtains", ""]
    )
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0], atol=1e-5)
    alike = vectors @ vectors[0]
    assert alike[3] < 0.25 < min(alike[1], alike[2])


def test_scores_fall_and_lie_between_0_and_1(shop: KnowledgeBase) -> None:
    for question in ("how long does delivery take", "包裹丢了怎么办", "refund warranty card parcel"):
        scores = [passage.score for passage in shop.search(question, 9)]
        assert scores == sorted(scores, reverse=True)
        assert all(0.0 <= score <= 1.0 for score in scores)
        assert shop.answerable(question) == scores[0]


def test_searching_many_is_searching_each(shop: KnowledgeBase) -> None:
    questions = ["late parcel", "return", ""]
    assert shop.search_many(questions, 2) == [shop.search(question, 2) for question in questions]


def test_passages_keep_everything_but_the_score(shop: KnowledgeBase) -> None:
    found = shop.search("which cards do you accept", 1)[0]
    assert replace(found, score=0.0) in shop._load().passages
