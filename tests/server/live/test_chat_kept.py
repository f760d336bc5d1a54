"""What is said over `/v1/chat` is kept, counted, exported and erased like what is said live."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any

import pytest

from agent.desk import Desk
from agent.events import Event
from agent.reply import reply
from agent.tools import Slot, tool
from server.live import chat
from server.live.acting import watched
from server.live.desks import OpenDesk
from server.live.errors import LiveError
from server.live.operators import add_operator
from server.live.options import ServeOptions
from server.live.store import EventStore
from tests.server.live.serving import Server, desk_in, eventually, opener, serving

CARD = "my card is 4111 1111 1111 1111 and I am furious"


async def ask(server: Server, text: str, session: str = "mine") -> dict[str, object]:
    answer = await server.http.post("/v1/chat", json={"text": text, "session": session})
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def test_a_typed_conversation_is_kept_masked_counted_and_erased_by_its_visitor(tmp_path: Path) -> None:
    people = tmp_path / "operators.json"
    key = {"Authorization": f"Bearer {add_operator(people, 'Anna', ['front'])}"}
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), operators=str(people))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        store: EventStore = server.service.store
        first = await ask(server, CARD)
        assert (await ask(server, "And now?"))["data"] is None  # who comes later under the same name
        data = first["data"]
        assert isinstance(data, dict)
        where, own = data["path"], {"Authorization": f"Bearer {data['token']}"}
        got = await server.http.get(where, headers=own)
        with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
            assert b"4111" not in packed.read("data.json")
            kept = json.loads(packed.read("data.json"))
        kinds = [one["kind"] for one in kept["events"]]
        assert kinds[:2] == ["heard", "verdict"]
        assert [one["turn"] for one in kept["events"] if one["kind"] == "turn"] == [1, 2]
        assert {"felt", "sentence"} <= set(kinds)
        assert kept["session"]["client"] == "chat"

        trends = (await server.http.get("/v1/desks/front/trends?since=1h", headers=key)).json()
        assert (trends["whole"]["conversations"], trends["whole"]["turns"]) == (1, 2)

        live = await server.session()
        assert (
            await server.http.delete(f"/v1/sessions/{live['session']}/data", headers=own)
        ).status_code == 403
        assert (await server.http.delete(where, headers=own)).status_code == 204
        assert (await server.http.get(where, headers=own)).status_code == 404
        assert await store.sessions() == []
        again = await ask(server, "Hello again")
        assert isinstance(again["data"], dict)
        assert again["data"]["path"] != where
        unnamed = (await server.http.post("/v1/chat", json={"text": "Hello"})).json()
        assert unnamed["data"]["path"] == f"/v1/sessions/{unnamed['session']}/data"


async def test_a_typed_conversation_that_rests_is_over_and_where_nothing_is_kept_nobody_is_told_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.chat.LOOK_S", 0.01)
    monkeypatch.setattr("server.live.chat.REMEMBERED_S", 0.0)
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        store: EventStore = server.service.store
        await ask(server, "hello")
        await eventually(lambda: not server.service.chat._talks)
        await store.flush()
        assert [one.reason for one in await store.sessions()] == ["idle"]
    async with serving(desk_in(tmp_path / "back")) as server:
        assert (await ask(server, "hello"))["data"] is None


async def test_who_got_no_answer_is_told_with_the_next_one_how_to_erase_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_off(*given: Any) -> AsyncGenerator[Event, None]:
        async for event in reply(*given):
            yield event
            raise LiveError("too_slow", "it took too long", "ask again", status=504)

    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        monkeypatch.setattr(chat, "reply", broken_off)
        failed = await server.http.post("/v1/chat", json={"text": CARD, "session": "mine"})
        assert failed.status_code == 504
        monkeypatch.undo()
        data = (await ask(server, "Are you there?"))["data"]
        assert isinstance(data, dict)
        own = {"Authorization": f"Bearer {data['token']}"}
        assert (await server.http.delete(data["path"], headers=own)).status_code == 204
        assert await server.service.store.sessions() == []


@tool(about=r"order \d{5}")
def look_up_order(
    *,
    order_number: Annotated[str, Slot(r"\d{5}", {"en": "Which?", "zh": "哪个？"})],
    language: str,
    state_dir: Path,
) -> str:
    """Tell where an order is."""
    return f"Your order {order_number} is on its way."


def with_tools(name: str, desk: Desk) -> OpenDesk:
    opened = opener(name, desk)
    opened.engines.tools = (watched(look_up_order),)
    return opened


async def test_actions_are_kept_with_what_was_typed(tmp_path: Path) -> None:
    desk, options = desk_in(tmp_path / "front"), ServeOptions(rates={}, store=str(tmp_path / "events.db"))
    async with serving(desk, options=options, opener=with_tools) as server:
        first = await ask(server, "Where is my order 10342?")
        data: Any = first["data"]
        got = await server.http.get(data["path"], headers={"Authorization": f"Bearer {data['token']}"})
    with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
        events = json.loads(packed.read("data.json"))["events"]
    called = [(one["turn"], one["data"]["name"]) for one in events if one["kind"] == "tool"]
    assert called == [(1, "look_up_order")]
