"""What can go wrong at the live door; every error has a code for programs and a remedy for people."""

from __future__ import annotations


class LiveError(Exception):
    """Base of the live server's errors; a client gets code, message and remedy.

    Attributes:
        code: for programs, for example "busy".
        message: what happened, in a sentence.
        remedy: what the person or program at the other end can do.
        status: of the HTTP answer.
        retryable: True when the same request may succeed later without any change.
    """

    def __init__(
        self, code: str, message: str, remedy: str, *, status: int = 400, retryable: bool = False
    ) -> None:
        super().__init__(f"{message}; {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy
        self.status = status
        self.retryable = retryable

    def document(self) -> dict[str, str]:
        """Return what goes over the wire."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class Busy(LiveError):
    """No place is free.

    Attributes:
        ahead: how many wait before this visitor; None where even the queue is full.
        ticket: the place in the queue; "" where the queue is full.
    """

    def __init__(self, message: str, remedy: str, *, ahead: int | None = None, ticket: str = "") -> None:
        super().__init__("busy", message, remedy, status=503, retryable=True)
        self.ahead = ahead
        self.ticket = ticket
