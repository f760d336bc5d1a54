"""Faces drawn and pictures encoded in processes of their own, and what happens when one of them ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.face import Face
from agent.painter import Easels
from avatar import AvatarError, Pose
from server.live.drawer import PICTURES, Drawer
from server.live.encoder import VideoEncoder
from server.live.errors import LiveError
from server.live.studio_processes import ProcessStudio
from server.live.studio_wire import Drawn, Slots, Unpacker, packed, shared_file

FACE = Face("mira", 128, (20, 30, 40), "square", True)
SMILE = Pose({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": 0.3}, head=(5.0, -2.0, 1.0))


def desk(name: str = "shop") -> Any:
    return SimpleNamespace(id=name, renderer=SimpleNamespace(width=128, height=128))


@pytest.fixture(scope="module", autouse=True)
def _drawn_once() -> None:
    """What draws is compiled by now: a process that begins does not have to."""
    Easels(FACE.renderers((1.0,))[1.0]).draw(Pose())


@pytest.fixture
async def studio() -> AsyncIterator[ProcessStudio]:
    made = ProcessStudio({"shop": FACE}, 1, 2)
    try:
        await made.ready()
        yield made
    finally:
        await made.close()


async def painted(place: Any, pose: Pose = SMILE, scale: float = 1.0) -> np.ndarray:
    picture, _ = await asyncio.wait_for(asyncio.wrap_future(place.paint(pose, scale)), 20)
    return picture


def free(drawer: Drawer) -> int:
    return len(drawer._slots._free)


async def test_a_process_draws_and_encodes_what_this_one_would_and_survives_its_own_death(
    studio: ProcessStudio,
) -> None:
    place, (drawer,) = studio.place(desk()), studio.drawers
    here = FACE.renderers((1.0, 0.5))
    easels = Easels(here[1.0], smaller={0.5: here[0.5]})
    for scale, size in ((1.0, 128), (0.5, 64), (0.75, 96)):
        picture = await painted(place, scale=scale)
        assert picture.shape == (size, size, 3)
        if scale != 0.75:
            np.testing.assert_array_equal(picture, easels.draw(SMILE, scale)[0])
    assert not picture.flags.writeable

    # encoded there as here, whether the picture lies in shared memory or not
    picture = await painted(place)
    for shown in (picture, np.array(picture)):
        encoder = place.encoder("VP8")
        packet, took_s = await encoder.encode(shown, 3, size=(128, 128), bps=200_000, key=True)
        own, _ = VideoEncoder("VP8").encode(picture, 3, size=(128, 128), bps=200_000, key=True)
        assert packet is not None
        assert own is not None
        assert bytes(packet) == bytes(own)
        assert packet.is_keyframe
        assert (packet.pts, packet.time_base) == (own.pts, own.time_base)
        assert 0 < took_s < 5
        encoder.close()

    # a picture is not overwritten while somebody holds it, and its room is free afterwards
    before = np.array(picture)
    for _ in range(2 * PICTURES):
        await painted(place, Pose())
    np.testing.assert_array_equal(picture, before)
    del picture, shown
    await asyncio.sleep(0)
    assert free(drawer) == drawer._count

    # what is called off is not drawn, and takes no room
    futures = [place.paint(Pose(), 1.0) for _ in range(20)]
    called_off = [future.cancel() for future in futures]
    assert all(called_off)
    await painted(place)
    await asyncio.sleep(0.2)
    assert not drawer._jobs
    assert free(drawer) == drawer._count

    # too many pictures held: said, not hung
    held = [place.paint(Pose(), 0.5) for _ in range(drawer._count)]
    with pytest.raises(LiveError, match="too many pictures"):
        place.paint(Pose(), 0.5)
    await asyncio.wait([asyncio.wrap_future(one) for one in held])
    del held

    # it is killed: what it was at fails, and another takes its place
    old = drawer.pid
    kept = await painted(place)
    encoder = place.encoder("VP8")
    waiting = place.paint(Pose(), 1.0)
    os.kill(old, signal.SIGKILL)
    with pytest.raises(LiveError, match="ended"):
        await asyncio.wait_for(asyncio.wrap_future(waiting), 20)
    with pytest.raises(LiveError, match="started again"):
        place.paint(Pose(), 1.0)
    with pytest.raises(LiveError, match="started again"):
        await encoder.encode(kept, 3, size=(128, 128), bps=200_000, key=False)
    assert not drawer._jobs  # nothing that a later look would take for a hanging process
    for _ in range(400):
        if drawer.ready.is_set():
            break
        await asyncio.sleep(0.1)
    assert drawer.pid not in (0, old)
    assert drawer.restarts == 1
    np.testing.assert_array_equal(await painted(place), before)
    packet, _ = await encoder.encode(kept, 4, size=(128, 128), bps=200_000, key=False)
    assert packet is not None
    assert packet.is_keyframe  # of the new process's encoder


async def test_sessions_are_shared_out_and_processes_end_with_the_studio() -> None:
    studio = ProcessStudio({"shop": FACE, "other": FACE}, 2, 4)
    pids = [drawer.pid for drawer in studio.drawers]
    await studio.ready()
    places = [studio.place(desk(name)) for name in ("shop", "other", "shop")]
    assert sorted(drawer.sessions for drawer in studio.drawers) == [1, 2]

    # one is killed: who was there is drawn by the other one, from a key frame on
    encoder = places[0].encoder("VP8")
    picture = await painted(places[0])
    for index in range(3):
        packet, _ = await encoder.encode(picture, index, size=(128, 128), bps=200_000, key=False)
    assert not packet.is_keyframe
    dead = places[0].drawer
    os.kill(dead.pid, signal.SIGKILL)
    while dead.ready.is_set():
        with suppress(LiveError):
            await encoder.encode(picture, 3, size=(128, 128), bps=200_000, key=False)
    packet, _ = await encoder.encode(picture, 4, size=(128, 128), bps=200_000, key=False)
    assert packet.is_keyframe
    np.testing.assert_array_equal(await painted(places[0]), picture)
    assert places[0].drawer is not dead
    assert sum(drawer.sessions for drawer in studio.drawers) == 3
    for place in places:
        place.close()
        place.close()
    assert [drawer.sessions for drawer in studio.drawers] == [0, 0]
    await studio.close()
    await studio.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_process_that_cannot_open_its_face_says_why() -> None:
    studio = ProcessStudio({"shop": Face("nobody", 128, None, "square", True)}, 1, 1)
    try:
        with pytest.raises(LiveError, match="nobody"):
            await studio.ready()
        with pytest.raises(AvatarError):
            Face("nobody", 128, None, "square", True).renderers((1.0,))
    finally:
        await studio.close()


def test_messages_arrive_whole_however_they_are_cut() -> None:
    sent = [Drawn(number, (64, 64), 0.5) for number in range(5)]
    data = b"".join(packed(one) for one in sent)
    unpacker = Unpacker()
    came = [one for at in range(0, len(data), 7) for one in unpacker.feed(data[at : at + 7])]
    assert came == sent


def test_a_view_of_a_picture_keeps_its_room() -> None:
    descriptor = shared_file(2 * 64)
    slots = Slots(descriptor, 2, 64)
    os.close(descriptor)
    number = slots.take()
    assert number is not None
    view = slots.lend(number, (2, 2))[::-1, :, 0]
    assert slots.take() is not None
    assert slots.take() is None
    del view
    assert slots.take() == number
    with pytest.raises(ValueError, match="does not fit"):
        slots.view(0, (64, 64))
