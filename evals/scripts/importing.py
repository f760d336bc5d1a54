"""Importing conversations that were written for other tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evals.scripts.draft import Draft, finished
from evals.scripts.errors import ScriptError
from evals.scripts.schema import write_schema

LARGEST_BYTES = 50_000_000
"""Of one file."""
KINDS = "CSV, TSV or Excel tables, Botium's .convo.txt, Rasa's test stories or test cases (.yml)"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of a file or folder."""

    scripts: tuple[tuple[str, str], ...]
    """Name → YAML; the name is the script's id, and its file's without ending."""
    left_out: tuple[str, ...]
    """What could not be taken over, each with file and line."""


def import_file(path: Path) -> Imported:
    """Make scripts of conversations that were written for another tool.

    Args:
        path: a table (CSV, TSV, XLSX), a Botium `.convo.txt`, a Rasa file with `stories:` or `test_cases:`;
            or a folder of such files. What they refer to is looked for beside them.

    Raises:
        ScriptError: there is nothing of that kind, or it cannot be read.
    """
    left_out = list[str]()
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and _reader(one) is not None)
    else:
        files = [path]
    drafts = list[Draft]()
    for file in files:
        try:
            drafts += _read(file, left_out)
        except ScriptError as error:
            if len(files) == 1:
                raise
            left_out.append(str(error))
    scripts = finished(drafts, f"Imported from {path.name}.", left_out)
    if not scripts:
        why = f": {left_out[-1]}" if left_out else f"; what is read: {KINDS}"
        raise ScriptError(f"no conversation is in it{why}", path)
    return Imported(tuple(scripts), tuple(left_out))


def write_scripts(imported: Imported, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write scripts into a folder, with the schema that editors complete and check them by.

    Args:
        imported: what to write.
        folder: made where it is missing.
        overwrite: replace scripts of the same names.

    Returns:
        The scripts' files.

    Raises:
        ScriptError: a file is there already, or the folder cannot be written; nothing of it is written then.
    """
    files = [folder / f"{name}.yaml" for name, _ in imported.scripts]
    there = [file.name for file in files if file.exists()]
    if there and not overwrite:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""
        raise ScriptError(
            f"{', '.join(there[:3])}{more} would be overwritten: name another folder, or remove them", folder
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_schema(folder)
        for file, (_, text) in zip(files, imported.scripts, strict=True):
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScriptError(f"cannot be written ({error.strerror})", folder) from None
    return files


def _read(file: Path, left_out: list[str]) -> list[Draft]:
    reader = _reader(file)
    if reader is None and file.exists():
        raise ScriptError(f"not a kind of file that is read here: {KINDS}", file)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ScriptError(f"larger than {LARGEST_BYTES // 1_000_000} MB: split it", file)
        return reader(file, left_out) if reader is not None else []
    except OSError as error:
        raise ScriptError(f"cannot be read ({error.strerror}): check name and rights", file) from None


def _reader(file: Path) -> Callable[[Path, list[str]], list[Draft]] | None:
    """Return what reads a file, by its name."""
    from evals.scripts.botium import read_convo
    from evals.scripts.rasa import read_rasa
    from evals.scripts.table import read_table

    name = file.name.lower()
    if name.startswith((".", "~$")):
        return None
    if name.endswith(".convo.txt"):
        return read_convo
    if name.endswith((".csv", ".tsv", ".xlsx", ".xlsm")):
        return read_table
    if name.endswith((".yml", ".yaml")):
        return read_rasa
    return None
