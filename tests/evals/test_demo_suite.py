"""The demo desk's suite: what it covers, and that the desk passes it, in words."""

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from agent.desk import Desk
from agent.sentence import Outcome
from agent.tools import load_tools
from evals.checks import Check
from evals.checks.conversation import check_conversation
from evals.replay.desk import DeskUnderTest
from evals.replay.record import ConversationRecord
from evals.replay.text import replay_text
from evals.scripts import Script, load_script

DESKS = Path(__file__).parents[2] / "agent" / "desks"
SCRIPTS = {file.stem: load_script(file) for file in sorted((DESKS / "demo" / "scripts").glob("*.yaml"))}
STARTER = [load_script(file) for file in (DESKS / "starter" / "scripts").glob("*.yaml")]
EVERY = 8
"""Of so many scripts one is replayed twice: all would take as long again."""
KINDS = {
    "abuse", "accent", "backchannel", "barge-in", "clarify", "competitor", "confused", "consent",
    "correction", "dates", "echo", "emotion", "empty", "encoded", "financial", "follow-up", "handoff",
    "hate", "injection", "language-switch", "legal", "long", "medical", "misspelling", "noise", "pause",
    "pii", "promise", "room", "safe", "self-harm", "sexual", "small-talk", "suggestions", "telephone",
    "threat", "tool", "topic-change", "two-misses", "unknown", "voice",
}  # fmt: skip
"""What visitors do, and what happens to them; each has a script of its own."""


@pytest.fixture(scope="module")
def desk() -> Iterator[DeskUnderTest]:
    with DeskUnderTest(Desk.load("demo")) as opened:
        yield opened


def tagged(script: Script, kind: str) -> set[str]:
    return {tag.removeprefix(f"{kind}:") for tag in script.tags if tag.startswith(f"{kind}:")}


def course(record: ConversationRecord) -> list[tuple[object, ...]]:
    """Return what a replay came to, without what a clock measured."""
    return [
        (
            turn.reply,
            turn.outcome,
            turn.heard_reply,
            turn.tools,
            turn.verdicts,
            turn.handoff,
            turn.suggestions,
        )
        for turn in record.turns
    ]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_the_desk_holds_the_conversation(desk: DeskUnderTest, script: Script) -> None:
    record = replay_text(desk, script)
    checks = check_conversation(script, record)
    assert not record.error
    assert [told(one) for one in checks if not one.passed] == []
    assert len(checks) > len(script.turns), "it is only looked at whether something was said"


def told(check: Check) -> str:
    return f"line {check.line}: {check.name}: {check.message}"


def test_replayed_again_it_takes_the_same_course(desk: DeskUnderTest) -> None:
    for script in list(SCRIPTS.values())[::EVERY]:
        first, again = replay_text(desk, script), replay_text(desk, script, repeat=1)
        assert course(first) == course(again), script.id
        verdicts = [
            [(one.name, one.turn, one.passed, one.message) for one in check_conversation(script, record)]
            for record in (first, again)
        ]
        assert verdicts[0] == verdicts[1], script.id


def test_both_languages_have_their_share() -> None:
    languages = Counter(script.language for script in SCRIPTS.values())
    assert languages.total() >= 70
    assert 0.3 <= languages["zh"] / languages.total() <= 0.5


def test_every_kind_of_visitor_comes_by() -> None:
    assert {kind for script in SCRIPTS.values() for kind in tagged(script, "kind")} >= KINDS
    both = [
        {k for s in SCRIPTS.values() if s.language == one for k in tagged(s, "kind")} for one in ("en", "zh")
    ]
    assert len(both[0] & both[1]) >= 25


def test_every_outcome_and_every_action_is_expected() -> None:
    turns = [turn.expect for script in SCRIPTS.values() for turn in script.turns]
    assert {outcome for turn in turns if len(turn.outcome) == 1 for outcome in turn.outcome} == set(Outcome)
    calls = {call.name for turn in turns for call in turn.tools or () if call.times and call.arguments}
    assert calls == {tool.name for tool in load_tools(DESKS / "demo" / "tools.py")}
    assert sum(bool(script.expect.state) for script in SCRIPTS.values()) >= 10


@pytest.mark.parametrize("script", [*SCRIPTS.values(), *STARTER], ids=lambda script: script.id)
def test_a_script_is_tagged_and_expects_only_what_can_be(script: Script) -> None:
    folder = script.file.parents[1]
    assert script.id == script.file.stem
    assert script.title
    assert script.tags
    if script not in STARTER:
        assert tagged(script, "topic")
        assert script.language in tagged(script, "lang")
        expected = {str(outcome) for turn in script.turns for outcome in turn.expect.outcome}
        assert tagged(script, "outcome") <= expected
    there = {f"tool:{tool.name}" for tool in load_tools(folder / "tools.py")}
    there |= {file.relative_to(folder / "knowledge").as_posix() for file in folder.rglob("knowledge/*/*.md")}
    for turn in script.turns:
        for pattern in (*(turn.expect.cites or ()), *turn.expect.cites_any):
            assert any(fnmatchcase(one, pattern.partition("#")[0]) for one in there), pattern
