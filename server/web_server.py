"""The web server under desks that are talked to live: its address, and how it begins and ends."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from server.boundary import UsageError

if TYPE_CHECKING:
    from server.live.options import ServeOptions

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NO_MICROPHONE = (
    "Note: browsers on other machines lend their microphone to https only; "
    "give --certificate and --key, or put a proxy with TLS before this server."
)
HTTP_CLOSE_S = 3
"""How long requests may go on after the sessions have ended."""


def bound(host: str, port: int) -> socket.socket:
    """Take the address before anything heavy is loaded.

    Raises:
        UsageError: it is taken, or no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, port))
    except (OSError, OverflowError) as error:
        taken.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"{host}:{port} cannot be listened at ({reason}); choose another with --host and --port"
        ) from None
    return taken


def say_finishing(conversations: int) -> None:
    """Say on standard error that sentences are let end, where there are any."""
    if conversations:
        what = "1 conversation" if conversations == 1 else f"{conversations} conversations"
        sys.stderr.write(f"visavis: finishing {what} (Ctrl-C again: at once)\n")
        sys.stderr.flush()


async def run_server(
    app: Any,
    listener: socket.socket,
    options: ServeOptions,
    ready: Callable[[], None],
    drain: Callable[[], Coroutine[Any, Any, None]],
    *,
    trusted: str | None = None,
) -> None:
    """Serve an ASGI application until the process is told to stop.

    Args:
        app: the application.
        listener: where.
        options: of the server.
        ready: called once it serves.
        drain: lets conversations end before their connections are closed.
        trusted: addresses of proxies that tell truly where visitors are; None: this machine.
    """
    import uvicorn

    from server.live.log_mask import mask_logs
    from server.live.protocol import MESSAGE_BYTES

    class Server(uvicorn.Server):
        """Lets conversations end before their connections are closed."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if not self.force_exit:
                draining = asyncio.create_task(drain())
                while not draining.done() and not self.force_exit:  # a second Ctrl-C does not wait
                    await asyncio.wait([draining], timeout=0.1)
            if self.force_exit:  # what breaks off now does so because it was wished for
                logging.getLogger("uvicorn.error").disabled = True
            await super().shutdown(sockets)

    mask_logs()
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=trusted,
            ssl_certfile=options.certificate or None,
            ssl_keyfile=options.key or None,
            timeout_graceful_shutdown=HTTP_CLOSE_S,
        )
    )
    await server.serve(sockets=[listener])


def where(listener: socket.socket, options: ServeOptions) -> dict[str, Any]:
    """Return the part of a server's document that says where it is."""
    scheme = "https" if options.certificate else "http"
    if listener.family == socket.AF_UNIX:
        host, port = "localhost", 0
    else:
        host, port = listener.getsockname()[:2]
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    return {
        "address": address,
        "pages": {"visitor": f"{address}/", "kiosk": f"{address}/kiosk", "interface": f"{address}/docs"},
        "notes": [] if options.certificate or options.host in _LOOPBACK else [_NO_MICROPHONE],
    }
