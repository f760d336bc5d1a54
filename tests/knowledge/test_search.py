"""Filters, conversations, and an index that is being made anew."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge import KnowledgeBase
from knowledge.embedder import Vectors
from knowledge.store import Store


@pytest.fixture
def tagged(tmp_path: Path) -> KnowledgeBase:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, head, text in (
        ("old", "tags: [Lamps]\nupdated: 2024-05-01", "The lamp has a warranty of one year."),
        ("new", "tags: [lamps, indoor]\nupdated: 2026-05-01", "The lamp has a warranty of two years."),
        ("tent", "tags: [tents]\nupdated: 2026-06-01", "The tent has a warranty of three years."),
        ("zh", "language: zh\ntags: [lamps]\nupdated: 2026-07-01", "台灯保修两年。"),
    ):
        (folder / f"{name}.md").write_text(
            f"---\ntitle: Warranty {name}\n{head}\n---\n\n{text}\n", encoding="utf-8"
        )
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(folder)
    return base


def sources(base: KnowledgeBase, question: str, **filters: object) -> set[str]:
    return {passage.source.partition("#")[0] for passage in base.search(question, 10, **filters)}  # type: ignore[arg-type]


def test_tags_dates_and_languages_limit_what_is_found(tagged: KnowledgeBase) -> None:
    question = "how long is the warranty of the lamp"
    assert sources(tagged, question) >= {"old.md", "new.md", "tent.md"}
    assert sources(tagged, question, tags=["lamps"]) == {"old.md", "new.md", "zh.md"}
    assert sources(tagged, question, tags=["tents", "indoor"]) == {"new.md", "tent.md"}
    assert sources(tagged, question, since="2026-06-01") == {"tent.md", "zh.md"}
    assert sources(tagged, "台灯保修多久", languages=["zh"]) == {"zh.md"}
    assert sources(tagged, question, tags=["lamps"], languages=["en"], since="2025") == {"new.md"}
    assert sources(tagged, question, tags=["boats"]) == set()


HOTELS = [
    (f"{name}-{topic}", f"# {name}: {topic}\n\n{text}")
    for name in ("Harbour House", "Alder Lodge", "Mill Inn")
    for topic, text in (
        ("parking", "Guests can park their car here for nine euros."),
        ("pets", "Dogs and cats are welcome here."),
        ("breakfast", "Breakfast is served from seven."),
    )
]


def test_what_was_said_before_decides_which_passage_is_meant(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path)
    base.add_texts(HOTELS)
    for name in ("Harbour House", "Alder Lodge", "Mill Inn"):
        context = ["I need a room in the north.", f"I can offer you {name}.", "Sounds good."]
        assert base.search("can I bring my dog?", 1, context=context)[0].id == f"{name}-pets"


def test_a_conversation_makes_no_answer_likelier(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path)
    base.add_texts(HOTELS)
    context = ["Tell me about breakfast at Mill Inn."]
    question = "who painted the mona lisa?"
    assert all(passage.score < 0.5 for passage in base.search(question, context=context))


class Slow:
    """An embedder that waits until it may go on."""

    name = "slow-4"
    dimension = 4

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) > 1:
            self.begun.set()
            assert self.go_on.wait(20)
        return np.ones((len(texts), 4), dtype=np.float32) / 2


def test_while_another_embedder_indexes_the_old_index_answers(tmp_path: Path) -> None:
    first = KnowledgeBase.open(tmp_path)
    first.add_texts(HOTELS)
    expected = first.search("dogs at Mill Inn")
    slow = Slow()
    second = KnowledgeBase.open(tmp_path, embedder=slow)
    thread = threading.Thread(target=lambda: second.add_texts([("extra", "One more text.\n\nIt is long.")]))
    thread.start()
    try:
        assert slow.begun.wait(20)
        assert KnowledgeBase.open(tmp_path).search("dogs at Mill Inn") == expected
        assert (
            KnowledgeBase.open(tmp_path, embedder=Slow()).search("dogs at Mill Inn")[0].id == "Mill Inn-pets"
        )
    finally:
        slow.go_on.set()
        thread.join()
    assert second._load().vectors.shape[1] == 4
    assert second.search("dogs at Mill Inn")


def test_a_catalogue_of_one_line_is_read_as_before(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path)
    base.add_texts(HOTELS)
    digest = base.digest()
    file = tmp_path / "catalogue.json"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    old = json.loads(head)
    del old["documents"]
    file.write_text(json.dumps({**old, "records": [json.loads(line) for line in lines]}), encoding="utf-8")
    again = KnowledgeBase.open(tmp_path)
    assert (again.digest(), again.count) == (digest, len(HOTELS))


def test_a_catalogue_that_breaks_off_is_damaged(tmp_path: Path) -> None:
    KnowledgeBase.open(tmp_path).add_texts(HOTELS)
    file = tmp_path / "catalogue.json"
    file.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[:-1]), encoding="utf-8")
    with pytest.raises(Exception, match="delete the folder and learn again"):
        Store(tmp_path).read()
