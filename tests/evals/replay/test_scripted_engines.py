from __future__ import annotations

from agent.desk import Desk
from evals.replay.desk import DeskUnderTest
from evals.replay.scripted_engines import LINES, scripted
from evals.replay.text import replay_text
from evals.scripts import load_scripts


def test_a_desk_with_scripted_engines_plays_scripts_that_want_actions() -> None:
    scripts, _ = load_scripts(Desk.load().scripts)
    with_actions = next(one for one in scripts if any(turn.expect.tools for turn in one.turns))
    with DeskUnderTest(Desk.load(), change=scripted) as desk:
        record = replay_text(desk, with_actions)
    assert len(record.turns) == len(with_actions.turns)
    assert any(turn.reply.startswith(LINES[0]) for turn in record.turns)
