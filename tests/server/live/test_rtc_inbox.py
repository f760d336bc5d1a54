"""The visitor's sound: order, gaps, and what a client may send."""

from __future__ import annotations

import numpy as np
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from server.live.encoder import AudioEncoder
from server.live.inbox import BURST_PACKETS, PATIENCE_PACKETS, AudioInbox


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def packets(count: int, *, first: int = 0, amplitude: int = 8000) -> list[RtpPacket]:
    encoder = AudioEncoder()
    made = []
    for n in range(count // 2 + 1):
        at = n * 1920 + np.arange(1920)
        pcm = (amplitude * np.sin(2 * np.pi * 440 * at / 48000)).astype(np.int16)
        made += encoder.encode(pcm, n)
    return [
        RtpPacket(
            payload_type=96,
            sequence_number=(first + n) & 0xFFFF,
            timestamp=(first * 960 + n * 960) & 0xFFFFFFFF,
            payload=bytes(packet),
        )
        for n, packet in enumerate(made[:count])
    ]


class Heard:
    def __init__(self) -> None:
        self.pieces: list[NDArray[np.float32]] = []
        self.clock = Clock()
        self.inbox = AudioInbox(self.pieces.append, self.clock)

    def give(self, several: list[RtpPacket]) -> None:
        for packet in several:
            self.clock.now_s += 0.02
            assert self.inbox.add(packet) == (False, None)

    @property
    def samples(self) -> int:
        return sum(len(piece) for piece in self.pieces)


def test_a_packet_in_order_is_heard_before_the_next_one_comes() -> None:
    heard = Heard()
    heard.give(packets(10))
    assert 9 <= len(heard.pieces) <= 10


def test_swapped_packets_are_put_in_order() -> None:
    straight, swapped = Heard(), Heard()
    several = packets(30)
    straight.give(several)
    several[10], several[11] = several[11], several[10]
    swapped.give(several)
    np.testing.assert_array_equal(np.concatenate(straight.pieces), np.concatenate(swapped.pieces))
    assert swapped.inbox.missing == 0


def test_a_lost_packet_delays_nothing_for_long_and_leaves_a_silence_of_its_length() -> None:
    heard = Heard()
    several = packets(40)
    heard.give(several[:10] + several[11 : 10 + PATIENCE_PACKETS])
    waiting = len(heard.pieces)
    assert waiting <= 10
    heard.give(several[10 + PATIENCE_PACKETS :])
    assert heard.inbox.missing == 1
    assert 39 <= len(heard.pieces) <= 40


def test_doubled_and_late_packets_are_heard_once() -> None:
    heard = Heard()
    several = packets(20)
    heard.give(several[:10] + several[5:10] + several[10:])
    assert 19 <= len(heard.pieces) <= 20


def test_numbers_and_times_that_wrap_round_are_no_gap() -> None:
    heard = Heard()
    heard.give(packets(20, first=0xFFFF - 9))
    assert heard.inbox.missing == 0
    assert 19 <= len(heard.pieces) <= 20


def test_a_sender_that_begins_anew_is_followed() -> None:
    heard = Heard()
    heard.give(packets(20))
    heard.give(packets(20, first=30_000))
    assert 38 <= len(heard.pieces) <= 41


def test_a_long_pause_is_not_filled() -> None:
    heard = Heard()
    several = packets(20)
    for packet in several[10:]:
        packet.timestamp += 48_000 * 60
    heard.give(several)
    assert len(heard.pieces) <= 20


def test_garbage_is_counted_and_the_sound_goes_on() -> None:
    heard = Heard()
    several = packets(30)
    several[5].payload = b"\xff" * 900
    several[6].payload = b""
    several[7].payload = bytes(8000)
    heard.give(several)
    assert heard.inbox.refused >= 1
    assert len(heard.pieces) >= 26


def test_a_flood_costs_no_more_than_its_allowance() -> None:
    heard = Heard()
    for packet in packets(400):
        heard.inbox.add(packet)  # all at the same instant
    assert len(heard.pieces) <= BURST_PACKETS + 1
    assert heard.inbox.refused >= 330


def test_nothing_is_kept_of_a_client_that_only_sends_far_ahead() -> None:
    heard = Heard()
    for n in range(1000):
        heard.clock.now_s += 1.0
        heard.inbox.add(
            RtpPacket(
                payload_type=96, sequence_number=(n * 7919) & 0xFFFF, timestamp=n, payload=b"\xf8\xff\xfe"
            )
        )
    assert len(heard.inbox._waiting) <= PATIENCE_PACKETS


def test_what_the_listener_raises_is_counted() -> None:
    def fail(_: NDArray[np.float32]) -> None:
        raise ValueError

    inbox = AudioInbox(fail, Clock())
    for packet in packets(10):
        inbox.add(packet)
    assert inbox.failures >= 9
