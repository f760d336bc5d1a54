"""The whole chain over real WebRTC: application, conversation, stage, clock, peer; scripted engines."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import av
import numpy as np
import pytest

from agent.desk import Desk
from agent.scripted import ScriptedAnswerer
from avatar import Renderer, load_renderer, load_rig
from server.live.desks import OpenDesk, cast_of
from server.live.options import ServeOptions
from server.live.store import EventStore
from speech.scripted import ScriptedRecognizer
from tests.agent.scripted import scripted_engines
from tests.server.live.rtc_client import Client as Browser
from tests.server.live.serving import Server, desk_in, eventually, serving

LINE = "You have thirty days to return it."


pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return load_renderer(load_rig("mira"), size=128)


@pytest.fixture
async def server(tmp_path: Path, renderer: Renderer) -> AsyncGenerator[Server, None]:
    def opener(name: str, desk: Desk) -> OpenDesk:
        engines = scripted_engines(desk.folder, ScriptedAnswerer([LINE]))
        engines.recognizer = ScriptedRecognizer(["May I return it?"])
        return OpenDesk(name, desk, engines, renderer)

    options = ServeOptions(
        rates={},
        max_sessions=4,
        store=str(tmp_path / "sessions.sqlite"),
        recordings=str(tmp_path / "recordings"),
    )
    async with serving(
        desk_in(tmp_path / "front", "record = true"), options=options, cast=cast_of, opener=opener
    ) as running:
        yield running


async def test_a_question_is_answered_in_picture_sound_and_words(server: Server, tmp_path: Path) -> None:
    browser = Browser()
    session = await server.session()
    async with server.live(session) as client:
        await client.send("offer", sdp=await browser.offer())
        await browser.accept((await client.until("answer"))["sdp"])
        greeting = await client.until("sentence")
        assert greeting["text"].startswith("Hello")
        await client.send("stop")
        await client.until("turn", interrupted=True)
        await client.send("text", text="May I return it?")
        assert (await client.until("heard", final=True))["text"] == "May I return it?"
        assert (await client.until("sentence"))["text"] == LINE
        assert (await client.until("caption"))["text"].startswith("You have")
        turn = await client.until("turn", interrupted=False)
        assert turn["heard"] == LINE
        assert turn["timings_ms"]["first_sound"] > 0
        await eventually(lambda: len(browser.frames) > 10)
        figures = (await server.http.get("/metrics")).text
        assert "visavis_media_connections{step=" in figures
        assert 'visavis_media_bits_per_second{what="sound"}' in figures
        assert max(np.abs(pcm).max() for _, pcm in browser.sounds) > 500
        await client.send("end")
        await client.until("ended")
    await browser.close()
    store = await asyncio.to_thread(EventStore.open, str(tmp_path / "sessions.sqlite"))
    await asyncio.sleep(0.5)
    kinds = {event.kind for event in await store.events(session["session"])}
    kept = (await store.sessions())[0]
    await store.close()
    assert {"heard", "sentence", "turn", "state", "verdict"} <= kinds
    assert (kept.id, kept.reason) == (session["session"], "visitor")


async def test_nothing_is_drawn_for_who_reads_only(server: Server, renderer: Renderer) -> None:
    async with server.live(await server.session()) as client:
        await client.send("text", text="May I return it?")
        await client.until("turn")
        live = next(iter(server.service.sessions._open.values()))
        assert live._visit._cast.talk.stage.drawn <= 1


async def test_who_agrees_is_recorded_with_both_voices_and_nobody_else(
    server: Server, tmp_path: Path
) -> None:
    browser = Browser()
    session, other = await server.session(record=True), await server.session()
    assert session["desk"]["record"] is True
    async with server.live(session) as client, server.live(other):
        await client.send("offer", sdp=await browser.offer())
        await browser.accept((await client.until("answer"))["sdp"])
        await client.until("sentence")
        await client.send("stop")
        await client.send("text", text="May I return it?")
        await client.until("turn", interrupted=False)
        await client.send("end")
        await client.until("ended")
        assert "recording" in [message.get("code") for message in client.seen]
    await browser.close()
    recordings = sorted(file.name for file in (tmp_path / "recordings").iterdir())
    assert recordings == [f"{session['session']}.mp4", f"{session['session']}.vtt"]
    with av.open(str(tmp_path / "recordings" / recordings[0])) as clip:
        assert len(list(clip.decode(video=0))) > 25
    with av.open(str(tmp_path / "recordings" / recordings[0])) as clip:
        sound = np.concatenate([frame.to_ndarray() for frame in clip.decode(audio=0)], axis=1)
    assert np.abs(sound).max() > 0.02
    words = (tmp_path / "recordings" / recordings[1]).read_text(encoding="utf-8")
    assert "May I return it?" in words
    assert "thirty days" in words


async def test_two_visitors_hear_only_their_own_answers(server: Server) -> None:
    one, two = await server.session(), await server.session()
    async with server.live(one) as first, server.live(two) as second:
        await first.send("text", text="first question")
        await second.send("text", text="second question")
        assert (await first.until("heard", final=True))["text"] == "first question"
        assert (await second.until("heard", final=True))["text"] == "second question"
        await first.until("turn")
        await second.until("turn")
        told = [message.get("text") for message in first.seen if message["type"] == "heard"]
        assert "second question" not in told
