"""The `[emotion]` table of a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.desk import Desk, new_desk
from agent.errors import DeskError
from agent.manner_settings import DEFAULTS, TROUBLED, Feelings
from avatar import gesture_names


def load(folder: Path, table: str) -> Desk:
    new_desk(folder)
    file = folder / "desk.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{table}", encoding="utf-8")
    return Desk.load(folder)


def test_a_desk_changes_one_key_and_keeps_the_rest_of_the_row(tmp_path: Path) -> None:
    table = '[emotion.anger]\npace = 0.85\nopening = { en = "That should not have happened." }'
    row = load(tmp_path / "desk", table).settings.emotion.anger
    assert (row.pace, row.reply, row.gesture, row.person) == (0.85, "apologetic", "apologise", True)
    assert row.opening["en"] == "That should not have happened."
    assert row.opening["zh"] == DEFAULTS["anger"]["opening"]["zh"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("[emotion.angry]\npace = 0.9", "there is no key emotion.angry; is 'anger' meant?"),
        ("[emotion.anger]\nspeed = 0.9", "there is no key emotion.anger.speed"),
        ('[emotion.joy]\nreply = "furious"', "use one of neutral, happy"),
        ('[emotion.joy]\ngesture = "dance"', "or leave it empty"),
        ("[emotion.joy]\npace = 3", "emotion.joy.pace"),
        ('[emotion.anger]\nreply = "happy"', "would mock the visitor"),
        ("[emotion.fear]\npace = 1.1", "be calm: at most 1.0"),
        ('[emotion.anger.opening]\nfr = "Pardon."', "emotion.anger.opening"),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, table: str, complaint: str) -> None:
    with pytest.raises(DeskError) as raised:
        load(tmp_path / "desk", table)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_usual_can_be_shown() -> None:
    feelings = Feelings()
    assert {feelings.row(name).gesture for name in DEFAULTS} - {""} <= set(gesture_names())
    assert all(feelings.row(name).pace <= 1.0 for name in TROUBLED)
    assert feelings.row("bored") == feelings.neutral
