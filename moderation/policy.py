"""A desk's moderation policy: `policy.toml`, laid over the default policy and checked.

A desk's file names only what differs: tables are merged key by key, lists and values replace.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr, ValidationError

from moderation.engine_settings import Engines, Score
from moderation.engine_settings import Table as _Table
from moderation.errors import PolicyError
from moderation.image_settings import Images
from moderation.phrase import EXPRESSION, check
from moderation.policy_lines import at
from moderation.policy_remedy import nearest, remedy_of
from moderation.rule_names import patterned_topics
from moderation.verdict import Action, Category, Direction

DEFAULT_POLICY = Path(__file__).with_name("default_policy.toml")
MAX_PHRASE = 400
"""Characters; a longer phrase is a mistake, and a longer expression is hard to keep linear."""
_NESTED_REPEAT = re.compile(r"[+*}]\??\)(?:[+*]|\{\d*,)")


def _check_phrase(phrase: str) -> str:
    if not phrase.strip():
        raise ValueError("is empty; remove it")
    if len(phrase) > MAX_PHRASE:
        raise ValueError(f"is longer than {MAX_PHRASE} characters; split it")
    if phrase.startswith(EXPRESSION):
        pattern = phrase.removeprefix(EXPRESSION)
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"is not a regular expression ({error}); correct it") from error
        if _NESTED_REPEAT.search(pattern):
            raise ValueError("repeats a repeat, such as (a+)+, which can hang; write it without")
    else:
        check(phrase)
    return phrase


def _check_expression(pattern: str) -> str:
    return _check_phrase(EXPRESSION + pattern).removeprefix(EXPRESSION)


Phrase = Annotated[str, AfterValidator(_check_phrase)]
Expression = Annotated[str, AfterValidator(_check_expression)]


class Actions(_Table):
    """What to do in each direction."""

    input: Action = Action.ALLOW
    output: Action = Action.ALLOW
    document: Action = Action.ALLOW
    tool: Action = Action.ALLOW

    def towards(self, direction: Direction) -> Action:
        """The action for one direction."""
        return Action(getattr(self, direction.value))


class RuleActions(_Table):
    """What to do when one rule fires; a direction left out follows the rule's category."""

    input: Action | None = None
    output: Action | None = None
    document: Action | None = None
    tool: Action | None = None


class Words(_Table):
    """A desk's own words. Phrases are compared without case, accents and punctuation."""

    blocked: tuple[Phrase, ...] = ()
    """Category `blocked`: never heard, never said."""
    promises: tuple[Phrase, ...] = ()
    """Category `promise`: what the desk may not say."""
    competitors: tuple[Phrase, ...] = ()
    """Category `competitor`."""
    allowed: tuple[Phrase, ...] = ()
    """Harmless phrases: a word list's hit inside one of them does not count."""


class Topic(_Table):
    """A topic that the desk does not advise on."""

    phrases: tuple[Phrase, ...] = ()
    patterns: bool = False
    """Whether the patterns that ship for a topic of this name count, too: medical, legal, financial."""
    lines: dict[str, str] = {}
    """language → what to say instead; the safe line for `topic` where left out."""


class Contacts(_Table):
    """What the desk may say aloud and on screen although it looks like personal data or a foreign link."""

    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    """Addresses, or `@domain` for all of a domain."""
    links: tuple[str, ...] = ()
    """Domains; their subdomains count too."""


class PersonalData(_Table):
    """How personal data is looked for."""

    regions: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ("US", "GB", "CN")
    """Countries (ISO 3166) whose national telephone numbers are recognised; international ones always are."""
    ignore: tuple[Expression, ...] = ()
    """Regular expressions of what is never personal data, such as the desk's order numbers."""
    names: bool = False
    """True: names and addresses that visitors tell are looked for, too, as pii.name and pii.address."""


class Policy(_Table):
    """A whole policy."""

    actions: dict[Category, Actions] = {}
    rules: dict[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")], RuleActions] = {}
    thresholds: dict[Category, Score] = {}
    """A category counts from this score on; 0.5 where left out."""
    words: Words = Words()
    topics: dict[str, Topic] = {}
    contacts: Contacts = Contacts()
    personal_data: PersonalData = PersonalData()
    engines: Engines = Engines()
    images: Images = Images()
    help_lines: dict[str, str] = {}
    """language → whom to call in a crisis, as a part of a sentence."""
    safe_lines: dict[str, dict[str, str]] = {}
    """language → rule, "category.input" (or another direction), category or "default" → the prepared line."""
    _source: str = PrivateAttr(default="policy")
    _folder: Path = PrivateAttr(default=Path())

    @property
    def source(self) -> str:
        """The file it was read from, for messages."""
        return self._source

    @property
    def folder(self) -> Path:
        """What relative paths in it are relative to."""
        return self._folder

    def check_rules(self, known: Iterable[str]) -> None:
        """Check that every rule under `rules` and `safe_lines` exists, and the patterns that topics ask for.

        Raises:
            PolicyError: One does not.
        """
        names = sorted(known)
        lines = {"default", *Category, *names, *(f"{one}.{way}" for one in Category for way in Direction)}
        for language, told in self.safe_lines.items():
            for key in sorted(told.keys() - lines):
                hint = nearest(key, lines) or "Write a category, a rule, or default."
                where = at(self._source, ("safe_lines", language, key))
                raise PolicyError(f"{where}: no such category or rule. {hint}")
        for name, topic in self.topics.items():
            if topic.patterns and name not in (shipped := sorted(patterned_topics())):
                hint = nearest(name, shipped) or f"There are some for {', '.join(shipped)}."
                where = at(self._source, ("topics", name, "patterns"))
                raise PolicyError(f"{where}: no patterns ship for a topic of this name. {hint}")
        for rule in self.rules:
            if rule not in names:
                hint = nearest(rule, names) or "`visavis screen` shows the rule that fires."
                raise PolicyError(f"{at(self._source, ('rules', rule))}: no such rule. {hint}")

    def action(self, rule: str, direction: Direction) -> Action:
        """What to do when `rule` ("category.name") fires in `direction`."""
        own = self.rules.get(rule)
        if own is not None:
            action: Action | None = getattr(own, direction.value)
            if action is not None:
                return action
        table = self.actions.get(Category(rule.partition(".")[0]))
        return table.towards(direction) if table else Action.ALLOW

    def threshold(self, category: str, engine: str = "", direction: str = "") -> float:
        """The score from which on a category counts; an engine may have its own, and one for a direction."""
        own = self.engines.threshold(engine, category, direction) if engine else None
        return self.thresholds.get(Category(category), 0.5) if own is None else own

    @classmethod
    def load(cls, path: Path | str | None = None) -> Policy:
        """Read a policy file over the default policy; the default policy alone without a path.

        Raises:
            PolicyError: The file cannot be read, is not TOML, or holds an unknown key or a wrong value.
        """
        if path is None:
            return _default_policy()
        own = _read(Path(path))
        policy = _validate(_merge(_read(DEFAULT_POLICY), own), str(path))
        policy._folder = Path(path).absolute().parent
        return policy

    @classmethod
    def from_table(cls, table: Mapping[str, Any], name: str = "policy") -> Policy:
        """A policy from a mapping in the file's form, laid over the default policy.

        Raises:
            PolicyError: An unknown key or a wrong value; the message calls the mapping `name`.
        """
        return _validate(_merge(_read(DEFAULT_POLICY), dict(table)), name)


@lru_cache(maxsize=1)
def _default_policy() -> Policy:
    return _validate(_read(DEFAULT_POLICY), DEFAULT_POLICY.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PolicyError(
            f"{path}: cannot be read ({reason}). Check the path, or leave the policy out to use the default."
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{path}: is not valid TOML: {error}. Correct that line.") from error


def _merge(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _validate(table: dict[str, Any], name: str) -> Policy:
    try:
        policy = Policy.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = [str(part) for part in first["loc"] if part != "[key]"]
        raise PolicyError(f"{at(name, location)}: {remedy_of(first, location)}") from error
    policy._source = name
    return policy
