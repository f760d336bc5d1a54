"""A desk made of a suite's policy, documents and actions, in a folder of its own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import replace as changed
from pathlib import Path

from agent.desk import MOST_RULES, Desk

TOOLS_PY = '''"""Actions of a public suite; what they are stands in actions.json."""

from pathlib import Path

from evals.suites.recorders import tools_from

TOOLS = tools_from(Path(__file__).parent / "actions.json")
'''
POLICY_TOML = """# A suite's documents tell an agent what to do: here that is what they are for.
[actions.injection]
document = "allow"
"""
_OWN_WORDS = r"(?:\bi am|\bi['’]m|\bname is|\bthis is)\s+"
_NAME = r"([A-Za-z'’-]+)(?!\w)"
NAMES = {
    "first_name": _OWN_WORDS + _NAME,
    "last_name": _OWN_WORDS + r"[A-Za-z'’-]+\s+" + _NAME,
    "customer_name": _OWN_WORDS + r"([A-Za-z'’-]+\s+[A-Za-z'’-]+)(?!\w)",
}
"""Argument → how visitors say it; the shape of a value does not tell a name from other words."""
FEW_VALUES = 6
"""A value that is one of so few, and given more than once each, is one of a list."""
_READS = ("find", "get", "list", "search", "check", "calculate", "think", "look", "show", "verify",
          "validate", "ask", "pull", "transfer", "log", "try")  # fmt: skip
"""First words of actions that change nothing."""
_SMALL = frozenset(["by", "of", "to", "the", "a", "and", "for", "with", "id", "ids"])


@dataclass(frozen=True, slots=True)
class Argument:
    """What an action must know."""

    pattern: str
    """Regular expression of its value in a visitor's words."""
    ask: str
    many: bool = False
    """Several values, written with commas between."""


@dataclass(frozen=True, slots=True)
class Action:
    """A business action of a suite."""

    name: str
    description: str
    about: str
    """Regular expression of what visitors say who want it."""
    changes: bool
    arguments: dict[str, Argument] = field(default_factory=dict)
    says: str = ""
    """Line that is said once it was taken."""


@dataclass(frozen=True, slots=True)
class Model:
    """The language model that answers, where one does."""

    name: str
    address: str = ""
    """Of an OpenAI-compatible server; empty: OpenAI's own."""


def write_desk(
    folder: Path,
    name: str,
    *,
    documents: Mapping[str, str],
    actions: Sequence[Action],
    rules: str = "",
    model: Model | None = None,
) -> Desk:
    """Write a desk and read it again.

    Args:
        folder: made; its state lies in it, too.
        name: of the company.
        documents: file name → text, its knowledge.
        actions: its tools.
        rules: for a language model; what is too long for them is in the knowledge alone.
        model: that answers; None: what the embedded engines can do.
    """
    knowledge = folder / "knowledge"
    knowledge.mkdir(parents=True, exist_ok=True)
    for file, text in documents.items():
        (knowledge / file).write_text(text, encoding="utf-8")
    lines = [
        f"name = {json.dumps(name)}", 'languages = ["en"]', "", "[persona]", 'name = "Mira"',
        f"company = {json.dumps(name)}", "", "[recommending]", "on = false", "", "[answering]",
    ]  # fmt: skip
    if model is None:
        lines.append('engine = "extractive"')
    else:
        lines += ['engine = "openai"', f"model = {json.dumps(model.name)}", "fallback = false"]
        lines += [f"base_url = {json.dumps(model.address)}"] if model.address else []
        if rules and len(rules) <= MOST_RULES:
            (folder / "rules.txt").write_text(rules, encoding="utf-8")
            lines.append('policy = "rules.txt"')
    (folder / "desk.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "actions.json").write_text(
        json.dumps([asdict(one) for one in actions], ensure_ascii=False, indent=1), encoding="utf-8"
    )
    (folder / "tools.py").write_text(TOOLS_PY, encoding="utf-8")
    (folder / "policy.toml").write_text(POLICY_TOML, encoding="utf-8")
    return changed(Desk.load(folder), state=folder / "state")


def action_of(name: str, seen: Iterable[Mapping[str, object]], description: str = "") -> Action:
    """Return an action as far as its name and the arguments that it was seen with tell.

    Args:
        name: words with "_" or "-" between, a verb first.
        seen: arguments, as often as it was taken.
        description: what it does; empty: its name in words.
    """
    values: dict[str, list[object]] = {}
    for arguments in seen:
        for key, value in arguments.items():
            values.setdefault(key, []).append(value)
    words = [word for word in re.split(r"[_\-]", name) if word and word not in _SMALL]
    known = {
        key: Argument(
            NAMES.get(key) or pattern_of([each for one in found for each in _several(one)]),
            f"What is the {key.replace('_', ' ')}?",
            many=any(isinstance(value, list) for value in found),
        )
        for key, found in values.items()
    }
    return Action(
        re.sub(r"\W", "_", name),
        description or f"{' '.join(words).capitalize()}.",
        about_of(words, known),
        words[0] not in _READS,
        known,
    )


def pattern_of(values: Sequence[object]) -> str:
    """Return a regular expression for values that look like these; never the values of one task alone.

    Digits stand for any digits: "#W2378156" and "#W4284542" become "#?W\\d{7}".
    """
    texts = [str(value) for value in values if str(value).strip()]
    shapes = {re.sub(r"\d", "9", text) for text in texts}
    if texts and all(re.fullmatch(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text) for text in texts):
        return r"([\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    if texts and all(re.fullmatch(r"\d+(?:\.\d+)?", text) for text in texts):
        whole = {len(text) for text in texts if "." not in text}
        few = f"{{{min(whole)},{max(whole)}}}" if whole else "+"
        return rf"(?<![\w#])(\d{few}(?:\.\d+)?)(?!\w)"
    if texts and all(re.search(r"\d", text) and not re.search(r"\s", text) for text in texts):
        if len(set(texts)) == 1 or len(shapes) > FEW_VALUES or len(shapes) * 2 > len(set(texts)):
            shapes = {_general(text) for text in texts}
            return rf"(?<!\w)({'|'.join(sorted(shapes, key=len, reverse=True)[:FEW_VALUES])})(?!\w)"
        return "(" + "|".join(_shape(shape) for shape in sorted(shapes, key=len, reverse=True)) + ")"
    counts = Counter(text.casefold() for text in texts)
    if counts and len(counts) <= FEW_VALUES and min(counts.values()) > 1:
        return rf"\b({'|'.join(re.escape(one) for one in sorted(counts, key=len, reverse=True))})\b"
    return r"(.{2,80})"


def about_of(words: Sequence[str], arguments: Mapping[str, Argument]) -> str:
    """Return what visitors say who want an action: its verb and a thing, or what it looks something up by."""
    verb, things = words[0], [word.rstrip("s") for word in words[1:]]
    if verb in _READS:
        shaped = [one.pattern for one in arguments.values() if not re.search(one.pattern, "qzx vwk")]
        if shaped:
            return "|".join(shaped)
        return rf"\b{re.escape(things[-1] if things else verb)}"
    thing = rf"(?=.*\b(?:{'|'.join(map(re.escape, things))}))" if things else ""
    return rf"(?=.*\b{re.escape(verb.rstrip('e'))}){thing}"


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _general(text: str) -> str:
    """Any text that is written like this one: "emma_kim_9957" and "EHGLP3" tell kinds of letters alone."""
    if re.fullmatch(r"[A-Z0-9]+", text):
        return rf"(?=[A-Z]*\d)[A-Z0-9]{{{len(text)}}}"
    kinds = {"9": r"\d+", "a": "[a-z]+", "A": "[A-Z]+"}
    shape = re.sub(r"[A-Z]+", "A", re.sub(r"[a-z]+", "a", re.sub(r"\d+", "9", text)))
    return "".join(kinds.get(one, re.escape(one) + ("?" if one == "#" else "")) for one in shape)


def _shape(shape: str) -> str:
    parts = re.findall(r"9+|[^9]+", shape)
    made = [rf"\d{{{len(part)}}}" if part[0] == "9" else re.escape(part) for part in parts]
    if made and parts[0].startswith("#"):
        made[0] = "#?" + re.escape(parts[0][1:])
    return "".join(made)
