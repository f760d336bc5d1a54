"""What the paths of a running server share."""

from __future__ import annotations

from dataclasses import dataclass

from server.live.chat import Chat
from server.live.desks import OpenDesk
from server.live.errors import LiveError
from server.live.metrics import Metrics
from server.live.options import ServeOptions
from server.live.origins import Origins
from server.live.rates import Rates
from server.live.readings import Readings
from server.live.sessions import Sessions
from server.live.store import EventStore
from server.live.switchboard import Switchboard


@dataclass(slots=True)
class Service:
    """What the paths of a running server share."""

    options: ServeOptions
    desks: dict[str, OpenDesk]
    origins: Origins
    rates: Rates
    metrics: Metrics
    sessions: Sessions
    chat: Chat
    store: EventStore | None
    switchboard: Switchboard
    readings: Readings
    started_s: float

    def desk(self, name: str | None) -> OpenDesk:
        """Return a desk; the first for None.

        Raises:
            LiveError: "no_such_desk".
        """
        if name is None:
            return next(iter(self.desks.values()))
        if name not in self.desks:
            raise LiveError(
                "no_such_desk",
                "there is no such desk here",
                f"choose of: {', '.join(self.desks)}",
                status=404,
            )
        return self.desks[name]
