from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knowledge import KnowledgeBase, StoreError

ROOT = Path(__file__).parents[2]


def no_vouchers(text: str) -> str:
    return "speaks of vouchers" if "voucher" in text else ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "fees.md").write_text(
        "# Fees\n\n## Delivery\n\nIt costs four euros.\n\n## Gifts\n\nA voucher for all."
    )
    (folder / "hours.html").write_text("<main><h1>Hours</h1><p>We open at nine.</p></main>")
    (folder / "photo.png").write_bytes(b"")
    return folder


def test_what_fails_the_check_is_kept_out_named_and_named_again(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    for added in (2, 0):
        report = base.add(folder, check=no_vouchers)
        assert (report.added, report.unchanged, report.passages) == (added, 2 - added, 2)
        assert [(one.source, one.quarantined) for one in report.skipped] == [
            ("photo.png", False),
            ("fees.md#gifts", True),
        ]
    assert not any("voucher" in text for text in base.texts())


def test_what_was_learnt_unchecked_is_checked_when_a_check_is_given(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    assert base.add(folder).passages == 3
    assert base.add(folder, check=no_vouchers).passages == 2
    assert base.add(folder).passages == 2


def test_a_document_that_turned_harmful_is_forgotten(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(folder, check=no_vouchers)
    (folder / "hours.html").write_text("<main><h1>Hours</h1><p>A voucher for all.</p></main>")
    report = base.add(folder, check=no_vouchers)
    assert (report.removed, report.passages) == (1, 1)


def test_a_document_that_turned_unreadable_keeps_its_old_words(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(folder)
    (folder / "hours.html").write_bytes(b"\0\1\2\3")
    report = base.add(folder)
    assert (report.removed, [one.source for one in report.skipped]) == (0, ["photo.png", "hours.html"])
    assert "nine" in base.search("when do you open")[0].text


def test_two_folders_may_hold_files_of_one_name(tmp_path: Path) -> None:
    for name, price in (("north", "four"), ("south", "five")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fees.md").write_text(f"# Fees\n\nDelivery to the {name} costs {price} euros.")
    base = KnowledgeBase.open(tmp_path / "index")
    for added in (2, 0):
        assert base.add([tmp_path / "north", tmp_path / "south"]).added == added
    assert {record.source for record in base.documents()} == {"fees.md", "south/fees.md"}
    assert base.add(tmp_path / "south" / "fees.md").added == 0
    assert "five" in base.search("delivery to the south")[0].text


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = KnowledgeBase.open(tmp_path / "index").add(tmp_path / "empty")
    assert "holds no documents" in report.skipped[0].reason
    assert not (tmp_path / "index").exists()


def test_progress_is_told(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    KnowledgeBase.open(tmp_path / "index").add(folder, progress=lambda *step: told.append(step))
    assert told == [(0, 2, "fees.md"), (1, 2, "hours.html"), (2, 2, "")]


def test_where_nothing_changed_nothing_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(folder)

    def refuse(self: object) -> None:
        raise StoreError("the disk is read-only")

    monkeypatch.setattr("knowledge.store.Store.writing", refuse)
    assert KnowledgeBase.open(tmp_path / "index").add(folder).unchanged == 2
    (folder / "fees.md").write_text("# Fees\n\nFree.")
    with pytest.raises(StoreError, match="read-only"):
        base.add(folder)
    assert "four euros" in base.search("what does delivery cost")[0].text


def test_large_folders_are_kept_bit_by_bit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.learning.KEEP_AFTER", 1)
    base = KnowledgeBase.open(tmp_path / "index")
    seen: list[int] = []

    def watch(_done: int, _total: int, _source: str) -> None:
        seen.append(KnowledgeBase.open(tmp_path / "index").count)

    report = base.add(folder, progress=watch)
    assert seen == [0, 2, 3]
    assert (report.added, report.passages) == (2, 3)


def test_an_index_from_before_pages_and_addresses_still_opens(folder: Path, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "index")
    base.add(folder)
    file = tmp_path / "index" / "catalogue.json"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    head, records = lines[0], lines[0].get("records") or lines[1:]
    for record in records:
        for name in ("file", "checked", "withheld"):
            del record[name]
        for passage in record["passages"]:
            for name in ("section", "page", "url", "updated", "tags"):
                del passage[name]
    before = {name: head[name] for name in ("format", "embedder", "version")}
    file.write_text(json.dumps({**before, "records": records}))
    again = KnowledgeBase.open(tmp_path / "index")
    assert again.search("what does delivery cost")[0].page is None
    assert again.add(folder).unchanged == 2


def test_learning_that_is_killed_leaves_an_index_that_answers(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    KnowledgeBase.open(index).add(folder)
    (folder / "more.jsonl").write_text(
        "\n".join(
            json.dumps({"q": f"What is item {n}?", "a": f"It is lamp number {n}."}) for n in range(1200)
        )
    )
    code = "import sys; from knowledge import KnowledgeBase; KnowledgeBase.open(sys.argv[1]).add(sys.argv[2])"
    process = subprocess.Popen([sys.executable, "-c", code, str(index), str(folder)], cwd=ROOT)
    before = (index / "lock").stat().st_mtime_ns
    deadline = time.monotonic() + 60
    while process.poll() is None and (index / "lock").stat().st_mtime_ns == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    base = KnowledgeBase.open(index)
    assert "four euros" in base.search("what does delivery cost")[0].text
    report = base.add(folder)
    assert report.passages == 1203
    assert "number 1118" in base.search("What is item 1118?")[0].text
