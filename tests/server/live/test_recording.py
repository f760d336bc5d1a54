import gc
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from agent.conversation_events import Notice
from agent.stage import LiveMoment
from server.live import recording as module
from server.live.errors import LiveError
from server.live.fragments import FragmentedClip
from server.live.recording import Recorded, Recording, RecordingSettings
from server.live.shelf import erase_recordings, new_file, purge_recordings, take
from server.live.voices import MOMENT, MOMENT_OUT, VisitorLine
from server.live.webvtt import CueFile

SIZE = (64, 96)
ALL = RecordingSettings(min_free_bytes=0, waiting_frames=1000)
"""Tests hand moments over faster than time."""


def tone(hz: float, start: int, count: int, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(start, start + count) / rate).astype(np.float32) / 2


def moment(
    index: int, *, white: bool = False, pcm: np.ndarray | None = None, caption: str = ""
) -> LiveMoment:
    frame = np.full((SIZE[1], SIZE[0], 3), 255 if white else 0, np.uint8)
    sound = np.zeros(MOMENT_OUT, np.int16) if pcm is None else (pcm * 32767).astype(np.int16)
    return LiveMoment(index, frame, sound, caption, bool(caption))


def pictures(path: Path) -> list[tuple[float, float]]:
    """Time and brightness of every frame; the file may break off."""
    seen = []
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        for frame in container.decode(video=0):
            seen.append((frame.time, float(frame.to_ndarray(format="gray").mean())))
    return seen


def sound(path: Path) -> np.ndarray:
    """float32[2, n]; the file may break off."""
    blocks = []
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        for frame in container.decode(audio=0):
            blocks.append(frame.to_ndarray())
    return np.concatenate(blocks, axis=1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def onsets(channel: np.ndarray) -> list[float]:
    loud = np.flatnonzero(np.abs(channel) > 0.2) / 48_000
    return [loud[0], *loud[1:][np.diff(loud) > 0.1]]


async def a_recording(folder: Path, seconds: int = 3, *, first: int = 0) -> Recorded:
    """Each second: at .2 the visitor clicks, at .48 the picture flashes, at .5 the avatar clicks."""
    recording = Recording.start(folder, "s1", size=SIZE, settings=ALL)
    for index in range(25 * seconds):
        phase = index % 25
        pcm = np.zeros(MOMENT_OUT, np.float32)
        if phase == 12:
            pcm[960:1100] = 0.9
        recording.take(moment(first + index, white=phase == 12, pcm=pcm, caption="Hi" if phase >= 12 else ""))
        heard = np.zeros(MOMENT, np.float32)
        if phase == 5:
            heard[:50] = 0.9
        recording.hear(heard[: MOMENT // 2])
        recording.hear(heard[MOMENT // 2 :])
    done = await recording.close()
    assert done is not None
    return done


@pytest.mark.parametrize("first", [0, 40_000])
async def test_face_and_both_voices_stay_together(tmp_path: Path, first: int) -> None:
    done = await a_recording(tmp_path, first=first)
    assert (done.duration_s, done.frames, done.frames_left_out, done.lost_s) == (3.0, 75, 0, 0.0)
    assert done.ended == "closed"
    assert [t for t, bright in pictures(done.path) if bright > 100] == pytest.approx([0.48, 1.48, 2.48])
    visitor, avatar = sound(done.path)
    assert onsets(avatar) == pytest.approx([0.5, 1.5, 2.5], abs=0.012)
    assert onsets(visitor) == pytest.approx([0.2, 1.2, 2.2], abs=0.012)


async def test_the_voices_are_apart(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    for index in range(50):
        recording.take(moment(index, pcm=tone(1000, index * MOMENT_OUT, MOMENT_OUT, 48_000)))
        recording.hear(tone(440, index * MOMENT, MOMENT, 16_000))
    done = await recording.close()
    assert done is not None
    for channel, hz, other in zip(sound(done.path), (440, 1000), (1000, 440), strict=True):
        middle = channel[24_000:72_000]
        spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        assert np.argmax(spectrum) == pytest.approx(hz, abs=1)
        assert spectrum[other - 5 : other + 6].max() < spectrum[hz] / 100


async def test_a_finished_recording_knows_its_length_and_can_be_sought(tmp_path: Path) -> None:
    done = await a_recording(tmp_path, 5)
    with av.open(str(done.path)) as container:
        kinds = [(stream.type, stream.codec_context.name) for stream in container.streams]
        assert kinds == [("video", "h264"), ("audio", "aac")]
        assert container.duration == pytest.approx(5_000_000, abs=60_000)
        assert container.streams.video[0].frames == 125
        container.seek(4_000_000, any_frame=False, backward=True)
        assert next(container.decode(video=0)).time == pytest.approx(4.0)
    head = done.path.read_bytes()[:4096]
    assert head.index(b"moov") < 100
    assert b"moof" not in head
    assert names(tmp_path) == ["s1.mp4", "s1.vtt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (done.path, done.captions)} == {0o600}


CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from agent.stage import LiveMoment
from server.live.recording import Recording, RecordingSettings

rng = np.random.default_rng(0)
settings = RecordingSettings(min_free_bytes=0, waiting_frames=1000)
recording = Recording.start(Path(sys.argv[1]), "s1", size=(128, 128), settings=settings)
began = time.monotonic()
for index in range(100_000):
    frame = np.full((128, 128, 3), 255 if index % 25 == 12 else 0, np.uint8)
    pcm = (rng.normal(size=1920) * 3000).astype(np.int16)
    recording.take(LiveMoment(index, frame, pcm, f"Caption {index // 25}", True))
    recording.hear(rng.normal(size=640).astype(np.float32) / 10)
    time.sleep(max(0.0, began + index / 250 - time.monotonic()))  # ten times as fast as life
"""


def test_a_killed_process_leaves_a_recording_that_plays(tmp_path: Path) -> None:
    path = tmp_path / "s1.mp4"
    child = subprocess.Popen([sys.executable, "-c", CHILD, tmp_path])
    while not path.exists() or path.read_bytes().count(b"moof") < 5:
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()

    fragments = path.read_bytes().count(b"moof")
    frames = pictures(path)
    assert len(frames) >= 50 * (fragments - 1)
    assert [t for t, bright in frames if bright > 100][:4] == pytest.approx([0.48, 1.48, 2.48, 3.48])
    voices = sound(path)
    assert voices.shape[1] / 48_000 >= 2 * (fragments - 1) - 0.5
    assert min(np.sqrt((voices**2).mean(axis=1))) > 0.02
    cues = path.with_suffix(".vtt").read_text(encoding="utf-8")
    assert cues.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Avatar>Caption 0\n")
    assert f"Caption {2 * (fragments - 1) - 1}\n" in cues


async def test_moments_that_the_clock_skipped_are_silence_before_a_still_face(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    click = np.zeros(MOMENT_OUT, np.float32)
    click[:100] = 0.9
    for index in [*range(10), *range(20, 50)]:
        recording.take(moment(index, white=index == 30, pcm=click if index == 30 else None))
    done = await recording.close()
    assert done is not None
    assert (done.duration_s, done.frames) == (2.0, 40)
    assert onsets(sound(done.path)[1]) == pytest.approx([1.2], abs=0.012)
    assert [t for t, bright in pictures(done.path) if bright > 100] == pytest.approx([1.2])


async def test_a_clock_that_begins_anew_goes_on_without_a_gap(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    for index in [*range(25), *range(5, 30), *range(1_000_000, 1_000_025)]:
        recording.take(moment(index))
    done = await recording.close()
    assert done is not None
    assert (done.duration_s, done.frames) == (3.0, 75)


async def test_frames_that_are_missing_repeat_the_last_one(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    for index in range(100):
        made = moment(index, white=True)
        recording.take(made if index == 3 else LiveMoment(index, None, made.pcm, "", False))
    done = await recording.close()
    assert done is not None
    seen = pictures(done.path)
    assert [round(t * 25) for t, _ in seen] == [0, 3, 28, 53, 78]
    assert seen[0][1] < 30
    assert all(bright > 200 for _, bright in seen[1:])
    assert sound(done.path).shape[1] / 48_000 == pytest.approx(4.0, abs=0.05)


async def test_a_picture_of_another_size_is_scaled(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=(65, 97), settings=ALL)
    for index, side in enumerate((64, 128, 32)):
        silent = np.zeros(MOMENT_OUT, np.int16)
        recording.take(LiveMoment(index, np.full((side, side, 3), 200, np.uint8), silent, "", False))
    done = await recording.close()
    assert done is not None
    with av.open(str(done.path)) as container:
        shapes = {f.to_ndarray(format="rgb24").shape for f in container.decode(video=0)}
    assert shapes == {(96, 64, 3)}


async def test_colours_are_kept_and_named(tmp_path: Path) -> None:
    colours = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    colours[:48, :32], colours[:48, 32:] = (200, 40, 40), (40, 180, 60)
    colours[48:, :32], colours[48:, 32:] = (50, 60, 210), (224, 190, 170)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    for index in range(3):
        recording.take(LiveMoment(index, colours, np.zeros(MOMENT_OUT, np.int16), "", False))
    done = await recording.close()
    assert done is not None
    with av.open(str(done.path)) as container:
        frame = list(container.decode(video=0))[-1]
        assert int(frame.colorspace) == 6
        shown = frame.reformat(format="rgb24", src_colorspace="ITU601").to_ndarray().astype(int)
    for row, column in ((20, 16), (20, 48), (76, 16), (76, 48)):
        assert np.abs(shown[row, column] - colours[row, column]).max() <= 6


async def test_a_slow_encoder_costs_frames_but_no_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = FragmentedClip.frame
    gate = threading.Event()

    def slowly(clip: FragmentedClip, picture: np.ndarray, index: int) -> None:
        gate.wait()
        write(clip, picture, index)

    monkeypatch.setattr(FragmentedClip, "frame", slowly)
    settings = RecordingSettings(min_free_bytes=0, waiting_frames=10)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=settings)
    for index in range(100):
        recording.take(moment(index, pcm=tone(1000, index * MOMENT_OUT, MOMENT_OUT, 48_000)))
    gate.set()
    done = await recording.close()
    assert done is not None
    assert done.frames_left_out >= 89
    assert done.duration_s == 4.0
    avatar = sound(done.path)[1]
    assert np.sqrt((avatar.reshape(-1, 1024)[2:-8] ** 2).mean(axis=1)).min() > 0.3


async def test_an_encoder_that_hangs_ends_the_recording_and_bounds_what_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(FragmentedClip, "frame", lambda *_: gate.wait())
    notices: list[Notice] = []
    settings = RecordingSettings(min_free_bytes=0, waiting_s=2)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=settings, on_notice=notices.append)
    for index in range(200):
        recording.take(moment(index))
        recording.hear(np.zeros(10 * MOMENT, np.float32))
    assert await recording.close(0.05) is None
    gate.set()
    await recording.close()
    assert [notice.code for notice in notices] == ["recording_ended"]
    assert "too slow" in notices[0].message


async def test_the_longest_recording_ends_by_itself(tmp_path: Path) -> None:
    notices: list[Notice] = []
    settings = RecordingSettings(max_s=2, min_free_bytes=0, waiting_frames=1000)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=settings, on_notice=notices.append)
    for index in range(100):
        recording.take(moment(index))
    done = await recording.close()
    assert done is not None
    assert (done.duration_s, done.ended) == (2.0, "full")
    assert [notice.code for notice in notices] == ["recording_ended"]
    assert len(pictures(done.path)) == 50


async def test_a_disk_that_fills_up_ends_the_recording_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = module.shutil.disk_usage(tmp_path)
    left = [10**12, 10**12, 10]
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda _: usage._replace(free=left.pop(0) if len(left) > 1 else left[0])
    )
    notices: list[Notice] = []
    settings = RecordingSettings(waiting_frames=1000)
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=settings, on_notice=notices.append)
    for index in range(400):
        recording.take(moment(index))
    done = await recording.close()
    assert done is not None
    assert done.ended == "disk"
    assert done.duration_s == pytest.approx(5, abs=0.1)
    assert "disk is full" in notices[0].message
    assert len(pictures(done.path)) == done.frames
    with pytest.raises(LiveError, match="nearly full"):
        Recording.start(tmp_path, "s2", size=SIZE, settings=settings)


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
import numpy as np
from agent.stage import LiveMoment
from server.live.recording import Recording, RecordingSettings

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    rng = np.random.default_rng(0)
    notices = []
    settings = RecordingSettings(min_free_bytes=0, waiting_frames=1000)
    # No file grows beyond 300 kB from here on.
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    recording = Recording.start(Path(sys.argv[1]), "s1", size=(128, 128), settings=settings,
                                on_notice=notices.append)
    for index in range(300):
        frame = rng.integers(0, 255, (128, 128, 3), np.uint8)
        recording.take(LiveMoment(index, frame, np.zeros(1920, np.int16), "", False))
    done = await recording.close()
    print(done.ended, done.frames > 20, [notice.code for notice in notices])

asyncio.run(main())
"""


def test_a_write_that_fails_ends_the_recording_and_leaves_what_was_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(" ", 1)[0] in ("failed", "disk")
    assert "True ['recording_ended']" in done.stdout
    assert len(pictures(tmp_path / "s1.mp4")) >= 20


async def test_odd_sound_of_a_client_harms_nothing(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    odd = np.array([np.nan, np.inf, -np.inf, 1e30, 0.5] * 64, np.float32)
    recording.hear(odd)
    for index in range(50):
        recording.take(moment(index))
        recording.hear(odd)
        recording.hear(np.zeros(0, np.float32))
        recording.hear(odd)
    done = await recording.close()
    assert done is not None
    assert done.ended == "closed"
    assert np.isfinite(sound(done.path)).all()


async def test_a_recording_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    recording.caption("Hello")
    assert await recording.close() is None
    assert names(tmp_path) == []


async def test_a_second_recording_of_a_session_replaces_none(tmp_path: Path) -> None:
    first = await a_recording(tmp_path, 1)
    second = await a_recording(tmp_path, 1)
    assert (first.path.name, second.path.name, second.captions.name) == ("s1.mp4", "s1.2.mp4", "s1.2.vtt")
    (tmp_path / "s12.mp4").touch()
    assert erase_recordings(tmp_path, "s1") == 4
    assert names(tmp_path) == ["s12.mp4"]
    assert erase_recordings(tmp_path, "../s12") == 0


async def test_who_does_not_agree_any_more_leaves_nothing(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    for index in range(10):
        recording.take(moment(index))
    await recording.discard()
    assert names(tmp_path) == []


async def test_old_recordings_are_purged(tmp_path: Path) -> None:
    done = await a_recording(tmp_path, 1)
    (tmp_path / "notes.txt").touch()
    os.utime(done.path, (time.time() - 100, time.time() - 100))
    assert purge_recordings(tmp_path, 50) == 1
    assert names(tmp_path) == ["notes.txt", "s1.vtt"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 65, "a.b"])
def test_a_name_that_is_no_sessions_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LiveError):
        Recording.start(tmp_path, name, size=SIZE, settings=ALL)


def held_for(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """New files are looked at by another process for so long, as when a server salvages recordings."""

    def made(folder: Path, session_id: str) -> Path:
        path = new_file(folder, session_id)
        threading.Timer(seconds, os.close, [take(path)]).start()
        return path

    monkeypatch.setattr(module, "new_file", made)


async def test_a_look_for_broken_recordings_does_not_stop_one_that_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_for(monkeypatch, 0.05)
    assert (await a_recording(tmp_path, 1)).frames == 25


def test_a_file_that_another_process_keeps_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_for(monkeypatch, 0.2)
    monkeypatch.setattr(module, "TAKE_S", 0.05)
    with pytest.raises(LiveError, match="another process keeps") as told:
        Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    assert (told.value.code, told.value.retryable) == ("recording_unavailable", True)
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LiveError) as told:
        Recording.start(tmp_path / "file", "s1", size=SIZE, settings=ALL)
    assert told.value.code == "recording_unavailable"


async def test_recordings_leave_no_thread_and_no_descriptor(tmp_path: Path) -> None:
    await a_recording(tmp_path, 1)
    gc.collect()  # what others left behind must not be closed in between
    files = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        await a_recording(tmp_path, 1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("recording")]
    assert len(os.listdir("/proc/self/fd")) <= files


async def test_captions_of_both_speakers_stand_in_order_and_where_they_were_said(tmp_path: Path) -> None:
    recording = Recording.start(tmp_path, "s1", size=SIZE, settings=ALL)
    voice, quiet = tone(200, 0, MOMENT, 16_000), np.zeros(MOMENT, np.float32)
    for index in range(200):
        recording.take(moment(index, caption="Thirty days" if 60 <= index < 100 else ""))
        recording.hear(voice if 5 <= index < 30 or 80 <= index < 92 else quiet)
        match index:
            case 45:
                recording.caption("May I return <it> --> now?")
            case 95:
                recording.caption("嗯\n好")
            case 199:
                recording.caption("Typed")
    done = await recording.close()
    assert done is not None
    cues = done.captions.read_text(encoding="utf-8").split("\n\n")
    assert cues == [
        "WEBVTT",
        "00:00:00.200 --> 00:00:01.200\n<v Visitor>May I return &lt;it&gt; --&gt; now?",
        "00:00:02.400 --> 00:00:04.000\n<v Avatar>Thirty days",
        "00:00:03.200 --> 00:00:04.200\n<v Visitor>嗯 好",
        "00:00:06.000 --> 00:00:08.000\n<v Visitor>Typed\n",
    ]


# The pieces


def test_cues_begin_in_order_whatever_order_they_end_in(tmp_path: Path) -> None:
    path = tmp_path / "a.vtt"
    cues = CueFile(path)
    cues.show("first", "A", 1.0)
    cues.add("within", "B", 2.0, 3.0)
    assert "within" not in path.read_text()
    cues.show("second", "A", 5.0)
    assert "within" in path.read_text()  # written at once when its turn comes
    cues.add("late", "B", 0.5, 5.5)
    cues.close(3661.5)
    text = path.read_text()
    begins = [line.split(" ")[0] for line in text.splitlines() if "-->" in line]
    assert begins == sorted(begins)
    assert re.findall(r">(\w+)\n", text) == ["first", "within", "late", "second"]
    assert "01:01:01.500" in text


def line_of(
    pieces: list[tuple[int, np.ndarray]], moments: int, delay: int = 5
) -> tuple[np.ndarray, VisitorLine]:
    """Plays pieces that come after so many moments; returns the line at 48 kHz."""
    line, out = VisitorLine(), []
    for now in range(1, moments + 1):
        for _, pcm in (piece for piece in pieces if piece[0] == now):
            line.hear(pcm, now)
        if now > delay:
            out.append(line.next())
    return np.concatenate(out), line


def test_sound_that_comes_unevenly_is_laid_end_to_end() -> None:
    rng = np.random.default_rng(1)
    whole = tone(440, 0, 100 * MOMENT, 16_000)
    pieces = [
        (index + 1 + int(rng.integers(0, 2)), whole[index * MOMENT : (index + 1) * MOMENT])
        for index in range(100)
    ]
    pieces = [(max(when for when, _ in pieces[: index + 1]), pcm) for index, (_, pcm) in enumerate(pieces)]
    heard, line = line_of(pieces, 105)
    middle = heard[4800 : 95 * MOMENT_OUT]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    peak = int(np.argmax(spectrum))
    assert peak * 48_000 / len(middle) == pytest.approx(440, abs=1)
    assert spectrum[peak - 3 : peak + 4].sum() / spectrum.sum() > 0.999  # no crack anywhere
    assert line.lost == 0


def test_after_a_gap_the_visitor_is_heard_at_the_present() -> None:
    voice = np.full(MOMENT, 0.5, np.float32)
    pieces = [(now, voice) for now in [*range(1, 11), *range(60, 71)]]
    heard, _ = line_of(pieces, 100)
    assert onsets(np.where(heard > 0.3, heard, 0)) == pytest.approx([0.0, 59 * 0.04], abs=0.045)


def test_a_burst_after_a_stall_is_kept_and_the_delay_is_made_up_in_silence() -> None:
    voice, quiet = np.full(MOMENT, 0.5, np.float32), np.zeros(MOMENT, np.float32)
    pieces = [(now, quiet) for now in range(1, 26)] + [(50, voice)] * 25
    pieces += [(now, quiet) for now in range(51, 101)] + [(101, voice)]
    heard, line = line_of(pieces, 130)
    assert (heard > 0.4).sum() / MOMENT_OUT == pytest.approx(26, abs=0.2)
    assert line.lost == 0
    assert onsets(np.where(heard > 0.3, heard, 0))[-1] == pytest.approx(100 * 0.04, abs=0.15)


def test_a_client_that_sends_faster_than_time_is_cut_short() -> None:
    line = VisitorLine()
    for _ in range(1000):
        line.hear(np.full(MOMENT, 0.5, np.float32), 1)
    assert line.lost / 16_000 == pytest.approx(40 - 2, abs=0.2)
