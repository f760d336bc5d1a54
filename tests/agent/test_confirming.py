import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent.confirming import BOOK, KEPT_S, ActionBook, Done, Nod, action_key, asked_before, nod, without_yes

ENGLISH = "Shall I cancel order 4 1 1 7? 4117"
CHINESE = "要取消订单 4 1 1 7 吗？ 4117"


@pytest.mark.parametrize(
    ("text", "question", "meant"),
    [
        ("That is right, go ahead please.", ENGLISH, Nod.YES),
        ("cancel", ENGLISH, Nod.UNCLEAR),
        ("please don't", ENGLISH, Nod.NO),
        ("I don't think so", ENGLISH, Nod.NO),
        ("yes, if it is free", ENGLISH, Nod.UNCLEAR),
        ("不可以", CHINESE, Nod.NO),
        ("取消吧", CHINESE, Nod.UNCLEAR),
        ("是的，取消订单", CHINESE, Nod.YES),
        ("是的，但是明天", CHINESE, Nod.UNCLEAR),
        ("", ENGLISH, Nod.UNCLEAR),
        ("actually no", ENGLISH, Nod.NO),
        ("no, leave it", ENGLISH, Nod.NO),
        ("Hmm, wait, no.", ENGLISH, Nod.NO),
        ("actually, yes", ENGLISH, Nod.UNCLEAR),
        ("还是算了", CHINESE, Nod.NO),
        ("等等，还是不要了", CHINESE, Nod.NO),
        ("没问题", CHINESE, Nod.YES),
    ],
)
def test_only_a_plain_yes_is_a_yes(text: str, question: str, meant: Nod) -> None:
    assert nod(text, question) is meant


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("yes, but first tell me about refunds", "tell me about refunds"),
        ("Yes please, but how long does it take?", "how long does it take?"),
        ("ok, before that, what does it cost?", "what does it cost?"),
        ("yes but first what does it cost", "what does it cost"),
        ("好的，不过先告诉我退款的事", "告诉我退款的事"),
        ("可以，但是要多久？", "要多久？"),
        ("yes, but tomorrow", ""),
        ("yes, go ahead", ""),
        ("Can I get a refund?", ""),
        ("no, tell me about refunds", ""),
        ("是的，但是明天", ""),
    ],
)
def test_what_is_asked_before_a_yes_is_told_from_it(text: str, asked: str) -> None:
    assert asked_before(text) == asked


def test_only_a_yes_that_goes_before_is_left_out() -> None:
    assert without_yes("Yes please, it leaks.") == "it leaks."
    assert (
        without_yes("The pole is broken, right, and it leaks.") == "The pole is broken, right, and it leaks."
    )
    assert without_yes("yes") == "yes"


def test_an_action_belongs_to_whoever_claims_it_first(tmp_path: Path) -> None:
    claims: list[Done | None] = []
    threads = [
        threading.Thread(target=lambda: claims.append(ActionBook(tmp_path).claim("key", "cancel")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert claims.count(None) == 1
    assert claims.count(Done(finished=False)) == 5


def test_what_was_done_is_known_to_another_process_later(tmp_path: Path) -> None:
    book = ActionBook(tmp_path)
    assert book.claim("key", "cancel") is None
    book.finish("key")
    assert ActionBook(tmp_path).claim("key", "cancel") == Done(finished=True)


def test_old_actions_are_forgotten(tmp_path: Path) -> None:
    book = ActionBook(tmp_path)
    book.claim("key", "cancel")
    connection = sqlite3.connect(tmp_path / BOOK)
    with connection:
        connection.execute("UPDATE begun SET begun_s = begun_s - ?", (KEPT_S + 1,))
    connection.close()
    assert book.claim("key", "cancel") is None


def test_a_key_differs_by_conversation_tool_and_values_and_hides_them() -> None:
    key = action_key("a", "call", {"phone": "0871234567"})
    assert key == action_key("a", "call", {"phone": "0871234567"})
    assert (
        len({key, action_key("b", "call", {"phone": "0871234567"}), action_key("a", "call", {"phone": "1"})})
        == 3
    )
    assert "0871234567" not in key


def test_what_tools_said_is_erased_from_a_book_of_an_earlier_release(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / BOOK)) as old, old:
        old.execute("CREATE TABLE actions (key TEXT PRIMARY KEY, tool TEXT, begun_s REAL, line TEXT)")
        for key, line in (("done", "Mira Novak is called at 0851234567."), ("begun", "")):
            old.execute("INSERT INTO actions VALUES (?, 'call', ?, ?)", (key, time.time(), line))
    for _ in range(2):
        ActionBook(tmp_path).forget_lines()
    assert b"Mira" not in (tmp_path / BOOK).read_bytes()
    book = ActionBook(tmp_path)
    assert (book.claim("done", "call"), book.claim("begun", "call")) == (Done(True), Done(False))
    ActionBook(tmp_path / "nowhere").forget_lines()
    assert not (tmp_path / "nowhere").exists()
