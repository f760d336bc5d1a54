from pathlib import Path

import pytest

from evals.checks.conversation import check_conversation
from evals.replay.text import replay_text
from evals.scripts import read_script
from evals.variant import Variant

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_script_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path))
    text = README.read_text("utf-8")
    block = text.partition("```yaml\n")[2].partition("```")[0]
    script = read_script(block, README)
    with Variant().open("text") as desk:
        checks = check_conversation(script, replay_text(desk, script))
    assert [check for check in checks if not check.passed] == []
    assert {"tools", "yielded_ms", "state", "grounded"} <= {check.name for check in checks}
