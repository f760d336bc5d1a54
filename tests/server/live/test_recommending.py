from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.conversation_events import QuestionsSuggested, SuggestionPicked, TurnEnded
from agent.desk import Desk
from agent.recommend import HABITS_FILE, Recommender
from agent.recommend_history import Asked, Habits
from agent.sentence import Citation, Outcome
from agent.suggestion import Suggestion, topic_of
from server.doctor_recommending import find_recommending
from server.live import recommending
from server.live.desks import OpenDesk
from server.live.keeper import Keeper
from server.live.recommending import asked_in, learn_once
from server.live.records import AllWords, SessionOpened
from server.live.store import EventStore
from server.live.writer import WriterSettings
from tests.server.live.serving import desk_in, opener, serving

PICKED = Suggestion("What does it cost?", "faq.md#cost", "What does it cost?", "visitors")
SHOWN = QuestionsSuggested(1, "next", (PICKED,))


pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EventStore]:
    store = EventStore.open(str(tmp_path / "events.db"), settings=WriterSettings(batch_s=0.01))
    yield store
    await store.close()


@pytest.fixture
def opened(tmp_path: Path) -> OpenDesk:
    return opener("front", desk_in(tmp_path / "front"))


def answered(turn: int, source: str, outcome: Outcome = Outcome.ANSWERED) -> TurnEnded:
    return TurnEnded(turn, "?", "Yes.", outcome, False, (Citation(source, source.upper(), "Yes.", 0.9),), {})


async def visits(store: EventStore, desk: str, count: int) -> None:
    """Visitors who ask about one of two pairs of topics."""
    for number in range(count):
        name, pair = f"{desk}-{number}", ("a", "b") if number % 2 else ("c", "d")
        store.put(name, SessionOpened(desk))
        for turn, source in enumerate(pair):
            store.put(name, answered(turn, source), AllWords())
    await store.flush()


async def test_what_visitors_of_a_desk_were_answered_is_read(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommending, "AT_ONCE", 3)
    await visits(store, "front", 4)
    await visits(store, "back", 2)
    store.put("front-0", answered(3, "tool:orders"), AllWords())
    store.put("front-0", answered(4, "e", Outcome.ABSTAINED), AllWords())
    await store.flush()
    found = await asked_in(store, "front")
    assert sorted((one.visit, one.topic) for one in found) == sorted(
        (f"front-{number}", topic_of(source, source.upper()))
        for number in range(4)
        for source in (("a", "b") if number % 2 else ("c", "d"))
    )
    assert len(await asked_in(store, "front", most=3)) <= 3


async def test_a_desk_learns_from_its_visitors_and_doctor_says_so(
    store: EventStore, opened: OpenDesk
) -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    recommender = Recommender.of(opened.engines)
    await visits(store, "front", 20)
    assert await learn_once(store, opened)
    assert recommender.habits.topics == ()
    assert "20 of the 50 visits" in find_recommending(opened.desk).why
    await visits(store, "front", 80)
    assert await learn_once(store, opened)
    assert list(recommender.habits.likely([topic_of("a", "A")], 1)) == [topic_of("b", "B")]
    found = find_recommending(opened.desk)
    assert (found.engine, "80 visits" in found.why) == ("content + visitors", True)
    saved = Habits.load(opened.desk.state_folder / HABITS_FILE)
    assert saved is not None
    assert saved.topics == recommender.habits.topics


async def test_what_was_learnt_today_is_not_learnt_again(
    store: EventStore, opened: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    await visits(store, "front", 60)
    assert await learn_once(store, opened)

    def again(asked: list[Asked]) -> Habits:
        raise AssertionError("learnt twice")

    monkeypatch.setattr(recommending, "learn", again)
    assert await learn_once(store, opened)


@pytest.mark.parametrize("setting", ["on = false", "visitors = false"])
async def test_a_desk_may_do_without(setting: str, store: EventStore, opened: OpenDesk) -> None:
    toml = opened.desk.folder / "desk.toml"
    toml.write_text(f"{toml.read_text(encoding='utf-8')}[recommending]\n{setting}\n", encoding="utf-8")
    opened.desk = Desk.load(opened.desk.folder)
    assert not await learn_once(store, opened)
    assert setting.split()[0] in find_recommending(opened.desk).why


def test_doctor_says_how_to_get_what_is_missing(opened: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.doctor_recommending.can_learn", lambda: False)
    assert "visavis[recommend]" in find_recommending(opened.desk).remedy


async def test_suggestions_go_to_the_visitor_and_what_is_shown_and_picked_is_kept(
    tmp_path: Path, store: EventStore
) -> None:
    async with serving(desk_in(tmp_path / "front"), listeners=(Keeper(store),)) as server:
        session = await server.session()
        async with server.live(session) as client:
            talk = server.cast.talks[0]
            talk.on_event(SHOWN)
            told = await client.until("suggestions")
            assert told == {
                "type": "suggestions",
                "turn": 1,
                "heading": "next",
                "questions": ["What does it cost?"],
            }
            await client.send("suggest", on=False)
            await client.send("pick", turn=1, number=99)
            await client.until("error", code="bad_message")
            await client.send("pick", turn=1, number=0)
            await client.send("text", text="and then?")
            await client.until("turn")
            assert talk.did[:2] == [("suggest", False), ("pick", 1, 0)]
            talk.on_event(SuggestionPicked(1, 0, PICKED))
        await store.flush()
        kept = await store.events(session["session"], kinds=("suggested", "picked"))
    shown, picked = kept
    assert (shown.kind, shown.turn, shown.data["heading"]) == ("suggested", 1, "next")
    assert shown.data["suggestions"][0]["text"] == "What does it cost?"
    assert (picked.kind, picked.turn, picked.data["number"]) == ("picked", 1, 0)
    assert picked.data["why"] == "visitors"
