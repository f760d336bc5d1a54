"""Which frames are encoded: the newest, whole ones when asked for, fewer where the ladder says so."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

from server.live.encoder import AudioEncoder, Codec, VideoEncoder, even_size, stepped_rate
from server.live.picture import PictureSender
from server.live.quality import DEFAULTS, STEPS
from server.live.studio import ThreadEncoder
from server.live.tracks import AUDIO_DEPTH, VIDEO_DEPTH, PacketTrack
from tests.server.live.rtc_client import until

SIZE = (128, 96)


def frame(shade: int = 100) -> np.ndarray[Any, np.dtype[np.uint8]]:
    picture = np.full((SIZE[1], SIZE[0], 3), shade, np.uint8)
    picture[:, : shade % SIZE[0]] = 30
    return picture


class Sent:
    """A sender whose packets are collected."""

    def __init__(self, pool: ThreadPoolExecutor | None = None) -> None:
        self.track = PacketTrack("video")
        encoder = partial(ThreadEncoder, pool=pool)
        self.sender = PictureSender("VP8", self.track, size=SIZE, encoder=encoder, quality=DEFAULTS)
        self.packets: list[Any] = []
        self.tasks = [asyncio.create_task(self.sender.run()), asyncio.create_task(self._collect())]

    async def _collect(self) -> None:
        while True:
            self.packets.append(await self.track.recv())

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def sent() -> AsyncIterator[Sent]:
    made = Sent()
    await asyncio.sleep(0)
    yield made
    await made.stop()


async def test_first_frame_is_whole_and_later_ones_are_not(sent: Sent) -> None:
    for index in range(4):
        sent.sender.take(index, frame(100 + index))
        await until(lambda index=index: len(sent.packets) == index + 1)
    assert [packet.is_keyframe for packet in sent.packets] == [True, False, False, False]
    assert [packet.pts for packet in sent.packets] == [0, 3600, 7200, 10800]


async def test_a_whole_frame_is_made_of_the_last_one_where_there_is_no_new_one(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.picture.KEY_FRAME_GAP_S", 0.0)
    sent.sender.take(0, frame())
    await until(lambda: len(sent.packets) == 1)
    sent.sender.take(1, None)
    await asyncio.sleep(0.1)
    assert len(sent.packets) == 1
    sent.sender.want_key()
    sent.sender.take(2, None)
    await until(lambda: len(sent.packets) == 2)
    assert sent.packets[1].is_keyframe


async def test_a_busy_encoder_gets_the_newest_frame_only() -> None:
    gate = threading.Event()
    pool = ThreadPoolExecutor(1)
    sent = Sent(pool)
    await asyncio.sleep(0)
    pool.submit(gate.wait)
    for index in range(10):
        sent.sender.take(index, frame(100 + index))
        await asyncio.sleep(0.005)
    gate.set()
    await until(lambda: len(sent.packets) == 2)
    assert [packet.pts // 3600 for packet in sent.packets] == [0, 9]
    assert sent.sender.late >= 8
    await sent.stop()
    pool.shutdown()


async def test_a_frame_that_can_not_be_encoded_does_not_end_the_picture(sent: Sent) -> None:
    sent.sender.take(0, np.zeros((3, 3), np.uint8))  # no colours
    await asyncio.sleep(0.1)
    sent.sender.take(10, frame())
    await until(lambda: len(sent.packets) == 1)


def late_seconds(sender: PictureSender, count: int, ends: Callable[[], bool]) -> None:
    for n in range(count):
        if ends():
            return
        sender._due, sender._due_late = 25, 24
        sender.second(float(n), audio_bps=4e4, video_bps=3e5, lost=0.0, rtt_ms=10.0, seconds=1.0)


async def test_frames_that_are_not_drawn_in_time_bring_the_picture_down(sent: Sent) -> None:
    sender = sent.sender
    sender.take(0, frame())
    await until(lambda: len(sent.packets) == 1)
    for second in range(1, 5):
        for index in range(25 * second, 25 * second + 25):
            sender.take(index, frame() if index % 3 else None)
            sender._waiting = None  # the encoder itself is never late here
        sender.second(float(second), audio_bps=4e4, video_bps=3e5, lost=0.0, rtt_ms=10.0, seconds=1.0)
    assert sender.step.name != "full"
    assert sender.late >= 30


async def test_lower_rungs_send_smaller_and_fewer_frames_and_the_last_one_a_still(sent: Sent) -> None:
    sender = sent.sender
    late_seconds(sender, 20, lambda: sender.step.name == "half-slow")
    for index in range(1, 21):
        sender.take(index, frame(60 + index))  # odd or even must not matter
        await asyncio.sleep(0.005)
    await until(lambda: sent.packets and sent.packets[-1].pts >= 19 * 3600)
    steps = np.diff([packet.pts for packet in sent.packets])
    assert steps.min() == STEPS[3].every * 3600
    late_seconds(sender, 20, lambda: sender.step.name == "still")
    count = len(sent.packets)
    await asyncio.sleep(0.4)  # a whole frame may be asked for again
    for index in range(30, 60):
        sender.take(index, frame(60 + index))
        await asyncio.sleep(0.002)
    await until(lambda: len(sent.packets) > count)
    await asyncio.sleep(0.1)
    assert len(sent.packets) == count + 1
    assert sent.packets[-1].is_keyframe


async def test_a_frame_goes_out_whichever_moments_the_stage_draws(sent: Sent) -> None:
    late_seconds(sent.sender, 20, lambda: sent.sender.step.name == "half-slow")
    for index in range(20):
        sent.sender.take(index, frame(60 + index) if index % 2 else None)
        await asyncio.sleep(0.005)
    await until(lambda: len(sent.packets) >= 5)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("size", [(512, 512), (270, 480), (101, 57)])
def test_both_codecs_take_any_size_and_scale(codec: Codec, size: tuple[int, int]) -> None:
    import av

    for scale in (1.0, 0.75, 0.5):
        encoder = VideoEncoder(codec)
        rgb = np.full((size[1], size[0], 3), (200, 60, 20), np.uint8)
        packet, took_s = encoder.encode(rgb, 7, size=even_size(*size, scale), bps=300_000.0, key=False)
        assert packet is not None
        assert packet.pts == 7 * 3600
        assert took_s > 0
        decoded = av.CodecContext.create("vp8" if codec == "VP8" else "h264", "r")
        pictures = decoded.decode(av.Packet(bytes(packet))) + decoded.decode(None)
        assert (pictures[0].width, pictures[0].height) == even_size(*size, scale)
        colour = pictures[0].to_ndarray(format="rgb24").mean(axis=(0, 1))
        np.testing.assert_allclose(colour, (200, 60, 20), atol=12)


def test_a_small_change_of_rate_does_not_restart_the_encoder() -> None:
    encoder = VideoEncoder("VP8")
    keys = []
    for n, bps in enumerate((500_000.0, 505_000.0, 495_000.0, 900_000.0)):
        packet, _ = encoder.encode(frame(100 + n), n, size=SIZE, bps=bps, key=False)
        assert packet is not None
        keys.append(packet.is_keyframe)
    assert keys == [True, False, False, True]


def test_rates_are_rounded_down_to_steps() -> None:
    assert stepped_rate(600_000) <= 600_000
    assert stepped_rate(600_000) == stepped_rate(580_000)
    assert stepped_rate(0.0) >= 1


def test_sound_becomes_packets_of_20_ms_and_other_lengths_are_refused() -> None:
    encoder = AudioEncoder()
    pcm = (8000 * np.sin(np.arange(1920) / 10)).astype(np.int16)
    assert [packet.pts for packet in encoder.encode(pcm, 5)] == [9600, 10560]
    with pytest.raises(ValueError, match="1920"):
        encoder.encode(pcm[:100], 6)


async def test_a_full_queue_loses_the_oldest_sound_and_whole_runs_of_pictures() -> None:
    packets = AudioEncoder().encode(np.zeros(1920, np.int16), 0)
    for kind, depth in (("audio", AUDIO_DEPTH), ("video", VIDEO_DEPTH)):
        track = PacketTrack(kind)  # type: ignore[arg-type]
        assert track.put(packets[0])
        assert track.lost == 0  # nobody has asked yet
        track.wanted = True
        assert all(track.put(packets[0]) for _ in range(depth))
        assert not track.put(packets[1])
        assert track.lost == (1 if kind == "audio" else depth)
        track.stop()
        assert track.put(packets[0])
