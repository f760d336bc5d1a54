"""`visavis serve`: desks that are talked to live, in browsers and at kiosks."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.desk import Desk
from server.boundary import UsageError
from server.progress import Stages
from server.web_server import bound, run_server, say_finishing, where

if TYPE_CHECKING:
    from server.live.desks import OpenDesk
    from server.live.options import ServeOptions
    from server.live.store import EventStore

_PASSWORD = re.compile(r"(://[^:@/]*:)[^@]*@")
_STEPS = {
    "knowledge": "the knowledge; the first time, and after changes, it is read anew",
    "voice": "the voice",
    "hearing": "the hearing",
    "tools": "the tools",
    "face": "the face",
    "warming up": "a first answer, so that visitors do not wait for it",
}
"""What a step of opening a desk is called for people."""


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
