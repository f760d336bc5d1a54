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
    """Close the connection after so many pieces."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)
    """Set when a client went away in the middle of a stream."""


@contextmanager
def openai_server(behaviour: Behaviour) -> Iterator[str]:
    """Serve on loopback; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
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
            self.end_headers()
            try:
                for number, piece in enumerate(behaviour.pieces):
                    if number == behaviour.die_after:
                        self.connection.close()
                        return
                    time.sleep(behaviour.pause_s)
                    self._event({"role": "assistant", "content": piece}, None)
                self._event({}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")
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
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
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
