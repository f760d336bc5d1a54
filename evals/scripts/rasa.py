"""Rasa's test stories (`stories:`) and end-to-end test cases (`test_cases:`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.scripts.draft import Draft, one_line
from evals.scripts.errors import ScriptError
from evals.scripts.reading import LARGEST_BYTES, composed
from evals.scripts.script import Path_

_ENTITY = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
"""A marked word: "[Berlin](city)", "[Berlin]{"entity": "city"}"."""
_VARIABLE = re.compile(r"\{[\w.]+\}")
_OTHER_FILES = {"nlu", "responses", "intents", "actions", "slots", "rules", "flows", "forms", "pipeline"}
"""Keys of Rasa's files in which no conversation stands."""
_HANDOFF = re.compile(r"hand_?off|hand_?over|human|live_?agent|escalat", re.IGNORECASE)
_FALLBACKS = ("action_default_fallback", "utter_default", "utter_fallback")
_SILENT = ("action_listen", "action_session_start")
MOST_JOINED = 10
"""Stories that follow each other by checkpoints."""
PARENTS = 4
"""Folders above a test in which the project's domain and examples are looked for."""
MOST_FILES = 500
"""Of a project that are read."""
_COMMAND = re.compile(r"/(\w+)(?:\{.*\})?")
"""A message that names an intent instead of saying it."""


@dataclass(slots=True)
class _Project:
    """What a project's other files say."""

    responses: dict[str, list[str]] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Test:
    """A story or test case while it is taken over."""

    file: str
    lines: Mapping[Path_, int]
    project: _Project
    left_out: list[str]
    draft: Draft

    def leave_out(self, place: Path_, what: str) -> None:
        """Tell what was not taken over."""
        self.left_out.append(f"{self.file}:{self.lines.get(place, 0)}: {what}")


def read_rasa(file: Path, left_out: list[str]) -> list[Draft]:
    """Read the stories and test cases of a file.

    Args:
        file: YAML; the responses that it names are looked for in the project's domain, and what users say of
            an intent in its examples.
        left_out: takes what was not taken over, with its line.

    Raises:
        ScriptError: it is not YAML, or nothing of Rasa's.
    """
    document, lines, _ = composed(file.read_text("utf-8-sig", errors="replace"), file)
    keys = set(document) if isinstance(document, dict) else set()
    if not keys & {"stories", "test_cases"}:
        if keys & _OTHER_FILES:
            return []
        raise ScriptError(
            "neither `stories:` nor `test_cases:` stand in it: no conversation of Rasa's", file, 1
        )
    project, drafts = _project(file), list[Draft]()
    for kind, name_key in (("stories", "story"), ("test_cases", "test_case")):
        for number, one in enumerate(_list(document.get(kind))):
            place: Path_ = (kind, number)
            if not isinstance(one, dict):
                left_out.append(f"{file.name}:{lines.get(place, 0)}: no story: it has no steps")
                continue
            name = str(one.get(name_key) or f"{file.stem}-{number + 1}")
            draft = Draft(name, f"{file.name}:{lines.get(place, 0)}", {"title": name})
            test = _Test(file.name, lines, project, left_out, draft)
            _fixtures(test, document, one, place)
            _metadata(draft, document, one)
            for where, step in _steps(document, place, MOST_JOINED):
                _step(test, step, where)
            drafts.append(draft)
    return drafts


def _steps(document: Mapping[str, Any], place: Path_, most: int) -> list[tuple[Path_, Any]]:
    """Return a story's steps with their places; those before a checkpoint that it begins with come first."""
    kind, number = place
    stories = _list(document[str(kind)])
    own = [((*place, "steps", at), step) for at, step in enumerate(_list(stories[int(number)].get("steps")))]
    name = _checkpoint(own[0][1]) if own else ""
    for at, other in enumerate(stories) if name and most else ():
        ends = _list(other.get("steps")) if isinstance(other, dict) else []
        if ends and at != number and _checkpoint(ends[-1]) == name:
            return _steps(document, (kind, at), most - 1)[:-1] + own[1:]
    return own


def _checkpoint(step: Any) -> str:
    return str(step.get("checkpoint") or "") if isinstance(step, dict) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(document: Mapping[str, Any], key: str, wanted: object) -> dict[str, Any]:
    """Return what fixtures or metadata of these names say, together."""
    names = [wanted] if isinstance(wanted, str) else _list(wanted)
    found = dict[str, Any]()
    for one in _list(document.get(key)):
        for name, values in one.items() if isinstance(one, dict) else ():
            if name in names:
                for value in [values] if isinstance(values, dict) else _list(values):
                    found |= value if isinstance(value, dict) else {}
    return found


def _fixtures(test: _Test, document: Mapping[str, Any], one: Mapping[str, Any], place: Path_) -> None:
    """Slots that are set beforehand are facts of the customer."""
    facts = _named(document, "fixtures", one.get("fixtures"))
    plain = {name: _plain(value) for name, value in facts.items() if isinstance(value, str | int | float)}
    if plain:
        test.draft.head["fixtures"] = {"customer": plain}
        names = ", ".join(plain)
        test.leave_out(
            (*place, "fixtures"),
            f"the slots {names} became facts of the customer: tell them to the desk, or lay out its files",
        )


def _metadata(draft: Draft, document: Mapping[str, Any], one: Mapping[str, Any]) -> None:
    facts = _named(document, "metadata", one.get("metadata"))
    tags = [
        f"{name}:{_plain(value)}" for name, value in facts.items() if isinstance(value, str | int | float)
    ]
    if tags:
        draft.head["tags"] = tags


def _plain(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _step(test: _Test, step: Any, place: Path_) -> None:
    if not isinstance(step, dict):
        test.leave_out(place, f"{one_line(str(step))!r} is no step")
        return
    draft = test.draft
    if "user" in step or "intent" in step:
        _user(test, step, place)
        return
    key = next((one for one in ("bot", "utter", "action") if one in step), "")
    if _checkpoint(step) and place[-1] != 0:  # where a story ends
        return
    if not key:
        name = str(next(iter(step), ""))
        test.leave_out(place, f"`{name}` has no counterpart here")
    elif step[key] in _SILENT:
        return
    elif not draft.turns:
        test.leave_out(
            place, f"{one_line(str(step[key]))!r} comes before the user's first words: not checked"
        )
    elif key == "bot":
        _texts(test, [str(step[key])], place)
    else:
        _action(test, str(step[key]), place)


def _user(test: _Test, step: Mapping[str, Any], place: Path_) -> None:
    text = " ".join(_ENTITY.sub(r"\1", str(step.get("user") or "")).split())
    command = _COMMAND.fullmatch(text)
    intent = command[1] if command else str(step.get("intent") or "").split("/")[0]
    if command or not text:
        examples = test.project.examples.get(intent, [])
        if not examples:
            test.leave_out(place, f"the intent {intent!r} without words: write what the user says")
            return
        text = " ".join(_ENTITY.sub(r"\1", examples[0]).split())
    test.draft.say(text)
    for number, one in enumerate(_list(step.get("assertions"))):
        if isinstance(one, dict):
            for name, value in one.items():
                _assertion(test, str(name), value, (*place, "assertions", number))


def _action(test: _Test, name: str, place: Path_) -> None:
    if name in _FALLBACKS:
        test.draft.expect("outcome", "abstained", "clarified")
    elif name in test.project.responses:
        _texts(test, test.project.responses[name], place)
    elif _HANDOFF.search(name):
        test.draft.expect("outcome", "handoff")
    elif name.startswith("utter_"):
        test.leave_out(place, f"{name}: its text is in no domain.yml beside it; write what is to be said")
    elif name not in _SILENT:
        test.leave_out(place, f"{name}: name the desk's tool under `expect: tools:` if it has one")


def _texts(test: _Test, texts: list[str], place: Path_) -> None:
    """Expect one of a response's texts."""
    clean = list[str]()
    for text in texts:
        parts = [one.strip(" .,:;!?。，\n") for one in _VARIABLE.split(text)]
        if len(parts) == 1:
            clean.append(" ".join(text.split()))
        elif longest := max(parts, key=len):
            clean.append(" ".join(longest.split()))
            test.leave_out(place, f"the variables in {one_line(text)!r}: {one_line(longest)!r} is looked for")
    test.draft.expect_any(list(dict.fromkeys(clean)))


def _assertion(test: _Test, name: str, value: Any, place: Path_) -> None:
    """Take over one of Rasa's assertions."""
    details: Mapping[str, Any] = value if isinstance(value, dict) else {}
    match name:
        case "bot_uttered" | "bot_did_not_utter":
            _uttered(test, details, place, negated=name == "bot_did_not_utter")
        case "generative_response_is_grounded":
            test.draft.expected["grounded"] = True
            if truth := details.get("ground_truth"):
                test.draft.expect_reply(str(truth))
        case "action_executed":
            _action(test, str(value), place)
        case "pattern_clarification_contains" | "pattern_clarification_triggered":
            test.draft.expect("outcome", "clarified")
        case "flow_started" if _HANDOFF.search(str(value)):
            test.draft.expect("outcome", "handoff")
        case _:
            test.leave_out(place, f"the assertion `{name}` has no counterpart here")


def _uttered(test: _Test, details: Mapping[str, Any], place: Path_, *, negated: bool) -> None:
    name, pattern = str(details.get("utter_name") or ""), str(details.get("text_matches") or "")
    if pattern and negated:
        test.draft.expect("regex", f"^(?!.*(?:{pattern}))")
    elif pattern:
        test.draft.expect("regex", pattern)
    if name and negated:
        test.draft.expect("must_not", *test.project.responses.get(name, ()))
    elif name and not pattern:
        _action(test, name, place)
    if details.get("buttons"):
        test.leave_out(place, "buttons have no counterpart here")


def _project(file: Path) -> _Project:
    """Read the responses and examples of the project that a test belongs to."""
    project = _Project()
    for folder in (file.parent, *file.parents[1 : PARENTS + 1]):
        found = [*folder.glob("domain*.y*ml"), *folder.glob("nlu*.y*ml")]
        if found or (folder / "domain").is_dir():  # what lies above may be anything
            found += [*folder.glob("domain/**/*.y*ml"), *folder.glob("data/**/*.y*ml")]
        for one in sorted(set(found))[:MOST_FILES]:
            for document in _readable(one):
                _learn(project, document)
        if project.responses:
            break
    return project


def _readable(file: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what a file says; nothing where it cannot be read: it is not what was asked for."""
    try:
        if file.stat().st_size <= LARGEST_BYTES:
            document, _, _ = composed(file.read_text("utf-8-sig"), file)
            if isinstance(document, dict):
                yield document
    except (OSError, UnicodeDecodeError, ScriptError):
        return


def _learn(project: _Project, document: Mapping[str, Any]) -> None:
    responses = document.get("responses")
    for name, those in responses.items() if isinstance(responses, dict) else ():
        texts = [str(one["text"]) for one in _list(those) if isinstance(one, dict) and one.get("text")]
        if texts:
            project.responses.setdefault(name, []).extend(texts)
    for one in _list(document.get("nlu")):
        if isinstance(one, dict) and one.get("intent") and isinstance(one.get("examples"), str):
            lines = [line.strip().removeprefix("- ").strip() for line in one["examples"].splitlines()]
            project.examples.setdefault(str(one["intent"]), []).extend(line for line in lines if line)
