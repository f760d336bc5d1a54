import asyncio
import io
import json
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from agent.conversation_events import Notice
from agent.desk import Desk
from server.live.app import THREADS
from server.live.desks import OpenDesk, poster_of
from server.live.ice import IceSettings
from server.live.link import CLOSE_REPLACED, CLOSE_UNAUTHORISED, CLOSE_UNKNOWN
from server.live.options import ServeOptions
from tests.server.live.rtc_client import Client as Browser
from tests.server.live.serving import Server, desk_in, eventually, opener, serving

pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[Server, None]:
    async with serving(desk_in(tmp_path / "front", 'origins = ["https://shop.example"]')) as running:
        yield running


async def test_a_visitor_gets_a_session_says_hello_and_is_answered(server: Server) -> None:
    session = await server.session(language="en", client="page")
    assert session["desk"]["persona"] == "Ada"
    assert session["desk"]["size"] == [128, 128]
    assert session["desk"]["greeting"]["en"].startswith("Hello")
    assert session["ws"] == f"/v1/sessions/{session['session']}/live"
    async with server.live(session) as client:
        await client.send("text", text="  May I return it? ")
        heard = await client.until("heard")
        assert (heard["text"], heard["final"]) == ("May I return it?", True)
        sentence = await client.until("sentence")
        assert sentence["citations"][0]["source"] == "en/returns.md"
        turn = await client.until("turn")
        assert turn["outcome"] == "answered"
        assert turn["timings_ms"] == {"turn_end": 0.0, "first_sound": 250.0}
        assert (await client.until("state"))["state"] == "listening"
    assert server.cast.talks[0].did[0] == ("language", "en")


async def test_captions_leave_with_their_moment(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("text", text="hello")
        assert await client.until("caption") == {"type": "caption", "turn": 1, "text": "You said hello."}
        server.cast.talks[0].caption = ""
        assert (await client.until("caption"))["text"] == ""


async def test_every_control_reaches_the_conversation(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("stop")
        await client.send("mute", muted=True)
        await client.send("language", language="zh")
        await client.send("replay")
        await client.send("end")
        assert (await client.until("ended"))["reason"] == "visitor"
        assert await client.code() == 1000
    did = server.cast.talks[0].did
    assert did[:4] == ["stop", ("mute", True), ("language", "zh"), "replay"]
    assert did[4] == ("close", False)
    assert len(server.service.sessions) == 0


async def test_sound_goes_both_ways_over_the_websocket(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("audio", on=True)
        tone = np.round(8000 * np.sin(np.arange(320) / 8)).astype("<i2")
        for _ in range(5):
            await client.socket.send(tone.tobytes())
        talk = server.cast.talks[0]
        talk.level = 3277
        loud = b"".join([await client.sound() for _ in range(12)])
        assert len(talk.sound) == 1600
        assert np.allclose(talk.sound[:320], tone / 32768)
        assert talk.greeted == 1
        samples = np.frombuffer(loud, "<i2")
        assert abs(len(samples) / 12 - 960) < 100  # 40 ms at 24 kHz
        assert abs(int(np.median(samples[-2000:])) - 3277) < 5


async def test_a_muted_visitor_is_not_heard(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("audio", on=True)
        await client.send("mute", muted=True)
        await client.socket.send(b"\1\1" * 320)
        await client.send("stop")
        await client.until("notice", code="voice_failed")
    assert len(server.cast.talks[0].sound) == 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("{", "bad_json"),
        ("[1]", "bad_message"),
        ('{"type":"dance"}', "bad_message"),
        ('{"type":"text","text":""}', "bad_message"),
        ('{"type":"text","text":"x","more":1}', "bad_message"),
        ('{"type":"hello","token":"x"}', "bad_message"),
        ("[" * 20_000, "bad_json"),
        (json.dumps({"type": "text", "text": "x" * 3000}), "too_long"),
        (b"\0\0" * 320, "sound_unexpected"),
        ('{"type":"language","language":"fr"}', "bad_message"),
        ('{"type":"report","fps":1e999}', "bad_message"),
    ],
)
async def test_a_mistake_is_told_and_the_conversation_goes_on(
    server: Server, raw: str | bytes, code: str
) -> None:
    async with server.live(await server.session()) as client:
        await client.socket.send(raw)
        error = await client.until("error")
        assert error["code"] == code
        assert error["remedy"]
        await client.send("text", text="still there?")
        await client.until("turn")


async def test_an_offer_of_garbage_is_refused_with_a_reason(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("offer", sdp="v=0\r\nnonsense")
        error = await client.until("error")
        assert error["message"]
        assert error["remedy"]
        await client.send("text", text="still there?")
        await client.until("turn")


async def test_who_sends_only_nonsense_is_let_go(server: Server) -> None:
    async with server.live(await server.session()) as client:
        for _ in range(20):
            await client.socket.send("{")
        assert await client.code() == 1008


async def test_messages_that_come_too_fast_end_the_connection_not_the_session(server: Server) -> None:
    session = await server.session()
    async with server.live(session) as client:
        for _ in range(100):
            await client.send("stop")
        await client.until("error", code="too_fast")
        assert await client.code() == 1008
    async with server.live(session) as again:
        assert again.seen[0]["resumed"] is True


async def test_sound_that_comes_too_fast_is_dropped_then_refused(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("audio", on=True)
        with pytest.raises(Exception, match="1008"):  # noqa: PT012
            for _ in range(200):
                await client.socket.send(bytes(32_000))
            await client.until("turn")
        assert len(server.cast.talks[0].sound) < 16_000 * 6


async def test_a_message_over_the_limit_ends_the_connection(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("text", text="x" * 70_000)
        assert await client.code() == 1009


async def test_a_second_connection_takes_the_place_of_the_first(server: Server) -> None:
    session = await server.session()
    async with server.live(session) as first:
        await first.send("text", text="one")
        await first.until("turn")
        async with server.live(session) as second:
            assert (await first.until("ended"))["reason"] == "replaced"
            assert await first.code() == CLOSE_REPLACED
            ready = {"type": "ready", "state": "listening", "resumed": True, "ice_servers": []}
            assert second.seen[0] == {**ready, "token": second.seen[0]["token"]}
            await second.send("text", text="two")
            assert (await second.until("heard"))["turn"] == 2
    assert len(server.cast.talks) == 1


async def test_a_visitor_who_does_not_come_back_is_gone(tmp_path: Path) -> None:
    options = ServeOptions(rates={}, max_sessions=1)
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        session = await server.session()
        async with server.live(session):
            server.service.sessions._options = replace(options, join_s=0.3)
            await asyncio.sleep(0.6)
            assert len(server.service.sessions) == 1
        await eventually(lambda: not len(server.service.sessions))
        async with server.live(session, hello=False) as late:
            await late.send("hello", token=session["token"])
            assert (await late.until("error"))["code"] == "session_over"
            assert await late.code() == CLOSE_UNKNOWN
        await server.session()
        await eventually(lambda: not len(server.service.sessions))  # nobody joined that one


async def test_a_closed_page_holds_its_place_for_less_long_than_a_broken_network(server: Server) -> None:
    closed, broken = await server.session(), await server.session()
    async with server.live(closed):
        pass
    async with server.live(broken) as client:
        client.socket.transport.abort()
    sessions = server.service.sessions._open
    await eventually(lambda: not any(one.joined for one in sessions.values()))
    now_s = asyncio.get_running_loop().time() + 30
    assert sessions[closed["session"]].check(now_s, join_s=60, enter_s=10) == "gone"
    assert sessions[broken["session"]].check(now_s, join_s=60, enter_s=10) == ""


async def test_a_visitor_who_never_comes_holds_a_place_for_less_long(server: Server) -> None:
    created = await server.session()
    session = server.service.sessions._open[created["session"]]
    now_s = asyncio.get_running_loop().time()
    assert session.check(now_s + 5, join_s=60, enter_s=10) == ""
    assert session.check(now_s + 11, join_s=60, enter_s=10) == "not_joined"


async def test_one_address_cannot_take_all_places_without_coming_in(server: Server) -> None:
    held = [await server.session() for _ in range(2)]
    refused = await server.http.post("/v1/sessions", json={})
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "too_many_unjoined"
    await server.session(client="kiosk")
    async with server.live(held[0]), server.live(held[1]):
        await server.session()


async def test_relays_are_told_to_who_came_in_and_for_as_long_as_the_session_lasts(tmp_path: Path) -> None:
    ice = IceSettings(turn=("turn:127.0.0.1:3478",), turn_secret="s" * 32)
    options = ServeOptions(rates={}, ice=ice)
    async with serving(desk_in(tmp_path / "front", "longest_s = 7000"), options=options) as server:
        session = await server.session()
        assert "credential" not in json.dumps(session)
        async with server.live(session) as client:
            (relay,) = client.seen[0]["ice_servers"]
    until_s, name = relay["username"].split(":")
    assert name == session["session"]
    assert 6900 < int(until_s) - time.time() < 7600


async def test_a_session_that_cannot_begin_ends_and_frees_its_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **more: object) -> None:
        raise RuntimeError("as it was told")

    monkeypatch.setattr("server.live.media.Connection", fail)
    session = await server.session()
    async with server.live(session, hello=False) as client:
        await client.send("hello", token=session["token"])
        assert (await client.until("error"))["code"] == "session_failed"
    await eventually(lambda: server.service.sessions.admission.taken == 0)


async def test_a_session_that_cannot_be_looked_at_leaves_the_others_watched(tmp_path: Path) -> None:
    options = ServeOptions(rates={})
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        broken, other = await server.session(), await server.session()
        sessions = server.service.sessions

        def fail(*given: object, **more: object) -> str:
            raise RuntimeError("as it was told")

        async with server.live(broken) as client:
            sessions._open[broken["session"]].check = fail
            sessions._options = replace(options, join_s=0.3)
            await eventually(lambda: other["session"] not in sessions._open)
            await client.send("text", text="still there?")
            await client.until("turn")
            assert list(sessions._open) == [broken["session"]]


async def test_offers_are_answered_a_few_at_a_time(server: Server) -> None:
    async with server.live(await server.session()) as client:
        codes = []
        for _ in range(6):
            await client.send("offer", sdp="nonsense")
            codes.append((await client.until("error"))["code"])
    assert codes[3] != "offer_too_often"
    assert codes[4:] == ["offer_too_often"] * 2


async def test_sound_that_nobody_expects_is_dropped_and_no_mistake(server: Server) -> None:
    async with server.live(await server.session()) as client:
        for _ in range(40):
            await client.socket.send(b"\1\1" * 320)
        await client.send("text", text="still there?")
        await client.until("turn")
        assert [one["code"] for one in client.seen if one["type"] == "error"] == ["sound_unexpected"]
    assert len(server.cast.talks[0].sound) == 0


async def test_tools_that_hang_stop_neither_pictures_nor_the_end(tmp_path: Path) -> None:
    hang = threading.Event()
    browser = Browser()
    try:
        async with serving(desk_in(tmp_path / "front")) as server:
            session = await server.session()
            async with server.live(session) as client:
                hung = [asyncio.ensure_future(asyncio.to_thread(hang.wait)) for _ in range(THREADS + 4)]
                await client.send("offer", sdp=await browser.offer())
                await browser.accept((await client.until("answer"))["sdp"])
                server.cast.frame = np.full((128, 128, 3), 90, np.uint8)
                await eventually(lambda: len(browser.frames) > 3)
        for one in hung:
            one.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
    finally:
        hang.set()
        await browser.close()


async def test_a_desk_shows_its_face_before_the_conversation(tmp_path: Path) -> None:
    face = np.full((96, 96, 3), (200, 150, 120), np.uint8)
    jpeg = poster_of(face, ai_label=True)

    def with_face(name: str, desk: Desk) -> OpenDesk:
        opened = opener(name, desk)
        opened.poster = jpeg
        return opened

    async with serving(desk_in(tmp_path / "front"), opener=with_face) as server:
        (desk,) = (await server.http.get("/desks")).json()
        assert desk["poster"] == "/desks/front/poster.jpg"
        shown = await server.http.get(desk["poster"])
        assert shown.headers["content-type"] == "image/jpeg"
        assert "max-age" in shown.headers["cache-control"]
        with av.open(io.BytesIO(shown.content)) as opened:
            picture = next(opened.decode(video=0)).to_ndarray(format="rgb24")
        assert picture.shape == (96, 96, 3)
        assert np.abs(picture[48, 48].astype(int) - (200, 150, 120)).max() < 8
        assert (await server.http.get("/desks/nobody/poster.jpg")).status_code == 404
    async with serving(desk_in(tmp_path / "other")) as server:
        (desk,) = (await server.http.get("/desks")).json()
        assert desk["poster"] is None
        assert (await server.http.get("/desks/other/poster.jpg")).status_code == 404


async def test_visitors_are_told_that_their_words_were_not_understood(server: Server) -> None:
    async with server.live(await server.session()) as client:
        server.cast.talks[0].on_event(Notice("not_understood", "secret detail"))
        assert "could not make out" in (await client.until("notice"))["message"]


async def test_tokens_that_are_not_right_do_not_let_in(server: Server) -> None:
    session, other = await server.session(), await server.session()
    forged = session["token"][:-4] + "AAAA"
    for token, code in (
        (other["token"], "token_elsewhere"),
        (forged, "token_invalid"),
        ("", "token_invalid"),
    ):
        async with server.live(session, hello=False) as client:
            await client.send("hello", token=token)
            assert (await client.until("error"))["code"] == code
            assert await client.code() in (CLOSE_UNAUTHORISED, 4403)
    async with server.live(session, hello=False) as client:
        await client.send("text", text="let me in")
        assert (await client.until("error"))["code"] == "no_hello"
    assert server.cast.talks == []


async def test_a_page_of_another_site_needs_to_be_allowed(server: Server) -> None:
    foreign = await server.http.post("/v1/sessions", json={}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert foreign.json()["error"]["code"] == "origin_not_allowed"
    assert "access-control-allow-origin" not in foreign.headers
    allowed = await server.http.post("/v1/sessions", json={}, headers={"Origin": "https://shop.example"})
    assert allowed.status_code == 201
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    session = allowed.json()
    async with server.live(session, origin="https://shop.example"):
        pass
    async with server.live(session, hello=False) as client:  # the same token from elsewhere
        await client.send("hello", token=session["token"])
        assert (await client.until("error"))["code"] == "token_elsewhere"
    with pytest.raises(Exception, match="403"):
        async with server.live(session, origin="https://evil.example"):
            pass


async def test_the_own_pages_need_no_permission(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    answer = await server.http.post("/v1/sessions", json={}, headers={"Origin": own})
    assert answer.status_code == 201


async def test_who_comes_when_all_places_are_taken_waits_in_order(tmp_path: Path) -> None:
    options = ServeOptions(rates={}, max_sessions=1, queue_length=2)
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        session = await server.session()
        first = (await server.http.post("/v1/sessions", json={})).json()
        second = (await server.http.post("/v1/sessions", json={})).json()
        third = await server.http.post("/v1/sessions", json={})
        assert (first["error"]["code"], first["ahead"]) == ("busy", 0)
        assert second["ahead"] == 1
        assert third.status_code == 503
        assert "ticket" not in third.json()
        deleted = await server.http.delete(
            f"/v1/sessions/{session['session']}", headers={"Authorization": f"Bearer {session['token']}"}
        )
        assert deleted.status_code == 204
        place = (await server.http.get(f"/v1/queue/{first['ticket']}")).json()
        assert place == {"ticket": first["ticket"], "ahead": 0, "ready": True}
        pushed = await server.http.post("/v1/sessions", json={"ticket": second["ticket"]})
        assert pushed.status_code == 503
        assert pushed.json()["ticket"] == second["ticket"]
        await server.session(ticket=first["ticket"])
        assert (await server.http.get(f"/v1/queue/{first['ticket']}")).status_code == 404


async def test_an_address_may_not_ask_all_the_time(tmp_path: Path) -> None:
    options = ServeOptions(rates={"sessions": "2/minute"})
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        await server.session()
        await server.session()
        refused = await server.http.post("/v1/sessions", json={})
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "too_often"
        assert "retry-after" in refused.headers


async def test_a_conversation_that_breaks_ends_its_session_and_no_other(server: Server) -> None:
    one, two = await server.session(), await server.session()
    async with server.live(one) as broken, server.live(two) as other:
        await broken.send("text", text="fail")
        assert (await broken.until("ended"))["reason"] == "failed"
        await other.send("text", text="hello")
        await other.until("turn")


async def test_a_conversation_that_hangs_at_its_end_does_not_hold_its_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.visit.CLOSING_S", 0.2)
    async with server.live(await server.session()) as client:
        await client.send("text", text="hang")
        await client.until("turn")
        await client.send("end")
        assert (await client.until("ended"))["reason"] == "visitor"
    await eventually(lambda: server.service.sessions.admission.taken == 0)


async def test_many_connections_of_one_session_at_once_leave_one(server: Server) -> None:
    session = await server.session()

    async def connect() -> str:
        try:
            async with server.live(session, hello=False) as client:
                await client.send("hello", token=session["token"])
                await client.until("ready")
                await client.send("text", text="hello")
                return str((await client.until("turn"))["type"])
        except ConnectionClosed as error:
            return str(error.rcvd.code if error.rcvd else error)

    ends = await asyncio.gather(*(connect() for _ in range(5)))
    assert "turn" in ends
    assert set(ends) <= {"turn", str(CLOSE_REPLACED)}
    assert len(server.cast.talks) == 1
    assert len(server.service.sessions) == 1


async def test_visitors_are_not_told_what_engines_say(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("stop")
        notice = await client.until("notice")
        assert "secret" not in notice["message"]
        server.cast.talks[0].on_event(Notice("replaced", "secret endpoint"))
        await client.send("text", text="hello")
        await client.until("turn")
        assert [message["type"] for message in client.seen].count("notice") == 1


async def test_a_conversation_that_the_guard_ends_is_over_after_its_turn(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("text", text="go away")
        await client.until("turn")
        assert (await client.until("ended"))["reason"] == "guard"


async def test_a_closing_server_says_so_and_lets_sentences_end(tmp_path: Path) -> None:
    async with serving(desk_in(tmp_path / "front")) as server:
        session = await server.session()
        async with server.live(session) as client:
            drain = asyncio.create_task(server.service.sessions.drain())
            assert (await client.until("ended"))["reason"] == "closing"
            await drain
        assert ("close", True) in server.cast.talks[0].did
        assert (await server.http.get("/healthz")).status_code == 503
        refused = await server.http.post("/v1/sessions", json={})
        assert refused.json()["error"]["code"] == "closing"


async def test_a_sentence_without_end_is_cut_off_when_the_server_closes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = ServeOptions(rates={}, finish_s=0.05)
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        async with server.live(await server.session()) as client:
            await client.send("text", text="go on")
            await client.until("turn")
            await server.service.sessions.drain()
        assert server.cast.talks[0].did[-2:] == [("close", True), ("close", False)]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_sessions_leave_nothing_behind(server: Server) -> None:
    await asyncio.sleep(0.1)
    before = len(asyncio.all_tasks())
    for _ in range(20):
        async with server.live(await server.session()) as client:
            await client.send("text", text="hello")
            await client.until("turn")
            await client.send("end")
            await client.until("ended")
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    assert len(server.service.sessions) == 0
    assert server.service.sessions.admission.taken == 0


async def test_silence_ends_a_session_after_a_warning(tmp_path: Path) -> None:
    async with serving(desk_in(tmp_path / "front", "idle_s = 10")) as server:
        session = await server.session()
        async with server.live(session) as client:
            live = next(iter(server.service.sessions._open.values()))
            live.presence._active_s -= 6
            await client.until("notice", code="idle")
            live.presence._active_s -= 6
            assert (await client.until("ended"))["reason"] == "idle"


async def test_figures_count_sessions_turns_and_errors(server: Server) -> None:
    async with server.live(await server.session()) as client:
        await client.send("text", text="hello")
        await client.until("turn")
        await client.send("report", first_sound_ms=480.0, skew_ms=-12, fps=25, unheard_of=1)
        await client.socket.send("{")
        await client.until("error")
        text = (await server.http.get("/metrics")).text
    assert 'visavis_sessions{desk="front"} 1.0' in text
    assert 'visavis_turns_total{desk="front",interrupted="false",outcome="answered"} 1.0' in text
    assert 'visavis_turn_latency_seconds_count{asked="typed",stage="first_sound"} 1.0' in text
    assert (
        'visavis_turn_latency_recent_seconds{asked="spoken",quantile="0.95",stage="browser_sound"} 0.48'
        in text
    )
    assert 'visavis_errors_total{code="bad_json"} 1.0' in text


async def test_listeners_are_told_of_every_session(tmp_path: Path) -> None:
    class Listener:
        def __init__(self) -> None:
            self.told: list[object] = []

        def opened(self, session: object) -> None:
            self.told.append("opened")

        def happened(self, session: object, event: object) -> None:
            self.told.append(type(event).__name__)

        def ended(self, session: object, reason: str) -> None:
            self.told.append(reason)

    listener = Listener()
    desk = desk_in(tmp_path / "front")
    async with (
        serving(desk, listeners=(listener,)) as server,
        server.live(await server.session()) as client,
    ):
        await client.send("text", text="hello")
        await client.until("turn")
        await client.send("end")
        await client.until("ended")
    assert listener.told[0] == "opened"
    assert {"HeardWords", "SentenceBegan", "TurnEnded"} <= set(listener.told)
    assert listener.told[-1] == "visitor"
