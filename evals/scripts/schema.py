"""The scripts' JSON schema (draft 2020-12): editors complete and check by it, and other tools read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, BeforeValidator

from agent.sentence import REPLY_EMOTIONS
from evals.scripts import expectations, script
from evals.scripts.expectations import VISITOR_EMOTIONS, Strict, several
from evals.scripts.script import Script
from evals.scripts.writing import SCHEMA_FILE

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SHIPPED = Path(__file__).parent.parent / SCHEMA_FILE
"""The schema as it ships."""
_TEXT = {
    "description": "Some words; a number is taken as it is written.",
    "type": ["string", "number", "boolean"],
}
_REF = {"$ref": "#/$defs/Text"}
_LABELS = {"emotion": REPLY_EMOTIONS, "visitor_emotion": VISITOR_EMOTIONS}
_MOMENT = r"^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?([Zz]|[+-]\d\d:?\d\d))?)?$"
"""ISO 8601, the time zone and the time itself optional: JSON schema's own "date-time" wants both."""
_SCRIPT = {
    "id": "late-parcel",
    "title": "A late parcel, and a question in between",
    "language": "en",
    "tags": {"topic": "refund", "risk": "medium"},
    "fixtures": {"clock": "2026-05-04T10:00"},
    "turns": [
        {
            "user": "My parcel is two weeks late, I want my money back.",
            "expect": {"outcome": "answered", "cites": ["en/late-parcel.md"], "contains_any": ["refund"]},
        },
        {"user": "No wait, how long do refunds take?", "barge_in": True, "expect": {"within_ms": 1500}},
    ],
    "expect": {"must_not": ["guarantee"], "tools": []},
}
_EXAMPLES: dict[tuple[str, str], list[Any]] = {
    ("Script", "id"): ["refund-late-parcel"],
    ("Script", "tags"): [["refund", "follow-up"], {"topic": "refund", "risk": "medium"}],
    ("Script", "language"): ["en", "zh"],
    ("Script", "mode"): ["text", "audio", "both"],
    ("Fixtures", "clock"): ["2026-05-04T10:00"],
    ("Fixtures", "files"): [{"orders.sqlite": "fixtures/orders.sqlite"}],
    ("Fixtures", "customer"): [{"name": "Maria Keller", "order": "10366"}],
    ("Voice", "speaker"): ["en-us+f3"],
    ("Noise", "kind"): ["babble", "white", "pink", "hum", "street.wav"],
    ("Turn", "user"): ["My parcel is two weeks late.", "我的包裹晚了两周。"],
    ("Turn", "wav"): ["late-parcel-1.wav"],
    ("Turn", "barge_in"): [True, 1.5, {"after_s": 1.5}],
    ("TurnExpectation", "contains"): ["5 years", ["5 years", "tent"]],
    ("TurnExpectation", "contains_any"): [["refund", "money back"]],
    ("TurnExpectation", "must_not"): [["we guarantee"]],
    ("TurnExpectation", "regex"): [r"\b14 (?:working )?days\b"],
    ("TurnExpectation", "cites"): ["en/refunds.md", ["*/refunds.md"], []],
    ("TurnExpectation", "outcome"): ["answered", ["abstained", "clarified"]],
    ("TurnExpectation", "tools"): [[{"name": "cancel_order", "arguments": {"order": "10366"}}], []],
    ("TurnExpectation", "handoff"): [True, "asked"],
    ("TurnExpectation", "verdicts"): [[{"action": "mask", "rule": "pii.*"}], []],
    ("TurnExpectation", "within_ms"): [1500, {"first_sentence": 800, "first_sound": 1500}],
    ("TurnExpectation", "emotion"): ["apologetic", ["apologetic", "empathetic"]],
    ("TurnExpectation", "language"): ["en"],
    ("ToolCall", "arguments"): [{"order": "/^10/"}],
    ("Database", "query"): ["SELECT status FROM orders WHERE number = '10366'"],
    ("ConversationExpectation", "goal"): ["the refund was offered"],
}


def schema() -> dict[str, Any]:
    """Return the schema: it takes what the reader takes, short forms included."""
    document = Script.model_json_schema()
    parts = {**document.pop("$defs"), "Script": document}
    for name, part in parts.items():
        if name in _models():
            _finish(name, part)
    main = parts.pop("Script")
    main["required"] = ["turns"]  # the id is the file's name if left out
    return {
        "$schema": DRAFT,
        "title": "Visavis script",
        **{key: one for key, one in main.items() if key != "title"},
        "examples": [_SCRIPT],
        "$defs": {"Text": _TEXT, **parts},
    }


def schema_text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def write_schema(folder: Path) -> None:
    """Write the schema beside the scripts of a folder, whose first line names it.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / SCHEMA_FILE).write_text(schema_text(), encoding="utf-8")


def _models() -> dict[str, type[BaseModel]]:
    found = [*vars(expectations).values(), *vars(script).values()]
    return {one.__name__: one for one in found if isinstance(one, type) and issubclass(one, Strict)}


def _finish(name: str, part: dict[str, Any]) -> None:
    """Let a model's part of the schema take the short forms, and show examples."""
    for key, field in _models()[name].model_fields.items():
        given = part["properties"][key]
        given.pop("title", None)
        told = {word: given.pop(word) for word in ("description", "default") if word in given}
        if told.get("default") in (None, "") or isinstance(told["default"], dict | list):
            told.pop("default", None)
        value = _short(name, key, _lenient(given))
        if any(isinstance(one, BeforeValidator) and one.func is several for one in field.metadata):
            value = _several(value)
        examples = {"examples": _EXAMPLES[name, key]} if (name, key) in _EXAMPLES else {}
        part["properties"][key] = {**told, **value, **examples}


def _short(name: str, key: str, value: dict[str, Any]) -> dict[str, Any]:
    """Let a key take the short forms that its model's validators know."""
    match name, key:
        case "Turn", "barge_in":
            return {"anyOf": [{"type": "boolean"}, {"type": "number", "minimum": 0}, *value["anyOf"]]}
        case _, "within_ms":
            return {"anyOf": [{"type": "number"}, value]}
        case _, "emotion" | "visitor_emotion":
            return {**value, "items": {"enum": list(_LABELS[key])}}
        case "Script", "tags":
            words = {"type": "object", "additionalProperties": _REF}
            return {"anyOf": [value, words, {"type": "string"}]}
        case "Script", "id":
            return {**value, "type": ["string", "number"]}
        case "Fixtures", "clock":
            return {"anyOf": [{"type": "string", "pattern": _MOMENT}, {"type": "null"}]}
    return value


def _several(value: dict[str, Any]) -> dict[str, Any]:
    """Let one thing stand for a list of one."""
    options = value.get("anyOf", [value])
    lists = [one for one in options if one.get("type") == "array"]
    return {"anyOf": [*(one["items"] for one in lists), *options]}


def _lenient(value: Any) -> Any:
    """Let numbers stand where texts are wanted."""
    if isinstance(value, list):
        return [_lenient(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value == {"type": "string"}:
        return _REF
    return {key: one if key == "propertyNames" else _lenient(one) for key, one in value.items()}
