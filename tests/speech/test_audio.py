"""Any sound file or array comes out as 16 kHz mono, and what cannot be used says why."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import Resampler, load_audio, to_mono, to_mono_16k
from speech.errors import AudioError
from speech.timeline import Pcm

TONE_HZ = 440.0


def tone(length_s: float, rate_hz: int, level: float = 0.5) -> Pcm:
    return (level * np.sin(2 * np.pi * TONE_HZ * np.arange(int(length_s * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def write_wav(path: Path, pcm: Pcm, rate_hz: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.repeat(pcm, channels) * 32767).astype("<i2").tobytes())
    return path


def write_with(path: Path, codec: str, pcm: Pcm, rate_hz: int, layout: str = "stereo") -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        channels = 2 if layout == "stereo" else 1
        frame = av.AudioFrame.from_ndarray(np.stack([pcm] * channels), format="fltp", layout=layout)
        frame.sample_rate = rate_hz
        frame.time_base = Fraction(1, rate_hz)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def loudest_hz(pcm: Pcm) -> float:
    return float(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))).argmax() * 16_000 / len(pcm))


def is_tone(pcm: Pcm, length_s: float) -> bool:
    return abs(len(pcm) / 16_000 - length_s) < 0.06 and abs(loudest_hz(pcm) - TONE_HZ) < 3.0


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_of_any_rate_is_read(tmp_path: Path, rate_hz: int, channels: int) -> None:
    pcm = load_audio(write_wav(tmp_path / "a.wav", tone(1.0, rate_hz), rate_hz, channels))
    assert pcm.dtype == np.float32
    assert is_tone(pcm, 1.0)
    assert 0.45 < np.abs(pcm[1000:-1000]).max() < 0.55


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz"),
    [
        ("a.flac", "flac", 44_100),
        ("a.mp3", "libmp3lame", 44_100),
        ("a.m4a", "aac", 48_000),
        ("a.webm", "libopus", 48_000),
    ],
)
def test_compressed_stereo_is_read(tmp_path: Path, name: str, codec: str, rate_hz: int) -> None:
    assert is_tone(load_audio(write_with(tmp_path / name, codec, tone(1.0, rate_hz), rate_hz)), 1.0)


def test_resampling_keeps_a_tone_and_removes_what_would_alias() -> None:
    kept = to_mono_16k(tone(1.0, 48_000), 48_000)
    assert np.abs(kept - tone(1.0, 16_000))[200:-200].max() < 1e-4
    above = np.sin(2 * np.pi * 9_500 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(to_mono_16k(above, 48_000))[200:-200].max() < 1e-3


def test_a_stream_is_resampled_as_the_whole_would_be() -> None:
    sound, resampler = tone(1.0, 48_000), Resampler(48_000)
    pieces = [resampler.feed(sound[start : start + 960]) for start in range(0, len(sound), 960)]
    joined = np.concatenate([*pieces, resampler.flush()])
    assert np.allclose(joined, to_mono_16k(sound, 48_000), atol=1e-6)


@pytest.mark.parametrize("shape", [(800, 2), (2, 800), (800, 1), (1, 800), (800,)])
def test_arrays_of_either_order_are_mixed_to_mono(shape: tuple[int, ...]) -> None:
    assert np.allclose(to_mono(np.full(shape, 0.25)), np.full(800, 0.25))


def test_integers_are_scaled_and_do_not_overflow_when_mixed() -> None:
    loud = np.full((100, 2), 32_767, np.int16)
    assert np.allclose(to_mono(loud), 1.0, atol=1e-4)
    assert np.allclose(to_mono(np.full(100, -32_768, np.int16)), -1.0)
    assert np.allclose(to_mono(np.full(100, 128, np.uint8)), 0.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(64, 3000), st.integers(1_000, 192_000))
def test_any_length_and_rate_give_finite_sound_of_the_same_duration(count: int, rate_hz: int) -> None:
    pcm = to_mono_16k(np.ones(count, np.float32), rate_hz)
    assert np.isfinite(pcm).all()
    assert np.abs(pcm).max(initial=0.0) <= 1.0
    assert abs(len(pcm) - count * 16_000 / rate_hz) <= 34


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    sound = tone(0.5, 16_000)
    sound[4000] = value
    with pytest.raises(AudioError, match="not numbers"):
        to_mono_16k(sound, 16_000)
    path = tmp_path / "nan.wav"
    write_float_wav(path, sound, 16_000)
    with pytest.raises(AudioError, match=r"nan\.wav.*not numbers"):
        load_audio(path)


def write_float_wav(path: Path, pcm: Pcm, rate_hz: int) -> None:
    data = pcm.astype("<f4").tobytes()
    form = (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + rate_hz.to_bytes(4, "little")
    form += (rate_hz * 4).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    chunks = (
        b"fmt " + len(form).to_bytes(4, "little") + form + b"data" + len(data).to_bytes(4, "little") + data
    )
    path.write_bytes(b"RIFF" + (4 + len(chunks)).to_bytes(4, "little") + b"WAVE" + chunks)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"How long does delivery take?\n" * 40, "is not a sound file"),
        ("zeros.wav", bytes(4000), "is not a sound file"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=message) as caught:
        load_audio(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="not there"):
        load_audio(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="is a folder"):
        load_audio(tmp_path)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(AudioError, match="no sound in it"):
        load_audio(tmp_path / "silent.mp4")


@pytest.mark.parametrize("length_s", [0.0, 0.05])
def test_too_short_a_sound_is_refused(tmp_path: Path, length_s: float) -> None:
    with pytest.raises(AudioError, match="record at least"):
        load_audio(write_wav(tmp_path / "a.wav", tone(length_s, 16_000), 16_000))


def test_decoding_stops_at_the_limit_and_says_it(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", tone(10.0, 8_000), 8_000)
    with pytest.raises(AudioError, match="longer than 3 s"):
        load_audio(path, max_s=3.0)
    assert is_tone(load_audio(path, max_s=10.0)[:16_000], 1.0)


def test_ten_minutes_are_refused_by_default(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", np.zeros(600 * 8_000, np.float32), 8_000)
    with pytest.raises(AudioError, match="longer than 120 s"):
        load_audio(path)


def test_a_file_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    whole = write_with(tmp_path / "a.flac", "flac", tone(4.0, 44_100), 44_100)
    data = whole.read_bytes()
    broken = tmp_path / "b.flac"
    broken.write_bytes(data[: len(data) // 2] + bytes(len(data) // 2))
    pcm = load_audio(broken)
    assert 0.5 < len(pcm) / 16_000 < 4.0
    assert abs(loudest_hz(pcm) - TONE_HZ) < 3.0


def test_a_playlist_cannot_make_the_reader_open_other_files(tmp_path: Path) -> None:
    write_wav(tmp_path / "secret.wav", tone(1.0, 16_000), 16_000)
    (tmp_path / "list.wav").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError):
        load_audio(tmp_path / "list.wav")
    (tmp_path / "concat.wav").write_text("ffconcat version 1.0\nfile secret.wav\n")
    with pytest.raises(AudioError):
        load_audio(tmp_path / "concat.wav")


@pytest.mark.parametrize("rate_hz", [0, -1, 10**9])
def test_an_impossible_sample_rate_is_refused(rate_hz: int) -> None:
    with pytest.raises(AudioError, match="sample rate"):
        to_mono_16k(np.zeros(100), rate_hz)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 2)), np.float32(1.0), np.array(["a"]), np.zeros(4, complex)]
)
def test_arrays_that_are_no_sound_are_refused(array: np.ndarray) -> None:
    with pytest.raises(AudioError, match="not understood"):
        to_mono(array)
