"""Offers that can not be used are refused with a reason, and cost nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.live.errors import LiveError
from server.live.ice import IceSettings
from server.live.offer import read_offer
from server.live.rtc import Peer
from tests.server.live.rtc_client import Client


async def offered(**choices: str | None) -> str:
    client = Client(**choices)  # type: ignore[arg-type]
    sdp = await client.offer()
    await client.close()
    return sdp


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer(size=(64, 64), ice=IceSettings(), on_audio=lambda _: None, on_state=lambda _: None)
    yield made
    await made.close()


async def refusal(peer: Peer, sdp: str) -> LiveError:
    with pytest.raises(LiveError) as caught:
        await peer.answer(sdp)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        "v=0",
        "\x00" * 100,
        "m=audio x y z\r\n",
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF\r\na=rtpmap:\r\n",
    ],
)
async def test_garbage_is_refused(peer: Peer, sdp: str) -> None:
    assert (await refusal(peer, sdp)).code.startswith("offer_")


async def test_a_huge_offer_is_refused_unread(peer: Peer) -> None:
    assert (await refusal(peer, "v=0\r\n" * 100_000)).code == "offer_size"


async def test_an_offer_of_many_addresses_is_refused(peer: Peer) -> None:
    line = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    assert (await refusal(peer, await offered() + line * 100)).code == "offer_candidates"


async def test_nobody_is_made_to_send_packets_where_visitors_are_not() -> None:
    plain = re.sub(r"a=(candidate|end-of-candidates).*\r\n", "", await offered())

    def named(addresses: list[str], *, loopback: bool, way: str = "udp") -> list[str]:
        lines = [f"a=candidate:{n} 1 {way} 1 {at} 9 typ host\r\n" for n, at in enumerate(addresses)]
        sdp = read_offer(plain + "".join(lines), loopback=loopback).sdp
        return [line.split()[4] for line in sdp.splitlines() if line.startswith("a=candidate:")]

    local = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1"]
    never = ["224.0.0.1", "ff02::1", "0.0.0.0", "255.255.255.255", "intranet.example"]  # noqa: S104
    others = ["192.0.2.1", "10.0.0.7", "2001:db8::1", "some-name.local"]
    assert named([*local, *never, *others], loopback=False) == others
    assert named([*local, *never, *others], loopback=True) == [*local, *others]
    assert named(others, loopback=True, way="tcp") == []
    assert len(named([f"192.0.2.{n}" for n in range(40)], loopback=False)) == 16


async def test_an_offer_without_sound_is_refused(peer: Peer) -> None:
    error = await refusal(peer, await offered(audio=None))
    assert error.code == "offer_audio"
    assert "no sound" in error.message


async def test_an_offer_without_opus_is_refused(peer: Peer) -> None:
    sdp = re.sub("opus/48000/2", "speex/16000", await offered())
    assert (await refusal(peer, sdp)).code == "offer_codec"


async def test_an_offer_without_a_common_video_codec_is_refused(peer: Peer) -> None:
    sdp = (await offered()).replace("VP8/90000", "AV1/90000").replace("H264/90000", "VP9/90000")
    assert (await refusal(peer, sdp)).code == "offer_codec"


async def test_a_data_channel_is_refused(peer: Peer) -> None:
    client = Client()
    client.connection.createDataChannel("more")
    assert (await refusal(peer, await client.offer())).code == "offer_sections"
    await client.close()


async def test_an_offer_without_encryption_is_refused(peer: Peer) -> None:
    sdp = re.sub(r"a=fingerprint:.*\r\n", "", await offered())
    assert (await refusal(peer, sdp)).code == "offer_security"


async def test_security_that_stands_once_for_all_sections_counts() -> None:
    sdp = await offered()  # as Firefox writes it
    line = re.search(r"a=fingerprint:sha-256.*\r\n", sdp)
    assert line is not None
    sdp = re.sub(r"a=fingerprint:.*\r\n", "", sdp).replace("t=0 0\r\n", "t=0 0\r\n" + line[0])
    assert read_offer(sdp).codecs


async def test_the_browsers_favourite_codec_comes_first(peer: Peer) -> None:
    assert read_offer(await offered(codec="VP8")).codecs[0] == "VP8"
    sdp = await offered(codec="H264")
    assert read_offer(sdp).codecs[0] == "H264"
    assert "H264" in (await peer.answer(sdp)).split("m=video")[1].split("a=rtpmap:")[1]


async def test_h264_that_needs_another_packetization_is_left_for_vp8() -> None:
    client = Client()
    transceiver = client.connection.getTransceivers()[1]
    transceiver.setCodecPreferences([])
    sdp = (await client.offer()).replace("packetization-mode=1", "packetization-mode=0")
    await client.close()
    assert read_offer(sdp).codecs == ("VP8",)


async def test_refused_offers_leave_no_task_behind(peer: Peer) -> None:
    good = await offered()
    before = asyncio.all_tasks()
    for sdp in ("", good.replace("a=setup:actpass", "a=setup:nobody"), good.replace("a=mid:1", "a=mid:0")):
        with pytest.raises(LiveError):
            await peer.answer(sdp)
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() <= before


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_offer_with_any_line_spoilt_is_read_or_refused(data: st.DataObject) -> None:
    lines = OFFER.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "cut", "double", "text"]))
        line = lines[at]
        lines[at] = {
            "drop": "",
            "cut": line[: len(line) // 2] + "\r\n",
            "double": line + line,
            "text": data.draw(st.text(max_size=30)) + "\r\n",
        }[change]
    with suppress(LiveError):  # anything else would end the session
        read_offer("".join(lines))


OFFER = asyncio.run(offered())
