"""A firewall's range of UDP ports that is all taken: the operators are told, and seldom enough to read it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

log = logging.getLogger("visavis.live")

NO_PORT = "offer_ports"
"""Code of the error that a visitor gets for whom no port is left."""
LOOK_S = 2.0
"""Between two looks."""
WARN_S = 60.0
"""Between two warnings."""


class PortWatch:
    """Warns where visitors get no picture because no port is left.

    Args:
        ports: the range, first and last.
        refused: returns how many offers found no port since the server began.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        ports: tuple[int, int],
        refused: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ports, self._refused, self._clock = ports, refused, clock
        self._told = refused()
        self._told_s = -WARN_S

    def look(self) -> None:
        """Warn where offers were refused since the last warning, at most once a minute."""
        refused, now_s = self._refused(), self._clock()
        if refused <= self._told or now_s - self._told_s < WARN_S:
            return
        first, last = self._ports
        log.warning(
            "all UDP ports of --udp-ports %d-%d are taken: %d offers got no picture; open more ports, two "
            "for each conversation and visitor's network, or allow fewer with --max-sessions",
            first,
            last,
            refused - self._told,
        )
        self._told, self._told_s = refused, now_s

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)
