"""Conversations in tables, CSV and Excel: one row a turn, or one row a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from agent.sentence import Outcome
from evals.scripts.draft import Draft, one_line
from evals.scripts.errors import ScriptError
from evals.scripts.headings import (
    BOTS,
    LANGUAGES,
    NO,
    NUMBERS,
    OUTCOMES,
    USERS,
    YES,
    columns_of,
    meant,
    plain,
)

_SEPARATORS = re.compile(r"[|;；\n]+")
_COMMAS = re.compile(r"(?:,\s|[，、])\s*")
_CALL = re.compile(r"([\w.:-]+)\s*(?:\((.*)\))?")
SYSTEM = "system"
"""Answers in published dialogues; in what language models are sent it says what they are to be."""
HEAD_ROWS = 20
"""Rows in which the headings are looked for."""
USUAL_TURNS = 12
"""Rows between empty ones up to which these part conversations."""
MOST_CONVERSATIONS = 20_000
"""Of one table."""


@dataclass(slots=True)
class _Table:
    """A table with its headings understood."""

    name: str
    columns: dict[str, int]
    rows: list[tuple[int, list[str]]]
    """Number, from 1, and cells."""
    file: str
    left_out: list[str]
    drafts: dict[str, Draft] = field(default_factory=dict)
    row: int = 0
    cells: list[str] = field(default_factory=list)
    speakers: frozenset[str] | None = None

    def cell(self, key: str) -> str:
        """Return what stands in the row that is read now."""
        at = self.columns.get(key)
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""

    def bots(self) -> frozenset[str]:
        """Return who speaks for the desk: "system", too, where nobody else does."""
        if self.speakers is None:
            at = self.columns["role"]
            self.speakers = frozenset(plain(cells[at]) for _, cells in self.rows if len(cells) > at)
        return BOTS if self.speakers & BOTS else BOTS | {SYSTEM}

    def leave_out(self, what: str) -> None:
        """Tell what of the row was not taken over."""
        self.left_out.append(f"{self.file}:{self.row}: {what}")


def read_table(file: Path, left_out: list[str]) -> list[Draft]:
    """Read the conversations of a table.

    Args:
        file: CSV, TSV or XLSX.
        left_out: takes what was not taken over, with its row.

    Raises:
        ScriptError: it cannot be read, or no column holds what the visitor says.
    """
    from knowledge.errors import DocumentError
    from knowledge.readers import csv, xlsx
    from knowledge.readers.given import Given

    given = Given(file.read_bytes(), file.name, file.suffix.lower())
    try:
        is_book = given.suffix in (".xlsx", ".xlsm")
        sheets = xlsx.sheets(given)[0] if is_book else [("", csv.rows_of(given))]
    except DocumentError as error:
        raise ScriptError(str(error).removeprefix(f"{file.name}: "), file) from None
    filled = [(name, rows) for name, rows in sheets if any(any(row) for row in rows)]
    drafts, problems = list[Draft](), list[ScriptError]()
    for name, rows in filled:
        label = f"{file.name}[{name}]" if name and len(filled) > 1 else file.name
        try:
            table = _headed(name if len(filled) > 1 else "", rows, label, left_out, lines=not is_book)
            drafts += _conversations(table, file.stem)
        except ScriptError as error:
            problems.append(error)
    if not drafts:
        raise problems[0] if problems else ScriptError("no row says anything", file)
    left_out += map(str, problems)
    return drafts


def _headed(name: str, rows: Sequence[list[str]], label: str, left_out: list[str], *, lines: bool) -> _Table:
    """Find a table's headings."""
    at, columns, numbered = -1, dict[str, int](), list[tuple[int, list[str]]]()
    line = 1
    for cells in rows:
        numbered.append((line, cells))
        line += 1 + (sum(cell.count("\n") for cell in cells) if lines else 0)
    for number, (_, cells) in enumerate(numbered[:HEAD_ROWS]):
        columns = columns_of(cells)
        if "user" in columns or {"role", "text"} <= set(columns):
            at = number
            break
    if at < 0:
        first = next((row for row in rows if any(row)), [])
        near = ", ".join(f"{cell.strip()!r} → {meant(cell)!r}" for cell in first if meant(cell))
        hint = f" ({near}?)" if near else ""
        raise ScriptError(
            f"no column holds what the visitor says: head it `user`, the expected reply `expected`{hint}",
            label,
            1,
        )
    line, row = numbered[at]
    for number, cell in enumerate(row):
        if cell.strip() and number not in columns.values():
            hint = f"; did you mean {meant(cell)!r}?" if meant(cell) else ""
            left_out.append(f"{label}:{line}: the column {one_line(cell)!r} is not known here{hint}")
    rest = numbered[at + 1 :]
    if "turn" in columns and plain(row[columns["turn"]]) in NUMBERS and _goes_on(rest, columns["turn"]):
        del columns["turn"]  # it counts the cases, one a row
    return _Table(name, columns, rest, label, left_out)


def _goes_on(rows: Sequence[tuple[int, list[str]]], column: int) -> bool:
    """Tell whether numbers never begin anew."""
    cells = [cells[column].strip() for _, cells in rows if len(cells) > column]
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    return all(before < now for before, now in pairwise(numbers))


def _conversations(table: _Table, stem: str) -> Iterable[Draft]:
    by_role = "user" not in table.columns
    apart = "conversation" not in table.columns and not by_role and "turn" not in table.columns
    gaps = _gaps(table.rows)
    key, count, last_turn = "", 0, 0
    for row, cells in table.rows:
        table.row, table.cells = row, cells
        if not any(cell.strip() for cell in table.cells):
            key = key if "conversation" in table.columns else ""
            continue
        turn = int(table.cell("turn")) if table.cell("turn").isdigit() else 0
        named = table.cell("conversation")
        begins = (apart and not gaps) or not key or (0 < turn <= last_turn and not named)
        last_turn = turn
        if named or begins:
            count += 1
            key = named or f"{count:03d}"
        if key not in table.drafts:
            if len(table.drafts) >= MOST_CONVERSATIONS:
                raise ScriptError(
                    f"more than {MOST_CONVERSATIONS} conversations: split it", table.file, table.row
                )
            name = named if named and not named.isdigit() else f"{stem}-{key}"
            name = f"{table.name}-{name}" if table.name else name
            table.drafts[key] = Draft(name, f"{table.file}:{table.row}")
        _row(table, table.drafts[key], by_role=by_role)
    return table.drafts.values()


def _gaps(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Tell whether empty rows stand between conversations, rather than somewhere by mistake."""
    filled = [any(cell.strip() for cell in cells) for _, cells in rows]
    blocks = sum(now and not before for before, now in pairwise([False, *filled]))
    return blocks > 1 and sum(filled) <= USUAL_TURNS * blocks


def _row(table: _Table, draft: Draft, *, by_role: bool) -> None:
    """Take one row over."""
    _head(table, draft)
    said, reply = table.cell("user"), table.cell("bot")
    if by_role:
        role, text = plain(table.cell("role")), table.cell("text")
        said, reply = (text, "") if role in USERS else ("", text) if role in table.bots() else ("", "")
        if not said and not reply:
            table.leave_out(
                f"{one_line(text)!r}: nobody here is called {table.cell('role')!r}; write user or bot"
            )
            return
    if said:
        draft.say(said, **_manner(table))
    elif not draft.turns:
        table.leave_out(
            f"{one_line(reply)!r} is said before the visitor says anything: greetings are not checked"
        )
        return
    if reply and not draft.expect_reply(reply):
        table.leave_out(
            f"{one_line(reply)!r} is a whole reply without a fact to look for; it became a comment"
        )
    _expectations(table, draft)
    if comment := table.cell("comment"):
        draft.remark(comment)


def _head(table: _Table, draft: Draft) -> None:
    """Take over what concerns the whole conversation."""
    tags = [
        *(["-".join(table.name.split())] if table.name else []),
        *_pieces(table.cell("tags"), commas=True),
    ]
    if tags:
        draft.head["tags"] = list(dict.fromkeys([*draft.head.get("tags", ()), *tags]))
    for key in ("title", "mode"):
        if value := table.cell(key):
            draft.head.setdefault(key, value)
    if language := table.cell("language").lower():
        draft.head.setdefault("language", LANGUAGES.get(language, re.split(r"[-_]", language)[0]))


def _manner(table: _Table) -> dict[str, object]:
    """Return when a turn is said."""
    manner = dict[str, object]()
    for key in ("pause_s", "barge_in"):
        value = table.cell(key).lower()
        number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:s|sec|秒)?", value)
        if key == "barge_in" and value in (*YES, *NO):
            manner[key] = value in YES
        elif number:
            manner[key] = float(number[1])
        elif value:
            table.leave_out(f"{key} {value!r} is no number of seconds")
    return manner


def _expectations(table: _Table, draft: Draft) -> None:
    for key in ("contains", "must_not"):
        draft.expect(key, *those) if (those := _pieces(table.cell(key), commas=True)) else None
    draft.expect_any(_pieces(table.cell("contains_any"), commas=True))
    if cites := _pieces(table.cell("cites"), commas=True):
        draft.expect("cites", *cites)
    if pattern := table.cell("regex"):
        draft.expect("regex", pattern)
    for key in ("emotion", "visitor_emotion"):
        if labels := _pieces(table.cell(key).lower(), commas=True):
            draft.expect(key, *labels)
    for given in _pieces(table.cell("outcome"), commas=True):
        if (found := OUTCOMES.get(plain(given))) is not None:
            draft.expect("outcome", found.value)
        else:
            table.leave_out(f"the outcome {given!r}: write one of {', '.join(Outcome)}")
    if handoff := table.cell("handoff").lower():
        draft.expected["handoff"] = handoff in YES if handoff in (*YES, *NO) else handoff
    for given in _SEPARATORS.split(table.cell("tools")):
        if given.strip():
            _tool(table, draft, given.strip())
    if (limit := table.cell("within_ms").removesuffix("ms").strip()).replace(".", "", 1).isdigit():
        draft.expected["within_ms"] = float(limit)
    elif limit:
        table.leave_out(f"{limit!r} is no number of milliseconds")


def _tool(table: _Table, draft: Draft, given: str) -> None:
    """Take over a business action: "cancel_order(order=10366)", or "-" for none at all."""
    if given.lower() in ("-", "none", "no", "无"):
        draft.expected.setdefault("tools", [])
        return
    call = _CALL.fullmatch(given)
    pairs = [pair.partition("=") for pair in (call[2] or "").split(",") if pair.strip()] if call else []
    if call is None or any(not sign for _, sign, _ in pairs):
        table.leave_out(f'the tool {given!r}: write "name(argument=value, …)"')
        return
    arguments = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    draft.expect("tools", {"name": call[1], **({"arguments": arguments} if arguments else {})})


def _pieces(cell: str, *, commas: bool = False) -> list[str]:
    """Return the several texts of a cell."""
    pieces = [one.strip() for one in _SEPARATORS.split(cell) if one.strip()]
    if commas and len(pieces) == 1:
        pieces = [one.strip() for one in _COMMAS.split(cell) if one.strip()]
    return pieces
