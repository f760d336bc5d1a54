"""Visitors and operators get what is kept, and erase it; who did is written down."""

import asyncio
import io
import json
import os
import sqlite3
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.privacy import Privacy
from server.live import archive, audit, dossier, privacy_doors
from server.live.audit import Deed
from server.live.contacts import hash_of
from server.live.operators import add_operator
from server.live.options import ServeOptions
from server.live.records import SessionClosed, SessionOpened, TurnRated
from server.live.retention import forget
from server.live.shelf import new_file
from server.live.store import EventStore
from server.privacy_command import privacy_app
from tests.server.live.serving import desk_in, serving

DAY_S = 86_400.0


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_visitor_gets_all_that_is_kept_and_erases_it(tmp_path: Path) -> None:
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), recordings=str(tmp_path / "films"))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        session = await server.session()
        name = session["session"]
        where = f"/v1/sessions/{name}/data"
        async with server.live(session) as client:
            await client.send("text", text="Hello there")
            await client.until("turn")
            token = client.seen[0]["token"]
            new_file(tmp_path / "films", name).write_bytes(b"film")
            got = await server.http.get(where, headers=bearer(token))
            with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
                assert sorted(packed.namelist()) == sorted(
                    ["README.txt", "data.json", "transcript.txt", f"{name}.mp4", f"{name}.vtt"]
                )
                assert "您的对话记录" in packed.read("README.txt").decode()
                assert "Visitor: Hello there" in packed.read("transcript.txt").decode()
                assert json.loads(packed.read("data.json"))["session"]["desk"] == "front"
            for wrong, status in (("nobody", 401), (token[:-3] + "abc", 401)):
                assert (await server.http.delete(where, headers=bearer(wrong))).status_code == status
            assert (await server.http.delete(where, headers=bearer(token))).status_code == 204
            assert (await client.until("ended"))["reason"] == "erased"
        store: EventStore = server.service.store
        store.put(name, TurnRated(1, 1))  # on its way while it was erased
        assert (await server.http.delete(where, headers=bearer(token))).status_code == 204
        assert (await server.http.get(where, headers=bearer(token))).status_code == 404
        assert await store.events(name) == []
        assert await store.sessions() == []
        assert list((tmp_path / "films").iterdir()) == []
        deeds = [(row.actor, row.action) for row in await store.ask(lambda each: audit.rows_of(each))]
        assert deeds == [("visitor", "erase"), ("visitor", "erase"), ("visitor", "export")]


async def test_a_page_of_the_servers_own_host_gets_the_data_though_browsers_name_no_origin(
    tmp_path: Path,
) -> None:
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), max_sessions=9, unjoined=9)
    desk = desk_in(tmp_path / "front", 'origins = ["https://shop.example"]')
    async with serving(desk, options=options) as server:
        own, shop = f"http://127.0.0.1:{server.port}", "https://shop.example"

        async def asked(issued: str, **headers: str) -> int:
            made = (await server.http.post("/v1/sessions", json={}, headers={"Origin": issued})).json()
            server.service.store.put(made["session"], TurnRated(1, 1))
            where = f"/v1/sessions/{made['session']}/data"
            return (await server.http.get(where, headers={**bearer(made["token"]), **headers})).status_code

        assert await asked(own) == await asked(own, **{"Sec-Fetch-Site": "same-origin"}) == 200
        assert await asked(own, **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert await asked(own, Origin=shop) == await asked(shop) == await asked(shop, Origin=own) == 403
        assert await asked(shop, Origin=shop) == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER ", "Bearer"])
async def test_the_scheme_may_be_written_in_any_case(tmp_path: Path, scheme: str) -> None:
    people = tmp_path / "operators.json"
    anna = add_operator(people, "Anna", ["front"])
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), operators=str(people))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        session = await server.session()
        where = f"/v1/sessions/{session['session']}"
        key, token = ({"Authorization": f"{scheme} {one}"} for one in (anna, session["token"]))
        assert (await server.http.get("/v1/inbox", headers=key)).status_code == 200
        assert (await server.http.delete(f"{where}/data", headers=token)).status_code == 204
        other = await server.session()
        gone = await server.http.delete(
            f"/v1/sessions/{other['session']}", headers={"Authorization": f"{scheme} {other['token']}"}
        )
        assert gone.status_code == 204


async def test_an_operator_erases_at_their_own_desk_alone(tmp_path: Path) -> None:
    people = tmp_path / "operators.json"
    anna, ben = add_operator(people, "Anna", ["front"]), add_operator(people, "Ben", ["back"])
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), operators=str(people))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        session = await server.session()
        async with server.live(session) as client:
            await client.send("text", text="Hello")
            await client.until("turn")
        where = f"/v1/sessions/{session['session']}/data"
        assert (await server.http.get(where, headers=bearer(ben))).status_code == 404
        assert (await server.http.get(where, headers=bearer(anna))).status_code == 200
        for _ in range(2):
            assert (await server.http.get("/v1/inbox", headers=bearer(anna))).status_code == 200
        rows = await server.service.store.ask(lambda each: audit.rows_of(each))
        assert [(row.actor, row.action) for row in rows] == [
            ("operator:Anna", "list"),
            ("operator:Anna", "export"),
        ]


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
async def test_a_trail_that_was_tampered_with_shows(tmp_path: Path, change: str) -> None:
    path = tmp_path / "events.db"
    store = EventStore.open(str(path))
    for number in range(4):
        await store.note(Deed("operator:Anna", "read", f"s{number}", "front", {"files": number}))
    found = await store.ask(audit.verify)
    assert (found.rows, found.broken) == (4, None)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"{change} WHERE id = 2")
        database.commit()
    assert (await store.ask(audit.verify)).broken == 3
    await store.close()


async def test_a_trail_that_was_cut_short_shows_to_who_noted_its_head(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = EventStore.open(str(path))
    for number in range(4):
        await store.note(Deed("operator:Anna", "read", f"s{number}"))
    await store.close()

    def run(*arguments: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(privacy_app, ["audit", *arguments, "--store", str(path), "--json"])
        return done.exit_code, json.loads(done.stdout or "{}")

    head = str((await asyncio.to_thread(run))[1]["head"])
    code, told = await asyncio.to_thread(run, "--head", head[:16])
    assert (code, told["noted"]) == (0, 4)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DELETE FROM audit WHERE id = 4")
        database.commit()
    assert (await asyncio.to_thread(run, "--verify"))[0] == 0  # what was cut off at the end does not show
    code, told = await asyncio.to_thread(run, "--head", head)
    assert (code, told["noted"], told["broken"]) == (1, None, None)
    assert (await asyncio.to_thread(run, "--head", "abc"))[0] == 2
    assert (await asyncio.to_thread(run, "--head", " "))[0] == 0  # none was noted


async def test_the_trail_has_a_time_of_its_own(tmp_path: Path) -> None:
    now = [1e9]
    store = EventStore.open(str(tmp_path / "events.db"), clock=lambda: now[0])
    await store.note(Deed("server", "purge"))
    now[0] += 100 * DAY_S
    await store.note(Deed("server", "purge"))
    now[0] += 300 * DAY_S
    assert await store.purge_audit(365 * DAY_S) == 1
    found = await store.ask(audit.verify)
    assert (found.rows, found.broken) == (2, None)
    await store.close()


async def test_each_desk_keeps_for_its_own_time(tmp_path: Path) -> None:
    now = [time.time() - 10 * DAY_S]
    store = EventStore.open(str(tmp_path / "events.db"), clock=lambda: now[0])
    films = tmp_path / "films"
    for name, desk in (("a", "short"), ("b", "films"), ("c", "usual")):
        store.put(name, SessionOpened(desk))
        store.put(name, SessionClosed("visitor"))
        film = new_file(films, name)
        for each in (film, film.with_suffix(".vtt")):
            os.utime(each, (now[0], now[0]))
    assert await store.flush()
    now[0] = time.time()
    desks = {
        "short": Privacy(retention_days=7),
        "films": Privacy(retention_days=20, recordings_days=5),
    }
    assert await forget(store, str(films), 30.0, desks) == (1, 4)
    assert sorted(each.id for each in await store.sessions()) == ["b", "c"]
    assert [path.name for path in sorted(films.glob("*.mp4"))] == ["c.mp4"]
    assert await forget(store, str(films), 30.0, desks) == (0, 0)
    now[0] += 25 * DAY_S
    assert await forget(store, str(films), 30.0, desks, now=now[0]) == (2, 2)
    await store.close()


async def test_conversations_are_found_by_what_the_visitor_told(tmp_path: Path) -> None:
    path, secret = tmp_path / "events.db", b"s" * 32
    store = EventStore.open(str(path))
    for name, told in (("a", "anna@example.com"), ("b", "ben@example.com"), ("c", "020 7946 0958")):
        store.put(name, SessionOpened("front"))
        store.put_contacts(name, [hash_of(told, secret), hash_of("013 1234 5678", secret)])
    assert await store.flush()

    async def found(contact: str) -> list[str]:
        hashes = [hash_of(contact, secret)]
        return await store.ask(lambda each: archive.sessions_with(each, hashes, "front"))

    assert await found("Anna@example.com") == ["a"]
    assert await found("+44 20 7946 0958") == ["c"]
    assert await found("nobody@example.com") == []
    assert await store.ask(lambda each: archive.sessions_with(each, [], None)) == []
    await store.close()
    assert b"anna@" not in path.read_bytes()


async def test_the_command_exports_erases_and_shows_the_trail(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = EventStore.open(str(path))
    store.put("s1", SessionOpened("front"))
    store.put("s1", TurnRated(1, 1))
    await store.close()

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(privacy_app, [*arguments, "--store", str(path)])
        return done.exit_code, done.stdout

    films = ("--recordings", str(tmp_path / "films"))
    export = ("export", "--session", "s1", "--out", str(tmp_path / "out"), "--json", *films)
    code, out = await asyncio.to_thread(run, *export)
    assert code == 0
    assert json.loads(out)["archives"][0]["events"] == 1
    assert zipfile.is_zipfile(tmp_path / "out" / "conversation-s1.zip")
    assert (await asyncio.to_thread(run, "erase", "--session", "s1", *films))[0] == 2  # nobody said yes
    erase = ("erase", "--session", "s1", "--yes", "--json", *films)
    assert json.loads((await asyncio.to_thread(run, *erase))[1])["erased"] == ["s1"]
    assert json.loads((await asyncio.to_thread(run, *erase))[1])["erased"] == []
    assert (await asyncio.to_thread(run, *export))[0] == 2
    code, out = await asyncio.to_thread(run, "audit", "--verify", "--json")
    assert code == 0
    trail = json.loads(out)
    assert [row["action"] for row in trail["rows"]] == ["erase", "erase", "export"]
    assert trail["verified"] == 3


async def test_a_purge_of_one_desk_leaves_the_others_alone(tmp_path: Path) -> None:
    now = [time.time() - 40 * DAY_S]
    path = tmp_path / "events.db"
    films = tmp_path / "films"

    async def run(*arguments: str) -> tuple[int, dict[str, object]]:
        options = ("--store", str(path), "--recordings", str(films), "--json")
        done = await asyncio.to_thread(CliRunner().invoke, privacy_app, ["purge", *arguments, *options])
        return done.exit_code, json.loads(done.stdout) if done.exit_code == 0 else {}

    store = EventStore.open(str(path), clock=lambda: now[0])
    for name in ("alpha", "beta"):
        store.put(name, SessionOpened(name))
        store.put(name, SessionClosed("visitor"))
        film = new_file(films, name)
        for each in (film, film.with_suffix(".vtt")):
            os.utime(each, (now[0], now[0]))
    film = new_file(films, "nobodys")
    for each in (film, film.with_suffix(".vtt")):
        os.utime(each, (now[0], now[0]))
    assert await store.flush()
    nothing = {"sessions": 0, "files": 0, "left_alone": ["alpha", "beta"]}
    assert await run() == (0, nothing)
    assert await run("alpha") == (0, nothing)  # its server may keep for a year
    assert (await run("--keep-days", "1"))[0] == 2
    assert await run("alpha", "--keep-days", "30") == (0, {"sessions": 1, "files": 2, "left_alone": ["beta"]})
    assert [each.id for each in await store.sessions()] == ["beta"]
    assert sorted(each.name for each in films.glob("*.mp4")) == ["beta.mp4", "nobodys.mp4"]
    await store.close()


async def test_whose_a_recording_is_stays_known_as_long_as_it_is_kept(tmp_path: Path) -> None:
    now = [time.time() - 20 * DAY_S]
    store = EventStore.open(str(tmp_path / "events.db"), clock=lambda: now[0])
    films = tmp_path / "films"
    store.put("a", SessionOpened("front"))
    store.put("a", TurnRated(1, 1))
    store.put_contacts("a", ["h" * 32])
    store.put_handoff("a", "done", '{"summary": "Anna"}')
    store.put("a", SessionClosed("visitor"))
    film = new_file(films, "a")
    for each in (film, film.with_suffix(".vtt")):
        os.utime(each, (now[0], now[0]))
    assert await store.flush()
    desks = {"front": Privacy(retention_days=5, recordings_days=25), "back": Privacy(retention_days=365)}
    now[0] += 10 * DAY_S
    assert await forget(store, str(films), 30.0, desks, now=now[0]) == (1, 0)
    assert await forget(store, str(films), 30.0, desks, now=now[0]) == (0, 0)
    assert await store.events("a") == []
    assert await store.handoffs("a") == []
    assert b"Anna" not in (tmp_path / "events.db").read_bytes()
    assert await store.ask(lambda each: archive.sessions_with(each, ["h" * 32], None)) == ["a"]
    now[0] += 20 * DAY_S
    assert await forget(store, str(films), 30.0, desks, now=now[0]) == (1, 2)
    assert list(films.iterdir()) == []
    assert await store.sessions() == []
    await store.close()


async def test_an_export_goes_through_a_file_and_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_doors, "PIECE_BYTES", 1000)
    monkeypatch.setattr(dossier, "PAGE", 3)
    options = ServeOptions(rates={}, store=str(tmp_path / "events.db"), recordings=str(tmp_path / "films"))
    async with serving(desk_in(tmp_path / "front"), options=options) as server:
        name = (await server.session())["session"]
        store: EventStore = server.service.store
        for turn in range(7):
            store.put(name, TurnRated(turn, 1))
        film = os.urandom(50_000)
        new_file(tmp_path / "films", name).write_bytes(film)
        found = await dossier.collect(store, str(tmp_path / "films"), name)
        assert [each.turn for each in found.events] == list(range(7))
        packed = privacy_doors._packed(found, str(tmp_path / "films"))
        pieces = [piece async for piece in privacy_doors._pieces(packed)]
        assert packed.closed
        assert max(map(len, pieces)) == 1000
        with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as whole:
            assert whole.read(f"{name}.mp4") == film
        assert sorted(each.suffix for each in (tmp_path / "films").iterdir()) == [".mp4", ".vtt"]


async def test_a_contact_is_not_looked_for_without_the_servers_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISAVIS_SECRET", raising=False)
    path, secret = tmp_path / "events.db", tmp_path / "secret"
    await EventStore.open(str(path)).close()
    erase = ["erase", "--contact", "anna@example.com", "--store", str(path), "--secret-file", str(secret)]
    done = await asyncio.to_thread(CliRunner().invoke, privacy_app, erase)
    assert done.exit_code == 2
    assert "--secret-file" in done.output
    assert not secret.exists()
