"""Regular expressions of scripts mean what Python means by them, and end in time."""

import re
from pathlib import Path

import pytest

from evals.checks.conversation import check_conversation
from evals.replay.record import Called, ConversationRecord, Said, TurnRecord
from evals.scripts import ScriptError, read_script
from evals.scripts.pattern import check_pattern, found_in

TEXT = "Within 14 Working days; 可以退货，只要4天。 Order x{e} of [HP-10331], straße."
ENDLESS = "(a|aa)+$"


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b14 (?:working )?days\b",
        r"\bork",
        "(?i:ORDER)",
        "(?i)ORDER",
        r"(?<!\d)4 ?天",
        r"(?<!\d)4 days",
        r"(?<=只要)\d",
        "退款|退货",
        "x{e}",
        "y{e}",
        "x{1}",
        "o{,}r",
        r"hp-\d{5}\]",
        r"\N{DIGIT ONE}4",
        r"^within.*\.$",
        "STRASSE",
        r"(?P<a>s)(?P=a)",
    ],
)
def test_a_pattern_finds_what_python_finds(pattern: str) -> None:
    check_pattern(pattern)
    flags = re.IGNORECASE
    assert found_in(pattern, TEXT) == (re.search(pattern, TEXT, flags) is not None)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a", "missing )"),
        (r"\p{Han}", "bad escape"),
        ("a" * 1001, "1,001 characters"),
        ("(" * 495 + "a" + ")" * 495, "too many brackets"),
        ("(?:a{1000}){1000}", "more than 10,000 parts"),
        ("(?:" * 90 + "a" + "){1,9}" * 90, "more than 10,000 parts"),
        ("(" * 20 + "[(]" + ")+" * 20, "more than 10,000 parts"),
    ],
)
def test_a_pattern_that_cannot_be_laid_out_is_refused(pattern: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        (f"contains_any: [aa]\n      regex: ['b|c', '{ENDLESS}']", 5),
        (f"heard_reply:\n        regex: {ENDLESS}", 5),
        (f"tools: [{{name: find, arguments: {{number: '/{ENDLESS}/'}}}}]", 4),
    ],
    ids=["reply", "heard", "argument"],
)
def test_a_pattern_that_tries_without_end_is_the_scripts_mistake(expect: str, line: int) -> None:
    script = read_script(f"turns:\n  - user: hello\n    expect:\n      {expect}\n", Path("one.yaml"))
    endless = "a" * 80 + "b"
    turn = TurnRecord(0, "hello", sentences=[Said(endless, "en", "neutral", 0.5, "answered")], answered=True)
    turn.heard_reply, turn.tools = endless, [Called("find", {"number": endless}, "found")]
    with pytest.raises(ScriptError, match=r"was not decided within .*repeats within repeats") as found:
        check_conversation(script, ConversationRecord("one", "demo", "text", turns=[turn]))
    assert found.value.line == line
