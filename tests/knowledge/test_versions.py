"""What is removed can be got back, and what was learnt wrongly can be taken back, while others read."""

import fcntl
import shutil
from pathlib import Path

import pytest

from knowledge import DocumentError, KnowledgeBase, StoreError
from knowledge import versions as module
from knowledge.errors import BusyError
from knowledge.revising import kept_out, remove, roll_back, versions_of
from knowledge.versions import KEPT, Versions
from tests.knowledge.conftest import WARRANTY

SEVEN = WARRANTY.replace("two years", "seven years")


class Shop:
    """A folder of documents that is learnt by itself, as a desk's own is."""

    def __init__(self, folder: Path) -> None:
        self.own = folder / "documents"
        self.own.mkdir()
        self.index = folder / "index"
        self.write("warranty.md", WARRANTY)
        self.write("stores.md", "# Stores\n\nThe store in Cork opens at ten.\n")
        self.base = KnowledgeBase.open(self.index)
        self.learn()

    def write(self, name: str, text: str) -> None:
        (self.own / name).write_text(text, encoding="utf-8")

    def learn(self) -> None:
        """What every start of a server or a command does."""
        self.base.add(self.own)

    def says(self, question: str = "how long is the warranty on lamps") -> str:
        found = self.base.search(question, 1)
        return found[0].text if found else ""

    def causes(self) -> list[tuple[str, str]]:
        """What was done, the latest first, after the first learning."""
        return [(one.cause, str(one.changes)) for one in versions_of(self.base)[:-1]]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_every_change_is_a_version_that_says_what_changed(shop: Shop) -> None:
    shop.write("warranty.md", SEVEN)
    shop.write("parking.md", "# Parking\n\nParking is free for two hours.\n")
    shop.learn()
    shop.learn()
    remove(shop.base, ["stores.md"], shop.own)
    assert shop.causes() == [("remove", "−1"), ("learn", "+1 ~1")]
    newest = versions_of(shop.base)[0]
    assert (newest.number, newest.documents) == (3, 2)
    assert newest.changes.names is not None
    assert list(newest.changes.names["removed"]) == ["stores.md"]


def test_what_was_learnt_wrongly_is_taken_back_and_stays_so_until_the_file_changes(shop: Shop) -> None:
    shop.write("warranty.md", SEVEN)
    shop.learn()
    assert "seven" in shop.says()
    wanted, made = roll_back(shop.base, None, shop.own)
    assert made is not None
    assert (wanted.number, made.number, made.cause) == (1, 3, "rollback to 1")
    assert "two years" in shop.says()
    shop.learn()
    assert "two years" in shop.says()
    assert len(shop.causes()) == 2
    shop.write("warranty.md", WARRANTY.replace("two years", "three years"))
    shop.learn()
    assert "three years" in shop.says()


def test_a_second_rollback_takes_the_first_one_back(shop: Shop) -> None:
    shop.write("warranty.md", SEVEN)
    shop.learn()
    roll_back(shop.base, None, shop.own)
    roll_back(shop.base, None, shop.own)
    assert "seven" in shop.says()
    assert [cause for cause, _ in shop.causes()] == ["rollback to 2", "rollback to 1", "learn"]
    assert roll_back(shop.base, 2, shop.own)[1] is None


def test_a_document_of_the_desk_s_folder_stays_out_until_its_file_changes(shop: Shop) -> None:
    remove(shop.base, ["warranty.md"], shop.own)
    shop.learn()
    assert "years" not in shop.says()
    assert [one.source for one in kept_out(shop.base.documents())] == ["warranty.md"]
    with pytest.raises(DocumentError, match=r"no document warranty\.md"):
        remove(shop.base, ["warranty.md"], shop.own)
    shop.write("warranty.md", SEVEN)
    shop.learn()
    assert "seven" in shop.says()


def test_all_can_be_removed_and_brought_back(shop: Shop) -> None:
    remove(shop.base, ["warranty.md", "stores.md"], shop.own)
    assert shop.base.count == 0
    assert shop.says() == ""
    roll_back(shop.base, None, shop.own)
    assert "two years" in shop.says()


def test_a_document_whose_file_was_deleted_comes_back_and_stays(shop: Shop) -> None:
    (shop.own / "warranty.md").unlink()
    shop.learn()
    roll_back(shop.base, 1, shop.own)
    shop.learn()
    assert "two years" in shop.says()


def test_what_came_from_elsewhere_is_learnt_again_when_asked_to(shop: Shop, tmp_path: Path) -> None:
    paper = tmp_path / "handbook.md"
    paper.write_text("# Handbook\n\nHammocks carry 120 kilos.\n")
    shop.base.add(paper)
    remove(shop.base, ["handbook.md"], shop.own)
    assert "120" not in shop.says("how much does a hammock carry")
    assert shop.base.add(paper).added == 1


def test_versions_are_bounded_and_share_their_files(shop: Shop) -> None:
    for number in range(KEPT + 3):
        shop.write("notes.md", f"# Notes\n\nThe store has {number + 2} floors.\n")
        shop.learn()
    kept = versions_of(shop.base)
    assert [one.number for one in kept] == list(range(KEPT + 4, 4, -1))
    present = next(shop.index.glob("vectors-*.i8"))
    assert present.stat().st_nlink == 2
    with pytest.raises(DocumentError, match="no version 1; kept are 5 to 14"):
        roll_back(shop.base, 1, shop.own)


def test_vectors_that_were_dropped_for_want_of_space_are_made_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SIDE_BYTES", 0)
    shop.write("warranty.md", SEVEN)
    shop.learn()
    assert not list((shop.index / "versions" / "1").glob("*.npz"))
    roll_back(shop.base, 1, shop.own)
    assert "two years" in shop.says()


def test_a_rollback_that_dies_leaves_the_present_knowledge_answering(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("warranty.md", SEVEN)
    shop.learn()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("knowledge.store.Store._replace_catalogue", dies)
    with pytest.raises(KeyboardInterrupt):
        roll_back(shop.base, 1, shop.own)
    monkeypatch.undo()
    shop.base.close()
    assert "seven" in shop.says()
    assert "seven" in KnowledgeBase.open(shop.index).search("warranty on lamps", 1)[0].text
    roll_back(shop.base, 1, shop.own)
    assert "two years" in shop.says()


def test_a_version_whose_making_was_cut_short_is_made_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    shop.write("warranty.md", SEVEN)
    monkeypatch.setattr("knowledge.versions.os.fsync", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.learn()
    monkeypatch.undo()
    shop.learn()
    assert shop.causes() == [("learn", "~1")]
    assert not list((shop.index / "versions").glob("*.part"))


def test_of_two_at_once_the_second_is_told(shop: Shop) -> None:
    with (shop.index / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="another command is changing"):
            remove(shop.base, ["warranty.md"], shop.own)
        assert "two years" in shop.says()
        assert len(versions_of(shop.base)) == 1


def test_a_damaged_version_is_said_and_changes_nothing(shop: Shop) -> None:
    shop.write("warranty.md", SEVEN)
    shop.learn()
    (shop.index / "versions" / "1" / "catalogue.json").write_text("{")
    with pytest.raises(StoreError):
        roll_back(shop.base, 1, shop.own)
    assert "seven" in shop.says()
    shutil.rmtree(shop.index / "versions")
    assert Versions(shop.index).all() == []
    assert len(versions_of(shop.base)) == 1


def test_learning_makes_a_version_at_once(shop: Shop) -> None:
    shop.write("warranty.md", SEVEN)
    shop.base.add(shop.own)
    shop.base.remove(["stores.md"])
    assert [one.cause for one in Versions(shop.index).all()] == ["remove", "learn", "learn"]


def test_who_has_the_knowledge_open_answers_from_the_new_one_at_the_next_question(shop: Shop) -> None:
    server = KnowledgeBase.open(shop.index)
    asked = "how long is the warranty on lamps"
    assert "two years" in server.search(asked, 1)[0].text
    shop.write("warranty.md", SEVEN)
    shop.learn()
    assert "seven" in server.search(asked, 1)[0].text
    roll_back(shop.base, None, shop.own)
    assert "two years" in server.search(asked, 1)[0].text
    catalogue = shop.index / "catalogue.json"
    catalogue.rename(catalogue.with_suffix(".away"))
    catalogue.write_text("{")
    assert "two years" in server.search(asked, 1)[0].text
