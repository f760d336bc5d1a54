"""Reading scripts: YAML with the line of every key, so that every mistake is told with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from evals.scripts.errors import ScriptError
from evals.scripts.script import Path_, Script

LARGEST_BYTES = 1_000_000
"""Of one script; more is no conversation."""
MOST_NODES = 50_000
"""Values in one script, aliases counted each time: a few lines of YAML can stand for billions."""
SUFFIXES = (".yaml", ".yml")


def read_script(text: str, file: Path) -> Script:
    """Read a script from its text.

    Args:
        text: YAML.
        file: where it stands, for messages and for what lies beside it.

    Raises:
        ScriptError: it is not YAML, or not a script; says every mistake with its line.
    """
    document, lines = _composed(text, file)
    if not isinstance(document, dict):
        raise ScriptError("a script is a mapping that begins with `id:` and has `turns:`", file, 1)
    document.setdefault("id", file.stem)
    try:
        return Script.model_validate(document).placed(file, lines)
    except ValidationError as error:
        raise _told(error, file, lines) from None


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
    _beside(script)
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


def _composed(text: str, file: Path) -> tuple[Any, dict[Path_, int]]:
    loader = yaml.CSafeLoader(text) if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader(text)
    lines = dict[Path_, int]()
    left = [MOST_NODES]
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(node, (), lines, left, file)
        return (loader.construct_document(node) if node is not None else None), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        raise ScriptError(f"not YAML: {said}", file, mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        raise ScriptError(f"not YAML: {error}", file) from None
    except ValueError as error:  # a date such as 2026-02-30
        raise ScriptError(f"not YAML: {error}", file) from None
    except RecursionError:
        raise ScriptError("nested too deeply: a script is a few levels deep", file) from None
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path_, lines: dict[Path_, int], left: list[int], file: Path) -> None:
    """Note every value's line; refuse keys that stand twice, and values without number."""
    left[0] -= 1
    if left[0] < 0:
        raise ScriptError(f"more than {MOST_NODES} values: write aliases out, or split it", file)
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            inner = (*path, name)
            if inner in lines:
                raise ScriptError(f"`{name}` stands here twice: keep one", file, key.start_mark.line + 1)
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines, left, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*path, number), lines, left, file)


def _told(error: ValidationError, file: Path, lines: dict[Path_, int]) -> ScriptError:
    """Tell everything that pydantic found, each with its line; the first one's place is the error's."""
    said, first = dict[str, None](), 0
    for one in error.errors():
        path = tuple(part for part in one["loc"] if not isinstance(part, str) or part in _parts(lines))
        place = tuple(one["loc"]) if tuple(one["loc"]) in lines else _nearest(path, lines)
        line = lines.get(place, 0)
        first = first or line
        name = ".".join(str(part + 1) if isinstance(part, int) else part for part in one["loc"])
        if one["type"] == "extra_forbidden":
            key = str(one["loc"][-1])
            near = difflib.get_close_matches(key, _keys(one["loc"]), n=1)
            what = f"`{key}` is not known here" + (f": did you mean `{near[0]}`?" if near else "")
        elif one["type"] == "missing":
            what = f"`{name}` is missing"
        else:
            what = f"`{name}`: {one['msg'].removeprefix('Value error, ')}"
        said[f"line {line}: {what}" if line and line != first else what] = None
    return ScriptError("; ".join(said), file, first)


def _parts(lines: dict[Path_, int]) -> set[str]:
    return {part for path in lines for part in path if isinstance(part, str)}


def _nearest(path: Path_, lines: dict[Path_, int]) -> Path_:
    while path and path not in lines:
        path = path[:-1]
    return path


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    schema = Script.model_json_schema()
    names = set[str](schema["properties"])
    for part in schema["$defs"].values():
        names |= set(part.get("properties", ()))
    inside = _at(schema, loc[:-1])
    return sorted(inside or names)


def _at(schema: dict[str, Any], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys of the schema's part that a path leads to; none where it cannot be followed."""
    here: Any = schema
    for part in loc:
        here = _resolved(schema, here)
        if isinstance(part, int):
            here = here.get("items", here)
        elif part in here.get("properties", {}):
            here = here["properties"][part]
    return list(_resolved(schema, here).get("properties", ()))


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    for option in (part, *part.get("anyOf", ())):
        if "$ref" in option:
            return dict(schema["$defs"][option["$ref"].rsplit("/", 1)[1]])
    return part


def _beside(script: Script) -> None:
    """Look whether what a script names lies beside it."""
    folder = script.file.parent
    for number, turn in enumerate(script.turns):
        if turn.wav and not (folder / turn.wav).is_file():
            line = script.line("turns", number, "wav")
            raise ScriptError(
                f"{turn.wav} is not there: put the recording beside the script", script.file, line
            )
    for name, source in script.fixtures.files.items():
        line = script.line("fixtures", "files", name)
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ScriptError(
                f"{name!r} leaves the desk's state folder: give a plain name", script.file, line
            )
        if not (folder / source).is_file():
            raise ScriptError(f"{source} is not there: put it beside the script", script.file, line)
