"""STUN and TURN settings, ephemeral credentials, and relayed conversations through a real coturn."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from server.live.errors import LiveError
from server.live.ice import IceSettings, read_ports
from server.live.rtc import Peer
from tests.server.live.coturn import free_port, turn_server
from tests.server.live.rtc_client import Client, play_until, until

SECRET = "only for this test"
TURN = "turn:turn.example.org:3478?transport=udp"


def test_nothing_named_means_that_nobody_is_asked() -> None:
    settings = IceSettings()
    assert settings.for_browser("visit") == []
    assert settings.for_server().iceServers == []


def test_ephemeral_credentials_are_what_coturn_computes() -> None:
    settings = IceSettings(turn=(TURN,), turn_secret=SECRET, life_s=600)
    username, password = settings.credentials("visit", now_s=1_000_000.0)
    assert username == "1000600:visit"
    expected = hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(password) == expected


def test_browsers_get_all_servers_and_a_password_of_their_own() -> None:
    settings = IceSettings(
        stun=("stun:stun.example.org",), turn=(TURN, "turns:turn.example.org"), turn_secret=SECRET
    )
    stun, turn = settings.for_browser("a", now_s=0.0)
    assert stun == {"urls": ["stun:stun.example.org"]}
    assert turn["urls"] == [TURN, "turns:turn.example.org"]
    assert turn["credential"] != settings.for_browser("b", now_s=0.0)[1]["credential"]
    assert SECRET not in repr(settings)


def test_the_server_relays_only_where_it_is_told_to() -> None:
    settings = IceSettings(turn=(TURN,), turn_username="u", turn_password="p")
    assert settings.for_server().iceServers == []
    also = IceSettings(turn=(TURN,), turn_username="u", turn_password="p", server_relays=True).for_server()
    assert [server.username for server in also.iceServers] == ["u"]
    assert also.iceTransportPolicy == RTCIceTransportPolicy.ALL
    only = IceSettings(turn=(TURN,), turn_secret=SECRET, relay_only=True).for_server()
    assert only.iceTransportPolicy == RTCIceTransportPolicy.RELAY


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"stun": ("stun.example.org",)}, "ice_address"),
        ({"stun": (TURN,)}, "ice_address"),
        ({"turn": ("http://example.org",), "turn_secret": SECRET}, "ice_address"),
        ({"turn": (TURN,)}, "turn_credentials"),
        ({"turn": (TURN,), "turn_username": "u"}, "turn_credentials"),
        ({"relay_only": True}, "turn_missing"),
        ({"udp_ports": (40_100, 40_000)}, "udp_ports"),
        ({"udp_ports": (0, 10)}, "udp_ports"),
        ({"udp_ports": (65_000, 70_000)}, "udp_ports"),
    ],
)
def test_settings_that_can_not_work_say_so(wrong: dict[str, object], code: str) -> None:
    with pytest.raises(LiveError) as caught:
        IceSettings(**wrong)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_range_of_ports_is_read() -> None:
    assert read_ports("") is None
    assert read_ports(" 40000 - 40100 ") == (40_000, 40_100)
    for wrong in ("40000", "a-b", "40000-", "1-2-3", "-1-5", "٤٠-٥٠"):
        with pytest.raises(LiveError, match="40000-40100"):
            read_ports(wrong)


@pytest.fixture
async def coturn(tmp_path: Path) -> AsyncIterator[int]:
    async with turn_server(tmp_path, SECRET) as port:
        yield port


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("both", [False, True])
async def test_a_relayed_conversation_works(coturn: int, transport: str, both: bool) -> None:
    url = f"turn:127.0.0.1:{coturn}?transport={transport}"
    settings = IceSettings(turn=(url,), turn_secret=SECRET, relay_only=both)
    browser = settings.for_browser("visit")[0]
    server = RTCIceServer(
        urls=[url], username=str(browser["username"]), credential=str(browser["credential"])
    )
    client = Client(
        configuration=RTCConfiguration(iceServers=[server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    )
    heard: list[object] = []
    peer = Peer(size=(128, 128), ice=settings, on_audio=heard.append, on_state=lambda _: None)
    await client.connect(peer)
    assert "typ relay" in client.connection.localDescription.sdp
    assert "typ host" not in client.connection.localDescription.sdp
    await until(lambda: peer.stats().state == "connected", 15)
    await play_until(peer, lambda: len(client.frames) > 15 and len(client.sounds) > 30 and heard)
    await client.close()
    await peer.close()


async def test_an_expired_password_is_refused_by_coturn(coturn: int) -> None:
    url = f"turn:127.0.0.1:{coturn}?transport=udp"
    stale = IceSettings(turn=(url,), turn_secret=SECRET, life_s=-60).credentials("visit")
    server = RTCIceServer(urls=[url], username=stale[0], credential=stale[1])
    client = Client(
        configuration=RTCConfiguration(iceServers=[server], iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    )
    assert "typ relay" not in await client.offer()
    await client.close()


async def test_a_server_that_is_down_is_given_up_and_the_visitor_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.live.line.GATHER_S", 0.2)
    monkeypatch.setattr("server.live.line.NEGOTIATE_S", 3.0)  # aioice alone would wait 5 s
    settings = IceSettings(stun=(f"stun:127.0.0.1:{free_port()}",))
    peer = Peer(size=(128, 128), ice=settings, on_audio=lambda _: None, on_state=lambda _: None)
    client = Client()
    await client.connect(peer)
    await until(lambda: peer.stats().state == "connected")
    await client.close()
    await peer.close()
