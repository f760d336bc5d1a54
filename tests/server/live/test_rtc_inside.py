"""What is reached inside aiortc is still there; each test fails where a newer aiortc has moved it."""

from __future__ import annotations

import inspect

import pytest
from aioice import Connection
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, clock
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtcdtlstransport import RTCDtlsTransport

from server.live import inside


async def test_the_sender_has_the_encoder_and_the_key_frame_hook() -> None:
    connection = RTCPeerConnection()
    sender = connection.addTransceiver("video").sender
    asked: list[int] = []
    inside.forward_feedback(sender, "VP8", on_key_frame=lambda: asked.append(0), on_estimate=asked.append)
    sender._send_keyframe()
    encoder = sender._RTCRtpSender__encoder
    encoder.target_bitrate = 123
    assert asked == [0, 123]
    await connection.close()


def test_the_sender_asks_its_encoder_to_pack_and_tells_it_estimates() -> None:
    source = inspect.getsource(RTCRtpSender)
    assert "self.__encoder.pack(data)" in source
    assert "self.__encoder.target_bitrate = bitrate" in source
    assert "if self.__encoder is None" in source
    assert "self._send_keyframe()" in source


def test_the_quick_clock_tells_the_time_that_aiortcs_own_tells() -> None:
    inside.quicken_clock()
    own = clock.datetime_to_ntp(clock.current_datetime())
    assert abs(clock.current_ntp_time() - own) / 2**32 < 0.5


def test_both_packers_pack_without_encoding() -> None:
    assert issubclass(inside._H264Packer, H264Encoder)
    for packer in (inside._Vp8Packer, inside._H264Packer):
        assert callable(packer().pack)


async def test_the_receiver_gives_its_packets_to_the_buffer() -> None:
    connection = RTCPeerConnection()
    receiver = connection.addTransceiver("audio").receiver

    class Nothing:
        def add(self, packet: object) -> tuple[bool, None]:
            return False, None

    inside.receive_into(receiver, Nothing())
    assert isinstance(receiver._RTCRtpReceiver__jitter_buffer, Nothing)
    source = inspect.getsource(RTCRtpReceiver)
    assert "pli_flag, encoded_frame = self.__jitter_buffer.add(packet)" in source
    assert "if encoded_frame is not None and self.__decoder_thread" in source
    await connection.close()


async def test_the_transport_receives_through_the_attribute_that_is_replaced() -> None:
    connection = RTCPeerConnection()
    transport = connection.addTransceiver("audio").receiver.transport
    sent = [b"", b"", b"x"]

    async def recv() -> bytes:
        return sent.pop(0)

    transport.transport._recv = recv
    inside.skip_empty_datagrams(transport)
    assert await transport.transport._recv() == b"x"
    assert "await self.transport._recv()" in inspect.getsource(RTCDtlsTransport)
    await connection.close()


async def test_repeats_are_limited_where_the_sender_looks_for_them() -> None:
    connection = RTCPeerConnection()
    sender = connection.addTransceiver("video").sender
    repeated: list[int] = []

    async def repeat(number: int) -> None:
        repeated.append(number)

    sender._retransmit = repeat
    left = [True, True]
    inside.limit_repeats(sender, lambda: bool(left and left.pop()))
    for number in range(5):
        await sender._retransmit(number)
    assert repeated == [0, 1]
    assert "await self._retransmit(seq)" in inspect.getsource(RTCRtpSender)
    await connection.close()


async def test_gathering_takes_its_limit_from_the_connection() -> None:
    connection = RTCPeerConnection()
    transport = connection.addTransceiver("audio").receiver.transport
    inside.gather_within(transport, 0.5)
    assert transport.transport.iceGatherer._connection.get_component_candidates.keywords == {"timeout": 0.5}
    assert "self.get_component_candidates(component=" in inspect.getsource(Connection.gather_candidates)
    assert "timeout=timeout" in inspect.getsource(Connection.get_component_candidates)
    await connection.close()


async def test_what_is_done_for_aioice_at_given_ports_is_what_it_does_itself() -> None:
    source = inspect.getsource(Connection.get_component_candidates)
    for line in (
        "lambda: StunProtocol(self), local_addr=(address, 0)",
        "socket.SOL_SOCKET, socket.SO_RCVBUF, turn.UDP_SOCKET_BUFFER_SIZE",
        "protocol.local_candidate = Candidate(",
        'priority=candidate_priority(component, "host")',
        'foundation=candidate_foundation("host", "udp", candidate_address[0])',
        "self._protocols += host_protocols",
        "server_reflexive_candidate(protocol, self.stun_server)",
        "if self.turn_server:",
    ):
        assert line in source
    assert "for protocol in self._protocols:" in inspect.getsource(Connection.close)
    parameters = inspect.signature(Connection.get_component_candidates).parameters
    assert list(parameters) == ["self", "component", "addresses", "timeout"]
    connection = RTCPeerConnection()
    transport = connection.addTransceiver("audio").receiver.transport
    with inside.host_ports(range(40_000, 40_010)):
        inside.gather_within(transport, 0.5)
    gather = transport.transport.iceGatherer._connection.get_component_candidates
    assert gather.func is inside._gather_at
    assert gather.args[2:] == (range(40_000, 40_010), 0.5)
    await connection.close()


def test_a_changed_aiortc_is_named_in_the_error() -> None:
    with pytest.raises(RuntimeError, match=r"install aiortc 1\.16"):
        inside.skip_empty_datagrams(type("Transport", (), {"transport": object()})())
