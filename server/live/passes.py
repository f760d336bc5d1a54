"""The tokens of one session, each of which takes the place of the one before.

A token that leaks (a proxy's log, a browser's history) would let in whoever holds it for as long as the
session lasts. So every connection is given a new one, over the WebSocket alone. From the moment when the
client says that it has kept it, or comes back with it, older ones let nobody in. One whose message was lost
on a breaking network changes nothing: the client comes back with the one it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from server.live.errors import LiveError
from server.live.tokens import Claims, Tokens


class Passes:
    """Gives a session's tokens out, and tells which still let in.

    Args:
        tokens: signs.
        session: whose they are.
        desk: where it is held.
        origin: of the page that asked for it.
        expires_s: for which the first one lets in; later ones end at the same time.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        tokens: Tokens,
        session: str,
        desk: str,
        origin: str,
        *,
        expires_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens, self._session, self._desk, self._origin = tokens, session, desk, origin
        self._clock, self._until_s = clock, clock() + expires_s
        self._newest = -1
        self._least = 0

    def next(self) -> str:
        """Sign the next token."""
        self._newest += 1
        left_s = self._until_s - self._clock()
        return self._tokens.issue(
            self._session, self._desk, self._origin, expires_s=left_s, number=self._newest
        )

    def kept(self) -> None:
        """The client has the newest; older ones let in no more."""
        self._least = max(self._least, self._newest)

    def admit(self, claims: Claims) -> None:
        """Let in who holds this token, and from now on nobody with an older one.

        Raises:
            LiveError: "token_used": a newer one is in use.
        """
        if claims.number < self._least:
            raise LiveError(
                "token_used",
                "a newer token of this session is in use",
                "come with the token of the last ready message, or ask for a new session",
                status=401,
            )
        self._least = claims.number
