"""Every script finds a desk's actions, and its state folder, as new."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.desk import Desk
from agent.engines import Engines
from agent.mcp import McpTools
from agent.settings import McpServer
from evals.replay.actions import Actions
from evals.replay.course import begun
from evals.replay.desk import DeskUnderTest
from evals.replay.text import replay_text
from evals.scripts import Script, load_script
from tests.evals.test_suite import DESK, DOCUMENT

TOOLS = '''
import random
import sys
from datetime import date
from pathlib import Path
from typing import Annotated
from agent import Slot, tool

sys.path.insert(0, str(Path(__file__).parent))
import acme_ledger

BEGUN = date.today()
LUCK = random.random()

@tool(about="order")
def count_orders(
    number: Annotated[str, Slot(r"\\b(\\d{4})\\b", {"en": "Which?"})], *, language: str, state_dir: Path
) -> str:
    """Count how often was asked."""
    acme_ledger.ASKED.append(number)
    luck = f" {LUCK:.6f} {random.random():.6f}" if number == "4710" else ""
    return f"Asked {len(acme_ledger.ASKED)} times since {BEGUN.year}.{luck}"

TOOLS = [count_orders]
'''
ASK = """fixtures: {{clock: {year}-05-04T10:00, files: {files}}}
turns:
  - user: Where is my order 4711?
  - user: Where is my order 4712?
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskUnderTest]:
    folder = tmp_path_factory.mktemp("desks") / "counting"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "desk.toml").write_text(DESK, "utf-8")
    (folder / "knowledge" / "help.md").write_text(DOCUMENT, "utf-8")
    (folder / "tools.py").write_text(TOOLS, "utf-8")
    (folder / "acme_ledger.py").write_text("ASKED = []\n", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setattr(sys, "path", sys.path[:])
        with DeskUnderTest(Desk.load(str(folder))) as opened:
            yield opened


def script(folder: Path, year: int = 2031, files: str = "{}") -> Script:
    (folder / "ask.yaml").write_text(ASK.format(year=year, files=files), "utf-8")
    return load_script(folder / "ask.yaml")


def test_what_tools_remember_is_forgotten_between_scripts(desk: DeskUnderTest, tmp_path: Path) -> None:
    for year in (2031, 2031, 2033):
        record = replay_text(desk, script(tmp_path, year))
        lines = [call.result for turn in record.turns for call in turn.tools]
        assert lines == [f"Asked 1 times since {year}.", f"Asked 2 times since {year}."]
        assert record.turns[0].tools[0].arguments == {"number": "4711"}


def test_chance_is_the_same_for_a_seed_whatever_was_replayed_before(
    desk: DeskUnderTest, tmp_path: Path
) -> None:
    def luck(name: str, repeat: int = 0) -> list[str]:
        file = tmp_path / f"{name}.yaml"
        file.write_text("turns: [{user: Where is my order 4710?}]", "utf-8")
        return replay_text(desk, load_script(file), repeat=repeat).turns[0].tools[0].result.split()[-2:]

    one, other, again, later = luck("one"), luck("other"), luck("one"), luck("one", repeat=1)
    assert again == one
    assert {each[0] for each in (other, later)} == {one[0]}, "drawn while it was loaded"
    assert len({each[1] for each in (one, other, later)}) == 3, "drawn in the call"


def test_what_a_script_lays_beside_the_knowledge_is_gone_at_the_next(
    desk: DeskUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "new.json").write_text("{}")
    before = {file: file.read_bytes() for file in desk.state.rglob("knowledge/*") if file.is_file()}
    files = "{knowledge/new.md: new.json, knowledge/catalogue.json: new.json, orders/a.json: new.json}"
    notes = begun(desk, script(tmp_path, files=files), "text", 0).notes
    assert [note.split(" is laid")[0] for note in notes] == [
        "line 1: knowledge/new.md",
        "line 1: knowledge/catalogue.json",
    ]
    laid = [desk.state / "knowledge" / name for name in ("new.md", "catalogue.json")]
    assert [file.read_text() for file in laid] == ["{}", "{}"]
    desk.fresh(script(tmp_path))
    after = {file: file.read_bytes() for file in desk.state.rglob("knowledge/*") if file.is_file()}
    assert after == before
    assert not (desk.state / "orders").exists()


def test_engines_are_closed_where_a_change_fails(
    desk: DeskUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def fails(engines: Engines) -> None:
        monkeypatch.setattr(engines.synthesizer, "close", lambda: closed.append("voice"))
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        DeskUnderTest(desk.desk, change=fails)
    assert closed == ["voice"]


def test_a_servers_program_is_begun_anew_once_it_was_used(desk: DeskUnderTest, tmp_path: Path) -> None:
    pytest.importorskip("langchain_mcp_adapters", reason="the extra [mcp] is not installed")
    program = tmp_path / "server.py"
    program.write_text(
        "from mcp.server.fastmcp import FastMCP\nserver, seen = FastMCP('shop'), []\n"
        "@server.tool()\ndef book(day: str) -> str:\n"
        "    seen.append(day)\n    return f'{len(seen)} booked'\nserver.run()\n"
    )
    servers = McpTools([McpServer(name="shop", command=sys.executable, args=(str(program),))], tmp_path)
    try:
        actions = Actions(desk.desk)
        (book,) = (actions.watched(one) for one in servers.tools)
        said = []
        for used in (True, False, True):
            actions.renew(None, servers)
            if used:
                said += [book.call(day=day, language="en", state_dir=tmp_path) for day in ("Mon", "Tue")]
                assert [call.arguments for call in actions.calls] == [{"day": "Mon"}, {"day": "Tue"}]
        assert said == ["1 booked", "2 booked"] * 2
    finally:
        servers.close()
