"""A real HTTP server that speaks the OpenAI chat protocol, for tests: streams, stalls, fails, breaks off."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Behaviour:
    """What the server does with the next requests."""

    pieces: list[str] = field(default_factory=list)
    status: int = 200
    pause_s: float = 0.0
    """Before each piece."""
    die_after: int | None = None
    """End the answer after so many pieces, as a server that is cut off."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away in the middle of a stream."""


@contextmanager
def openai_server(behaviour: Behaviour) -> Iterator[str]:
    """Serve on loopback; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as real servers do

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            behaviour.requests.append(json.loads(self.rfile.read(length)))
            if behaviour.status != 200:
                body = json.dumps({"error": {"message": "no", "type": "x", "code": "x"}}).encode()
                self.send_response(behaviour.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for number, piece in enumerate(behaviour.pieces):
                    if number == behaviour.die_after:
                        self._chunk(b"")
                        return
                    time.sleep(behaviour.pause_s)
                    self._event({"role": "assistant", "content": piece}, None)
                self._event({}, "stop")
                self._chunk(b"data: [DONE]\n\n")
                self._chunk(b"")
            except OSError:
                behaviour.disconnected.set()

        def _event(self, delta: dict[str, str], reason: str | None) -> None:
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

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
