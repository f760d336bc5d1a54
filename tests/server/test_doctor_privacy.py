"""What the doctor says of what a desk keeps."""

from __future__ import annotations

from pathlib import Path

from agent.desk import Desk
from server.doctor_privacy import find_privacy
from tests.agent.scripted import DESK


def test_a_model_for_names_that_is_not_here_is_told_before_a_server_is_started(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text(f'{DESK}[privacy]\npresidio = {{en = "no_such_model"}}\n')
    found = find_privacy(Desk.load(tmp_path))
    assert not found.ok
    assert "[privacy] presidio: " in found.missing
    assert "Run: " in found.missing
    (tmp_path / "desk.toml").write_text(DESK)
    assert find_privacy(Desk.load(tmp_path)).ok
