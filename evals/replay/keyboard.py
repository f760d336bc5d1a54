"""The visitor's keyboard: types a script's turns to a running server instead of saying them."""

from __future__ import annotations

from evals.replay.probe import Probe
from evals.replay.webrtc_visit import Visit
from evals.scripts import Turn


class Keyboard:
    """A mouth that types; see `evals.replay.driver.Mouth`.

    Args:
        visit: takes the words to the server.
        probe: told when they are sent.
    """

    def __init__(self, visit: Visit, probe: Probe) -> None:
        self._visit, self._probe = visit, probe

    async def say(self, turn: Turn, words: str, *, over: bool) -> None:
        """Type a turn."""
        self._probe.asked()
        await self._visit.send("text", text=words)

    def rest(self) -> None:
        """Keys rest by themselves."""
