import os
import time
from pathlib import Path

from server.live.records import SessionClosed, SessionOpened
from server.live.retention import forget
from server.live.store import EventStore


async def test_what_is_older_than_promised_is_deleted_and_the_rest_stays(tmp_path: Path) -> None:
    now = [time.time() - 40 * 86_400]
    store = EventStore.open(str(tmp_path / "sessions.sqlite"), clock=lambda: now[0])
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for name, age_days in (("old", 40), ("new", 1)):
        store.put(name, SessionOpened("demo"))
        store.put(name, SessionClosed("visitor"))
        await store.flush()
        then = time.time() - age_days * 86_400
        for file in (recordings / f"{name}.mp4", recordings / f"{name}.vtt", recordings / f"{name}-own.mp4"):
            if name == "old" or "own" not in file.name:
                file.write_bytes(b"film")
                os.utime(file, (then, then))
        now[0] = time.time()
    assert await forget(store, str(recordings), 30.0) == (1, 2)
    assert [session.id for session in await store.sessions()] == ["new"]
    # a film without captions beside it is none of ours
    assert sorted(file.name for file in recordings.iterdir()) == ["new.mp4", "new.vtt", "old-own.mp4"]
    assert await forget(store, str(recordings), 30.0) == (0, 0)
    await store.close()


async def test_nothing_kept_is_nothing_to_forget_and_trouble_is_only_told(tmp_path: Path) -> None:
    assert await forget(None, "", 30.0) == (0, 0)
    assert await forget(None, str(tmp_path / "not there"), 30.0) == (0, 0)
