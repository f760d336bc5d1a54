"""A real server, killed with kill -9 in the middle of a recorded conversation, and the next one."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from websockets.sync.client import connect

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from server.boundary import boundary, print_json
from server.progress import Silent
from server.serve import open_desks, options_of, serve_opened
options = options_of(
    host="127.0.0.1", port=0, secret_file=None, stun=[], turn=[], relay_only=False, max_sessions=None,
    origins=[], store="", recordings=None,
)
with boundary():
    serve_opened(open_desks([sys.argv[1]], options, Silent()), ready=print_json)
"""


@contextmanager
def a_server(desk: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process and its address; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(desk)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        yield process, json.loads("".join(lines))["address"]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def until(so: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.1)


@pytest.mark.e2e
def test_a_server_that_is_killed_leaves_whole_recordings_and_ended_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    subprocess.run([sys.executable, "-m", "server", "new", "front"], cwd=tmp_path, check=True, env={
        **os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)  # fmt: skip
    toml = tmp_path / "front" / "desk.toml"
    with toml.open("a", encoding="utf-8") as file:
        file.write("\n[web]\nrecord = true\n")

    def kept() -> tuple[float | None, str, float]:
        with sqlite3.connect(tmp_path / "state" / "sessions.sqlite") as look:
            row: tuple[float | None, str, float] = look.execute(
                "SELECT closed_at, reason, (SELECT max(at) FROM events WHERE session_id = sessions.id) "
                "FROM sessions"
            ).fetchone()
        look.close()
        return row

    with a_server(tmp_path / "front") as (process, address):
        assert httpx.get(f"{address}/desks", trust_env=False).json()[0]["record"]
        session = httpx.post(f"{address}/v1/sessions", json={"record": True}, trust_env=False).json()
        film = tmp_path / "state" / "recordings" / f"{session['session']}.mp4"
        with connect(f"ws{address[4:]}{session['ws']}", proxy=None, compression=None) as socket:
            for message in (
                {"type": "hello", "token": session["token"]},
                {"type": "audio", "on": True},
                {"type": "text", "text": "What are your opening hours?"},
            ):
                socket.send(json.dumps(message))
            for _ in socket:  # what comes has to be read, or the server is held up
                if film.exists() and film.read_bytes().count(b"moof") >= 4:
                    break
            process.kill()
            process.wait()
    assert kept()[:2] == (None, "")
    with a_server(tmp_path / "front"):
        until(lambda: b"moof" not in film.read_bytes())
        until(lambda: kept()[0] is not None)
    closed_at, reason, last = kept()
    assert (closed_at, reason) == (last, "server_lost")
    with av.open(str(film)) as clip:
        assert clip.duration is not None
        assert clip.duration / 1e6 >= 6
        assert len(list(clip.decode(video=0))) > 100
    captions = film.with_suffix(".vtt").read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT\n")
    assert "<v Visitor>What are your opening hours?" in captions
