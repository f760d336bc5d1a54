"""One WebSocket: a bounded outbox, and no more in than a person can say."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.live.allowance import Allowance
from server.live.errors import LiveError
from server.live.protocol import MESSAGE_BYTES, UP_RATE_HZ, message

TEXTS_WAITING = 256
"""Messages that wait for a slow client; one that does not read for so long is let go and may come back."""
SOUNDS_WAITING = 25
"""Pieces of 40 ms that wait: a second; older ones are of no use."""
MESSAGES_S, MESSAGES_AT_ONCE = 20.0, 60.0
"""JSON messages a second that a client may send, and how many at once: a person types none of that."""
SOUND_BYTES_S = UP_RATE_HZ * 2 * 1.25
"""Sound a second that is taken: what can be spoken, and a quarter more for clocks and jitter."""
SOUND_BYTES_AT_ONCE = UP_RATE_HZ * 2 * 2.0
"""Two seconds: what a stalled network hands over in one go."""
CLOSING_S = 5.0
"""How long the last messages may take to leave."""
FLOOD_BYTES = 4_000_000
"""Sound beyond that, in all, after which the client is let go."""

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_TRY_LATER = 1013
CLOSE_UNAUTHORISED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_UNKNOWN = 4404
CLOSE_REPLACED = 4409
CLOSE_OF_STATUS = {
    401: CLOSE_UNAUTHORISED,
    403: CLOSE_FORBIDDEN,
    404: CLOSE_UNKNOWN,
    413: CLOSE_TOO_BIG,
    503: CLOSE_TRY_LATER,
}


class Link:
    """A client's WebSocket, accepted."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._out: deque[str | bytes] = deque()
        self._sounds = 0
        self._wake = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._messages = Allowance(MESSAGES_S, MESSAGES_AT_ONCE, time.monotonic)
        self._sound = Allowance(SOUND_BYTES_S, SOUND_BYTES_AT_ONCE, time.monotonic)
        self.dropped_bytes = 0
        """Sound that came too fast."""
        self.examines = False
        """True where the client came with an operator's key; see `examining`."""
        self.people = ""
        """Who is to be taken to be there in its conversation; empty: who is."""
        self.left_politely = False
        """True once the client has said that it leaves: a page that was closed, not a network that broke."""

    @property
    def closing(self) -> bool:
        """True once `close` was called or the client has gone."""
        return self._closing is not None

    def send(self, kind: str, **fields: object) -> None:
        """Put a message into the outbox; never waits."""
        if self.closing:
            return
        if len(self._out) - self._sounds >= TEXTS_WAITING:
            self._out.clear()
            self._sounds = 0
            self.close(CLOSE_TRY_LATER, "too slow")
            return
        self._out.append(message(kind, **fields))
        self._wake.set()

    def send_sound(self, pcm: bytes) -> None:
        """Put sound into the outbox; the oldest that waits is thrown away."""
        if self.closing:
            return
        if self._sounds >= SOUNDS_WAITING:
            self._out.remove(next(item for item in self._out if isinstance(item, bytes)))
            self._sounds -= 1
        self._out.append(pcm)
        self._sounds += 1
        self._wake.set()

    def fail(self, error: LiveError) -> None:
        """Tell the client what is wrong."""
        self.send("error", **error.document())

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        """Close when the outbox is empty; never waits."""
        if self._closing is None:
            self._closing = (code, reason[:100])
            self._wake.set()

    async def pump(self) -> None:
        """Send what is in the outbox until the link is closed; ends by itself when the client goes."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._out:
                    item = self._out.popleft()
                    if isinstance(item, bytes):
                        self._sounds -= 1
                        await self._socket.send_bytes(item)
                    else:
                        await self._socket.send_text(item)
                if self._closing is not None:
                    code, reason = self._closing
                    if self._socket.application_state is WebSocketState.CONNECTED:
                        await self._socket.close(code, reason)
                    return
        except (WebSocketDisconnect, RuntimeError, OSError):
            self._closing = self._closing or (CLOSE_GOING_AWAY, "")  # the client has gone

    async def receive(self) -> AsyncGenerator[str | bytes, None]:
        """Yield what the client sends, within bounds, until it goes or the link is closed.

        Raises:
            LiveError: a message is too long, or they come too fast.
        """
        with suppress(WebSocketDisconnect, RuntimeError):
            while not self.closing:
                came = await self._socket.receive()
                if came["type"] != "websocket.receive":
                    self.left_politely = came.get("code") in (CLOSE_NORMAL, CLOSE_GOING_AWAY)
                    return
                data: str | bytes = came["text"] if came.get("text") is not None else came["bytes"]
                if len(data) > MESSAGE_BYTES:
                    raise LiveError(
                        "too_large",
                        f"a message of {len(data)} bytes is too long",
                        f"send at most {MESSAGE_BYTES} bytes at once",
                        status=413,
                    )
                if self._let_in(data):
                    yield data

    def _let_in(self, data: str | bytes) -> bool:
        if isinstance(data, str):
            if self._messages.take():
                return True
            raise LiveError(
                "too_fast", "messages come too fast", "send fewer, then connect again", status=429
            )
        if self._sound.take(len(data)):
            return True
        self.dropped_bytes += len(data)
        if self.dropped_bytes > FLOOD_BYTES:
            raise LiveError(
                "too_fast", "sound comes faster than anybody speaks", "send it at its own speed", status=429
            )
        return False


async def pumped(link: Link, work: Coroutine[Any, Any, None]) -> None:
    """Serve a link with `work` while its outbox is sent; close it at the end, with the reason."""
    pump = asyncio.create_task(link.pump(), name="outbox")
    try:
        await work
    finally:
        link.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await pump
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
