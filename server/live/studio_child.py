"""A drawing process: paints faces and encodes pictures, one thing after the other, for some of the sessions.

Run by `server.live.studio_processes` as `python -m server.live.studio_child SOCKET MEMORY COUNT ROOM`, where
the first two are descriptors. It ends when the socket does.
"""

from __future__ import annotations

import os
import socket
import sys
from collections import deque
from contextlib import suppress

from agent.painter import Easels
from agent.workers import give_way
from avatar.pose import Pose
from server.live.cores import one_thread_each
from server.live.desks import SCALES
from server.live.encoder import VideoEncoder
from server.live.studio_wire import (
    Answer,
    Draw,
    Drawn,
    Drop,
    Encode,
    Encoded,
    Failed,
    Forget,
    Order,
    Show,
    Shown,
    Slots,
    Unpacker,
    packed,
)

NICE = 10
"""A process that waits holds no lock that the server wants: it may give way more than threads do."""
PIECE = 1 << 16
"""Bytes read at once."""


class Child:
    """Does what it is told over a socket.

    Args:
        connection: to the server.
        slots: where pictures lie.
    """

    def __init__(self, connection: socket.socket, slots: Slots) -> None:
        self._connection, self._slots = connection, slots
        self._unpacker = Unpacker()
        self._easels: dict[int, Easels] = {}
        self._encoders: dict[int, VideoEncoder] = {}
        self._encodes: deque[Encode | Forget] = deque()
        """Done before anything is drawn: their pictures are on their way to somebody."""
        self._draws: deque[Draw] = deque()

    def run(self) -> None:
        """Work until the server hangs up."""
        with suppress(ConnectionError):
            while self._read():
                if self._encodes:
                    self._encode(self._encodes.popleft())
                elif self._draws:
                    self._draw(self._draws.popleft())

    def _read(self) -> bool:
        """Take in what has come, waiting if there is nothing to do; False once the server has hung up."""
        while True:
            idle = not self._encodes and not self._draws
            try:
                data = self._connection.recv(PIECE, 0 if idle else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return True
            if not data:
                return False
            for message in self._unpacker.feed(data):
                self._sort(message)

    def _sort(self, order: Order) -> None:
        match order:
            case Draw():
                self._draws.append(order)
            case Drop():
                for draw in [draw for draw in self._draws if draw.job == order.job]:
                    self._draws.remove(draw)
                    self._tell(Failed(draw.job, "dropped"))
            case Show():
                self._show(order)
            case Encode() | Forget():
                self._encodes.append(order)

    def _show(self, order: Show) -> None:
        try:
            smaller = order.face.renderers(SCALES)
            easels = Easels(smaller.pop(1.0), smaller=smaller, ai_label=order.face.ai_label)
            for scale in SCALES:
                easels.draw(Pose(), scale)  # the first drawing takes a second
        except Exception as error:
            self._tell(Shown(order.number, f"{type(error).__name__}: {error}"))
            return
        self._easels[order.number] = easels
        one_thread_each()
        self._tell(Shown(order.number))

    def _draw(self, order: Draw) -> None:
        try:
            picture, done_s = self._easels[order.face].draw(Pose(*order.pose), order.scale)
            shape = picture.shape[0], picture.shape[1]
            self._slots.view(order.slot, shape)[:] = picture
        except Exception as error:
            self._tell(Failed(order.job, f"{type(error).__name__}: {error}"))
            return
        self._tell(Drawn(order.job, shape, done_s))

    def _encode(self, order: Encode | Forget) -> None:
        if isinstance(order, Forget):
            self._encoders.pop(order.encoder, None)
            return
        try:
            encoder = self._encoders.setdefault(order.encoder, VideoEncoder(order.codec))
            picture = self._slots.view(order.slot, order.shape)
            packet, took_s = encoder.encode(
                picture, order.moment, size=order.size, bps=order.bps, key=order.key
            )
        except Exception as error:
            self._tell(Failed(order.job, f"{type(error).__name__}: {error}"))
            return
        data, key = (bytes(packet), packet.is_keyframe) if packet is not None else (b"", False)
        self._tell(Encoded(order.job, data, key, took_s))

    def _tell(self, answer: Answer) -> None:
        self._connection.sendall(packed(answer))


def main() -> None:
    """Run with the descriptors and sizes that the command line names."""
    connection, memory, count, room = map(int, sys.argv[1:])
    give_way(NICE)
    with socket.socket(fileno=connection) as server:
        Child(server, Slots(memory, count, room)).run()
        os.close(memory)


if __name__ == "__main__":
    main()
