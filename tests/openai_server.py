"""A real HTTP server that speaks the OpenAI chat protocol, for tests: streams, stalls, fails, breaks off."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import QuietHandler, served


@dataclass
class Behaviour:
    """What the server does with the next request; `then` says what it does with those after it."""

    pieces: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Tools to be called after the pieces: name, and arguments as JSON text, sent in fragments."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    """More headers of a refusal."""
    first_pause_s: float = 0.0
    """Before anything is answered."""
    pause_s: float = 0.0
    """Before each piece."""
    die_after: int | None = None
    """End the answer after so many pieces, as a server that is cut off."""
    stall_after: int | None = None
    """Write nothing more after so many pieces, and keep the connection."""
    raw: str | None = None
    """Sent instead of a stream of pieces."""
    content_type: str = "text/event-stream"
    finish: str = "stop"
    then: list["Behaviour"] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set when the first request has come."""
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away in the middle of a stream."""

    def of_request(self, number: int) -> "Behaviour":
        """Return what is done with a request, the first being 0; the last goes on for those that follow."""
        return [self, *self.then][min(number, len(self.then))]


@contextmanager
def openai_server(behaviour: Behaviour) -> Iterator[str]:
    """Serve on loopback; yields the base URL."""
    over = threading.Event()

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as real servers do

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            now = behaviour.of_request(len(behaviour.requests))
            behaviour.requests.append(json.loads(self.rfile.read(length)))
            behaviour.arrived.set()
            time.sleep(now.first_pause_s)
            if now.status != 200:
                body = json.dumps({"error": {"message": "no", "type": "x", "code": "x"}}).encode()
                self.send_response(now.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in now.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_response(200)
            self.send_header("Content-Type", now.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                self._answer(now)
            except OSError:
                behaviour.disconnected.set()

        def _answer(self, now: Behaviour) -> None:
            if now.raw is not None:
                self._chunk(now.raw.encode())
                if now.raw:
                    self._chunk(b"")
                return
            for number, piece in enumerate([*now.pieces, None]):
                if number == now.die_after:
                    self._chunk(b"")
                    return
                while number == now.stall_after and not over.wait(0.02):
                    self._watch()
                if piece is not None:
                    time.sleep(now.pause_s)
                    self._event({"role": "assistant", "content": piece}, None)
            for index, (name, arguments) in enumerate(now.calls):
                head = {"index": index, "id": f"call_{index}", "type": "function"}
                self._event({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]}, None)
                for at in range(0, len(arguments), 7):
                    part = {"index": index, "function": {"arguments": arguments[at : at + 7]}}
                    self._event({"tool_calls": [part]}, None)
            self._event({}, "tool_calls" if now.calls else now.finish)
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")

        def _watch(self) -> None:
            """Raise where the client went away while nothing is written."""
            self._chunk(b": waiting\n\n")

        def _event(self, delta: dict[str, Any], reason: str | None) -> None:
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "test",
                "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
            }
            self._chunk(f"data: {json.dumps(chunk)}\n\n".encode())

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    with served(Handler, over) as url:
        yield url
