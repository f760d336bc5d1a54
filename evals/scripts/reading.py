"""Reading scripts: YAML with the line of every key, so that every mistake is told with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from evals.scripts.beside import check_beside
from evals.scripts.errors import ScriptError
from evals.scripts.mistakes import Found, told
from evals.scripts.plain_yaml import MOST_DEPTH, MOST_VALUES, TOO_DEEP, TOO_MANY, Loader
from evals.scripts.script import LONGEST_AUDIO_S, Path_, Script

LARGEST_BYTES = 1_000_000
"""Of one script; more is no conversation."""
SUFFIXES = (".yaml", ".yml")
_OPEN = "quoted scalar"
"""What PyYAML calls a quote that is not closed."""
_PLACEHOLDER = re.compile(r"\{customer\.([^{}]*)\}")


def read_script(text: str, file: Path) -> Script:
    """Read a script from its text.

    Args:
        text: YAML.
        file: where it stands, for messages and for what lies beside it.

    Raises:
        ScriptError: it is not YAML, or not a script; says every mistake with its line.
    """
    document, lines, written = composed(text, file)
    if document is None:
        raise ScriptError("empty: a script begins with `id:` and has `turns:`", file, 1)
    if not isinstance(document, dict):
        raise ScriptError("a script is a mapping that begins with `id:` and has `turns:`", file, 1)
    document.setdefault("id", file.stem)
    try:
        script = Script.model_validate(document)
    except ValidationError as error:
        if not _as_written(document, error, written):
            raise _told(error, file, lines) from None
        try:
            script = Script.model_validate(document)
        except ValidationError as again:
            raise _told(again, file, lines) from None
    script.placed(file, lines)
    _placeholders(script)
    if script.mode == "audio":
        check_length(script)
    return script


def check_length(script: Script) -> None:
    """See that a script can be replayed in sound before it is begun.

    Raises:
        ScriptError: its pauses alone take too long.
    """
    lasts_s, longest = sum(turn.pause_s for turn in script.turns), 0
    if lasts_s > LONGEST_AUDIO_S:
        longest = max(range(len(script.turns)), key=lambda number: script.turns[number].pause_s)
        raise ScriptError(
            f"its pauses take {lasts_s:,.0f} s, and one in sound lasts {LONGEST_AUDIO_S:,.0f} s at most: "
            "shorten them, split the script, or write `mode: text`",
            script.file,
            script.line("turns", longest, "pause_s"),
        )


def load_script(file: Path) -> Script:
    """Read a script's file.

    Raises:
        ScriptError: it cannot be read, or is no script; recordings that it names are missing.
    """
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ScriptError(f"larger than {LARGEST_BYTES // 1000} kB: no conversation is that long", file)
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptError(f"not UTF-8 (byte {error.start}): save it again as UTF-8", file) from None
    except OSError as error:
        raise ScriptError(f"cannot be read ({error.strerror}): check name and rights", file) from None
    script = read_script(text, file)
    check_beside(script)
    return script


def find_scripts(places: Iterable[Path]) -> list[Path]:
    """Return the scripts' files of files and folders, each once, folders in order of names.

    Raises:
        ScriptError: a place does not exist or holds no script.
    """
    found = dict[Path, None]()
    for place in places:
        if place.is_dir():
            inside = sorted(one for suffix in SUFFIXES for one in place.rglob(f"*{suffix}"))
            if not inside:
                raise ScriptError("no script (*.yaml) in this folder", place)
            found.update(dict.fromkeys(inside))
        elif place.exists():
            found[place] = None
        else:
            raise ScriptError("no such file or folder: check the name", place)
    return list(found)


def load_scripts(files: Sequence[Path]) -> tuple[list[Script], list[ScriptError]]:
    """Read many scripts; those that are wrong do not keep the others from being read.

    Returns:
        The scripts, and what is wrong with the rest.
    """
    scripts, wrong = dict[str, Script](), list[ScriptError]()
    for file in files:
        try:
            script = load_script(file)
            if (other := scripts.get(script.id)) is not None:
                raise ScriptError(
                    f"the id {script.id!r} is used in {other.file} too: give each its own",
                    file,
                    script.line("id"),
                )
            scripts[script.id] = script
        except ScriptError as error:
            wrong.append(error)
    return list(scripts.values()), wrong


def composed(text: str, file: Path) -> tuple[Any, dict[Path_, int], dict[Path_, str]]:
    """Read YAML with the place of everything in it.

    Args:
        text: YAML, of one document.
        file: for messages.

    Returns:
        What it says; every value's line, from 1; and values that are no text as they are written.

    Raises:
        ScriptError: it is not YAML, a key stands twice, or there is too much of it.
    """
    lines, written, left = dict[Path_, int](), dict[Path_, str](), [MOST_VALUES]
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(node, (), lines, written, left, file)
        return (loader.construct_document(node) if node is not None else None), lines, written
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if _OPEN in str(error.context) and error.context_mark is not None:
            mark = error.context_mark  # the text's end tells nobody which quote was meant
        raise ScriptError(_not_yaml(error, text), file, mark.line + 1 if mark else 0) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ScriptError(
            f"not YAML: the character {chr(error.character)!r} may not stand in it", file, line
        ) from None
    finally:
        loader.dispose()


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> str:
    """Tell what keeps a text from being YAML; the usual mistakes with their remedy."""
    said = " ".join(str(one) for one in (error.context, error.problem) if one)
    if error.problem in (TOO_DEEP, TOO_MANY):
        return str(error.problem)
    mark = error.problem_mark
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
    if line[: len(line) - len(line.lstrip())].count("\t") or "character '\\t'" in said:
        return "not YAML: a tab stands here; indent with spaces"
    if "mapping values are not allowed" in said:
        return f"not YAML: {said}; put texts with a colon in quotes, and look at the indentation"
    if _OPEN in said:
        return "not YAML: the quote that opens here is not closed; close it, or double quotes inside it"
    if "another document" in said:
        return "not one script: a second one begins here (`---`); give each a file of its own"
    if "constructor for the tag" in said:
        return f"not YAML of a script: {error.problem}; leave the tag out"
    return f"not YAML: {said}; look at quotes, brackets and indentation here and on the line before"


def _walk(
    node: yaml.Node,
    path: Path_,
    lines: dict[Path_, int],
    written: dict[Path_, str],
    left: list[int],
    file: Path,
) -> None:
    """Note every value's line; refuse keys that stand twice, and values without number."""
    left[0] -= 1
    if left[0] < 0:
        raise ScriptError(TOO_MANY, file, node.start_mark.line + 1)
    if len(path) > MOST_DEPTH:  # an alias within itself
        raise ScriptError(TOO_DEEP, file, node.start_mark.line + 1)
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            if isinstance(key, yaml.ScalarNode) and not key.tag.endswith(":merge"):
                key.tag = "tag:yaml.org,2002:str"
            inner = (*path, name)
            if inner in lines:
                raise ScriptError(f"`{name}` stands here twice: keep one", file, key.start_mark.line + 1)
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines, written, left, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*path, number), lines, written, left, file)
    elif node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool"):
        written[path] = node.value


def _as_written(document: Any, error: ValidationError, written: dict[Path_, str]) -> bool:
    """Where a text is wanted and a number stands, take it as it is written: "user: 4711", "contains: 1.50".

    Returns:
        Whether that changed anything.
    """
    changed = False
    for one in error.errors(include_url=False):
        path = one["loc"]
        if path not in written and path and isinstance(path[-1], int):
            path = path[:-1]  # one that stands for a list of one
        if one["type"] != "string_type" or path not in written:
            continue
        inside = document
        for part in path[:-1]:
            inside = inside[part]
        inside[path[-1]] = written[path]
        changed = True
    return changed


def _told(error: ValidationError, file: Path, lines: dict[Path_, int]) -> ScriptError:
    message, line = told(cast(list[Found], error.errors(include_url=False)), lines)
    return ScriptError(message, file, line)


def _placeholders(script: Script) -> None:
    """Look whether the facts that a visitor tells are given."""
    known = list(script.fixtures.customer)
    for number, turn in enumerate(script.turns):
        for name in _PLACEHOLDER.findall(turn.user):
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                meant = (
                    f"did you mean `{{customer.{near[0]}}}`?" if near else "write it in `fixtures.customer`"
                )
                line = script.line("turns", number, "user")
                raise ScriptError(f"`{{customer.{name}}}` is not given: {meant}", script.file, line)
