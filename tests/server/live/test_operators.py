import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.errors import DeskError
from server.command import app
from server.live.errors import LiveError
from server.live.operators import Operators, add_operator, read_operators, remove_operator


def test_a_key_is_known_by_its_hash_alone_and_the_file_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "state" / "operators.json"
    key = add_operator(file, "  Anna   Maria ", ["front"])
    assert key not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    anna = Operators(file).of(f"Bearer {key}")
    assert (anna.name, anna.serves("front"), anna.serves("back")) == ("Anna Maria", True, False)
    assert not Operators(file).look_after("back")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer nonsense", "nonsense"])
def test_who_has_no_key_is_not_let_in(tmp_path: Path, header: str) -> None:
    file = tmp_path / "operators.json"
    add_operator(file, "Anna")
    with pytest.raises(LiveError, match=r"key") as refused:
        Operators(file).of(header)
    assert refused.value.status == 401


def test_a_new_key_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "operators.json"
    old, new = add_operator(file, "Anna"), add_operator(file, "Anna")
    assert Operators(file).with_key(new).name == "Anna"
    with pytest.raises(LiveError):
        Operators(file).with_key(old)
    remove_operator(file, "Anna")
    assert read_operators(file) == ()
    with pytest.raises(DeskError, match="there is nobody called"):
        remove_operator(file, "Anna")


@pytest.mark.parametrize("name", ["", "x" * 41, "a\x00b"])
def test_a_name_must_be_one_that_can_be_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeskError, match="1 to 40 letters"):
        add_operator(tmp_path / "operators.json", name)


def test_a_file_that_is_broken_while_a_server_runs_shuts_nobody_out(tmp_path: Path) -> None:
    file = tmp_path / "operators.json"
    key = add_operator(file, "Anna")
    operators = Operators(file)
    assert operators.with_key(key)
    file.write_text("{", encoding="utf-8")
    operators._looked_s = float("-inf")
    assert operators.with_key(key).name == "Anna"
    with pytest.raises(DeskError, match="mend it, or delete it"):
        read_operators(file)


def test_the_command_makes_lists_and_takes_back_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path))
    run = CliRunner()
    made = json.loads(run.invoke(app, ["operator", "add", "Anna", "--desk", "front", "--json"]).stdout)
    assert Operators(tmp_path / "operators.json").with_key(made["key"]).name == "Anna"
    assert "Anna: front" in run.invoke(app, ["operator", "list"]).stdout
    again = run.invoke(app, ["operator", "add", "Anna", "--json"])
    assert json.loads(again.stdout)["replaced"]
    assert "the old one lets in no more" in again.stderr
    assert json.loads(run.invoke(app, ["operator", "remove", "Anna", "--json"]).stdout) == {"removed": "Anna"}
    assert "Nobody yet" in run.invoke(app, ["operator", "list"]).stdout
    assert run.invoke(app, ["operator", "remove", "Ben"]).exit_code == 2
