"""What is kept of conversations holds no personal data."""

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.cards import Card
from agent.conversation_events import CardShown, HeardWords, Notice, SentenceBegan, TurnEnded
from agent.handoff_record import Handoff, Line
from agent.particulars import Particulars
from agent.privacy import Privacy
from agent.sentence import Citation, Outcome, Sentence
from moderation.policy import Policy
from moderation.screener import Finding, Subject
from server.live.archive import SERVER_LOST
from server.live.casebook import Casebook
from server.live.cases import Case
from server.live.contacts import hash_of, hashes_of
from server.live.log_mask import MaskingFormatter
from server.live.masking import Masker, SessionMask
from server.live.options import ServeOptions
from server.live.records import SessionClosed, SessionOpened, row_of
from server.live.store import EventStore
from server.live.told_numbers import called_spans, number_spans
from tests.server.live.serving import desk_in, serving

CARD = "4111 1111 1111 1111"


def a_mask(**settings: object) -> SessionMask:
    return SessionMask(Masker(Policy.load(), Privacy.model_validate(settings)))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"my card is {CARD}, thanks", "my card is [card number], thanks"),
        ("my name is Anna Kern", "my name is [name]"),
        ("我的卡号是四一一一一一一一一一一一一一一一，谢谢", "我的卡号是[银行卡号]，谢谢"),
        ("我叫张伟，电话是13812345678", "我叫[姓名]，电话是[电话号码]"),
        ("it is 539148803436467 as you heard it", "it is [number] as you heard it"),
        ("my password is blue horse, can you check?", "my password is [secret], can you check?"),
        ("我的密码是蓝色的马", "我的密码是[密码]"),
        ("my password is wrong", "my password is wrong"),
        ("where is my order 10342?", "where is my order 10342?"),
        ("does the tent for 2 cost 1,234,567 pounds since 2026-11-21?",) * 2,
    ],
)
def test_a_visitors_words_are_kept_without_what_is_personal(said: str, kept: str) -> None:
    assert a_mask().of_visitor(said) == kept


def test_what_the_visitor_told_is_masked_where_the_desk_repeats_it() -> None:
    mask = a_mask()
    mask.of_visitor("Hello, my name is Anna Kern")
    assert mask.of_desk("Thank you, Anna!") == "Thank you, [name]!"
    assert a_mask(mask_names=False).of_visitor("my name is Anna Kern") == "my name is Anna Kern"


@pytest.mark.parametrize(
    ("keep", "heard", "turn"),
    [
        ("masked", {"text": "card [card number]"}, "card [card number]"),
        ("plain", {"text": f"card {CARD}"}, f"card {CARD}"),
        ("none", {"characters": 24}, None),
    ],
)
def test_a_desk_says_whether_words_are_kept(keep: str, heard: dict[str, object], turn: str | None) -> None:
    mask = a_mask(keep=keep)
    row = row_of("s1", HeardWords(1, f"card {CARD}", final=True), 0.0, mask)
    assert row is not None
    assert json.loads(row.data) == heard
    ended = row_of("s1", TurnEnded(1, f"card {CARD}", "Thanks.", Outcome.ANSWERED, False), 0.0, mask)
    assert ended is not None
    assert json.loads(ended.data).get("question") == turn
    assert ("Thanks" in ended.data) == (keep != "none")
    notice = row_of("s1", Notice("failed", f"ValueError: {CARD}"), 0.0, a_mask())
    assert notice is not None
    assert CARD not in notice.data


async def test_nothing_personal_reaches_the_store(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    async with serving(
        desk_in(tmp_path / "front"), options=ServeOptions(rates={}, store=str(path))
    ) as server:
        session = await server.session()
        async with server.live(session) as client:
            await client.send("text", text=f"My name is Anna Kern, my card is {CARD}")
            await client.until("turn")
    with closing(sqlite3.connect(path)) as database:
        kept = " ".join(data for (data,) in database.execute("SELECT data FROM events"))
    assert "card number" in kept
    assert "4111" not in kept
    assert "Kern" not in kept


@pytest.mark.parametrize(
    ("consent", "by", "data"), [(True, "", {"phones": ["0123456789"]}), (True, "Ben", {}), (False, "", {})]
)
def test_a_case_that_is_through_is_kept_masked(consent: bool, by: str, data: object) -> None:
    told = {"phones": ["0123456789"]} if consent else {}
    lines = (Line("visitor", f"card {CARD}, my name is Anna Kern"), Line("ai", "Thanks, Anna."))
    handoff = Handoff("asked", True, consent, "en", f"They say {CARD}", lines, told)
    case = Case("s1", "front", handoff, 1.0, 1.0, str, mask=a_mask(), by=by)
    assert CARD in case.kept()  # the person in another process has to know
    case.move("missed", 2.0)
    kept = case.kept()
    assert "4111" not in kept
    assert "Anna" not in kept
    assert json.loads(kept)["data"] == data


async def test_a_case_whose_server_was_killed_is_masked_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = EventStore.open(str(path))
    lines = (Line("visitor", f"card {CARD}, my name is Anna Kern"), Line("ai", "Thanks, Anna."))
    handoff = Handoff("asked", True, False, "en", f"They say {CARD}", lines, {})
    for name, desk in (("s1", "front"), ("s2", "unknown"), ("s3", "front")):
        store.put(name, SessionOpened(desk))
        store.put_handoff(name, "waiting", Case(name, desk, handoff, 1.0, 1.0, str, mask=a_mask()).kept())
        if name != "s3":
            store.put(name, SessionClosed(SERVER_LOST))
    assert await store.flush()
    book = Casebook(store, lambda desk: a_mask() if desk == "front" else None)
    await book.look_around()
    kept = {json.loads(text)["session"]: text for text, _ in await store.handoffs("")}
    assert "card [card number], my name is [name]" in kept["s1"]
    assert json.loads(kept["s1"])["state"] == "left"
    assert not any(each in kept["s1"] for each in ("4111", "Anna"))
    assert "card" not in kept["s2"]
    assert CARD in kept["s3"]  # somebody waits there
    await store.close()


def test_the_log_holds_no_card() -> None:
    try:
        raise ValueError(CARD)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "mail anna@example.com", (), (type(error), error, error.__traceback__)
        )
    written = MaskingFormatter().format(record)
    assert "ValueError" in written
    assert "4111" not in written
    assert "anna@" not in written


def test_contacts_are_found_again_however_they_are_written() -> None:
    secret = b"s" * 32
    told = Particulars(phones=("+442079460958",), emails=("Anna@Example.com",))
    assert set(hashes_of(told, secret)) == {
        hash_of("020 7946 0958", secret),
        hash_of(" anna@example.com", secret),
    }
    assert hash_of("020 7946 0958", b"t" * 32) != hash_of("020 7946 0958", secret)
    assert hash_of("Anna", secret) == hash_of("12", secret) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call four one five five five two six seven", ["four one five five five two six seven"]),
        ("it is 415555 to six okay", ["415555 to six"]),
        ("my order is 123456789", []),
        ("two tents, three mats and four beds for five people", []),
        ("in 2019 or 2020 it cost 1,200,000", []),
    ],
)
def test_numbers_are_found_as_they_are_misheard(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in number_spans(text)] == found


def test_what_is_called_a_card_number_is_one_however_it_is_heard() -> None:
    text = "my card number is when when when"
    assert [text[start:end] for start, end in called_spans(text)] == [" when when when"]
    assert called_spans("my card number is wrong") == []


def test_a_sentence_of_the_desk_keeps_the_desks_own_words() -> None:
    row = row_of("s1", SentenceBegan(1, Sentence("It is order 10342.")), 0.0, a_mask())
    assert row is not None
    assert json.loads(row.data)["text"] == "It is order 10342."


@pytest.mark.parametrize("keep", ["masked", "none"])
def test_what_a_tool_found_is_kept_as_words_are(keep: str) -> None:
    mask = a_mask(keep=keep)
    mask.of_visitor("my name is Anna Kern")
    asked = "https://t.example/track?mail=anna%40kern.example&tel=%2B442079460958"
    cited = Citation("tool:order", "Order of Anna", f"Anna Kern, {CARD}, anna@kern.example", 1.0, url=asked)
    sentence = SentenceBegan(1, Sentence("Done.", "en", citations=(cited,)))
    turn = TurnEnded(1, "", "", Outcome.ANSWERED, False, (cited,))
    shown = CardShown(1, Card("link", "Your parcel", url=asked))
    for event in (sentence, turn, shown):
        row = row_of("s", event, 1.0, mask)
        assert row is not None
        assert not any(each in row.data for each in ("Anna", "Kern", "kern", "4111", "7946"))
        for found in json.loads(row.data).get("citations", ()):
            assert found["source"] == "tool:order"
            assert ("text" in found) == ("title" in found) == ("url" in found) == (keep == "masked")
    plain = row_of("s", CardShown(1, Card("link", "Ours", url="https://t.example/a+b?c=1")), 1.0, a_mask())
    assert plain is not None
    assert json.loads(plain.data)["url"] == "https://t.example/a+b?c=1"


def test_what_another_screener_finds_in_a_visitors_words_is_masked_too() -> None:
    class Names:
        def screen(self, subject: Subject) -> list[Finding]:
            at = subject.text.find("Novak")
            return [Finding("pii.name", 0.9, at, at + 5, "name")] if at >= 0 else []

    mask = SessionMask(Masker(Policy.load(), Privacy(), [Names()]))
    assert mask.of_visitor("it was ordered by Novak") == "it was ordered by [name]"
    assert mask.spans("it was ordered by Novak", own=True) == [(18, 23)]
    assert mask.of_desk("Novak makes tents") == "Novak makes tents"
