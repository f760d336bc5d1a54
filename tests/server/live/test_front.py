"""One door for several processes; here they are servers of this process, each on a Unix socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server.live.app import create_app
from server.live.front import Front
from server.live.link import CLOSE_FORBIDDEN, CLOSE_UNKNOWN
from server.live.options import ServeOptions
from tests.server.live.serving import Client, Stageless, desk_in, opener

pytestmark = pytest.mark.usefixtures("own_state")


@asynccontextmanager
async def on(app: Any, listener: socket.socket, **more: Any) -> AsyncGenerator[uvicorn.Server, None]:
    config = uvicorn.Config(app, log_level="error", lifespan="on", ws="websockets-sansio", **more)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 20)


class House:
    """A front with the processes behind it."""

    def __init__(
        self,
        port: int,
        http: httpx.AsyncClient,
        casts: list[Stageless],
        apps: list[Any],
        servers: list[uvicorn.Server],
    ) -> None:
        self.port, self.http, self.casts, self.apps, self.servers = port, http, casts, apps, servers

    async def session(self, **wanted: Any) -> dict[str, Any]:
        answer = await self.http.post("/v1/sessions", json=wanted)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def open(self) -> list[int]:
        return [len(app.state.service.sessions) for app in self.apps]

    @asynccontextmanager
    async def live(self, session: dict[str, Any], **more: Any) -> AsyncGenerator[Client, None]:
        url = f"ws://127.0.0.1:{self.port}{session['ws']}"
        async with connect(url, compression=None, proxy=None, **more) as joined:
            client = Client(joined)
            await client.send("hello", token=session["token"])
            yield client


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House, None]:
    desk = desk_in(tmp_path / "front", 'origins = ["https://shop.example"]')
    options = ServeOptions(rates={}, max_sessions=2, unjoined=9, secret=b"s" * 32)
    async with AsyncExitStack() as stack:
        casts, apps, paths, servers = [], [], [], []
        for number in range(2):
            cast = Stageless()
            app = create_app([desk], options, opener=opener, cast=cast)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(tmp_path / f"{number}.sock"))
            servers.append(await stack.enter_async_context(on(app, listener, forwarded_allow_ips="*")))
            casts.append(cast)
            apps.append(app)
            paths.append(str(tmp_path / f"{number}.sock"))
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        await stack.enter_async_context(on(Front(paths).application(), door, proxy_headers=False))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        )
        yield House(port, http, casts, apps, servers)


async def test_visitors_are_shared_out_and_stay_where_they_began(house: House) -> None:
    sessions = [await house.session() for _ in range(4)]
    assert house.open() == [2, 2]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(house.live(one)) for one in sessions]
        for client in clients:
            await client.until("ready")
        for number, client in enumerate(clients):
            await client.send("text", text=f"question {number}")
            await client.until("turn")
        assert sorted(text for cast in house.casts for talk in cast.talks for text in talk.did) == [
            f"question {number}" for number in range(4)
        ]
        await clients[0].send("end")
        await clients[0].until("ended")
    for one in sessions[1:]:
        token = {"Authorization": f"Bearer {one['token']}"}
        assert (await house.http.delete(f"/v1/sessions/{one['session']}", headers=token)).status_code in (
            204,
            401,
        )


async def test_who_comes_to_a_full_house_waits_where_the_place_will_be(house: House) -> None:
    for _ in range(4):
        await house.session()
    full = await house.http.post("/v1/sessions", json={})
    assert full.status_code == 503
    ticket = full.json()["ticket"]
    place = await house.http.get(f"/v1/queue/{ticket}")
    assert place.status_code == 200
    assert place.json()["ready"] is False
    again = await house.http.post("/v1/sessions", json={"ticket": ticket})
    assert again.json()["ticket"] == ticket


async def test_pages_documents_and_figures_come_through(house: House) -> None:
    page = await house.http.get("/")
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert "content-security-policy" in page.headers
    assert (await house.http.get("/desks")).json()
    assert (await house.http.get("/nothing")).status_code == 404
    health = (await house.http.get("/healthz")).json()
    assert health["status"] == "ok"
    assert len(health["processes"]) == 2
    figures = (await house.http.get("/metrics")).text
    assert 'process="0"' in figures
    assert 'process="1"' in figures
    kinds = [line for line in figures.splitlines() if line.startswith("# TYPE")]
    assert len(kinds) == len(set(kinds))


async def test_foreign_pages_and_broken_wishes_are_refused_as_by_a_single_process(house: House) -> None:
    session = await house.session()
    with pytest.raises(InvalidStatus):
        async with house.live(session, origin="https://evil.example"):
            pass
    foreign = await house.http.post("/v1/sessions", json={}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert (await house.http.post("/v1/sessions", content=b"\xff{")).status_code == 422
    assert (await house.http.post("/v1/sessions", content=b" " * 3_000_000)).status_code >= 400
    unknown = {**session, "ws": "/v1/sessions/nobody/live"}
    async with house.live(unknown) as client:
        assert (await client.until("error"))["code"] in ("session_over", "token_elsewhere")
        assert await client.code() in (CLOSE_UNKNOWN, 4401, CLOSE_FORBIDDEN)


async def test_visitors_cannot_tell_another_address_than_theirs(house: House) -> None:
    for _ in range(3):
        answer = await house.http.post("/v1/sessions", json={}, headers={"X-Forwarded-For": "203.0.113.7"})
        assert answer.status_code == 201
    held = {address for app in house.apps for address in app.state.service.sessions._from.values()}
    assert held == {"127.0.0.1"}


async def test_a_process_that_is_away_is_told_and_the_other_goes_on(house: House) -> None:
    first, second = await house.session(), await house.session()
    await house.servers[0].shutdown()
    assert (await house.http.get("/desks")).status_code == 200  # the other one's
    async with house.live(second) as client:
        await client.until("ready")
    async with connect(f"ws://127.0.0.1:{house.port}{first['ws']}", compression=None, proxy=None) as joined:
        assert await Client(joined).code() == 1012
    health = await house.http.get("/healthz")
    assert health.status_code == 502
    assert health.json()["error"]["code"] == "process_away"
