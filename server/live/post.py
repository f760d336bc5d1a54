"""Messages to a session's visitor, over whichever link they are connected by just now."""

from __future__ import annotations

from server.live.errors import LiveError
from server.live.link import Link
from server.live.metrics import Metrics


class Post:
    """Sends to the client that is connected, and to nobody where none is; used on the event loop.

    Args:
        metrics: where errors are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.link: Link | None = None
        self._metrics = metrics

    def send(self, kind: str, **fields: object) -> None:
        """Send a message; never waits."""
        if self.link is not None:
            self.link.send(kind, **fields)

    def examine(self, kind: str, **fields: object) -> None:
        """Send a message to a client that came with an operator's key; others are not told. Never waits."""
        if self.link is not None and self.link.examines:
            self.link.send(kind, **fields)

    def fail(self, error: LiveError) -> None:
        """Count an error, and tell the client of it."""
        self._metrics.failed(error.code)
        if self.link is not None:
            self.link.fail(error)
