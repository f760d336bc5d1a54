"""What a server and its drawing processes tell each other, and the memory in which they share pictures."""

from __future__ import annotations

import mmap
import os
import pickle
import struct
import tempfile
import weakref
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from agent.face import Face
from server.live.encoder import Codec

PoseParts = tuple[dict[str, float], tuple[float, float, float], tuple[float, float], float]
"""A `Pose`'s fields in order: dataclasses take three times as long to pack."""

_LENGTH = struct.Struct("<I")


class Show(NamedTuple):
    """Open a face. Told back: `Shown`."""

    number: int
    face: Face


class Draw(NamedTuple):
    """Draw a picture into a slot. Told back: `Drawn`, or `Failed`."""

    job: int
    face: int
    slot: int
    scale: float
    pose: PoseParts


class Drop(NamedTuple):
    """A drawing is not wanted any more. Told back: `Failed`, or `Drawn` where it was under way."""

    job: int


class Encode(NamedTuple):
    """Encode the picture in a slot with the encoder of that number, which begins with its first picture."""

    job: int
    encoder: int
    codec: Codec
    slot: int
    shape: tuple[int, int]
    """Height and width of the picture in the slot."""
    moment: int
    """Index of the media clock."""
    size: tuple[int, int]
    bps: float
    key: bool


class Forget(NamedTuple):
    """An encoder is not needed any more."""

    encoder: int


class Shown(NamedTuple):
    """A face is open; or why it is not."""

    face: int
    error: str = ""


class Drawn(NamedTuple):
    """A picture is in its slot."""

    job: int
    shape: tuple[int, int]
    done_s: float
    """On `time.perf_counter`'s clock, which all processes of a machine share."""


class Encoded(NamedTuple):
    """A packet; b"" where the encoder left the picture out."""

    job: int
    data: bytes
    key: bool
    took_s: float


class Failed(NamedTuple):
    """A job raised an error."""

    job: int
    error: str


Order = Show | Draw | Drop | Encode | Forget
Answer = Shown | Drawn | Encoded | Failed


def packed(message: Order | Answer) -> bytes:
    """Return a message as it goes over the socket."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


class Unpacker:
    """Cuts what comes from the socket into messages. Both ends are ours: nothing else can write to it."""

    def __init__(self) -> None:
        self._came = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes; returns the messages that are whole now."""
        self._came += data
        messages, at = [], 0
        while len(self._came) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._came, at)
            end = at + _LENGTH.size + length
            if len(self._came) < end:
                break
            messages.append(pickle.loads(self._came[at + _LENGTH.size : end]))  # noqa: S301
            at = end
        del self._came[:at]
        return messages


def shared_file(length: int) -> int:
    """Return a descriptor of memory without a name: it ends with its last user, and pages come as used."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("visavis pictures")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, length)
    return descriptor


class Slots:
    """Room for pictures in shared memory.

    Args:
        descriptor: of `shared_file`.
        count: how many pictures fit.
        room: bytes for each.
    """

    def __init__(self, descriptor: int, count: int, room: int) -> None:
        self._memory = mmap.mmap(descriptor, count * room)
        self._room = room
        self._free = deque(range(count))

    def take(self) -> int | None:
        """Return the number of a free slot, None where there is none."""
        try:
            return self._free.popleft()
        except IndexError:
            return None

    def give(self, slot: int) -> None:
        """Take a slot back."""
        self._free.appendleft(slot)  # the one used last is used first: few pages are ever touched

    def view(self, slot: int, shape: tuple[int, int]) -> SlotPicture:
        """Return the picture in a slot, RGB[*shape, 3].

        Raises:
            ValueError: it does not fit.
        """
        if shape[0] * shape[1] * 3 > self._room:
            raise ValueError(f"a picture of {shape[1]} × {shape[0]} pixels does not fit into its slot")
        picture = SlotPicture((*shape, 3), np.uint8, self._memory, slot * self._room)
        picture.slot, picture.slots = slot, self
        return picture

    def lend(self, slot: int, shape: tuple[int, int]) -> SlotPicture:
        """Return the picture in a slot, which is free again once nobody holds the picture any more."""
        picture = self.view(slot, shape)
        picture.flags.writeable = False
        weakref.finalize(picture, self.give, slot).atexit = False
        return picture


class SlotPicture(np.ndarray[Any, np.dtype[np.uint8]]):
    """A picture that lies in shared memory. Views and copies of it are pictures like others."""

    slot: int
    slots: Slots
