"""How a server is run: what `visavis serve` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.live.admission import QUEUE_LENGTH
from server.live.ice import IceSettings

SESSIONS_A_CORE = 2
"""Talking faces of 512 pixels that one core draws and encodes at 25 frames a second."""
KEPT_DAYS = 30.0
"""What the demo desk promises its visitors."""
JOIN_S = 60.0
"""Seconds for which a session waits for its visitor after a broken connection."""
ENTER_S = 10.0
"""Seconds for which it waits at the start: pages connect within one."""
UNJOINED, UNJOINED_KIOSKS = 2, 4
"""Sessions of one address that may wait for their visitors at once; kiosks of a shop start together."""

OPERATORS = "operators.json"
"""File in the state folder with the people who may take conversations over."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts that only this machine reaches."""
RATES: Mapping[str, str] = {
    "sessions": "30/minute",
    "live": "120/minute",
    "chat": "60/minute",
    "queue": "240/minute",
    "inbox": "1200/minute",
}
"""A visitor needs one session and few questions; a shop's kiosks, or an office, are behind one address."""


def one_a_core() -> int:
    """How many processes draw the faces on this machine."""
    return max(1, min(8, os.cpu_count() or 1))


def places() -> int:
    """How many sessions this machine takes at once."""
    return max(2, SESSIONS_A_CORE * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of a server."""

    host: str = "127.0.0.1"
    port: int = 8600
    """0: any that is free."""
    certificate: str = ""
    """PEM file; with it the server speaks https, which browsers want before they lend a microphone."""
    key: str = ""
    """PEM file; empty: in the certificate's."""
    secret: bytes = field(default=b"", repr=False)
    """Signs tokens, at least 32 bytes; empty: a new one, so that tokens end with the process."""
    ice: IceSettings = field(default_factory=IceSettings)
    max_sessions: int = field(default_factory=places)
    """In the whole server; desks have limits of their own."""
    drawers: int = 0
    """Processes that draw faces and encode pictures; 0: threads of the server's own."""
    share: float = 1.0
    """Of this machine's cores that the server may count on: other processes serve beside it."""
    queue_length: int = QUEUE_LENGTH
    join_s: float = JOIN_S
    enter_s: float = ENTER_S
    unjoined: int = UNJOINED
    """Sessions that one address may hold without coming in."""
    unjoined_kiosks: int = UNJOINED_KIOSKS
    """The same, where the client is a kiosk."""
    finish_s: float = 10.0
    """How long a sentence may take to end when the server closes."""
    origins: tuple[str, ...] = ()
    """Origins that may use every desk, besides the server's own pages."""
    store: str = ""
    """Where sessions' events are kept: a SQLite file or SQLAlchemy's URL; empty: nowhere."""
    recordings: str = ""
    """Folder for the recordings of visitors who agreed; empty: nothing is recorded."""
    kept_days: float = KEPT_DAYS
    """Events and recordings are deleted so long after their session."""
    operators: str = ""
    """File with the keys of people who may take conversations over; empty: there are none."""
    rates: Mapping[str, str] = field(default_factory=lambda: dict(RATES))
    """What is limited → how often a client's address may, in the words of `limits`."""
