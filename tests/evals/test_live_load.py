from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evals.live_load import Load, Voice, packets_of, questions_of
from evals.live_received import Arrivals, Received, opus_length, received
from evals.live_script import (
    INTERRUPT_S,
    LEAD_S,
    RATE_HZ,
    SECOND_REPLY_S,
    arranged,
    trimmed,
)
from server.live.encoder import AudioEncoder


@dataclass
class Packet:
    timestamp: int
    payload: bytes = b""


def arrivals(kind: str, at_s: np.ndarray, stamp: np.ndarray) -> Arrivals:
    return Arrivals(kind, list(at_s), list(stamp), [960] * len(stamp))


def steady(seconds: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    number = np.arange(int(seconds * 50))
    return number * 0.02, number * 960


def pictures(seconds: float = 10.0, fps: float = 25.0) -> Arrivals:
    at = np.arange(0, seconds, 1 / fps)
    return arrivals("video", at, np.round(at * 90_000))


def tone(seconds: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(np.arange(int(seconds * RATE_HZ)) / 8)).astype(np.float32)


def test_a_steady_stream_has_no_gaps() -> None:
    found = received(arrivals("audio", *steady()), pictures(), 1.0, 9.0, 2)
    assert found.fps == pytest.approx(25.0, abs=0.2)
    assert (found.gaps, found.missing_ms, found.freezes, found.turns) == (0, 0.0, 0, 2)


def test_late_sound_is_a_gap_once() -> None:
    at, stamp = steady()
    at[200:230] = np.maximum(at[200:230], at[200] + 0.3)
    assert received(arrivals("audio", at, stamp), pictures(), 1.0, 9.0, 0).gaps == 1


def test_sound_within_a_browsers_buffer_is_no_gap() -> None:
    at, stamp = steady()
    at[200:240] += 0.08
    found = received(arrivals("audio", np.sort(at), stamp), pictures(), 1.0, 9.0, 0)
    assert found.gaps == 0
    assert 60.0 < found.late_ms_p99 < 100.0


def test_sound_that_was_left_out_is_missing() -> None:
    at, stamp = steady()
    stamp[300:] += 5 * 960
    at[300:] += 5 * 0.02
    found = received(arrivals("audio", at, stamp), pictures(), 1.0, 9.0, 0)
    assert (found.gaps, found.missing_ms) == (1, 100.0)


def test_stamps_may_wrap_around() -> None:
    at, stamp = steady()
    found = received(arrivals("audio", at, (stamp + 2**32 - 200 * 960) % 2**32), pictures(), 1.0, 9.0, 0)
    assert (found.gaps, found.missing_ms) == (0, 0.0)


def test_no_pictures_are_a_freeze() -> None:
    found = received(arrivals("audio", *steady()), arrivals("video", np.zeros(0), np.zeros(0)), 1, 9, 0)
    assert (found.fps, found.freezes, found.longest_ms) == (0.0, 1, 8000.0)


def test_no_sound_is_one_long_gap() -> None:
    nothing = arrivals("audio", np.zeros(0), np.zeros(0))
    found = received(nothing, pictures(), 1, 9, 0)
    assert (found.gaps, found.missing_ms) == (1, 8000.0)


def test_sound_that_stops_is_a_gap() -> None:
    at, stamp = steady()
    assert received(arrivals("audio", at[:300], stamp[:300]), pictures(), 1.0, 9.0, 0).gaps == 1


def test_a_picture_of_several_packets_counts_once_and_tells_its_width() -> None:
    counts = Arrivals("video")
    key = b"\x90\x80\x01" + bytes(3) + b"\x9d\x01\x2a" + (384).to_bytes(2, "little") + bytes(20)
    for packet in (Packet(0, key), Packet(0, b"more"), Packet(3600, b"delta")):
        assert counts.add(packet) == (False, None)
    assert counts.stamp == [0, 3600]
    assert counts.widths == {384}


def test_a_load_holds_when_everybody_gets_all() -> None:
    good = Received(24.6, 80.0, 0, 20.0, 0, 0.0, (512,), 2)
    slow = Received(23.0, 80.0, 0, 20.0, 0, 0.0, (512,), 2)
    torn = Received(25.0, 80.0, 0, 20.0, 1, 0.0, (512,), 2)
    assert Load(2, (good, good), {"drawing": 0.3, "loop": 0.1}, 0.1).holds
    assert not Load(2, (good, slow), {}, 0.1).holds
    assert not Load(2, (good, torn), {}, 0.1).holds
    assert Load(2, (good, good), {"drawing": 0.3, "loop": 0.1}, 0.1).cpu_per_session == pytest.approx(0.2)


async def test_a_microphone_is_silent_until_it_asks() -> None:
    question = packets_of((8000 * np.sin(np.arange(1500) / 9)).astype(np.int16))
    silence = packets_of(np.zeros(RATE_HZ, np.int16))[-1]
    assert len(question) == 2
    voice = Voice([question], silence, 0)
    quiet = await voice.recv()
    voice.ask()
    said = [await voice.recv() for _ in range(3)]
    assert [bytes(packet) for packet in (quiet, *said)] == [silence, *question, silence]
    assert [packet.pts for packet in (quiet, *said)] == [0, 960, 1920, 2880]
    assert all(opus_length(bytes(packet)) == 960 for packet in said)
    joined = AudioEncoder().encode(np.zeros(1920, np.int16), 0, joined=True)
    assert [opus_length(bytes(packet)) for packet in joined] == [1920]
    voice.stop()


def test_questions_are_cut_out_of_a_recording(tmp_path: Path) -> None:
    recording = arranged([("question", "a", tone(1.0)), ("question", "b", tone(2.0))])
    recording.write(tmp_path / "microphone.wav")
    found = questions_of(tmp_path / "microphone.wav")
    assert [round(len(one) / RATE_HZ, 1) for one in found] == [1.0, 2.0]


def test_utterances_lie_where_the_recording_says() -> None:
    recording = arranged(
        [("question", "a", tone(1.0)), ("interruption", "b", tone(0.5)), ("question", "c", tone(1.0))]
    )
    first, second, third = recording.said
    assert first.start_s == LEAD_S
    assert second.start_s == pytest.approx(first.end_s + INTERRUPT_S, abs=0.01)
    assert third.start_s == pytest.approx(second.end_s + SECOND_REPLY_S, abs=0.01)
    for one in recording.said:
        inside = recording.pcm[int(one.start_s * RATE_HZ) : int(one.end_s * RATE_HZ)]
        before = recording.pcm[int((one.start_s - 0.5) * RATE_HZ) : int(one.start_s * RATE_HZ)]
        assert np.sqrt(np.mean(inside**2)) > 50 * np.sqrt(np.mean(before**2))


def test_what_cannot_be_heard_is_cut_off() -> None:
    quiet = np.zeros(RATE_HZ, np.float32)
    kept = trimmed(np.concatenate([quiet, tone(1.0, 0.01), quiet]))
    assert len(kept) == pytest.approx(RATE_HZ, abs=960)
    with pytest.raises(ValueError, match="silent"):
        trimmed(quiet)
