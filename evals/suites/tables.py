"""Labelled texts from files as they are published: CSV, TSV, JSON Lines, JSON; columns named or guessed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.suites.figures import SuiteDataError

SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
TEXT_NAMES = ("text", "utterance", "query", "question", "sentence", "prompt", "message", "comment", "content",
              "input", "tweet", "post", "utt", "user_input", "comment_text", "test_case", "body", "request",
              "user", "instruction", "turns", "文本", "句子", "问题")  # fmt: skip
ATTACK_NAMES = ("goal", "behavior", "forbidden_prompt", "vanilla", "adversarial", "jailbreak_query", "attack")
"""What sets of attacks call their texts."""
RESPONSE_NAMES = ("response", "answer", "output", "completion", "model_output", "reply", "回答", "回复")
LABEL_NAMES = ("label", "intent", "category", "class", "target", "labels", "tag", "intent_label", "toxicity",
               "is_toxic", "toxic", "label_gold", "subtask_a", "is_safe", "safe", "is_offensive", "offensive",
               "data_type",
               "hate", "harmful", "unsafe", "flagged", "标签", "意图", "类别")  # fmt: skip
SPLIT_NAMES = ("split", "set", "partition", "fold", "dataset")
LANGUAGE_NAMES = ("language", "lang", "语言")
LEAST_VARIED = 0.1
"""Share of different values in a column of texts, at least."""
MOST_DEPTH = 4
"""Levels of a JSON document at which its rows are looked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    values: dict[str, str]
    line: int
    """From 1, in the file."""
    split: str = ""
    """Of files that hold several: "train", "oos_test"."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows."""

    file: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, given: str, names: Sequence[str], what: str, option: str) -> str:
        """Return the name of a column.

        Args:
            given: named by the user; empty: guess.
            names: that it usually has, likeliest first.
            what: it holds, for the message.
            option: that names it, for the message.

        Raises:
            SuiteDataError: there is none, or it cannot be guessed.
        """
        known = {name.strip().casefold(): name for name in self.columns}
        if given:
            if given.strip().casefold() in known:
                return known[given.strip().casefold()]
            raise SuiteDataError(f"no column is called {given!r}; {self._there()}", self.file, 1)
        found = self.guess(names)
        if found:
            return found
        raise SuiteDataError(
            f"which column holds {what}? {self._there()}; name it with {option}", self.file, 1
        )

    def guess(self, names: Sequence[str]) -> str:
        """Return the first column with one of these names; empty where there is none."""
        known = {name.strip().casefold(): name for name in self.columns}
        return next((known[name] for name in names if name in known), "")

    def varies(self, column: str) -> bool:
        """Tell whether a column's values are different ones, not the same few again and again."""
        return len({row.values.get(column, "") for row in self.rows}) > LEAST_VARIED * len(self.rows)

    def _there(self) -> str:
        return f"there are: {', '.join(name or '(no name)' for name in self.columns[:20])}"


def read_table(file: Path) -> Table:
    """Read a file of rows.

    Raises:
        SuiteDataError: it is missing, of another kind, broken, or empty; names the row.
    """
    if file.suffix.lower() not in SUFFIXES:
        raise SuiteDataError(f"not a file of rows; give one of {', '.join(SUFFIXES)}", file)
    text = read_text(file)
    kind = file.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        rows = list(_json_lines(file, text))
    elif kind == ".json":
        rows = list(_json(file, text))
    else:
        rows = list(_delimited(file, text))
    if not rows:
        raise SuiteDataError("holds no rows; is it the right file?", file)
    columns = tuple(dict.fromkeys(name for row in rows for name in row.values))
    return Table(file, columns, tuple(rows))


def read_text(file: Path) -> str:
    """Read a file in whatever encoding it is; UTF-8 where it can be that.

    Raises:
        SuiteDataError: it is missing, a folder, or no text.
    """
    from knowledge.errors import DocumentError
    from knowledge.readers.encoding import decode

    try:
        return decode(file.read_bytes(), file.name)
    except DocumentError as error:
        raise SuiteDataError(str(error).removeprefix(f"{file.name}: "), file) from error
    except OSError as error:
        raise SuiteDataError(f"cannot be read ({error.strerror}); give a file that is there", file) from error


def read_json(file: Path) -> Any:
    """Read a file of JSON.

    Raises:
        SuiteDataError: it is missing or no JSON; names the line.
    """
    return _parsed(file, read_text(file))


def _parsed(file: Path, text: str, line: int = 0) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = line or error.lineno
        raise SuiteDataError(
            f"not JSON ({error.msg}); is the file whole? fetch it again", file, at
        ) from error


def _json_lines(file: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):  # texts may hold other ends of lines
        if line.strip():
            yield _object(file, _parsed(file, line, number), number)


def _json(file: Path, text: str) -> Iterator[Row]:
    """A list of objects or texts, or a mapping of splits to lists of objects, or of [text, label] (CLINC150).

    Lists that stand deeper (`{"rasa_nlu_data": {"common_examples": […]}}`) are found, and those beside them
    that hold something else are left out.
    """
    document = _parsed(file, text)
    parts = {"": document} if isinstance(document, list) else _lists(document, MOST_DEPTH)
    if not parts:
        raise SuiteDataError(
            "no list of rows is in it; rows are a list of objects, or lists of [text, label] by split", file
        )
    longest = _columns(
        max(parts.values(), key=lambda items: (bool(_columns(items) & {*TEXT_NAMES}), len(items)))
    )
    for split, items in parts.items():
        if len(parts) > 1 and not longest & _columns(items):
            continue
        for number, item in enumerate(items, 1):
            if isinstance(item, list) and len(item) == 2:
                yield Row({"text": str(item[0]), "label": str(item[1])}, number, split)
            elif isinstance(item, str):
                yield Row({"text": item}, number, split)
            else:
                yield Row(_object(file, item, number).values, number, split)


def _lists(node: Any, depth: int) -> dict[str, list[Any]]:
    """Return the lists of rows in a mapping, by their keys; of several levels those of the first."""
    if not isinstance(node, dict) or not depth:
        return {}
    lists = {str(key): one for key, one in node.items() if isinstance(one, list) and _columns(one)}
    found = {key: one for key, one in lists.items() if not isinstance(one[0], str)}
    for child in node.values():
        found = found or _lists(child, depth - 1)
    return found


def _columns(items: Sequence[Any]) -> set[str]:
    """Return the columns of a list's first row; none where it is no row."""
    first = items[0] if items else None
    if isinstance(first, str):
        return {"text"}
    if isinstance(first, list):
        return {"text", "label"} if len(first) == 2 else set()
    return {name for name, _ in _cells(first)} if isinstance(first, dict) else set()


def _object(file: Path, item: Any, number: int) -> Row:
    if not isinstance(item, dict):
        raise SuiteDataError('row is no object; write {"text": …, "label": …}', file, number)
    return Row(dict(_cells(item)), number)


def _cells(item: dict[Any, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """The cells of an object; those of one within it are called `outer.inner`, where it is no mere cover."""
    for key, value in item.items():
        if isinstance(value, dict) and (value.keys() & {*TEXT_NAMES}):
            yield from _cells(value, within)
        elif isinstance(value, dict):
            yield from _cells(value, f"{within}{key}.")
        else:
            yield f"{within}{key}", _cell(value)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _delimited(file: Path, text: str) -> Iterator[Row]:
    first = text.split("\n", 1)[0]
    delimiter = max("\t,;|", key=first.count)
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(cells, reader.line_num) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise SuiteDataError(
            f"not CSV from here on ({error}); quote texts that hold {delimiter!r} or line breaks",
            file,
            reader.line_num,
        ) from error
    if not lines:
        return
    names = [name.strip() for name in lines[0][0]]
    headed = {name.casefold() for name in names} & {
        *(*TEXT_NAMES, *LABEL_NAMES, *ATTACK_NAMES, *RESPONSE_NAMES)
    }
    if not headed and len(names) == 2:
        names = _without_head([cells for cells, _ in lines])
    elif len(names) < 2 and not headed:
        raise SuiteDataError("has one column; write text,label in the first line", file, 1)
    else:
        lines = lines[1:]
    for cells, line in lines:
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise SuiteDataError(
                f"row has {len(cells)} cells, the first line {len(names)}; quote texts that hold "
                f"{delimiter!r}",
                file,
                line,
            )
        yield Row(dict(zip(names, [*cells, *[""] * len(names)], strict=False)), line)


def _without_head(lines: Sequence[Sequence[str]]) -> list[str]:
    """Two columns without names: the one with fewer different values holds the labels."""
    first, second = (len({cells[at] for cells in lines if len(cells) > at}) for at in (0, 1))
    return ["text", "label"] if second <= first else ["label", "text"]
