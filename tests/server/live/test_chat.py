"""Conversations over HTTP: how many questions may wait, and what is remembered of whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from agent.events import Ended, Event, Heard, Screened
from agent.sentence import Outcome
from moderation.verdict import Action, Category, Verdict
from server.live import chat
from server.live.chat import TURNS, Chat
from server.live.desks import OpenDesk
from server.live.documents import ChatRequest
from server.live.errors import LiveError
from server.live.metrics import Metrics
from server.live.typed_turn import TypedTurn
from tests.server.live.serving import desk_in, eventually, opener


class Held:
    """Stands for `reply`: answers at once, but who says "wait" waits until let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self, heard: Heard, *_: Any) -> AsyncGenerator[Event, None]:
        self.begun += 1
        if heard.transcript.text == "wait":
            await self.go.wait()
        yield Screened(Verdict(Action.ALLOW, "", heard.transcript.text))
        yield Ended(Outcome.ANSWERED, 0.0)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held()
    monkeypatch.setattr(chat, "reply", made)
    return made


@pytest.fixture
def desk(tmp_path: Path) -> OpenDesk:
    return opener("front", desk_in(tmp_path / "front"))


def asked(session: str, text: str = "hello") -> ChatRequest:
    return ChatRequest(text=text, session=session)


async def test_a_conversation_takes_a_few_questions_at_once_and_others_are_not_held_up(
    held: Held, desk: OpenDesk
) -> None:
    talks = Chat(Metrics())
    waiting = [asyncio.create_task(talks.answer(desk, asked("mine", "wait"))) for _ in range(TURNS)]
    await eventually(lambda: held.begun == 1)
    with pytest.raises(LiveError, match="begin another conversation") as told:
        await talks.answer(desk, asked("mine"))
    assert (told.value.code, told.value.status, told.value.retryable) == ("busy", 503, True)
    assert (await talks.answer(desk, asked("other"))).outcome == "answered"
    held.go.set()
    assert [one.outcome for one in await asyncio.gather(*waiting)] == ["answered"] * TURNS
    assert (await talks.answer(desk, asked("mine"))).outcome == "answered"


async def test_a_conversation_that_is_being_answered_is_not_forgotten_for_others(
    held: Held, desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "REMEMBERED", 2)
    talks = Chat(Metrics())
    await talks.answer(desk, asked("mine"))
    going = asyncio.create_task(talks.answer(desk, asked("mine", "wait")))
    await eventually(lambda: held.begun == 2)
    for name in ("second", "third", "fourth"):
        await talks.answer(desk, asked(name))
    assert [name for _, name in talks._talks] == ["mine", "fourth"]
    held.go.set()
    await going
    assert len(talks._talks["front", "mine"].history.memory().exchanges) == 2
    await talks.answer(desk, asked("fifth"))
    assert [name for _, name in talks._talks] == ["mine", "fifth"]  # rested less long than the fourth


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("I want to talk to a person", "Call us on 01 234 5678."),
        ("我要找人工客服", "请拨打 01 234 5678。"),
    ],
)
async def test_who_asks_for_a_person_is_told_where_people_are(
    tmp_path: Path, text: str, contact: str
) -> None:
    desk = desk_in(
        tmp_path / "desk",
        '[persona.contact]\nen = "Call us on 01 234 5678."\nzh = "请拨打 01 234 5678。"',
    )
    answer = await Chat(Metrics()).answer(opener("desk", desk), asked("mine", text))
    assert contact in answer.reply
    assert "pass you on to a colleague" not in answer.reply
    assert "转接人工客服" not in answer.reply
    assert answer.outcome == "handoff"


def test_who_spoke_of_harming_themselves_is_remembered_as_in_a_live_conversation() -> None:
    turn = TypedTurn(asked("mine"))
    turn.take(Screened(Verdict(Action.ESCALATE, "self_harm.intent", "hello", category=Category.SELF_HARM)))
    exchange = turn.exchange()
    assert exchange is not None
    assert exchange.grave
