"""`visavis serve`: desks that are talked to live, in browsers and at kiosks."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.desk import Desk, state_root
from server.boundary import UsageError
from server.progress import Stages

if TYPE_CHECKING:
    from server.live.desks import OpenDesk
    from server.live.options import ServeOptions
    from server.live.store import EventStore

TURN_SECRET = "VISAVIS_TURN_SECRET"  # noqa: S105
TURN_USER = "VISAVIS_TURN_USERNAME"
TURN_PASSWORD = "VISAVIS_TURN_PASSWORD"  # noqa: S105
_PASSWORD = re.compile(r"(://[^:@/]*:)[^@]*@")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NO_MICROPHONE = (
    "Note: browsers on other machines lend their microphone to https only; "
    "give --certificate and --key, or put a proxy with TLS before this server."
)
_STEPS = {
    "knowledge": "the knowledge; the first time, and after changes, it is read anew",
    "voice": "the voice",
    "hearing": "the hearing",
    "tools": "the tools",
    "face": "the face",
    "warming up": "a first answer, so that visitors do not wait for it",
}
"""What a step of opening a desk is called for people."""
HTTP_CLOSE_S = 3
"""How long requests may go on after the sessions have ended."""


def options_of(
    *,
    host: str,
    port: int,
    secret_file: Path | None,
    stun: Sequence[str],
    turn: Sequence[str],
    relay_only: bool,
    max_sessions: int | None,
    origins: Sequence[str],
    store: str,
    recordings: Path | None,
    certificate: Path | None = None,
    key: Path | None = None,
    kept_days: float | None = None,
    udp_ports: str = "",
    drawers: int | None = None,
) -> ServeOptions:
    """Read what the command was given; passwords of TURN servers come from the environment.

    Args:
        host: address to listen at.
        port: 0: any that is free.
        secret_file: holds what signs tokens; None: one in the state folder, made when missing.
        stun: servers that tell a browser its address.
        turn: servers that relay.
        relay_only: use relays only.
        max_sessions: None: as many as this machine can draw.
        origins: sites that may use every desk.
        store: SQLite file or URL; empty: one in the state folder; "none": keep nothing.
        recordings: folder; None: one in the state folder.
        certificate: PEM file for https; None: http.
        key: its key; None: in the same file.
        kept_days: after which events and recordings are deleted; None: the usual time.
        drawers: processes that draw; None: one for each core.
        udp_ports: "40000-40100": where sound and picture may come and go; empty: at any port.

    Raises:
        UsageError: an address or a range is wrong, or a TURN server has no password.
        DeskError: the secret cannot be read.
    """
    from server.live.errors import LiveError
    from server.live.ice import IceSettings, read_ports
    from server.live.options import KEPT_DAYS, OPERATORS, ServeOptions, one_a_core, places
    from server.live.tokens import load_secret

    try:
        ice = IceSettings(
            stun=tuple(stun),
            turn=tuple(turn),
            turn_secret=os.environ.get(TURN_SECRET, ""),
            turn_username=os.environ.get(TURN_USER, ""),
            turn_password=os.environ.get(TURN_PASSWORD, ""),
            relay_only=relay_only,
            udp_ports=read_ports(udp_ports),
        )
    except LiveError as error:
        hint = f"; set {TURN_SECRET}, or {TURN_USER} and {TURN_PASSWORD}" if "turn" in error.code else ""
        raise UsageError(f"{error}{hint}") from None
    _check_certificate(certificate, key)
    return ServeOptions(
        certificate=str(certificate or ""),
        key=str(key or ""),
        operators=str(state_root() / OPERATORS),
        host=host,
        port=port,
        secret=load_secret(secret_file or state_root() / "secret"),
        ice=ice,
        max_sessions=places() if max_sessions is None else max_sessions,
        drawers=one_a_core() if drawers is None else drawers,
        origins=tuple(origins),
        store="" if store == "none" else store or str(state_root() / "sessions.sqlite"),
        recordings=str(recordings or state_root() / "recordings"),
        kept_days=KEPT_DAYS if kept_days is None else kept_days,
    )


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    if certificate is None:
        if key is not None:
            raise UsageError("--key goes with --certificate; name both")
        return
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"--certificate {certificate}: {error}; give PEM files that belong together"
        ) from None


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


@dataclass(slots=True)
class Opened:
    """An address that is taken and desks that are open, ready to be served."""

    options: ServeOptions
    listener: socket.socket
    loaded: list[Desk]
    desks: dict[str, OpenDesk]
    """Handed over to the application one by one when it starts."""
    store: EventStore | None = None
    """Where events are kept; handed over too."""

    def close(self) -> None:
        """Free what was not handed over."""
        self.listener.close()
        if self.store is not None:
            asyncio.run(self.store.close())
            self.store = None
        while self.desks:
            self.desks.popitem()[1].close()


def open_desks(
    desks: Sequence[str], options: ServeOptions, stages: Stages, *, listener: socket.socket | None = None
) -> Opened:
    """Take the address and open desks, which takes seconds.

    Args:
        desks: folders, or "demo", which it is if there are none.
        options: of the server.
        stages: told what is being done.
        listener: an address that is taken already.

    Raises:
        UsageError, DeskError, and whatever opening a desk raises.
    """
    from server.live.desks import named, open_desk

    loaded = [Desk.load(desk) for desk in desks or ["demo"]]
    opened = Opened(options, listener or bound(options.host, options.port), loaded, {})
    try:
        if options.store:
            opened.store = _store(options.store)
        for name, desk in named(loaded).items():
            stages.stage(f"opening {desk.settings.name}")
            opened.desks[name] = open_desk(
                name, desk, step=lambda what: stages.stage(f"  {_STEPS.get(what, what)}")
            )
        stages.stage("starting the server")
    except BaseException:
        opened.close()
        raise
    return opened


def _store(url: str) -> EventStore:
    from server.live.app import open_store
    from server.live.errors import LiveError

    try:
        return open_store(url)
    except LiveError as error:
        raise UsageError(f"--store: {error}") from None


def serve_opened(
    opened: Opened, *, ready: Callable[[dict[str, Any]], None], behind_front: bool = False
) -> None:
    """Serve until the process is told to stop; then let sentences end.

    Args:
        opened: what `open_desks` returned; closed at the end.
        ready: called with a document that says where, once it serves.
        behind_front: only a `server.live.front` reaches the address, and tells truly where visitors are.
    """
    from server.live.app import create_app
    from server.live.service import Service

    document = _document(opened)
    served = False

    def serving() -> None:
        nonlocal served
        served = True
        ready(document)

    try:
        store, opened.store = opened.store, None
        app = create_app(
            opened.loaded, opened.options, opener=lambda name, _: opened.desks.pop(name), store=store
        )

        async def drain() -> None:
            service: Service | None = getattr(app.state, "service", None)
            if service is not None:
                if not behind_front:
                    say_finishing(len(service.sessions))
                await service.sessions.drain()

        trusted = "*" if behind_front else None
        asyncio.run(run_server(app, opened.listener, opened.options, serving, drain, trusted=trusted))
    except KeyboardInterrupt:
        if not served:
            raise
        # told to stop while serving: that is how a server ends
    finally:
        opened.close()


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


def _document(opened: Opened) -> dict[str, Any]:
    options = opened.options
    return {
        **where(opened.listener, options),
        "max_sessions": options.max_sessions,
        "turn": list(options.ice.turn),
        "store": _PASSWORD.sub(r"\1***@", options.store),
        "recordings": options.recordings,
        "desks": [
            {
                "id": name,
                "name": one.desk.settings.name,
                "folder": str(one.desk.folder),
                "engines": {**one.engines.names(), "face": one.renderer.engine},
            }
            for name, one in opened.desks.items()
        ],
        "pid": os.getpid(),
    }


def show_serving(document: dict[str, Any]) -> None:
    """Print where to go, for people."""
    lines = []
    for desk in document["desks"]:
        engines = ", ".join(f"{what} {name}" for what, name in desk["engines"].items())
        lines.append(f"{desk['name']} ({desk['id']}): {engines}")
    lines.append(f"Talk to it at {document['pages']['visitor']}  (kiosk: {document['pages']['kiosk']})")
    lines.append(
        f"Up to {document['max_sessions']} conversations at once; Ctrl-C lets sentences end and stops."
    )
    lines += document["notes"]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
