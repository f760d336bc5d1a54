"""What the doctor says of engines that judge behind an address."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.desk import Desk
from server.doctor_moderation import find_moderation
from tests.agent.scripted import DESK


class Judge(BaseHTTPRequestHandler):
    """A Llama Guard that finds all safe."""

    def do_POST(self) -> None:
        """Answer as a chat server does."""
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"choices": [{"message": {"content": "safe"}}]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def judge() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def desk(folder: Path, address: str) -> Desk:
    (folder / "desk.toml").write_text(DESK)
    (folder / "policy.toml").write_text(
        f'[engines]\nembedded = false\n[engines.llama_guard]\nbase_url = "{address}"\n'
    )
    return Desk.load(folder)


def test_an_engine_that_answers_is_said_to(tmp_path: Path, judge: str) -> None:
    found = find_moderation(desk(tmp_path, judge))
    assert found.ok
    assert "llama_guard answers in" in found.why


def test_an_engine_that_does_not_is_named_with_its_line(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    found = find_moderation(desk(tmp_path, nobody))
    assert not found.ok
    assert "policy.toml, line 4: engines.llama_guard.base_url: llama_guard does not judge" in found.missing
    assert "start that server" in found.remedy
