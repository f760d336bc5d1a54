"""Sessions whose server was killed are closed by one that lives; those of servers that live never are."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.conversation_events import TurnEnded
from agent.sentence import Outcome
from server.live.archive import SERVER_LOST
from server.live.heartbeat import HeartbeatSettings
from server.live.records import AllWords, SessionClosed, SessionOpened, SessionRecord
from server.live.store import EventStore
from server.live.writer import WriterSettings

QUICK = WriterSettings(batch_s=0.01, busy_s=0.2, retry_s=0.01, retry_max_s=0.02)
LIVELY = HeartbeatSettings(every_s=0.1, lost_s=0.6)

CHILD = """
import sys, time
from agent.conversation_events import StateChanged
from server.live.heartbeat import HeartbeatSettings
from server.live.records import SessionClosed, SessionOpened
from server.live.store import EventStore

store = EventStore.open(sys.argv[1], heartbeat=HeartbeatSettings(every_s=0.1, lost_s=0.6))
store.put("over", SessionOpened("demo"))
store.put("over", SessionClosed("visitor"))
store.put("silent", SessionOpened("demo"))
store.put("talking", SessionOpened("demo"))
for turn in range(10_000):
    store.put("talking", StateChanged("listening"))
    time.sleep(0.05)
    if turn == 10:
        print("running", flush=True)
"""


def a_server(path: str) -> subprocess.Popen[str]:
    """One with sessions, as a process."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "running\n"
    return child


def killed(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert child.stdout is not None
    child.stdout.close()


async def sessions_of(store: EventStore) -> dict[str, SessionRecord]:
    return {session.id: session for session in await store.sessions()}


async def until(
    store: EventStore, so: Callable[[dict[str, SessionRecord]], bool]
) -> dict[str, SessionRecord]:
    for _ in range(200):
        if so(found := await sessions_of(store)):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")


async def test_the_sessions_of_a_killed_server_are_closed_at_their_last_event(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    await asyncio.to_thread(lambda: killed(a_server(path)))
    store = EventStore.open(path, settings=QUICK, heartbeat=LIVELY)
    found = await until(store, lambda all_: all_["talking"].closed_at is not None)
    last = (await store.events("talking"))[-1].at
    assert (found["talking"].closed_at, found["talking"].reason) == (last, SERVER_LOST)
    assert (found["silent"].closed_at, found["silent"].reason) == (found["silent"].opened_at, SERVER_LOST)
    assert found["over"].reason == "visitor"
    await store.close()


async def test_nobody_closes_the_sessions_of_a_server_that_lives(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    child = await asyncio.to_thread(a_server, path)
    store = EventStore.open(path, settings=QUICK, heartbeat=LIVELY)
    store.put("mine", SessionOpened("demo"))
    await asyncio.sleep(4 * LIVELY.lost_s)
    found = await sessions_of(store)
    assert [found[name].closed_at for name in ("talking", "silent", "mine")] == [None] * 3
    assert found["mine"].server != found["talking"].server != ""
    await asyncio.to_thread(killed, child)
    found = await until(store, lambda all_: all_["talking"].closed_at is not None)
    assert found["mine"].closed_at is None
    await store.close()


async def test_a_server_that_was_held_up_takes_its_sessions_back(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    child = await asyncio.to_thread(a_server, path)
    store = EventStore.open(path, settings=QUICK, heartbeat=LIVELY)
    os.kill(child.pid, signal.SIGSTOP)
    await until(store, lambda all_: all_["talking"].reason == SERVER_LOST)
    os.kill(child.pid, signal.SIGCONT)
    found = await until(store, lambda all_: all_["talking"].reason == "")
    assert found["talking"].closed_at is None
    assert found["over"].reason == "visitor"
    await asyncio.to_thread(killed, child)
    await store.close()


async def test_while_the_database_is_away_nobody_is_taken_for_lost(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    stores = [EventStore.open(path, settings=QUICK, heartbeat=LIVELY) for _ in range(2)]
    for number, store in enumerate(stores):
        store.put(f"s{number}", SessionOpened("demo"))
        assert await store.flush()
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(2 * LIVELY.lost_s)
    locker.execute("COMMIT")
    locker.close()
    until_s = time.monotonic() + 2 * LIVELY.lost_s
    while time.monotonic() < until_s:
        assert {each.reason for each in await stores[0].sessions()} == {""}
        await asyncio.sleep(0.02)
    for store in stores:
        assert await store.close() == 0


async def test_a_store_that_is_closed_leaves_the_list_and_what_it_left_open_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    first = EventStore.open(path, settings=QUICK, heartbeat=LIVELY)
    first.put("left", SessionOpened("demo"))
    first.put("ended", SessionOpened("demo"))
    first.put("ended", SessionClosed("visitor"))
    await first.close()
    with sqlite3.connect(path) as check:
        assert check.execute("SELECT count(*) FROM servers").fetchone() == (0,)
    check.close()
    second = EventStore.open(path, settings=QUICK, heartbeat=LIVELY)
    found = await until(second, lambda all_: all_["left"].closed_at is not None)
    assert (found["left"].reason, found["ended"].reason) == (SERVER_LOST, "visitor")
    await second.close()


VERSION_1 = """
CREATE TABLE sessions (id VARCHAR(64) NOT NULL PRIMARY KEY, desk VARCHAR(64) DEFAULT '' NOT NULL,
  language VARCHAR(16) DEFAULT '' NOT NULL, client VARCHAR(200) DEFAULT '' NOT NULL,
  recorded BOOLEAN DEFAULT 0 NOT NULL, opened_at DOUBLE, closed_at DOUBLE,
  reason VARCHAR(64) DEFAULT '' NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id VARCHAR(64) NOT NULL,
  at DOUBLE NOT NULL, kind VARCHAR(16) NOT NULL, turn INTEGER, data TEXT NOT NULL);
CREATE INDEX events_session ON events (session_id, id);
CREATE TABLE erased (session_id VARCHAR(64) NOT NULL PRIMARY KEY, at DOUBLE NOT NULL);
CREATE TABLE schema_version (version INTEGER NOT NULL, at DOUBLE NOT NULL);
INSERT INTO schema_version VALUES (1, 0);
"""


async def test_sessions_of_a_release_without_signs_of_life_are_closed_when_a_day_old(tmp_path: Path) -> None:
    path, now = tmp_path / "events.db", time.time()
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
        for name, opened_at in (("today", now - 3600), ("before", now - 3 * 86_400)):
            old.execute("INSERT INTO sessions (id, desk, opened_at) VALUES (?, 'demo', ?)", (name, opened_at))
    old.close()
    store = EventStore.open(str(path), settings=QUICK, heartbeat=LIVELY)
    store.put("today", TurnEnded(1, "q", "a", Outcome.ANSWERED, interrupted=False), AllWords())
    found = await until(store, lambda all_: all_["before"].closed_at is not None)
    assert (found["before"].closed_at, found["before"].reason) == (now - 3 * 86_400, SERVER_LOST)
    assert found["today"].closed_at is None
    await store.close()
