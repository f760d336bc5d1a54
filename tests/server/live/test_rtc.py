"""A visitor's WebRTC end, with a real client in the same process."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest
from aiortc import RTCPeerConnection
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from numpy.typing import NDArray

from server.live.errors import LiveError
from server.live.figures import Totals, totals_of
from server.live.ice import IceSettings
from server.live.picture import KEY_FRAME_GAP_S
from server.live.rtc import Peer
from tests.server.live.rtc_client import Client, moment, play, play_until, until

SIZE = (256, 256)


class Ends:
    """A peer and what it told."""

    def __init__(self) -> None:
        self.heard: list[NDArray[np.float32]] = []
        self.states: list[str] = []
        self.peer = Peer(
            size=SIZE, ice=IceSettings(), on_audio=self.heard.append, on_state=self.states.append
        )

    @property
    def connected(self) -> bool:
        return self.peer.stats().state == "connected"


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    await made.peer.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    await made.close()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_picture_and_sound_arrive_together(ends: Ends, codec: str) -> None:
    client = Client(codec=codec)
    await client.connect(ends.peer)
    await until(lambda: ends.connected)

    def flashes() -> list[float]:
        pairs = zip(client.frames[1:], client.frames, strict=False)
        return [at for (at, now), (_, before) in pairs if now.mean() > 200 and before.mean() < 150]

    def clicks() -> list[float]:
        found: list[float] = []
        for at, pcm in client.sounds:
            if np.abs(pcm.astype(int)).max() > 5000 and (not found or at - found[-1] > 0.2):
                found.append(at)
        return found

    await play_until(ends.peer, lambda: len(flashes()) >= 3 and len(clicks()) >= 3)
    await client.close()
    assert ends.peer.stats().codec == codec
    skews = [min((click - flash for click in clicks()), key=abs) for flash in flashes()]
    # aiortc's client holds sound back for 80 ms and pictures for one; marks are 800 ms apart
    assert abs(float(np.median(skews))) < 0.25


async def test_times_of_both_tracks_come_from_one_clock(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    await play_until(ends.peer, lambda: len(client.frames) > 20, first=1000)
    video = np.diff(client.pts["video"])
    audio = np.diff(client.pts["audio"])
    assert set(video % 3600) == {0}
    assert (video > 0).all()
    assert set(audio) == {960}


async def test_a_skipped_moment_is_skipped_on_both_tracks(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play_until(ends.peer, lambda: len(client.frames) > 10)
    count = len(client.frames)
    await play_until(ends.peer, lambda: len(client.frames) > count + 10, first=after + 100)
    assert max(np.diff(client.pts["video"])) > 100 * 3600
    assert max(np.diff(client.pts["audio"])) == 100 * 1920 + 960


async def test_the_visitors_sound_comes_as_20_ms_pieces_at_16_khz(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: len(ends.heard) > 60)
    assert {piece.shape for piece in ends.heard} == {(320,)}
    assert {piece.dtype for piece in ends.heard} == {np.dtype(np.float32)}
    tone = np.concatenate(ends.heard[20:60])
    loudest = np.argmax(np.abs(np.fft.rfft(tone * np.hanning(len(tone))))) * 16000 / len(tone)
    assert abs(loudest - 440) < 3
    assert 0.15 < np.abs(tone).max() < 0.4  # 8000 of 32768


async def test_a_moment_without_a_new_frame_sends_sound_only(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play_until(ends.peer, lambda: len(client.frames) >= 8)
    await asyncio.sleep(0.3)
    before, sounds = len(client.frames), len(client.sounds)
    for n in range(20):
        ends.peer.take(moment(after + n, SIZE, still=True))
        await asyncio.sleep(0.04)
    assert len(client.frames) <= before + 1
    await until(lambda: len(client.sounds) > sounds + 20)


async def test_a_lost_picture_is_answered_by_a_key_frame(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play_until(ends.peer, lambda: len(client.frames) > 5)
    assert ends.peer.stats().key_frames == 1
    await asyncio.sleep(KEY_FRAME_GAP_S)
    receiver = client.video_receiver()
    ssrc = next(s.ssrc for s in (await receiver.getStats()).values() if s.type == "inbound-rtp")
    await receiver._send_rtcp_pli(ssrc)
    await play_until(ends.peer, lambda: ends.peer.stats().key_frames == 2, first=after)


async def test_many_requests_for_key_frames_get_few(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play(ends.peer, 10)
    receiver = client.video_receiver()
    ssrc = next(s.ssrc for s in (await receiver.getStats()).values() if s.type == "inbound-rtp")
    began = time.monotonic()
    for n in range(25):
        await receiver._send_rtcp_pli(ssrc)
        await play(ends.peer, 1, first=after + n)
        await asyncio.sleep(0.04)
    assert 2 <= ends.peer.stats().key_frames <= 2 + (time.monotonic() - began) / KEY_FRAME_GAP_S


async def test_what_the_client_says_of_its_network_reaches_the_picture(
    ends: Ends, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play(ends.peer, 10)
    receiver = client.video_receiver()
    ssrc = next(s.ssrc for s in (await receiver.getStats()).values() if s.type == "inbound-rtp")
    monkeypatch.setattr(StreamStatistics, "fraction_lost", property(lambda _: 128))  # half of all packets
    for _ in range(4):
        remb = pack_remb_fci(60_000, [ssrc])
        await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=remb))
        after = await play(ends.peer, 20, first=after)
    stats = ends.peer.stats()
    assert stats.lost == 0.5
    assert stats.rtt_ms is not None
    assert stats.allowed_bps < 200_000


async def test_renegotiation_over_the_same_way_keeps_the_connection(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    line = ends.peer._line
    await client.connect(ends.peer)
    assert ends.peer._line is line
    count = len(client.frames)
    await play_until(ends.peer, lambda: len(client.frames) > count + 10)


async def test_a_client_that_comes_back_takes_its_own_place(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    after = await play(ends.peer, 10)
    again = Client()
    await again.connect(ends.peer)
    await until(lambda: ends.connected)
    await play_until(ends.peer, lambda: len(again.frames) > 10, first=after)
    assert ends.states.count("connected") == 2
    assert "failed" not in ends.states
    await until(lambda: client.connection.connectionState in ("closed", "failed"))
    await again.close()


async def test_two_offers_at_once_leave_one_connection(ends: Ends) -> None:
    clients = [Client(), Client()]
    offers = [await client.offer() for client in clients]
    answers = await asyncio.gather(*(ends.peer.answer(offer) for offer in offers))
    for client, answer in zip(clients, answers, strict=True):
        await client.accept(answer)
    await until(lambda: ends.connected)
    await play_until(ends.peer, lambda: len(clients[1].frames) > 10)
    assert not clients[0].frames
    for client in clients:
        await client.close()


async def test_a_refused_offer_leaves_the_connection_as_it_was(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    with pytest.raises(LiveError):
        await ends.peer.answer("v=0\r\nnonsense")
    await play_until(ends.peer, lambda: len(client.frames) > 10)


async def test_sound_alone_is_a_conversation_too(ends: Ends) -> None:
    client = Client(video=None)
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    await play_until(ends.peer, lambda: len(client.sounds) > 20)
    assert not client.frames
    await client.close()


async def test_a_client_without_microphone_sees_and_hears(ends: Ends) -> None:
    client = Client(audio="recvonly")
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    await play_until(ends.peer, lambda: len(client.frames) > 20)
    assert ends.states[-1] == "connected"
    assert not ends.heard
    await client.close()


async def test_a_camera_that_nobody_wants_is_declined(ends: Ends) -> None:
    client = Client(video="sendonly")
    answer = await ends.peer.answer(await client.offer())
    assert "a=inactive" in answer.split("m=video")[1]
    await client.close()


async def test_a_callback_that_raises_does_not_end_the_connection() -> None:
    def fail(_: NDArray[np.float32]) -> None:
        raise ZeroDivisionError

    peer = Peer(size=SIZE, ice=IceSettings(), on_audio=fail, on_state=lambda _: None)
    client = Client()
    await client.connect(peer)
    await until(lambda: peer.stats().heard_s > 0.5)
    assert peer.stats().state == "connected"
    await client.close()
    await peer.close()


async def test_datagrams_of_a_stranger_do_not_end_the_connection(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    transport = client.connection.getTransceivers()[0].receiver.transport.transport
    pair = transport._connection._nominated[1]
    with socket.socket(
        socket.AF_INET6 if ":" in pair.remote_addr[0] else socket.AF_INET, socket.SOCK_DGRAM
    ) as stranger:
        for junk in (b"", *(bytes([first]) for first in range(256)), *(os.urandom(n) for n in range(2, 60))):
            stranger.sendto(junk, pair.remote_addr)
    before = len(ends.heard)
    await until(lambda: len(ends.heard) > before + 20)
    assert ends.connected


async def test_a_client_that_floods_is_cut_off(ends: Ends, client: Client) -> None:
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    transport = client.connection.getTransceivers()[0].receiver.transport.transport
    pair = transport._connection._nominated[1]
    junk = bytes([200]) + bytes(1100)
    for _ in range(600):
        if "flooded" in ends.states:
            break
        for _ in range(40):
            await pair.protocol.send_data(junk, pair.remote_addr)
        await asyncio.sleep(0.01)
    await until(lambda: "flooded" in ends.states)
    again = Client()
    await again.connect(ends.peer)
    await until(lambda: ends.connected)
    await again.close()


async def test_a_client_that_vanishes_is_noticed(
    ends: Ends, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.line.SILENT_S", 1.5)
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    transport = client.connection.getTransceivers()[0].receiver.transport.transport

    async def lost(_: bytes) -> None:
        return None

    sending, transport._send = transport._send, lost
    await until(lambda: ends.states[-1] == "disconnected")
    transport._send = sending
    await until(lambda: ends.states[-1] == "connected")


async def test_a_client_that_says_goodbye_is_told_of(ends: Ends) -> None:
    client = Client()
    await client.connect(ends.peer)
    await until(lambda: ends.connected)
    await client.close()
    await until(lambda: ends.states[-1] == "failed")
    again = Client()
    await again.connect(ends.peer)
    await until(lambda: ends.connected)
    await again.close()


async def test_a_client_that_never_connects_is_given_up(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.live.line.CONNECT_S", 1.0)
    client = Client()
    await ends.peer.answer(await client.offer())
    await until(lambda: ends.states[-1] == "failed")
    await client.close()


async def test_a_look_that_fails_does_not_end_the_watch(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def fail_first(connection: RTCPeerConnection) -> Totals:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise RuntimeError("as it was told")
        return await totals_of(connection)

    monkeypatch.setattr("server.live.line.totals_of", fail_first)
    monkeypatch.setattr("server.live.line.CONNECT_S", 1.0)
    client = Client()
    await ends.peer.answer(await client.offer())
    await until(lambda: ends.states[-1] == "failed")
    assert looks > 1
    await client.close()


async def test_closing_leaves_nothing_behind(client: Client) -> None:
    async def visit() -> None:
        ends, visitor = Ends(), Client()
        await visitor.connect(ends.peer)
        await until(lambda: ends.connected)
        await play(ends.peer, 10)
        await ends.peer.close()
        await ends.peer.close()
        await visitor.close()
        assert ends.states[-1] == "closed"

    await visit()  # loads what is loaded once
    await asyncio.sleep(0.2)
    tasks = asyncio.all_tasks()
    threads = {thread for thread in threading.enumerate() if "decoder" in thread.name}
    process = psutil.Process(os.getpid())
    descriptors, sockets = process.num_fds(), len(process.net_connections("udp"))
    for _ in range(3):
        await visit()
    await asyncio.sleep(0.2)
    assert asyncio.all_tasks() <= tasks
    assert {thread for thread in threading.enumerate() if "decoder" in thread.name} == threads
    assert process.num_fds() <= descriptors
    assert len(process.net_connections("udp")) <= sockets


async def test_closing_before_or_during_connecting_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    ends = Ends()
    await ends.peer.close()
    with pytest.raises(LiveError, match="over"):
        await ends.peer.answer(await (other := Client()).offer())
    await other.close()
    ends, client = Ends(), Client()
    answer = await ends.peer.answer(await client.offer())
    accepting = asyncio.create_task(client.accept(answer))
    await ends.peer.close()
    await accepting
    await client.close()
    await asyncio.sleep(0.3)
    assert asyncio.all_tasks() <= before
