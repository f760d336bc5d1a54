"""A session's tokens take the place of one another, and a breaking network locks nobody out."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from server.live.errors import LiveError
from server.live.link import CLOSE_UNAUTHORISED
from server.live.passes import Passes
from server.live.tokens import Tokens
from tests.server.live.serving import Server, desk_in, eventually, serving

TOKENS = Tokens(b"x" * 32)


def passes_of(clock: list[float] | None = None) -> Passes:
    now = clock or [0.0]
    return Passes(TOKENS, "s1", "front", "https://shop.example", expires_s=60.0, clock=lambda: now[0])


def admit(passes: Passes, token: str) -> None:
    passes.admit(TOKENS.read(token, session="s1", origin="https://shop.example"))


def refused(passes: Passes, token: str) -> bool:
    try:
        admit(passes, token)
    except LiveError as error:
        return (error.code, error.status) == ("token_used", 401)
    return False


def test_a_token_lets_in_until_a_newer_one_was_used() -> None:
    passes = passes_of()
    first = passes.next()
    admit(passes, first)
    second = passes.next()
    assert not refused(passes, first)  # the message that held the second may have been lost
    third = passes.next()
    admit(passes, third)
    assert refused(passes, first)
    assert refused(passes, second)
    assert not refused(passes, third)


def test_a_token_that_was_kept_ends_those_before_it() -> None:
    passes = passes_of()
    first = passes.next()
    admit(passes, first)
    second = passes.next()
    passes.kept()
    assert refused(passes, first)
    admit(passes, second)


def test_a_client_that_knows_nothing_of_newer_tokens_comes_back_with_its_first() -> None:
    passes = passes_of()
    first = passes.next()
    for _ in range(5):
        admit(passes, first)
        passes.next()


def test_later_tokens_end_with_the_first() -> None:
    now = [0.0]
    passes = passes_of(now)
    passes.next()
    now[0] = 61.0
    with pytest.raises(LiveError) as told:
        admit(passes, passes.next())
    assert told.value.code == "token_expired"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[Server, None]:
    async with serving(desk_in(tmp_path / "front")) as running:
        yield running


async def turned_away(server: Server, session: dict[str, Any], token: str) -> bool:
    async with server.live(session, hello=False) as client:
        await client.send("hello", token=token)
        assert (await client.until("error"))["code"] == "token_used"
        return await client.code() == CLOSE_UNAUTHORISED


async def test_a_token_that_leaked_takes_no_conversation_over(server: Server) -> None:
    session = await server.session()
    async with server.live(session) as visitor:
        newer = visitor.seen[0]["token"]
        await visitor.send("kept")
        await visitor.send("text", text="one")
        await visitor.until("turn")
        assert await turned_away(server, session, session["token"])
        forbidden = await server.http.delete(
            f"/v1/sessions/{session['session']}", headers={"Authorization": f"Bearer {session['token']}"}
        )
        assert (forbidden.status_code, forbidden.json()["error"]["code"]) == (401, "token_used")
        await visitor.send("text", text="two")  # and it goes on
        await visitor.until("turn")
    async with server.live({**session, "token": newer}) as back:
        assert back.seen[0]["resumed"] is True
        assert await turned_away(server, session, session["token"])
        await back.send("text", text="three")
        assert (await back.until("heard"))["turn"] == 3
    assert len(server.cast.talks) == 1


async def test_a_client_whose_new_token_was_lost_comes_back_with_the_old_one(server: Server) -> None:
    session = await server.session()
    for turn in (1, 2, 3):
        async with server.live(session) as client:
            await client.send("text", text="hello")
            assert (await client.until("heard"))["turn"] == turn


async def test_a_client_that_was_replaced_ends_no_tokens(server: Server) -> None:
    session = await server.session()
    async with server.live(session) as first, server.live(session) as second:
        found = next(iter(server.service.sessions._open.values()))
        with suppress(ConnectionClosed):  # it may be closed already
            await first.send("kept")
        await second.send("text", text="hello")
        await second.until("turn")
        assert found.passes._least == 0
        await second.send("kept")
        await eventually(lambda: found.passes._least == 2)
    assert await turned_away(server, session, first.seen[0]["token"])


async def test_the_new_token_ends_the_session_over_http(server: Server) -> None:
    session = await server.session()
    async with server.live(session) as client:
        headers = {"Authorization": f"Bearer {client.seen[0]['token']}"}
        gone = await server.http.delete(f"/v1/sessions/{session['session']}", headers=headers)
        assert gone.status_code == 204
        assert (await client.until("ended"))["reason"] == "visitor"
