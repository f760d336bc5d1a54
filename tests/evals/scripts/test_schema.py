"""The scripts' JSON schema takes what the reader takes, and refuses what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from agent.desk import Desk
from evals.scripts import ScriptError, find_scripts, read_script
from evals.scripts.reading import composed
from evals.scripts.schema import SHIPPED, schema, schema_text

GOOD = [
    "turns: [{user: 4711}]",
    "id: 7\ntags: a b\nturns: [{user: hi, barge_in: true}]",
    "tags: {topic: refund, risk: 2}\nturns: [{user: hi, barge_in: 1.5}]",
    "turns: [{user: hi, expect: {contains: x, outcome: answered, within_ms: 900, handoff: asked}}]",
    "turns: [{user: hi, expect: {contains: [x, 5], outcome: [answered], within_ms: {turn_end: 9}}}]",
    "turns: [{pause_s: 3, expect: {tools: [], silent: true, emotion: happy, verdicts: {action: mask}}}]",
    "turns: [{expect: {tools: {name: x, arguments: {a: 1, b: x, c: true}}, handoff: false}}]",
    "turns: [{user: hi, expect: {cites: [], verdicts: []}}]\nexpect: {verdicts: [], tools: []}",
    "fixtures: {clock: 2026-05-04T10:00, people: away}\nturns: [{user: hi}]",
    "fixtures: {clock: 2026-05-04 10:00:00+02:00, customer: {a: 1}}\nturns: [{user: hi}]",
    "turns: [{user: hi}]\nexpect: {media: null, state: {file: a, query: SELECT 1, rows: [[1, a, null]]}}",
]
BAD = [
    "id: a",
    "turns: []",
    "turns: [{usr: hi}]",
    "turns: [hi]",
    "mode: voice\nturns: [{user: hi}]",
    "turns: [{user: hi, expect: {outcome: gone}}]",
    "turns: [{user: hi, expect: {within_ms: {sound: 1}}}]",
    "turns: [{user: hi, expect: {emotion: hapy}}]",
    *(
        f"turns: [{{user: hi, expect: {{{key}: []}}}}]"
        for key in ("contains", "must_not", "regex", "cites_any", "outcome", "emotion", "visitor_emotion")
    ),
    *(
        f"turns: [{{user: hi, expect: {{{key}: {{}}}}}}]"
        for key in ("heard_reply", "understood", "cards", "suggestions", "within_ms")
    ),
    "turns: [{user: hi, expect: {cards: {contains: []}}}]",
    "turns: [{user: hi}]\nexpect: {state: []}",
    "turns: [{user: [hi]}]",
    "turns: [{user: hi, pause_s: -1}]",
    "fixtures: {clock: tomorrow}\nturns: [{user: hi}]",
    "voice: {speed: 9}\nturns: [{user: hi}]",
]


@pytest.fixture(scope="module")
def validator() -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read_is_valid(text: str, validator: Any) -> None:
    read_script(text, Path("s.yaml"))
    validator.validate(composed(text, Path("s.yaml"))[0])


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_read_is_not_valid(text: str, validator: Any) -> None:
    with pytest.raises(ScriptError):
        read_script(text, Path("s.yaml"))
    assert not validator.is_valid(composed(text, Path("s.yaml"))[0])


def test_the_demo_desks_scripts_are_valid(validator: Any) -> None:
    files = find_scripts([Desk.load().folder / "scripts"])
    wrong = {
        file.name: [error.message for error in validator.iter_errors(composed(file.read_text(), file)[0])]
        for file in files
    }
    assert {name: those for name, those in wrong.items() if those} == {}


def test_its_examples_are_valid(validator: Any) -> None:
    document = schema()
    validator.validate(document["examples"][0])
    for name, part in document["$defs"].items():
        for key, value in part.get("properties", {}).items():
            for example in value.get("examples", ()):
                inner = validator.evolve(schema={**value, "$defs": document["$defs"]})
                assert inner.is_valid(example), (name, key, example)


def test_the_schema_that_ships_is_current() -> None:
    remedy = "write it anew: visavis eval schema > evals/script.schema.json"
    assert SHIPPED.read_text() == schema_text(), remedy
