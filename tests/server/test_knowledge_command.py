"""`visavis knowledge` as a desk's people call it."""

import asyncio
import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.conversation_events import TurnEnded
from agent.sentence import Citation, Outcome
from server.command import app
from server.live.records import AllWords, SessionOpened, TurnRated
from server.live.store import EventStore
from server.unanswered import masker
from tests.server import called

pytestmark = pytest.mark.e2e

NO, BACK, PERSON, YES = Outcome.ABSTAINED, Outcome.CLARIFIED, Outcome.HANDOFF, Outcome.ANSWERED
HEARD = "You have 30 days."
CITED = (Citation("en/returns.md", "Returns", "Thirty days.", 0.9),)
Talk = Sequence[tuple[str, Outcome] | tuple[str, Outcome, int]]


run, document = partial(called.run, "knowledge"), partial(called.document, "knowledge")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    folder = tmp_path / "front"
    assert CliRunner().invoke(app, ["new", str(folder)]).exit_code == 0
    return folder


def kept(path: Path, talks: Sequence[Talk], desk: str = "front", *, days_ago: float = 0.0) -> Path:
    """Keep conversations in a store, as a server does."""

    async def keep() -> None:
        store = EventStore.open(str(path), clock=lambda: time.time() - days_ago * 86_400)
        for number, talk in enumerate(talks):
            name = f"{desk}-{days_ago:g}-{number}"
            store.put(name, SessionOpened(desk, "en", "page"))
            for turn, (question, outcome, *rating) in enumerate(talk, start=1):
                cited = CITED if outcome is YES else ()
                store.put(name, TurnEnded(turn, question, HEARD, outcome, False, cited), AllWords())
                if rating:
                    store.put(name, TurnRated(turn, rating[0]))
        await store.close()

    asyncio.run(keep())
    return path


def test_documents_are_listed_removed_and_brought_back(desk: Path) -> None:
    listed = document("list", desk)
    first = next(one for one in listed["documents"] if one["source"] == "en/faq.md")
    assert (first["passages"], first["languages"], first["tags"]) == (4, ["en"], ["faq"])
    assert first["updated"]
    assert Path(first["place"]).is_file()
    code, _, err = run("remove", desk, "faq.md")
    assert (code, err.count("\n")) == (2, 1)
    assert "--yes" in err
    done = document("remove", desk, "faq.md", "--yes")
    assert done["removed"] == ["en/faq.md"]
    assert done["undo"].startswith("visavis knowledge rollback")
    listed = document("list", desk)
    assert "en/faq.md" not in [one["source"] for one in listed["documents"]]
    assert listed["kept_out"] == ["en/faq.md"]
    assert document("rollback", desk)["brought_back"] == 1
    versions = document("versions", desk)["versions"]
    assert [one["cause"] for one in versions[:2]] == ["rollback to 1", "remove"]
    assert [one["present"] for one in versions] == [True, False, False]
    assert "rollback to 1" in run("versions", desk)[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remove", "DESK", "en/retruns.md", "--yes"], "do you mean en/returns.md?"),
        (["rollback", "DESK"], "no earlier version"),
        (["rollback", "DESK", "7"], "no version 7"),
        (["unanswered", "DESK", "--faq", "new.txt"], "name the file new.md"),
        (["unanswered", "DESK", "--store", "/nowhere/at.all"], "no such file"),
        (["list", "/nowhere/at/all"], "no"),
    ],
)
def test_mistakes_are_one_line_with_a_remedy(desk: Path, arguments: list[str], said: str) -> None:
    code, out, err = run(*[str(desk) if one == "DESK" else one for one in arguments])
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert said in err


def test_what_was_not_answered_is_told_together_and_most_asked_first(desk: Path, tmp_path: Path) -> None:
    store = kept(
        tmp_path / "events.db",
        [
            [("Can I bring my dog into the shop?", NO)],
            [("Do you sell hammocks?", NO), ("I want to talk to a person", PERSON)],
            [("do you have hammocks for sale", BACK)],
            [("Are hammocks sold in your shops?", PERSON), ("When are you open?", YES)],
            [("How long do I have to return something?", YES, -1)],
            [("What is the return window?", YES, -1), ("And in a shop?", YES, 1)],
            [("你们卖吊床吗？", NO)],
            [("你们卖不卖吊床", NO)],
        ],
    )
    kept(store, [[("Do you sell kayaks?", NO)]], desk="other")
    kept(store, [[("Do you sell skis?", NO)]], days_ago=9)
    told = document("unanswered", desk, "--store", store, "--days", "7")
    first, *others = told["questions"]
    assert first["question"] == "Do you sell hammocks?"
    assert (first["times"], first["visitors"]) == (3, 3)
    assert first["kinds"] == {"abstained": 1, "handoff": 1, "clarified": 1}
    assert len(first["phrasings"]) == 2
    chinese = next(one for one in others if one["language"] == "zh")
    assert chinese["times"] == 2
    low = [one for one in others if "low_rated" in one["kinds"]]
    assert {source for one in low for source in one["sources"]} == {"en/returns.md"}
    assert low[0]["answers"] == ["You have 30 days."]
    asked = " ".join(one["question"] for one in told["questions"])
    assert not any(word in asked for word in ("kayaks", "skis", "person", "open", "And in a shop"))
    assert (told["asked_for_a_person"], told["turns"]) == (1, 11)
    assert "skis" in run("unanswered", desk, "--store", store, "--days", "30")[1]


def test_replies_to_the_desk_and_words_to_a_person_are_no_questions(desk: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    consent = "May I pass on your telephone number?"
    talks = [
        [("Do you sell hammocks?", consent, BACK), ("yes, go ahead and pass it on", HEARD, PERSON)],
        [
            ("你们卖吊床吗？", "我可以转告您的电话吗？", BACK),
            ("不用了", HEARD, PERSON),
            ("可以", HEARD, PERSON),
        ],
        [("yes", HEARD, PERSON), ("10 342", HEARD, BACK), ("My tent leaks at the seams", "", PERSON)],
        [("Don't you ship kayaks", consent, NO), ("no parking at the shop?", HEARD, NO)],
        [("No delivery on Sundays", HEARD, NO)],
    ]

    async def keep() -> None:
        store = EventStore.open(str(path))
        for number, talk in enumerate(talks):
            store.put(f"s{number}", SessionOpened("front", "en", "page"))
            for turn, (question, heard, outcome) in enumerate(talk, start=1):
                store.put(f"s{number}", TurnEnded(turn, question, heard, outcome, False, ()), AllWords())
        await store.close()

    asyncio.run(keep())
    told = document("unanswered", desk, "--store", path)
    assert {text for one in told["questions"] for text in (one["question"], *one["phrasings"])} == {
        "Do you sell hammocks?",
        "你们卖吊床吗？",
        "Don't you ship kayaks",
        "no parking at the shop?",
        "No delivery on Sundays",
    }


def test_open_questions_become_faq_entries_that_learn_reads_once_filled_in(
    desk: Path, tmp_path: Path
) -> None:
    store = kept(
        tmp_path / "events.db",
        [[("Do you sell hammocks?", NO)], [("Do you sell -->\n# hammocks?", NO)], [("你们卖吊床吗？", NO)]],
    )
    faq = tmp_path / "new.md"
    told = document("unanswered", desk, "--store", store, "--faq", faq)
    assert told["files"] == [str(faq), str(tmp_path / "new.zh.md")]
    learnt = CliRunner().invoke(app, ["learn", str(desk), str(faq), "--json"])
    assert json.loads(learnt.stdout)["added"] == 0
    text = faq.read_text()
    assert text.count("\n## ") == 1
    faq.write_text(text + "\nYes, we sell hammocks from 40 euros.\n")
    learnt = CliRunner().invoke(app, ["learn", str(desk), str(faq), "--json"])
    assert json.loads(learnt.stdout)["added"] == 1
    found = CliRunner().invoke(app, ["search", str(desk), "do you have hammocks", "--json"])
    assert json.loads(found.stdout)["passages"][0]["text"] == "Yes, we sell hammocks from 40 euros."
    code, _, err = run("unanswered", desk, "--store", store, "--faq", faq)
    assert code == 2
    assert "there already" in err
    now = document("unanswered", desk, "--store", store)
    assert [one["language"] for one in now["questions"]] == ["zh"]
    assert len(now["learnt_since"]) == 1


def test_entries_as_json_lines_keep_the_other_phrasings(desk: Path, tmp_path: Path) -> None:
    store = kept(
        tmp_path / "e.db", [[("Do you sell hammocks?", NO)], [("do you have hammocks for sale", NO)]]
    )
    faq = tmp_path / "new.jsonl"
    document("unanswered", desk, "--store", store, "--faq", faq)
    entry = json.loads(faq.read_text())
    faq.write_text(json.dumps(entry | {"answer": "Yes, from 40 euros."}))
    CliRunner().invoke(app, ["learn", str(desk), str(faq)])
    found = CliRunner().invoke(app, ["search", str(desk), entry["similar_questions"][0], "--json"])
    assert json.loads(found.stdout)["passages"][0]["title"] == entry["question"]


def test_a_desk_without_conversations_says_so(desk: Path) -> None:
    code, out, _ = run("unanswered", desk)
    assert code == 0
    assert "No conversation with front was kept" in out


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("My name is John Smith, where is order 1034012?", ("John", "Smith", "1034012")),
        ("我叫王小明，电话13812345678，订单10340123在哪", ("王小明", "13812345678", "10340123")),
        ("Write to john@example.com please", ("john@example.com",)),
    ],
)
def test_personal_data_is_masked(said: str, gone: tuple[str, ...]) -> None:
    from moderation import Guard

    guard = Guard.load()
    masked = masker(lambda text: guard.screen(text).text)(said)
    assert not any(part in masked for part in gone)
    assert "[" in masked


def test_hints_name_both_places(desk: Path) -> None:
    own = desk / "knowledge" / "en"
    (own / "fees.md").write_text("# Gift wrapping\n\nGift wrapping costs 3 euros for each item.\n")
    (own / "old.md").write_text(
        "# Is there a fee for gift wrapping?\n\nGift wrapping costs 5 euros for each item.\n"
    )
    (hint,) = document("hints", desk)["hints"]
    assert (hint["kind"], hint["why"]) == ("contradiction", "prices differ")
    assert {hint["first"]["source"], hint["second"]["source"]} == {"en/fees.md", "en/old.md"}
    assert "5 euros" in run("hints", desk)[1]
