"""Tools of a real MCP server."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import HttpUrl, ValidationError

from agent.errors import ToolError
from agent.llm import Asking, OpenAIAnswerer
from agent.mcp import McpTool, McpTools
from agent.settings import Answering, McpServer, Persona
from agent.tools import run_tool
from tests.agent.test_llm import QUESTION
from tests.openai_server import Behaviour, openai_server

pytest.importorskip("langchain_mcp_adapters", reason="the extra [mcp] is not installed")

SERVER = Path(__file__).parent / "mcp_server.py"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[McpTools, Path]]:
    folder = tmp_path_factory.mktemp("mcp")
    shop = McpServer(name="shop", command=sys.executable, args=(str(SERVER), str(folder)), timeout_s=30)
    gone = McpServer(name="gone", command="no-such-program")
    tools = McpTools([shop, gone], folder)
    yield tools, folder
    tools.close()


def named(tools: McpTools, name: str) -> McpTool:
    return next(tool for tool in tools.tools if tool.name == name)


def run(tool: McpTool, folder: Path, **values: object) -> str:
    return run_tool(tool, values, language="en", state_dir=folder)  # type: ignore[arg-type]


def test_a_servers_tools_are_found_and_run(opened: tuple[McpTools, Path]) -> None:
    tools, folder = opened
    assert {tool.name for tool in tools.tools} == {"shop_price", "shop_crash", "shop_broken", "shop_book"}
    assert run(named(tools, "shop_price"), folder, article="lamp", pieces="3") == (
        "3 pieces of the lamp cost 75 euros."
    )


def test_only_what_a_server_says_changes_nothing_runs_without_a_yes(opened: tuple[McpTools, Path]) -> None:
    tools, _ = opened
    assert {tool.name for tool in tools.tools if tool.changes} == {"shop_book"}


def test_a_server_that_cannot_be_opened_is_named_and_the_others_work(opened: tuple[McpTools, Path]) -> None:
    tools, _ = opened
    assert any("gone" in problem and "desk.toml" in problem for problem in tools.problems)


def test_a_tool_whose_description_gives_orders_is_left_out(opened: tuple[McpTools, Path]) -> None:
    tools, _ = opened
    assert any("poisoned" in problem for problem in tools.problems)


def test_an_error_of_a_tool_is_a_tool_error(opened: tuple[McpTools, Path]) -> None:
    tools, folder = opened
    with pytest.raises(ToolError, match="shop_broken"):
        run(named(tools, "shop_broken"), folder)


def test_a_server_that_went_away_is_opened_again(opened: tuple[McpTools, Path]) -> None:
    tools, folder = opened
    assert run(named(tools, "shop_crash"), folder) == "The server is back."
    assert "75 euros" in run(named(tools, "shop_price"), folder, article="lamp", pieces=3)


async def test_a_model_calls_them(opened: tuple[McpTools, Path]) -> None:
    tools, folder = opened
    behaviour = Behaviour(
        calls=[("shop_price", json.dumps({"article": "lamp", "pieces": 3}))],
        then=[Behaviour(["Three pieces of the lamp cost 75 euros [3]."])],
    )
    booking = Behaviour(calls=[("shop_book", json.dumps({"day": "Monday", "pieces": 2}))])
    settings = Answering(engine="openai", model="test", timeout_s=5.0)
    with openai_server(behaviour) as url, openai_server(booking) as other:
        for address, kind in ((url, "said"), (other, "asked")):
            one = OpenAIAnswerer(
                settings.model_copy(update={"base_url": HttpUrl(address)}),
                Persona(company="Acme"),
                tools=tools.tools,
                state_dir=folder,
                confirms=True,
            )
            question = replace(QUESTION, text="What do lamps cost? Book two for Monday.")
            (sentence,) = [each async for each in one.answer(question)]
            if kind == "said":
                assert [c.source for c in sentence.citations] == ["tool:shop_price"]
            else:
                assert isinstance(sentence, Asking)
                assert not (folder / "booked").exists()
                assert sentence.errand is not None
                booked = run(named(tools, "shop_book"), folder, **sentence.errand.values)
                assert booked == "Booked for Monday."
                assert (folder / "booked").read_text() == "Monday 2"


@pytest.mark.parametrize("given", [{}, {"command": "x", "url": "http://localhost/mcp"}])
def test_a_server_needs_a_command_or_an_address(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either a command or a url"):
        McpServer.model_validate({"name": "shop", **given})


def test_no_servers_cost_nothing(tmp_path: Path) -> None:
    none = McpTools([], tmp_path)
    assert none.tools == ()
    none.close()
