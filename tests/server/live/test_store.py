import asyncio
import gc
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.conversation_events import (
    HeardWords,
    Notice,
    SentenceBegan,
    StateChanged,
    TurnEnded,
    VerdictGiven,
)
from agent.sentence import Citation, Emotion, Outcome, Sentence
from moderation.verdict import Action, Direction, Span, Verdict
from server.live import tables
from server.live.errors import LiveError
from server.live.heartbeat import HeartbeatSettings
from server.live.records import AllWords, ClientReported, SessionClosed, SessionOpened
from server.live.store import EventStore
from server.live.writer import WriterSettings

QUICK = WriterSettings(batch_s=0.01, busy_s=0.02, retry_s=0.01, retry_max_s=0.02)
CITED = Citation("returns.pdf", "Returns", "Thirty days.", 0.87654321, page=3, section="After delivery")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "events.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[EventStore]:
    store = EventStore.open(str(path), settings=QUICK)
    yield store
    await store.close()


def a_turn(number: int, question: str = "May I return it?") -> TurnEnded:
    return TurnEnded(
        number,
        question,
        "You have thirty days.",
        Outcome.ANSWERED,
        interrupted=False,
        citations=(CITED,),
        timings_ms={"turn_end": 412.03, "first_sound": 588.5},
    )


def wait_until_refused(store: EventStore) -> None:
    """Returns when the database has refused what was put, and it waits again."""
    while not store.status().trouble:
        time.sleep(0.01)


async def test_a_session_is_read_back_as_it_happened(store: EventStore) -> None:
    store.put("s1", SessionOpened("demo", "zh", "kiosk", recorded=True))
    store.put("s1", StateChanged("thinking"))
    store.put("s1", HeardWords(1, "可以退货吗", final=True), AllWords())
    store.put(
        "s1", SentenceBegan(1, Sentence("三十天。", "zh", Emotion("happy"), citations=(CITED,))), AllWords()
    )
    store.put("s1", a_turn(1, "可以退货吗"), AllWords())
    store.put("s1", ClientReported({"first_sound_ms": 640.0, "skew_ms": -12.5, "fps": None}, turn=1))
    store.put("s1", Notice("tool_failed", "the order system did not answer"), AllWords())
    store.put("s1", SessionClosed("left"))
    assert await store.flush()

    (session,) = await store.sessions()
    assert (session.id, session.desk, session.language, session.client) == ("s1", "demo", "zh", "kiosk")
    assert (session.recorded, session.reason, session.turns) == (True, "left", 1)
    assert session.opened_at is not None
    assert session.closed_at is not None
    events = await store.events("s1")
    assert [event.kind for event in events] == ["state", "heard", "sentence", "turn", "report", "notice"]
    heard, sentence, turn, report = events[1:5]
    assert heard.data == {"text": "可以退货吗"}
    assert sentence.data["emotion"] == "happy"
    assert turn.turn == 1
    assert turn.data["timings_ms"] == {"turn_end": 412.03, "first_sound": 588.5}
    assert turn.data["citations"] == [
        {
            "source": "returns.pdf",
            "title": "Returns",
            "score": 0.8765,
            "text": "Thirty days.",
            "url": "",
            "page": 3,
            "section": "After delivery",
        }
    ]
    assert (turn.data["question"], turn.data["outcome"], turn.data["interrupted"]) == (
        "可以退货吗",
        "answered",
        False,
    )
    assert report.data == {"first_sound_ms": 640.0, "skew_ms": -12.5}


async def test_events_can_be_asked_for_by_kind_and_from_a_place_on(store: EventStore) -> None:
    for number in range(4):
        store.put("s1", StateChanged("thinking"))
        store.put("s1", a_turn(number), AllWords())
    await store.flush()
    turns = await store.events("s1", kinds=("turn",))
    assert [event.turn for event in turns] == [0, 1, 2, 3]
    later = await store.events("s1", kinds=("turn",), after_id=turns[1].id, limit=1)
    assert [event.turn for event in later] == [2]


async def test_sessions_are_listed_by_desk_and_time_the_latest_first(path: Path) -> None:
    clock = Clock()
    store = EventStore.open(str(path), settings=QUICK, clock=clock)
    for index, desk in enumerate(("shop", "bank", "shop")):
        clock.now = 100.0 * (index + 1)
        store.put(f"s{index}", SessionOpened(desk))
    await store.flush()
    assert [s.id for s in await store.sessions()] == ["s2", "s1", "s0"]
    assert [s.id for s in await store.sessions(desk="shop")] == ["s2", "s0"]
    assert [s.id for s in await store.sessions(since=200, until=300)] == ["s1"]
    assert [s.id for s in await store.sessions(limit=1, offset=1)] == ["s1"]
    await store.close()


async def test_of_a_verdict_everything_is_kept_but_the_words(store: EventStore, path: Path) -> None:
    verdict = Verdict(
        Action.MASK,
        "pii.card",
        "my card is ****",
        Direction.INPUT,
        "pii",
        {"pii": 0.99, "hate": float("nan")},
        (Span(11, 27, "pii"),),
        ("pii.card", "pii.number"),
    )
    store.put("s1", VerdictGiven(1, verdict))
    await store.flush()
    (event,) = await store.events("s1")
    assert event.data == {
        "action": "mask",
        "direction": "input",
        "rule": "pii.card",
        "category": "pii",
        "scores": {"pii": 0.99, "hate": None},
        "rules": ["pii.card", "pii.number"],
        "spans": 1,
    }
    assert b"my card" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


async def test_words_that_may_still_change_are_not_kept(store: EventStore) -> None:
    store.put("s1", HeardWords(1, "may I", final=False), AllWords())
    store.put("s1", HeardWords(1, "may I return it", final=True), AllWords())
    await store.flush()
    assert [event.data for event in await store.events("s1")] == [{"text": "may I return it"}]


async def test_an_event_is_kept_as_it_was_when_it_happened(store: EventStore) -> None:
    timings = {"turn_end": 400.0}
    store.put(
        "s1", TurnEnded(1, "a", "b", Outcome.ANSWERED, interrupted=False, timings_ms=timings), AllWords()
    )
    timings["turn_end"] = 0.0
    await store.flush()
    (event,) = await store.events("s1")
    assert event.data["timings_ms"] == {"turn_end": 400.0}


async def test_strange_text_is_written_and_what_cannot_be_is_counted(store: EventStore) -> None:
    odd = "half \ud800 pair, null \x00, 'quote'; DROP TABLE events; 😀"
    store.put("s1", HeardWords(1, odd, final=True), AllWords())
    store.put("s1", StateChanged(object()))  # type: ignore[arg-type]
    store.put("s1", StateChanged("listening"))
    assert await store.flush()
    heard, state = await store.events("s1")
    assert heard.data["text"] == odd.replace("\ud800", "?")
    assert state.data == {"state": "listening"}
    assert store.status().dropped == 1


async def test_one_row_that_the_database_refuses_costs_no_other(store: EventStore) -> None:
    store.put("s1", a_turn(1), AllWords())
    store.put("s1", a_turn(2**80))  # wider than any integer column
    store.put("s1", a_turn(3), AllWords())
    store.put("s1", SessionClosed("left"))
    assert await store.flush()
    assert [event.turn for event in await store.events("s1")] == [1, 3]
    assert [session.reason for session in await store.sessions()] == ["left"]
    assert (store.status().dropped, store.status().trouble) == (1, "")


async def test_events_come_from_any_thread(store: EventStore) -> None:
    def talk(name: str) -> None:
        for number in range(200):
            store.put(name, a_turn(number), AllWords())

    threads = [threading.Thread(target=talk, args=(f"s{index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert await store.flush()
    for index in range(4):
        assert [e.turn for e in await store.events(f"s{index}")] == list(range(200))


async def test_two_processes_may_write_one_file(store: EventStore, path: Path) -> None:
    other = EventStore.open(f"sqlite+aiosqlite:///{path}", settings=QUICK)
    for number in range(300):
        store.put("here", a_turn(number), AllWords())
        other.put("there", a_turn(number), AllWords())
        if number % 50 == 0:
            await asyncio.sleep(0.01)
    assert await store.flush(20)
    assert await other.flush(20)
    assert len(await store.events("there")) == len(await other.events("here")) == 300
    assert await other.close() == 0


CHILD = """
import asyncio, sys
from agent.conversation_events import TurnEnded
from agent.sentence import Outcome
from server.live.records import AllWords, SessionOpened
from server.live.store import EventStore

async def main():
    store = EventStore.open(sys.argv[1])
    store.put("s1", SessionOpened("demo"))
    for number in range(10_000):
        store.put("s1", TurnEnded(number, "q" * 200, "a" * 200, Outcome.ANSWERED, False), AllWords())
        if number % 20 == 19:
            assert await store.flush()
            print(number, flush=True)

asyncio.run(main())
"""


def write_until_killed(path: Path) -> int:
    """Returns the last event of which the child was told that it is committed."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = -1
    while told < 199:
        told = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return int(rest[-1]) if rest else told


async def test_nothing_committed_is_lost_by_kill_9(path: Path) -> None:
    told = await asyncio.to_thread(write_until_killed, path)
    store = EventStore.open(str(path), settings=QUICK)
    turns = [event.turn for event in await store.events("s1")]
    assert turns == list(range(len(turns)))
    assert len(turns) > told
    (session,) = await store.sessions()
    assert (session.desk, session.closed_at) == ("demo", None)
    store.put("s1", a_turn(77), AllWords())
    await store.close()
    with sqlite3.connect(path) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    check.close()


async def test_a_locked_database_disturbs_nobody_and_events_are_written_later(path: Path) -> None:
    notices: list[Notice] = []
    store = EventStore.open(str(path), settings=QUICK, on_notice=notices.append)
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    for number in range(10):
        store.put("s1", a_turn(number), AllWords())
    await asyncio.to_thread(wait_until_refused, store)
    assert not await store.flush(0.1)
    assert store.status().waiting == 10
    assert store.status().trouble == "database is locked"
    assert await store.events("s1") == []  # reading goes on
    locker.execute("COMMIT")
    locker.close()
    assert await store.flush()
    assert [event.turn for event in await store.events("s1")] == list(range(10))
    assert [notice.code for notice in notices] == ["store_failed", "store_recovered"]
    assert store.status().dropped == 0
    assert await store.close() == 0


async def test_when_too_much_waits_the_oldest_events_are_dropped_but_not_sessions(path: Path) -> None:
    few = WriterSettings(batch_s=0.01, busy_s=0.01, retry_s=0.01, retry_max_s=0.01, queue_rows=50)
    store = EventStore.open(str(path), settings=few)
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    store.put("s1", SessionOpened("demo"))
    for number in range(500):
        store.put("s1", a_turn(number), AllWords())
        if number % 100 == 0:
            await asyncio.sleep(0.02)
    store.put("s1", SessionClosed("left"))
    assert not await store.flush(0.1)
    locker.execute("COMMIT")
    locker.close()
    assert await store.flush()
    kept = [event.turn for event in await store.events("s1")]
    assert kept == list(range(450, 500))
    assert store.status().dropped == 450
    (session,) = await store.sessions()
    assert (session.desk, session.reason) == ("demo", "left")
    assert await store.close() == 450


async def test_what_waits_is_bounded_in_bytes_too(path: Path) -> None:
    few = WriterSettings(batch_s=0.01, busy_s=0.01, retry_s=0.01, retry_max_s=0.01, queue_bytes=100_000)
    store = EventStore.open(str(path), settings=few)
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    for number in range(50):
        store.put("s1", a_turn(number, "x" * 10_000), AllWords())
    await asyncio.to_thread(wait_until_refused, store)
    assert store.status().waiting < 10
    locker.execute("COMMIT")
    locker.close()
    await store.close()


async def test_closing_before_a_locked_database_gives_up_and_counts(path: Path) -> None:
    store = EventStore.open(str(path), settings=QUICK)
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    store.put("s1", a_turn(1), AllWords())
    assert await store.close(0.1) == 1
    locker.close()


FULL_DISK = """
import asyncio, resource, signal, sys
from agent.conversation_events import HeardWords
from server.live.records import AllWords
from server.live.store import EventStore
from server.live.writer import WriterSettings

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    notices = []
    settings = WriterSettings(batch_s=0.01, retry_s=0.01, retry_max_s=0.02)
    store = EventStore.open(sys.argv[1], settings=settings, on_notice=notices.append)
    store.put("s1", HeardWords(0, "before", True), AllWords())
    assert await store.flush()
    # From here on no file of this process grows beyond 100 kB: to SQLite, a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    for number in range(1, 40):
        store.put("s1", HeardWords(number, "x" * 20_000, True), AllWords())
    assert not await store.flush(2)
    trouble = store.status().trouble
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert await store.flush()
    turns = [event.turn for event in await store.events("s1")]
    print(trouble, [n.code for n in notices], turns == list(range(40)), await store.close(), sep="|")

asyncio.run(main())
"""


def test_a_full_disk_is_waited_out(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    trouble, codes, whole, lost = done.stdout.strip().split("|")
    assert "disk" in trouble
    assert codes == "['store_failed', 'store_recovered']"
    assert (whole, lost) == ("True", "0")


async def test_an_erased_session_leaves_no_bytes_and_does_not_come_back(
    store: EventStore, path: Path
) -> None:
    for name in ("s1", "s2"):
        store.put(name, SessionOpened("demo"))
        for number in range(50):
            store.put(name, HeardWords(number, f"wish of {name} {number}", final=True), AllWords())
    await store.flush()
    store.put(
        "s1", HeardWords(99, "late wish of s1", final=True), AllWords()
    )  # on its way while it is erased
    assert await store.delete_session("s1")
    store.put("s1", SessionClosed("left"))
    store.put("s1", a_turn(100), AllWords())
    await store.flush()
    assert await store.events("s1") == []
    assert [session.id for session in await store.sessions()] == ["s2"]
    assert len(await store.events("s2")) == 50
    assert not await store.delete_session("s1")
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"wish of s2" in stored
    assert b"wish of s1" not in stored


async def test_old_sessions_are_purged_and_running_ones_stay(path: Path) -> None:
    clock = Clock()
    start = clock.now
    store = EventStore.open(str(path), settings=QUICK, clock=clock)
    for index in range(250):
        store.put(f"old{index}", SessionOpened("demo"))
        store.put(f"old{index}", a_turn(1), AllWords())
        store.put(f"old{index}", SessionClosed("left"))
    store.put("lost", SessionOpened("demo"))  # its server was killed
    store.put("orphan", a_turn(1), AllWords())
    await store.flush()
    clock.now = start + 40 * 86_400
    store.put("long", SessionOpened("demo"))
    store.put("new", SessionOpened("demo"))
    store.put("new", a_turn(1), AllWords())
    store.put("new", SessionClosed("left"))
    await store.flush()
    assert await store.purge(30 * 86_400) == 251
    assert sorted(session.id for session in await store.sessions()) == ["long", "new"]
    assert await store.events("old7") == []
    assert await store.events("orphan") == []
    assert len(await store.events("new")) == 1
    assert await store.purge(30 * 86_400) == 0
    await store.close()


async def test_the_file_is_its_owners_alone(store: EventStore, path: Path) -> None:
    store.put("s1", a_turn(1), AllWords())
    await store.flush()
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_an_older_database_is_brought_to_this_version(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EventStore.open(str(path), settings=QUICK)
    store.put("s1", a_turn(1), AllWords())
    await store.close()
    version = tables.VERSION
    monkeypatch.setattr(tables, "VERSION", version + 1)
    monkeypatch.setitem(tables.STEPS, version, ["ALTER TABLE sessions ADD COLUMN mood TEXT DEFAULT 'calm'"])
    for _ in range(2):  # the second time there is nothing to do
        store = EventStore.open(str(path), settings=QUICK)
        assert len(await store.events("s1")) == 1
        await store.close()
    with sqlite3.connect(path) as check:
        assert check.execute("SELECT version FROM schema_version ORDER BY version").fetchall() == [
            (version,),
            (version + 1,),
        ]
        assert "mood" in [row[1] for row in check.execute("PRAGMA table_info(sessions)")]
    check.close()


async def test_a_step_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await EventStore.open(str(path), settings=QUICK).close()
    version = tables.VERSION
    monkeypatch.setattr(tables, "VERSION", version + 1)
    monkeypatch.setitem(
        tables.STEPS, version, ["ALTER TABLE sessions ADD COLUMN mood TEXT", "ALTER TABLE nowhere"]
    )
    with pytest.raises(LiveError):
        EventStore.open(str(path), settings=QUICK)
    with sqlite3.connect(path) as check:
        assert check.execute("SELECT max(version) FROM schema_version").fetchone() == (version,)
        assert "mood" not in [row[1] for row in check.execute("PRAGMA table_info(sessions)")]
    check.close()


async def test_the_database_of_a_later_release_is_left_alone(path: Path) -> None:
    await EventStore.open(str(path), settings=QUICK).close()
    with sqlite3.connect(path) as later:
        later.execute("INSERT INTO schema_version VALUES (99, 0)")
    later.close()
    with pytest.raises(LiveError, match="version 99") as told:
        EventStore.open(str(path))
    assert told.value.code == "store_newer"


@pytest.mark.parametrize("url", ["sqlite://", ":memory:", "mysql://host/db", "nonsense://x", "sqlite:///"])
def test_a_place_that_will_not_do_is_refused(url: str) -> None:
    with pytest.raises(LiveError) as told:
        EventStore.open(url)
    assert told.value.code == "bad_store_url"


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"my holiday diary" * 500)
    with pytest.raises(LiveError, match="not a database"):
        EventStore.open(str(path))
    assert path.read_bytes() == b"my holiday diary" * 500


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LiveError) as told:
        EventStore.open(str(tmp_path / "file" / "events.db"))
    assert told.value.code == "store_unavailable"


async def test_closing_leaves_no_thread_and_no_descriptor(path: Path) -> None:
    async def once() -> None:
        store = EventStore.open(str(path), settings=QUICK)
        store.put("s1", a_turn(1), AllWords())
        await store.flush()
        await store.events("s1")
        await store.close()

    await once()
    gc.collect()  # what others left behind must not be closed in between
    files = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await once()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("store-")]
    assert len(os.listdir("/proc/self/fd")) <= files


class Postgres:
    """A server of our own, reached by a socket in its folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.url = f"postgresql+asyncpg://visavis@/postgres?host={folder}"
        # it wants no root
        self.user = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
        make = [*self.user, "initdb", "-D", f"{folder}/data", "-U", "visavis", "-A", "trust"]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()

    def start(self) -> None:
        serve = [*self.user, "postgres", "-D", f"{self.folder}/data", "-k", self.folder]
        serve += ["-c", "listen_addresses=", "-c", "fsync=off"]
        self.process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if subprocess.run(["pg_isready", "-q", "-h", self.folder], check=False).returncode == 0:
                break
            time.sleep(0.1)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # does not wait for its clients
        self.process.wait()


@pytest.fixture
def postgres_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin")):  # where Debian puts them
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{programs}")
    if not all(map(shutil.which, ("postgres", "initdb", "pg_isready", "setpriv"))):
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o777)
        server = Postgres(folder)
        yield server
        server.stop()


@pytest.fixture
def postgres(postgres_server: Postgres) -> str:
    return postgres_server.url


async def test_events_wait_while_postgresql_is_away_and_are_written_when_it_comes_back(
    postgres_server: Postgres,
) -> None:
    notices: list[Notice] = []
    settings = WriterSettings(batch_s=0.01, busy_s=0.1, retry_s=0.02, retry_max_s=0.1)
    beats = HeartbeatSettings(every_s=0.1, lost_s=0.6)
    stores = [
        EventStore.open(postgres_server.url, settings=settings, heartbeat=beats, on_notice=notices.append)
        for _ in range(2)
    ]
    for index, store in enumerate(stores):
        store.put(f"s{index}", SessionOpened("demo"))
        store.put(f"s{index}", a_turn(0), AllWords())
        assert await store.flush()
    await asyncio.to_thread(postgres_server.stop)
    for number in range(1, 50):
        stores[0].put("s0", a_turn(number), AllWords())
    await asyncio.to_thread(wait_until_refused, stores[0])
    await asyncio.to_thread(wait_until_refused, stores[1])  # it has nothing to write but signs of life
    with pytest.raises(LiveError) as told:
        await stores[0].sessions()
    assert (told.value.code, told.value.retryable) == ("store_unavailable", True)
    await asyncio.sleep(2 * beats.lost_s)
    await asyncio.to_thread(postgres_server.start)
    assert await stores[0].flush()
    assert [event.turn for event in await stores[0].events("s0")] == list(range(50))
    await asyncio.sleep(2 * beats.lost_s)
    assert [session.reason for session in await stores[0].sessions()] == ["", ""]
    assert sorted({notice.code for notice in notices}) == ["store_failed", "store_recovered"]
    await stores[1].close()  # without an end of its session, as a server that was killed
    for _ in range(100):
        (left,) = [each for each in await stores[0].sessions() if each.id == "s1"]
        if left.closed_at is not None:
            break
        await asyncio.sleep(0.05)
    assert left.reason == "server_lost"
    assert [each.at for each in await stores[0].events("s1")] == [left.closed_at]
    assert await stores[0].close() == 0


async def test_postgresql_is_another_url(postgres: str) -> None:
    notices: list[Notice] = []
    settings = WriterSettings(batch_s=0.01, busy_s=0.05, retry_s=0.01, retry_max_s=0.05)
    stores = [EventStore.open(postgres, settings=settings, on_notice=notices.append) for _ in range(2)]
    for index, store in enumerate(stores):
        store.put(f"s{index}", SessionOpened("demo"))
        for number in range(100):
            store.put(f"s{index}", a_turn(number, f"null \x00 half \ud800 {number}"), AllWords())
        store.put(f"s{index}", a_turn(2**80))
        store.put(f"s{index}", SessionClosed("left"))
    for index, store in enumerate(stores):
        assert await store.flush()
        events = await store.events(f"s{index}")
        assert [event.turn for event in events] == list(range(100))
        assert events[7].data["question"] == "null \x00 half ? 7"
        assert (store.status().dropped, store.status().trouble) == (1, "")
    assert [session.turns for session in await stores[0].sessions()] == [100, 100]
    stores[0].put("s0", a_turn(1), AllWords())
    assert await stores[1].delete_session("s0")
    assert await stores[0].flush()
    assert await stores[0].events("s0") == []
    assert await stores[0].purge(-10) == 1
    for store in stores:
        await store.close()
    assert notices == []
