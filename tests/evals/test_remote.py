"""A suite against a running server: one that dies is named, the rest goes on, and nobody blames the desk."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agent.desk import Desk
from evals.remote import desk_at, told_before
from evals.replay import driver, running_server, webrtc
from evals.replay.running_server import Health, RunningServer
from evals.results import RESULTS
from evals.running import SuiteError
from evals.suite import HARNESS, Order, Suite, run_suite
from evals.variant import Variant
from server.live.operators import add_operator
from server.live.options import ServeOptions
from server.progress import Silent
from tests.evals.replay.test_audio_webrtc import Listeners
from tests.server.live.serving import desk_in, serving

SAYS = """
id: {id}
desk: {desk}
turns: [{{user: {words}, pause_s: 0, expect: {{outcome: answered}}}}]
expect: {{media: null}}
"""


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "GREETING_S", 0.1)
    monkeypatch.setattr(driver, "SETTLE_S", 0.05)
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(running_server.KEY, raising=False)


def order(folder: Path, address: str, **scripts: str) -> Order:
    files = []
    for name, text in scripts.items():
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(text, encoding="utf-8")
    return Order((Variant(str(folder / "desk")),), tuple(files), workers=0, server=address)


def test_a_server_that_dies_is_no_fault_of_the_desk_and_what_came_before_is_kept(tmp_path: Path) -> None:
    async def suite() -> Suite:
        async with serving(desk_in(tmp_path / "desk"), cast=Listeners()) as server:
            wanted = order(
                tmp_path,
                f"http://127.0.0.1:{server.port}",
                a=SAYS.format(id="a", desk="desk", words="Hello"),
                b=SAYS.format(id="b", desk="desk", words="fail"),
                c=SAYS.format(id="c", desk="another", words="Hello"),
                d="id: d\nfixtures: {clock: 2026-05-04}\nturns: [{user: Hello}]\n",
            )
            return await asyncio.to_thread(run_suite, wanted, Silent())

    found = asyncio.run(suite())
    assert found.code == HARNESS
    first, second, third = (one.record for one in found.results.results)
    assert (first.error, first.turns[0].reply) == ("", "You said Hello.")
    assert "ended the session (failed)" in second.error
    assert "there is no such desk here; choose of: desk" in third.error
    (left_out,) = found.results.run.left_out
    assert left_out.endswith("d.yaml:2: a running server has a clock of its own: replay it without --server")


def test_a_run_with_a_key_takes_up_nothing_of_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, key = tmp_path / "operators.json", add_operator(tmp_path / "operators.json", "Anna")

    async def taken_up() -> list[int]:
        options = ServeOptions(rates={}, operators=str(file))
        async with serving(desk_in(tmp_path / "desk"), cast=Listeners(), options=options) as server:
            said = SAYS.format(id="a", desk="desk", words="Hello")
            wanted = order(tmp_path, f"http://127.0.0.1:{server.port}", a=said)
            wanted = replace(wanted, report=tmp_path / "report")
            found = []
            for one in ("", "", key):
                monkeypatch.setenv(running_server.KEY, one)
                found.append((await asyncio.to_thread(run_suite, wanted, Silent())).taken_up)
                head, result, _ = (tmp_path / "report" / RESULTS).read_text("utf-8").splitlines(keepends=True)
                (tmp_path / "report" / RESULTS).write_text(head + result, "utf-8")  # it broke off
            return found

    assert asyncio.run(taken_up()) == [0, 1, 0]


def test_a_server_that_is_not_there_or_knows_no_such_key_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk_in(tmp_path / "desk")
    wanted = order(tmp_path, "http://127.0.0.1:9", a=SAYS.format(id="a", desk="desk", words="Hello"))
    with pytest.raises(SuiteError, match="does not answer .* start it with `visavis serve`"):
        run_suite(wanted, Silent())

    async def suite() -> None:
        keys = tmp_path / "operators.json"
        add_operator(keys, "Anna")
        async with serving(Desk.load(tmp_path / "desk"), options=ServeOptions(operators=str(keys))) as server:
            address = f"http://127.0.0.1:{server.port}"
            await asyncio.to_thread(run_suite, order(tmp_path, address, a="turns: [{user: Hi}]"), Silent())

    monkeypatch.setenv(running_server.KEY, "nobody's")
    with pytest.raises(SuiteError, match="nobody at http.* has this key; make one there"):
        asyncio.run(suite())


def test_what_is_known_of_a_server_before_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_server, "own_version", lambda: "2.0")
    desk = desk_in(tmp_path / "desk")
    health = Health("1.0", desks={"front": {}})
    told = list(told_before(health, desk, RunningServer("http://127.0.0.1:9")))
    assert told[0] == "the server is Visavis 1.0, this is 2.0"
    assert told[1].startswith("the server has no desk desk: scripts that name none talk to its first, front")
    assert told[2:3] == ["what visitors have done is really done there, and stays so"]
    assert "VISAVIS_OPERATOR_KEY" in told[3]
    assert desk_at(Health("", desks={"front": {}, "desk": {}}), desk) == "desk"
