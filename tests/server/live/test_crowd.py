"""What is sent where many share a machine."""

from __future__ import annotations

import os

import numpy as np
import pytest

from server.live import crowd
from server.live.encoder import AUDIO_RATE, MOMENT_SAMPLES, SETTLED, AudioEncoder
from server.live.sound import SoundSender
from server.live.tracks import PacketTrack


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(crowd, "_PRESENT", type(crowd._PRESENT)())
    return 2


class Somebody:
    """A connection."""


def test_pictures_are_smaller_the_more_are_there(cores: int) -> None:
    there = []
    found = []
    for _ in range(7):
        there.append(Somebody())
        crowd.come(there[-1])
        found.append((crowd.best_rung(), crowd.many()))
    assert found == [(0, False), (0, False), (1, True), (1, True), (2, True), (2, True), (3, True)]
    crowd.leave(there[0])
    crowd.leave(there[0])
    del there[1:5]  # one that was never taken leave of does not stay
    assert crowd.best_rung() == 0


async def test_a_moment_becomes_one_packet_in_a_crowd_but_never_within_a_word(cores: int) -> None:
    sender = SoundSender(PacketTrack("audio"))
    sender.track.wanted = True
    there = [Somebody() for _ in range(3)]
    for one in there:
        crowd.come(one)
    tone = (3000 * np.sin(np.arange(MOMENT_SAMPLES) / 9)).astype(np.int16)
    sender.take(0, tone)
    assert not sender._encoder.joined
    sender.take(1, np.zeros(MOMENT_SAMPLES, np.int16))
    assert sender._encoder.joined
    there.clear()
    sender.take(2, tone)
    assert sender._encoder.joined
    sender.take(3, np.zeros(MOMENT_SAMPLES, np.int16))
    assert not sender._encoder.joined
    times = [packet.pts for packet in sender.track._packets]
    assert times[:4] == [0, 960, 1920, 3840]


@pytest.mark.parametrize("joined", [False, True])
def test_silence_costs_nothing_and_what_follows_sounds_as_it_should(joined: bool) -> None:
    import av

    tone = (6000 * np.sin(np.arange(MOMENT_SAMPLES) * 2 * np.pi * 500 / AUDIO_RATE)).astype(np.int16)
    quiet = np.zeros(MOMENT_SAMPLES, np.int16)
    pieces = [tone] * 10 + [quiet] * 40 + [tone] * 10
    encoder = AudioEncoder()
    packets = [one for at, pcm in enumerate(pieces) for one in encoder.encode(pcm, at, joined=joined)]
    silent = [bytes(one) for one in packets if 12 + SETTLED <= one.pts / MOMENT_SAMPLES < 50]
    assert len(set(silent)) <= 2
    assert [one.pts for one in packets] == list(
        range(0, len(pieces) * MOMENT_SAMPLES, MOMENT_SAMPLES if joined else MOMENT_SAMPLES // 2)
    )
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = AUDIO_RATE, "mono"
    heard = np.concatenate([f.to_ndarray().reshape(-1) for one in packets for f in decoder.decode(one)])
    assert np.abs(heard[20 * MOMENT_SAMPLES : 49 * MOMENT_SAMPLES]).max() < 40
    again = heard[52 * MOMENT_SAMPLES : 59 * MOMENT_SAMPLES].astype(np.float64)
    level = np.abs(np.fft.rfft(again * np.hanning(len(again))))
    assert np.argmax(level) * AUDIO_RATE / len(again) == pytest.approx(500, abs=5)
    assert np.sqrt(np.mean(again**2)) == pytest.approx(6000 / np.sqrt(2), rel=0.15)
