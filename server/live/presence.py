"""Whether a session's visitor is there, and how long the session waits for them to come or to speak."""

from __future__ import annotations

IDLE_WARNING_S = 30.0
"""How long before the end of an idle session the visitor is told."""
RELOAD_S = 15.0
"""How long a visitor whose page was closed may take to come back: as long as loading it again takes."""


class Presence:
    """One visitor's coming and going; time is an argument, in seconds.

    Args:
        now_s: when the session was given out.
        idle_s: how long a visitor may do nothing.
        longest_s: how long a session may last.
    """

    def __init__(self, now_s: float, *, idle_s: float, longest_s: float) -> None:
        self._idle_s, self._longest_s = idle_s, longest_s
        self._created_s = self._active_s = self._left_s = now_s
        """When the session was given out; when the visitor last did something; since when nobody is there."""
        self._came = self._here = self._polite = self._warned = False

    def come(self, now_s: float) -> None:
        """The visitor is there, for the first time or again."""
        self._came = self._here = True
        self.act(now_s)

    def leave(self, now_s: float, *, politely: bool) -> None:
        """The visitor has gone: politely where the page was closed, else the network may have broken."""
        self._here, self._left_s, self._polite = False, now_s, politely

    def act(self, now_s: float) -> None:
        """The visitor did something."""
        self._active_s, self._warned = now_s, False

    def listen(self, now_s: float) -> None:
        """The visitor is being answered: at least half of the time to be idle is left afterwards."""
        self._active_s = max(self._active_s, now_s - self._idle_s / 2)

    def left_s(self, now_s: float) -> float:
        """How much longer the session may last; below 0 once it has lasted longer."""
        return self._longest_s - (now_s - self._created_s)

    def over(self, now_s: float, *, join_s: float, enter_s: float) -> str:
        """Tell why the session is to end: "gone", "not_joined", "too_long" or "idle"; "" where it is not.

        Args:
            now_s: the time.
            join_s: how long a visitor whose connection broke may take to come back.
            enter_s: how long one may take to come at all.
        """
        may_s = join_s if self._came else min(join_s, enter_s)
        if self._polite:
            may_s = min(may_s, RELOAD_S)
        if not self._here and now_s - self._left_s > may_s:
            return "gone" if self._came else "not_joined"
        if self.left_s(now_s) < 0:
            return "too_long"
        return "idle" if now_s - self._active_s > self._idle_s else ""

    def warning_s(self, now_s: float) -> float | None:
        """Tell, the once that it is due, in how many seconds a visitor who does nothing is sent away."""
        left_s = self._idle_s - (now_s - self._active_s)
        if self._warned or left_s >= min(IDLE_WARNING_S, self._idle_s / 2):
            return None
        self._warned = True
        return left_s
