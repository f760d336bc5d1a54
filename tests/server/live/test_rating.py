"""A visitor says whether a reply helped, and the operators find it in the event store."""

from pathlib import Path
from typing import Any

import pytest

from server.live.options import ServeOptions
from server.live.store import EventStore
from tests.server.live.serving import desk_in, serving


async def ratings(store: EventStore, session: str) -> list[tuple[int | None, Any]]:
    await store.flush()
    return [(one.turn, one.data["value"]) for one in await store.events(session, kinds=["rating"])]


async def test_a_reply_is_rated_over_the_websocket_and_over_http(tmp_path: Path) -> None:
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        assert (store := server.service.store) is not None
        session = await server.session()
        async with server.live(session) as client:
            await client.send("text", text="hello")
            turn = (await client.until("turn"))["turn"]
            await client.send("rate", turn=turn, value=-1)
            await client.send("rate", turn=turn, value="bad")
            assert (await client.until("error"))["code"] == "bad_message"
            where = f"/v1/sessions/{session['session']}/rate"
            bearer = {"Authorization": f"Bearer {client.seen[0]['token']}"}
            done = await server.http.post(where, json={"turn": turn, "value": 1}, headers=bearer)
            assert done.status_code == 204
            assert await ratings(store, session["session"]) == [(turn, -1), (turn, 1)]


@pytest.mark.parametrize(
    ("rating", "status"), [({"turn": 1, "value": 1}, 401), ({"turn": 1, "value": 5}, 422)]
)
async def test_a_rating_needs_a_token_and_is_up_or_down(
    tmp_path: Path, rating: dict[str, int], status: int
) -> None:
    async with serving(desk_in(tmp_path / "front")) as server:
        session = await server.session()
        answer = await server.http.post(f"/v1/sessions/{session['session']}/rate", json=rating)
    assert answer.status_code == status
    assert answer.json()["error"]["remedy"]
