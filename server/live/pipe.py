"""A socket to a process of our own, used on the event loop: messages in, messages out, never waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from server.live.studio_wire import Order, Unpacker, packed

PIECE = 1 << 18
"""Bytes read at once."""
WAITING_BYTES = 1 << 22
"""That the other end may leave unread: thousands of orders."""


class Pipe:
    """One end of a socket pair.

    Args:
        ours: the socket.
        on_message: gets each message that comes.
        on_end: called once when the other end has gone; not after `close`.
    """

    def __init__(
        self, ours: socket.socket, *, on_message: Callable[[Any], None], on_end: Callable[[], None]
    ) -> None:
        self._socket, self._on_message, self._on_end = ours, on_message, on_end
        self._loop = asyncio.get_running_loop()
        self._unpacker, self._unsent = Unpacker(), bytearray()
        self._closed = False
        ours.setblocking(False)
        self._loop.add_reader(ours, self._readable)

    def send(self, order: Order) -> bool:
        """Send an order, as soon as the other end reads; False where it has left far too much unread."""
        data = packed(order)
        if not self._unsent:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                pass
            except OSError:
                return True  # it has ended; the reader finds that out
            if not data:
                return True
            self._loop.add_writer(self._socket, self._writable)
        self._unsent += data
        return len(self._unsent) <= WAITING_BYTES

    def close(self) -> None:
        """Hang up; twice does no harm."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._unsent)
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_end()
            return
        for message in self._unpacker.feed(data):
            self._on_message(message)
