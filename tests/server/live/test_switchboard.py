"""A visitor is passed on to a person, over HTTP and WebSocket, in the conversation that they are in."""

import json
import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from agent.desk import Desk
from agent.scripted import ScriptedAnswerer
from avatar import Renderer, load_renderer, load_rig
from moderation import Guard
from server.live.desks import OpenDesk, cast_of
from server.live.handoff_documents import HandoffDocument
from server.live.operators import add_operator, remove_operator
from server.live.options import ServeOptions
from server.live.records import SessionClosed, SessionOpened
from speech.scripted import ScriptedRecognizer
from speech.scripted_voice import ScriptedSynthesizer
from tests.agent.scripted import scripted_engines
from tests.server.live.rtc_client import Client as Browser
from tests.server.live.serving import Client, Server, desk_in, eventually, serving

LINE = "You have thirty days to return it."


pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return load_renderer(load_rig("mira"), size=128)


class Person:
    """Somebody with a key."""

    def __init__(self, server: Server, key: str) -> None:
        self.server, self.key = server, key
        self.headers = {"Authorization": f"Bearer {key}"}

    async def inbox(self) -> dict[str, Any]:
        answer = await self.server.http.get("/v1/inbox", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def case(self, session: str) -> dict[str, Any]:
        answer = await self.server.http.get(f"/v1/inbox/{session}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def does(self, what: str, session: str, **body: str) -> httpx.Response:
        path = f"/v1/inbox/{session}/{what}"
        return await self.server.http.post(path, headers=self.headers, json=body or None)

    async def takes(self, session: str) -> dict[str, Any]:
        answer = await self.does("take", session)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def staffed(
    folder: Path, renderer: Renderer, handoff: str = ""
) -> AsyncGenerator[tuple[Server, Person, Person], None]:
    """A server whose desk has two people."""

    def opener(name: str, desk: Desk) -> OpenDesk:
        toml = (desk.folder / "desk.toml").read_text(encoding="utf-8")
        engines = scripted_engines(desk.folder, ScriptedAnswerer([LINE]))
        (desk.folder / "desk.toml").write_text(toml, encoding="utf-8")
        engines.desk, engines.guard = desk, Guard.load()
        engines.synthesizer = ScriptedSynthesizer(rate=16.0)
        engines.recognizer = ScriptedRecognizer(["May I return it?"])
        return OpenDesk(name, desk, engines, renderer)

    keys = folder / "operators.json"
    anna, ben = add_operator(keys, "Anna"), add_operator(keys, "Ben")
    desk = desk_in(folder / "front", f"[handoff]\n{handoff}")
    options = ServeOptions(
        rates={}, max_sessions=4, operators=str(keys), store=str(folder / "sessions.sqlite")
    )
    async with serving(desk, options=options, cast=cast_of, opener=opener) as server:
        yield server, Person(server, anna), Person(server, ben)


async def asks_for_a_person(client: Client) -> None:
    await client.send("text", text="I want to talk to a person.")
    await client.until("person", state="waiting")


@asynccontextmanager
async def watching(server: Server, key: str) -> AsyncGenerator[Client, None]:
    async with connect(f"ws://127.0.0.1:{server.port}/v1/inbox/events", proxy=None) as socket:
        client = Client(socket)
        await client.send("hello", key=key)
        yield client


async def test_a_test_says_who_is_there_and_calls_nobody(tmp_path: Path, renderer: Renderer) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        for people, there in (("there", True), ("away", False)):
            session = await server.session()
            async with server.live(session, hello=False) as client:
                await client.send("hello", token=session["token"], key=anna.key, people=people)
                await client.until("ready", examined=True)
                await client.send("text", text="I want to talk to a person.")
                assert (await client.until("handoff"))["there"] is there
                await client.until("turn")
            assert (await anna.inbox())["waiting"] == []
        session = await server.session()
        async with server.live(session) as client:
            await asks_for_a_person(client)
        async with server.live(session, hello=False) as client:
            await client.send("hello", token=session["token"], key=anna.key, people="none")
            await client.send("withdraw")  # who is called already hears of that
            await client.until("person", state="none")
        assert (await anna.inbox())["waiting"] == []


async def test_a_person_takes_over_speaks_through_the_avatar_and_hands_back(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, ben):
        session = await server.session()
        name = session["session"]
        async with server.live(session) as client, watching(server, ben.key) as watch:
            assert (await watch.until("ready"))["inbox"]["waiting"] == []
            await asks_for_a_person(client)
            assert (await watch.until("waiting"))["entry"]["session"] == name
            assert [one["session"] for one in (await anna.inbox())["waiting"]] == [name]
            await anna.takes(name)
            assert (await client.until("person"))["name"] == "Anna"
            assert (await watch.until("taken"))["entry"]["by"] == "Anna"
            second = await ben.does("take", name)
            assert second.status_code == 409
            assert "Anna has this conversation" in second.text
            assert (await ben.does("say", name, text="Hello.")).status_code == 409
            await client.until("sentence", by="ai", text="You are now talking with Anna, a person.")
            await client.until("turn", interrupted=False)
            await client.send("text", text="My number is 087 123 4567, call me.")
            await client.until("turn", outcome="handoff")
            assert (await anna.case(name))["transcript"][-1]["text"] == "My number is 087 123 4567, call me."
            assert (await anna.does("say", name, text="I look into it. One moment.")).status_code == 200
            said = await client.until("sentence", by="person")
            assert (said["text"], said["name"]) == ("I look into it.", "Anna")
            await client.until("turn", heard="I look into it. One moment.")
            assert (await anna.does("say", name, text="You stupid idiot!")).status_code == 422
            for nothing in ("\0", "\u202e\u200b", "😀…"):
                assert (await anna.does("say", name, text=nothing)).status_code == 422
            assert (await anna.does("back", name)).json()["state"] == "back"
            await client.until("person", state="none")
            await client.until("turn")
            await client.send("text", text="May I return it?")
            assert (await client.until("sentence", by="ai"))["text"] == LINE
            talk = next(iter(server.service.sessions._open.values())).talk
            assert ("My number is [phone number], call me.", "I look into it. One moment.") in [
                (one.question, one.reply) for one in talk.history.exchanges
            ]
            await watch.until("back")


async def test_what_is_passed_on_is_soon_in_the_store_and_outlives_the_server(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        session = await server.session()
        async with server.live(session) as client:
            await client.send("text", text="I am Anna Smith, my order is HP-10342, my phone is 087 123 4567.")
            await client.until("turn")
            await client.send("text", text="I want to talk to a person.")
            await client.until("turn", outcome="handoff")
            assert (await anna.inbox())["waiting"] == []
            await client.send("text", text="Yes.")
            await client.until("sentence")

            def kept() -> tuple[str, str]:
                rows = sqlite3.connect(tmp_path / "sessions.sqlite").execute(
                    "SELECT handoff_state, handoff FROM sessions WHERE id = ?", (session["session"],)
                )
                found: tuple[str, str] = rows.fetchone()
                return found

            await eventually(lambda: kept()[0] == "waiting")  # written in batches, beside the conversation
            assert json.loads(kept()[1])["data"] == {
                "names": ["Anna Smith"], "phones": ["0871234567"], "numbers": ["HP-10342"],
            }  # fmt: skip
            await client.send("end")
            await client.until("ended")
        assert (await anna.inbox())["closed"][0]["state"] == "left"
        assert (await anna.does("take", session["session"])).status_code == 410
    async with staffed(tmp_path, renderer) as (server, anna, _):
        found = await anna.case(session["session"])
        assert found["state"] == "left"
        assert found["data"]["phones"] == ["0871234567"]
        assert found["transcript"][0]["who"] == "visitor"


async def test_who_said_no_is_passed_on_without_what_they_told(tmp_path: Path, renderer: Renderer) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        session = await server.session()
        async with server.live(session) as client:
            for text in ("I am Anna Smith, my order is HP-10342.", "I want to talk to a person.", "No."):
                await client.send("text", text=text)
                await client.until("turn")
            found = await anna.case(session["session"])
            assert found["data"] == {}
            assert found["consent"] is False
            assert "10342" not in json.dumps(found)
            assert "Smith" not in json.dumps(found)


async def test_who_comes_back_is_told_with_whom_they_talk_and_who_leaves_is_reported(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        session = await server.session()
        async with watching(server, anna.key) as watch:
            async with server.live(session) as client:
                await asks_for_a_person(client)
                await anna.takes(session["session"])
                await client.until("person", state="talking")
            await eventually(lambda: not next(iter(server.service.sessions._open.values())).joined)
            assert (await anna.does("say", session["session"], text="Are you there?")).status_code == 409
            async with server.live(session) as client:
                assert (await client.until("person"))["name"] == "Anna"
                await client.send("end")
                await client.until("ended")
            assert (await watch.until("left"))["reason"] == "visitor"


async def test_a_person_who_answers_no_more_is_excused_and_the_desk_goes_on(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer, "away_s = 60") as (server, anna, _):
        session = await server.session()
        board = server.service.switchboard
        async with server.live(session) as client:
            await asks_for_a_person(client)
            await anna.takes(session["session"])
            await client.until("person", state="talking")
            await client.until("sentence", text="I speak their words.")
            await client.until("turn")
            board._clock = lambda: time.time() + 61
            assert "Anna does not answer any more." in (await client.until("sentence"))["text"]
            await client.until("turn")
            await client.send("text", text="May I return it?")
            await client.until("sentence", text=LINE)


async def test_who_waits_for_too_long_is_told_so_and_the_next_move_up(
    tmp_path: Path, renderer: Renderer
) -> None:
    settings = 'wait_s = 60\n[handoff.contact]\nen = "Write to help@acme.example."'
    async with staffed(tmp_path, renderer, settings) as (server, anna, _):
        first, second = await server.session(), await server.session()
        async with server.live(first) as one, server.live(second) as two:
            await asks_for_a_person(one)
            await two.send("text", text="I want to talk to a person.")
            assert (await two.until("person"))["ahead"] == 1
            await two.until("sentence", text="You are number 2 in line.")
            await one.send("withdraw")
            await one.until("person", state="none")
            assert (await two.until("person"))["ahead"] == 0
            server.service.switchboard._clock = lambda: time.time() + 61
            assert "none of my colleagues is free" in (await two.until("sentence"))["text"]
            states = [entry["state"] for entry in (await anna.inbox())["closed"]]
            assert sorted(states) == ["missed", "withdrawn"]


async def test_who_waits_in_another_process_counts_and_is_told_of(tmp_path: Path, renderer: Renderer) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        board, store = server.service.switchboard, server.service.store
        document = HandoffDocument(
            session="other", desk="front", state="waiting", reason="asked", language="en", asked_at=1.0,
            changed_at=1.0,
        )  # fmt: skip
        store.put("other", SessionOpened("front"))
        store.put_handoff("other", "waiting", document.model_dump_json())
        await store.flush()
        async with server.live(await server.session()) as client, watching(server, anna.key) as watch:
            assert [one["session"] for one in (await watch.until("ready"))["inbox"]["waiting"]] == ["other"]
            await board.look_around()
            await watch.until("changed")
            await asks_for_a_person(client)
            assert client.seen[-1]["ahead"] == 1
            store.put("other", SessionClosed("visitor"))
            await store.flush()
            await board.look_around()
            assert (await watch.until("changed"))["entry"]["state"] == "left"
            assert (await client.until("person"))["ahead"] == 0
            assert (await anna.does("take", "other")).status_code == 410


async def test_out_of_hours_nobody_is_promised(tmp_path: Path, renderer: Renderer) -> None:
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 3) % 7]
    settings = f'hours = "{day} 10:00-11:00"\ntimezone = "UTC"'
    async with (
        staffed(tmp_path, renderer, settings) as (server, anna, _),
        server.live(await server.session()) as client,
    ):
        await client.send("text", text="I want to talk to a person.")
        assert "colleagues are not there" in (await client.until("sentence"))["text"]
        assert (await anna.inbox())["closed"][0]["state"] == "nobody"


async def test_only_keys_open_the_inbox_and_only_those_of_the_desk(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, ben):
        keys = tmp_path / "operators.json"
        other = Person(server, add_operator(keys, "Cleo", ["another"]))
        session = await server.session()
        async with server.live(session) as client:
            await asks_for_a_person(client)
            server.service.switchboard.operators._looked_s = float("-inf")  # it looks once a second
            assert (await other.inbox())["waiting"] == []
            assert (await other.does("take", session["session"])).status_code == 404
            remove_operator(keys, "Ben")
            server.service.switchboard.operators._looked_s = float("-inf")
            assert (await ben.does("take", session["session"])).status_code == 401
            assert (await server.http.get("/v1/inbox")).status_code == 401
            async with watching(server, "nonsense") as watch:
                assert await watch.code() == 4401
            page = (await server.http.get("/docs")).text
            assert "/v1/inbox/{session}/take" in page


def looks_anew(server: Server) -> None:
    server.service.switchboard.operators._looked_s = float("-inf")  # it looks once a second


async def test_whose_key_is_taken_back_hears_nothing_more_and_loses_the_conversation(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, ben):
        session = await server.session()
        name, keys = session["session"], tmp_path / "operators.json"
        async with server.live(session) as client, watching(server, anna.key) as watch:
            await watch.until("ready")
            await asks_for_a_person(client)
            await anna.takes(name)
            await watch.until("taken")
            remove_operator(keys, "Anna")
            looks_anew(server)
            await client.send("text", text="My name is Lena Berg.")
            with pytest.raises(ConnectionClosed):
                await watch.until("line", nobody="waits for this")
            assert watch.socket.close_code == 4401
            assert "Lena" not in json.dumps(watch.seen)
            assert (await ben.does("take", name)).status_code == 200
            assert (await ben.case(name))["by"] == "Ben"
            remove_operator(keys, "Ben")
            looks_anew(server)
            await client.until("person", state="none")
            await client.until("sentence", text="I am sorry, Ben does not answer any more.")


async def test_what_is_told_to_a_person_stays_between_the_two_and_is_gone_with_the_session(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, ben):
        session = await server.session()
        name = session["session"]
        async with (
            server.live(session) as client,
            watching(server, anna.key) as hers,
            watching(server, ben.key) as his,
        ):
            await his.until("ready")
            await hers.until("ready")
            await asks_for_a_person(client)
            await anna.takes(name)
            await client.until("sentence", text="I speak their words.")
            await client.until("turn")
            await client.send("text", text="Please call me on 0151 234 5678.")
            await client.until("turn", outcome="handoff")
            assert "0151 234 5678" in (await anna.case(name))["transcript"][-1]["text"]
            await client.send("end")
            await client.until("ended")
            for watch in (hers, his):
                await watch.until("left")
        assert "0151 234 5678" in json.dumps(hers.seen)
        assert "0151" not in json.dumps(his.seen)
        assert "[phone number]" in json.dumps(his.seen)
        for person in (anna, ben):
            assert "0151" not in json.dumps(await person.case(name))
        board, store = server.service.switchboard, server.service.store
        await board.look_around()
        assert (await ben.case(name))["state"] == "left"
        assert await store.delete_session(name)
        assert (await ben.does("take", name)).status_code == 404
        assert (await ben.inbox())["closed"] == []


async def test_the_visitor_hears_the_persons_words_in_the_avatars_voice(
    tmp_path: Path, renderer: Renderer
) -> None:
    async with staffed(tmp_path, renderer) as (server, anna, _):
        session = await server.session()
        browser = Browser()
        async with server.live(session) as client:
            await client.send("offer", sdp=await browser.offer())
            await browser.accept((await client.until("answer"))["sdp"])
            await client.until("turn")
            await asks_for_a_person(client)
            await client.until("turn")
            await anna.takes(session["session"])
            await client.until("sentence", text="I speak their words.")
            await client.until("turn")
            before = len(browser.sounds)
            assert (await anna.does("say", session["session"], text="Good morning.")).status_code == 200
            caption = await client.until("caption", by="person")
            assert (caption["name"], caption["text"]) == ("Anna", "Good morning.")
            await client.until("turn", heard="Good morning.")
            assert max(np.abs(pcm).max() for _, pcm in browser.sounds[before:]) > 500
        await browser.close()
