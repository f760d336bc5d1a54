"""A server behind a firewall that opens a range of UDP ports."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import numpy as np
import pytest

from server.live import ports
from server.live.errors import LiveError
from server.live.ice import IceSettings
from server.live.options import ServeOptions
from server.live.rtc import Peer
from tests.server.live.coturn import turn_server
from tests.server.live.rtc_client import Client, play_until, until
from tests.server.live.serving import desk_in, serving

SECRET = "only for this test"


def a_range(count: int) -> tuple[int, int]:
    """Neighbouring UDP ports that are free on every address."""
    for first in range(41_000, 60_000, count):
        sockets = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for number, each in enumerate(sockets):
                each.bind(("::", first + number))
        except OSError:
            continue
        else:
            return first, first + count - 1
        finally:
            for each in sockets:
                each.close()
    raise AssertionError("no such range is free")


def ports_of(sdp: str, kind: str = "host") -> list[int]:
    return [int(port) for port in re.findall(rf"a=candidate:\S+ \d udp \d+ \S+ (\d+) typ {kind}", sdp)]


def test_operators_are_warned_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now_s, refused = 0.0, 0
    watch = ports.PortWatch((40_000, 40_100), lambda: refused, lambda: now_s)
    for now_s in np.arange(0.0, 150.0, 2.0):
        watch.look()
        refused += 10.0 <= now_s < 100.0
    said = [record.message.split(";")[0].split(": ")[1] for record in caplog.records]
    assert said == ["1 offers got no picture", "30 offers got no picture", "14 offers got no picture"]


def a_peer(settings: IceSettings) -> Peer:
    return Peer(size=(128, 128), ice=settings, on_audio=lambda _: None, on_state=lambda _: None)


async def test_a_conversation_goes_through_the_open_ports() -> None:
    first, last = a_range(4)
    peer, client = a_peer(IceSettings(udp_ports=(first, last))), Client()
    await client.connect(peer)
    taken = ports_of(client.connection.remoteDescription.sdp)
    assert taken
    assert all(first <= port <= last for port in taken)
    await until(lambda: peer.stats().state == "connected")
    await play_until(peer, lambda: len(client.frames) > 5 and len(client.sounds) > 10)
    await client.close()
    await peer.close()


async def test_when_all_ports_are_taken_the_next_visitor_is_told_and_later_ones_get_them_again() -> None:
    first, last = a_range(2)
    settings = IceSettings(udp_ports=(first, last))
    peers, clients = [a_peer(settings) for _ in range(3)], [Client() for _ in range(3)]
    for peer, client in zip(peers[:2], clients[:2], strict=True):
        await client.connect(peer)
    with pytest.raises(LiveError) as told:
        await peers[2].answer(await clients[2].offer())
    assert (told.value.code, told.value.status, told.value.retryable) == ("offer_ports", 503, True)
    assert '"audio"' in str(told.value.remedy)
    await until(lambda: all(peer.stats().state == "connected" for peer in peers[:2]))
    await peers[0].close()
    await clients[2].accept(await peers[2].answer(clients[2].connection.localDescription.sdp))
    await until(lambda: peers[2].stats().state == "connected")
    await asyncio.gather(*(each.close() for each in clients), *(each.close() for each in peers))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:  # nobody holds them any more
        free.bind(("", first))


async def test_finding_the_way_back_takes_another_port_of_the_range() -> None:
    first, last = a_range(4)
    peer, client, again = a_peer(IceSettings(udp_ports=(first, last))), Client(), Client()
    await client.connect(peer)
    await until(lambda: peer.stats().state == "connected")
    await again.connect(peer)
    await until(lambda: peer.stats().state == "connected")
    assert all(first <= port <= last for port in ports_of(again.connection.remoteDescription.sdp))
    await asyncio.gather(client.close(), again.close(), peer.close())


async def test_relays_and_addresses_from_outside_are_found_beside_the_open_ports(tmp_path: Path) -> None:
    async with turn_server(tmp_path, SECRET) as port:
        first, last = a_range(4)
        settings = IceSettings(
            stun=(f"stun:127.0.0.1:{port}",),
            turn=(f"turn:127.0.0.1:{port}?transport=udp",),
            turn_secret=SECRET,
            server_relays=True,
            udp_ports=(first, last),
        )
        peer, client = a_peer(settings), Client()
        await client.connect(peer)
        answer = client.connection.remoteDescription.sdp
        assert all(first <= port <= last for port in ports_of(answer))
        assert ports_of(answer, "relay")
        await client.close()
        await peer.close()


async def test_without_a_free_port_the_conversation_goes_over_the_websocket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = a_range(1)
    taken = a_peer(IceSettings(udp_ports=(first, first)))
    holder, browser = Client(), Client()
    await holder.connect(taken)
    monkeypatch.setattr(ports, "LOOK_S", 0.02)
    options = ServeOptions(rates={}, ice=IceSettings(udp_ports=(first, first)))
    async with (
        serving(desk_in(tmp_path / "front"), options=options) as server,
        server.live(await server.session()) as client,
    ):
        await client.send("offer", sdp=await browser.offer())
        assert (await client.until("error"))["code"] == "offer_ports"
        await client.send("audio", on=True)
        await client.send("text", text="hello")
        await client.until("turn")
        assert len(await client.sound()) > 0
        assert "visavis_udp_ports_taken_total 1.0" in (await server.http.get("/metrics")).text
        await until(lambda: f"--udp-ports {first}-{first} are taken: 1 offers" in caplog.text)
    await asyncio.gather(holder.close(), browser.close(), taken.close())
