"""A desk as it is to be tested: its folder, settings put over its own, and faults planted on purpose."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import os
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agent.desk import Desk
from agent.errors import DeskError
from evals.checks.judge import MODEL as JUDGE
from evals.replay.desk import Change, DeskUnderTest
from evals.replay.record import Mode
from evals.scripts import Script

MOST_BYTES = 50_000_000
"""Of a desk's files that are read for its fingerprint."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Which desk, and how it differs from what stands in its folder."""

    desk: str = "demo"
    """Its folder, or "demo"."""
    settings: tuple[str, ...] = ()
    """Put over `desk.toml`, each as on the command line: "answering.engine=extractive"."""
    change: str = ""
    """"module:function", called with the opened engines: what tests plant faults with."""
    option: str = field(default="--set", compare=False, repr=False)
    """Of the command, by which the settings were given; for messages."""

    @property
    def name(self) -> str:
        """What reports call it: "." by its folder's name."""
        desk = self.desk if any(map(str.isalnum, self.desk)) else Path(self.desk).resolve().name
        return " ".join((desk, *self.settings, *([self.change] if self.change else [])))

    def load(self) -> Desk:
        """Read the desk.

        Raises:
            DeskError: it is missing or wrong, or a setting is unknown.
        """
        desk = Desk.load(self.desk)
        return replace(desk, settings=overridden(desk, self.settings, self.option)) if self.settings else desk

    def open(self, mode: Mode, step: Callable[[str], None] = lambda _: None) -> DeskUnderTest:
        """Open the desk for replays.

        Raises:
            AgentError, KnowledgeError, ModerationError, SpeechError: it cannot be opened.
        """
        return DeskUnderTest(self.load(), mode=mode, step=step, change=_change(self.change))


def overridden(desk: Desk, settings: Sequence[str], option: str = "--set") -> Any:
    """Return a desk's settings with others put over them.

    Args:
        desk: whose.
        settings: each "key.in.desk=value"; the value as TOML has it, or plain words.
        option: of the command by which they were given, for messages.

    Raises:
        DeskError: one is not such a text, or the desk has no such setting.
    """
    document = desk.settings.model_dump(mode="json", exclude_unset=True)
    for one in settings:
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise DeskError(f"{option} {one}: write KEY=VALUE, for example answering.engine=extractive")
        inner = document
        *path, last = key.strip().split(".")
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise DeskError(f"{option} {one}: {part} holds no further settings")
        inner[last] = _value(value.strip())
    try:
        return type(desk.settings).model_validate(document)
    except ValueError as error:
        told = "; ".join(_mistake(desk, each) for each in getattr(error, "errors", list)())
        raise DeskError(f"{option} {' '.join(settings)}: {told or error}") from None


def _mistake(desk: Desk, found: Any) -> str:
    """Tell what is wrong with a setting; of one that is not known, which is like it."""
    *above, key = [str(one) for one in found["loc"]] or [""]
    name = ".".join((*above, key))
    if found["type"] != "extra_forbidden":
        return f"{name}: {found['msg']}"
    here: Any = desk.settings
    for part in above:
        here = getattr(here, part, None)
    known = list(getattr(type(here), "model_fields", ()))
    near = difflib.get_close_matches(key, known, n=1)
    told = f"did you mean {'.'.join((*above, near[0]))}?" if near else f"choose from {', '.join(known)}"
    return f"{name} is no setting of a desk: {told}"


def fingerprint(
    variants: Sequence[Variant], scripts: Sequence[Script], *more: object, beside: Path | None = None
) -> str:
    """Return what tells one run from another: desks, scripts and options, by content.

    Args:
        variants: the desks.
        scripts: that are replayed to them.
        more: options.
        beside: folder of the run's own report, which may lie in a desk's and be no part of it.

    Raises:
        DeskError: a desk is missing.
    """
    digest, report = hashlib.sha256(), beside.resolve() if beside is not None else None
    for variant in variants:
        digest.update(repr(variant).encode())
        left = MOST_BYTES
        for file in sorted(variant.load().folder.rglob("*")):
            own = report is not None and file.resolve().is_relative_to(report)
            if file.is_file() and "__pycache__" not in file.parts and not own and left > 0:
                content = file.read_bytes()[:left]
                left -= len(content)
                digest.update(str(file).encode() + content)
    for script in scripts:
        digest.update(script.model_dump_json().encode())
        for name in script.beside():
            file = script.file.parent / name
            digest.update(file.read_bytes() if file.is_file() else b"")
    digest.update(repr((os.environ.get(JUDGE), *more)).encode())
    with suppress(PackageNotFoundError):  # a checkout that is not installed
        digest.update(version("visavis").encode())
    return digest.hexdigest()[:16]


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _change(name: str) -> Change | None:
    if not name:
        return None
    module, _, function = name.partition(":")
    found: Change = getattr(importlib.import_module(module), function)
    return found
