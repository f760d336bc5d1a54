"""A script in the making: what importers collect turn by turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from evals.scripts.keywords import keywords
from evals.scripts.mistakes import Found, told
from evals.scripts.script import Script
from evals.scripts.writing import written
from knowledge.words import language_of

LITERAL_WORDS = 4
"""Words of an expected reply up to which it is looked for as it stands; longer ones are worded anew."""
LITERAL_HAN = 12
"""The same for Chinese, in characters."""
MOST_REMARKED = 400
"""Characters of an expected reply that a comment quotes."""
_NAME = re.compile(r"[^\w.-]+")
_WIDE = re.compile(r"[\u3400-\u9fff]")


@dataclass(slots=True)
class Draft:
    """One conversation.

    Args:
        name: becomes the script's id and its file's name.
        where: in which file and line it begins, for messages.
    """

    name: str
    where: str
    head: dict[str, Any] = field(default_factory=dict)
    """Keys of the script besides turns."""
    turns: list[dict[str, Any]] = field(default_factory=list)
    remarks: dict[int, list[str]] = field(default_factory=dict)

    def say(self, words: str, **more: Any) -> None:
        """Begin a turn."""
        self.turns.append({"user": words, **more})

    @property
    def expected(self) -> dict[str, Any]:
        """What is expected of the last turn."""
        expect: dict[str, Any] = self.turns[-1].setdefault("expect", {})
        return expect

    def expect(self, key: str, *values: Any) -> None:
        """Expect more of the last turn."""
        if not values:
            return
        those = self.expected.setdefault(key, [])
        those += [one for one in values if one not in those]

    def expect_any(self, texts: Sequence[str]) -> None:
        """Expect one of these texts in the last turn's reply; may be called again for others."""
        if len(texts) == 1:
            self.expect("contains", texts[0])
        elif texts and "contains_any" not in self.expected:
            self.expect("contains_any", *texts)
        elif texts:
            self.expect("regex", "|".join(re.escape(one).replace("\\ ", " ") for one in texts))

    def expect_reply(self, text: str) -> bool:
        """Expect a reply that says the same: what is short as it stands, of what is long the facts.

        Returns:
            False where nothing in it can be looked for.
        """
        options = [one.strip() for one in text.split("|") if one.strip()]
        if all(_is_short(one) for one in options):
            self.expect_any(options)
            return True
        self.remark(f"Expected: {' '.join(text.split())[:MOST_REMARKED]}")
        facts = keywords(text)
        self.expect_any(facts)
        return bool(facts)

    def remark(self, text: str) -> None:
        """Say something about the last turn."""
        self.remarks.setdefault(len(self.turns) - 1, []).append(text)


def finished(drafts: Iterable[Draft], about: str, left_out: list[str]) -> list[tuple[str, str]]:
    """Write drafts as scripts, each with a name of its own.

    Args:
        drafts: which; those that cannot become a script are left out.
        about: comment at the beginning of each.
        left_out: takes what was left out.

    Returns:
        Name → YAML.
    """
    scripts = dict[str, str]()
    for draft in drafts:
        said = [str(turn["user"]) for turn in draft.turns if turn.get("user")]
        if not said:
            left_out.append(f"{draft.where}: nobody says anything in {draft.name!r}")
            continue
        name = _free(_NAME.sub("-", draft.name).strip("-.")[:100].strip("-.") or "conversation", scripts)
        document = {"language": language_of(" ".join(said)), **draft.head, "id": name, "turns": draft.turns}
        try:
            script = Script.model_validate(document)
        except ValidationError as error:
            message, _ = told(cast(list[Found], error.errors(include_url=False)), _places(document))
            left_out.append(f"{draft.where}: {draft.name!r} is left out: {message}")
            continue
        scripts[name] = written(script, about=[about], remarks=draft.remarks)
    return list(scripts.items())


def one_line(text: str) -> str:
    """Return a text as a message quotes it."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:59] + "…"


def _is_short(text: str) -> bool:
    wide = len(_WIDE.findall(text))
    return wide <= LITERAL_HAN if wide else len(text.split()) <= LITERAL_WORDS


def _free(name: str, taken: Iterable[str]) -> str:
    used, free, number = {one.casefold() for one in taken}, name, 2
    while free.casefold() in used:
        free, number = f"{name}-{number}", number + 1
    return free


def _places(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], int]:
    """Return every place in a document, so that messages can name it; it has no lines."""
    found = {path: 0}
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found |= _places(one, (*path, key))
    return found
