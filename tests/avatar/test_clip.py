import os
from pathlib import Path

import av
import numpy as np
import pytest

from avatar.clip import ClipWriter
from avatar.errors import ClipError

SIZE = 64
RATE = 22_050


def frame(bright: bool) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), 255 if bright else 0, np.uint8)


def flash_and_click(path: Path, rate: int = RATE) -> None:
    """Three seconds: in frame 12 of each second a white frame, in its middle a click."""
    sound = np.zeros(3 * rate, np.float32)
    for second in range(3):
        middle = round((second + 0.5) * rate)
        sound[middle - 100 : middle + 100] = 0.9
    with ClipWriter(path, width=SIZE, height=SIZE) as writer:
        writer.caption("Hello", 0.2, 1.0)
        writer.caption("退货", 1.2, 2.0)
        for index in range(75):
            writer.frame(frame(index % 25 == 12))
            writer.sound(sound[index * rate // 25 : (index + 1) * rate // 25], rate)
        clip = writer.finish()
    assert (clip.frames, clip.fps, clip.duration_s) == (75, 25, 3.0)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_sound_and_picture_stay_together(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "clip.mp4"
    flash_and_click(path, rate)
    with av.open(str(path)) as container:
        flashes = [f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 100]
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    loud = np.flatnonzero(np.abs(sound) > 0.4) / 48_000
    clicks = [loud[0], *loud[1:][np.diff(loud) > 0.1]]
    assert flashes == pytest.approx([0.48, 1.48, 2.48])
    assert clicks == pytest.approx([0.5, 1.5, 2.5], abs=0.012)


def test_the_file_is_h264_aac_and_captions(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    flash_and_click(path)
    with av.open(str(path)) as container:
        kinds = [(s.type, s.codec_context.name) for s in container.streams]
        assert kinds == [("video", "h264"), ("audio", "aac"), ("subtitle", "mov_text")]
        assert container.streams.video[0].frames == 75
        words = [
            bytes(line.dialogue).decode()
            for packet in container.demux(container.streams.subtitles[0])
            if packet.size
            for line in packet.decode()
        ]
    assert [word for word in words if word] == ["Hello", "退货"]


def test_engines_of_different_rates_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with ClipWriter(path, width=SIZE, height=SIZE) as writer:
        for rate in (16_000, 22_050, 48_000):
            writer.sound(np.sin(np.arange(rate) * 2 * np.pi * 440 / rate).astype(np.float32), rate)
            for _ in range(25):
                writer.frame(frame(False))
        writer.finish()
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert len(sound) / 48_000 == pytest.approx(3.0, abs=0.05)
    for second in range(3):
        part = sound[second * 48_000 + 4800 : (second + 1) * 48_000 - 4800]
        peak = np.argmax(np.abs(np.fft.rfft(part))) * 48_000 / len(part)
        assert peak == pytest.approx(440, abs=3)


def test_an_error_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> None:
        with ClipWriter(tmp_path / "clip.mp4", width=SIZE, height=SIZE) as writer:
            writer.frame(frame(True))
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    writer = ClipWriter(path, width=SIZE, height=SIZE)
    writer.frame(frame(True))
    assert path.read_bytes() == b"old"
    writer.discard()
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="needs /dev/full, a Linux device that is always full"
)
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = ClipWriter(tmp_path / "clip.mp4", width=SIZE, height=SIZE)
    writer.discard()
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    monkeypatch.setattr(Path, "with_name", lambda self, _: tmp_path / "full.mp4")
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    rng = np.random.default_rng(1)

    def write() -> None:
        with ClipWriter(tmp_path / "clip.mp4", width=SIZE, height=SIZE) as full:
            for _ in range(400):
                full.frame(rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8))
            full.finish()

    with pytest.raises(ClipError, match="space"):
        write()


def test_a_folder_or_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="is a folder"):
        ClipWriter(tmp_path, width=SIZE, height=SIZE)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ClipError, match="cannot be written"):
        ClipWriter(tmp_path / "file" / "clip.mp4", width=SIZE, height=SIZE)
