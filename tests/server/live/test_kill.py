"""A real server, killed with kill -9 in a recorded conversation; the next one is told to stop."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from server.live.fragments import FRAGMENT_FRAMES
from tests.server.served import Served, a_desk, served, until

QUESTION = "What are your opening hours?"
FRAMES = 100
"""That a recording of four fragments has at least."""


def frames_in(film: Path) -> int:
    """Count the frames of a film that is being written."""
    with av.open(str(film)) as clip:
        return sum(packet.size > 0 for packet in clip.demux(video=0))


@contextmanager
def a_visitor(server: Served) -> Iterator[tuple[str, ClientConnection]]:
    """Somebody who agrees to a recording and asks; a session's name and its WebSocket."""
    session = httpx.post(f"{server.address}/v1/sessions", json={"record": True}, trust_env=False).json()
    address = f"ws{server.address[4:]}{session['ws']}"
    with connect(address, proxy=None, compression=None) as socket:
        for message in (
            {"type": "hello", "token": session["token"]},
            {"type": "audio", "on": True},
            {"type": "text", "text": QUESTION},
        ):
            socket.send(json.dumps(message))
        yield session["session"], socket


@pytest.mark.e2e
def test_a_killed_server_leaves_whole_recordings_and_one_that_is_stopped_lets_sentences_end(
    tmp_path: Path,
) -> None:
    desk, state = a_desk(tmp_path / "front", "record = true"), tmp_path / "state"

    def kept(name: str) -> Any:
        with closing(sqlite3.connect(state / "sessions.sqlite")) as look:
            query = (
                "SELECT closed_at, reason, (SELECT max(at) FROM events WHERE session_id = sessions.id) "
                "FROM sessions WHERE id = ?"
            )
            return look.execute(query, [name]).fetchone()

    with served(desk, state) as server:
        assert httpx.get(f"{server.address}/desks", trust_env=False).json()[0]["record"]
        with a_visitor(server) as (name, socket):
            film = state / "recordings" / f"{name}.mp4"
            seen = 0
            for _ in socket:  # what comes has to be read, or the server is held up
                before, seen = seen, film.read_bytes().count(b"moof") if film.exists() else 0
                # a busy machine leaves frames out, and of the last fragment not all may be there
                if seen > before and seen >= 4 and frames_in(film) > FRAMES + FRAGMENT_FRAMES:
                    break
            server.kill()
    assert kept(name)[:2] == (None, "")

    with served(desk, state) as server:
        until(lambda: b"moof" not in film.read_bytes())
        until(lambda: kept(name)[0] is not None)
        with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as http:
            assert http.get("/healthz").json()["status"] == "ok"
            assert http.post("/v1/chat", json={"text": QUESTION}).json()["outcome"] == "answered"
        with a_visitor(server) as (later, socket):
            for data in socket:
                if isinstance(data, str) and json.loads(data)["type"] == "sentence":
                    break
            assert server.stop() == (0, "")
    assert "visavis: finishing 1 conversation (Ctrl-C again: at once)" in server.complaints
    assert "Traceback" not in server.complaints
    assert kept(later)[1] == "closing"

    closed_at, reason, last = kept(name)
    assert (closed_at, reason) == (last, "server_lost")
    with av.open(str(film)) as clip:
        assert clip.duration is not None
        assert clip.duration / 1e6 >= 6
        assert len(list(clip.decode(video=0))) > FRAMES
    captions = film.with_suffix(".vtt").read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT\n")
    assert f"<v Visitor>{QUESTION}" in captions
