"""Which pages may use a desk, and the headers that keep browsers to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse

from server.live.errors import LiveError
from server.live.protocol import MESSAGE_BYTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = "*"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",  # the widget's files are for other sites too
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=()",
}
_TOO_LARGE = JSONResponse(
    {
        "error": LiveError(
            "too_large", "the request is too long", f"send at most {MESSAGE_BYTES} bytes"
        ).document()
    },
    413,
)


class Origins:
    """The origin allow-lists of all desks.

    Args:
        of_desk: desk → origins besides the server's own.
        everywhere: origins for all desks.
    """

    def __init__(self, of_desk: Mapping[str, Iterable[str]], everywhere: Iterable[str] = ()) -> None:
        self._of_desk = {name: frozenset([*origins, *everywhere]) for name, origins in of_desk.items()}
        self.all = sorted(frozenset().union(*self._of_desk.values()))
        """Every origin that is allowed anywhere."""

    def check(self, origin: str, host: str, desk: str | None = None) -> None:
        """See that a page may use a desk, or any desk.

        Args:
            origin: the Origin header; "" for a client that is no browser, which no list can hold back.
            host: the Host header.
            desk: which; None for any.

        Raises:
            LiveError: "origin_not_allowed".
        """
        if not origin or urlsplit(origin).netloc == host != "":
            return
        allowed = self.all if desk is None else self._of_desk.get(desk, ())
        if origin not in allowed and ANY not in allowed:
            raise LiveError(
                "origin_not_allowed",
                "this site may not use the desk",
                'allow it in desk.toml ([web] origins = ["https://…"]); a proxy must pass the Host header on',
                status=403,
            )


class SecureHeaders:
    """ASGI middleware that adds the headers to every answer.

    Args:
        app: what answers.
        frames: origins whose pages may show ours in a frame.
    """

    def __init__(self, app: ASGIApp, frames: Iterable[str] = ()) -> None:
        self._app = app
        self._headers = {
            **_HEADERS,
            # A stream of sound and picture is no resource: media-src is for recordings and test sounds.
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self'; "
                "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
                f"frame-src 'self'; frame-ancestors {' '.join([chr(39) + 'self' + chr(39), *frames])}"
            ),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class TooLarge:
    """ASGI middleware that words the answer to a body over the limit as every other error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answered = False

        async def worded(message: Message) -> None:
            nonlocal answered
            if answered:
                return
            if message["type"] == "http.response.start" and message["status"] == 413:
                headers = dict(message.get("headers", ()))
                answered = not headers.get(b"content-type", b"").startswith(b"application/json")
                if answered:
                    await _TOO_LARGE(scope, receive, send)
                    return
            await send(message)

        await self._app(scope, receive, worded if scope["type"] == "http" else send)
