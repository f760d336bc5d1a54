"""What a killed server leaves of recordings is completed by the next one."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from server.live.recording import Recording
from server.live.retention import forget, mend
from server.live.salvage import YOUNG_S, Salvage, salvage
from tests.server.live.serving import eventually
from tests.server.live.test_recording import ALL, CHILD, SIZE, a_recording, moment, names, pictures, sound

NOTHING = Salvage()


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recording whose process was killed, as its files were left."""
    folder = tmp_path_factory.mktemp("killed")
    path = folder / "s1.mp4"
    child = subprocess.Popen([sys.executable, "-c", CHILD, folder])
    while not path.exists() or path.read_bytes().count(b"moof") < 4:
        assert child.poll() is None
        time.sleep(0.02)
    assert salvage(folder, min_free_bytes=0) == NOTHING  # it is being written
    child.send_signal(signal.SIGKILL)
    child.wait()
    return folder


@pytest.fixture
def path(killed: Path, tmp_path: Path) -> Path:
    """A copy of the recording that broke off, with its captions beside it."""
    shutil.copytree(killed, tmp_path, dirs_exist_ok=True)
    return tmp_path / "s1.mp4"


def test_a_recording_that_broke_off_is_completed(tmp_path: Path, path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0\0\x10\0moof" + b"\7" * 200)  # a fragment that was being written
    with path.with_suffix(".vtt").open("a", encoding="utf-8") as file:
        file.write("\n00:01:00.000 --> 00:01:0")
    (tmp_path / ".s1.mp4.part").write_bytes(b"half an index")
    then = time.time() - 5 * 86_400
    os.utime(path, (then, then))
    assert salvage(tmp_path, min_free_bytes=0) == Salvage(finished=1)
    assert names(tmp_path) == ["s1.mp4", "s1.vtt"]
    head = path.read_bytes()
    assert b"moof" not in head
    assert head.index(b"moov") < 100
    with av.open(str(path)) as container:
        assert container.duration is not None
        length_s = container.duration / 1e6
        assert container.streams.video[0].frames == len(pictures(path)) >= 150
        container.seek(4_000_000, any_frame=False, backward=True)
        assert next(container.decode(video=0)).time == pytest.approx(4.0)
    assert [t for t, bright in pictures(path) if bright > 100][:3] == pytest.approx([0.48, 1.48, 2.48])
    assert sound(path).shape[1] / 48_000 == pytest.approx(length_s, abs=0.5)
    captions = path.with_suffix(".vtt").read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Avatar>Caption 0\n")
    assert captions.endswith("\n")
    assert "00:01:00" not in captions
    assert path.stat().st_mtime == pytest.approx(then, abs=1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert salvage(tmp_path, min_free_bytes=0) == NOTHING


def test_a_recording_in_which_nothing_came_to_be_is_deleted_once_it_is_old(tmp_path: Path) -> None:
    for name in ("s1.mp4", "s1.vtt"):
        (tmp_path / name).touch()
    assert salvage(tmp_path) == NOTHING
    then = time.time() - 2 * YOUNG_S
    os.utime(tmp_path / "s1.mp4", (then, then))
    assert salvage(tmp_path) == Salvage(removed=1)
    assert names(tmp_path) == []


async def test_what_is_being_recorded_is_finished_or_no_recording_is_left_alone(tmp_path: Path) -> None:
    done = await a_recording(tmp_path, 3)
    before = done.path.read_bytes()
    live = Recording.start(tmp_path, "s2", size=SIZE, settings=ALL)
    for index in range(200):
        live.take(moment(index))
    (tmp_path / "holiday.mp4").write_bytes(b"not one of ours" * 99)
    os.utime(tmp_path / "holiday.mp4", (0, 0))
    await eventually(lambda: b"moof" in live.path.read_bytes())
    assert await asyncio.to_thread(salvage, tmp_path, min_free_bytes=0) == NOTHING
    assert done.path.read_bytes() == before
    ended = await live.close()
    assert ended is not None
    assert len(pictures(ended.path)) == 200
    assert (tmp_path / "holiday.mp4").exists()
    assert salvage(tmp_path / "nowhere") == NOTHING


def test_on_a_full_disk_it_stays_as_it_is_and_one_that_is_damaged_harms_no_other(
    tmp_path: Path, path: Path
) -> None:
    before = path.read_bytes()
    assert salvage(tmp_path, min_free_bytes=2**60) == Salvage(left=1)
    assert path.read_bytes() == before
    rng = np.random.default_rng(0)
    noise = bytearray(before)
    noise[16:600] = rng.bytes(584)  # what describes the sound and the picture
    (tmp_path / "a0.mp4").write_bytes(noise)
    os.utime(tmp_path / "a0.mp4", (0, 0))
    did = salvage(tmp_path, min_free_bytes=0)
    assert did.finished == 1
    assert b"moof" not in path.read_bytes()


def test_a_mended_recording_is_deleted_as_long_after_its_end_as_any_other(tmp_path: Path, path: Path) -> None:
    then = time.time() - 40 * 86_400
    for each in tmp_path.iterdir():
        os.utime(each, (then, then))
    asyncio.run(mend(str(tmp_path)))
    assert b"moof" not in path.read_bytes()
    assert asyncio.run(forget(None, str(tmp_path), 50.0)) == (0, 0)
    assert asyncio.run(forget(None, str(tmp_path), 30.0)) == (0, 2)
    assert not path.exists()
