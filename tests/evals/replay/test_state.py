import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evals.checks.conversation import state_wrong
from evals.replay.record import ConversationRecord
from evals.replay.state import rows_of
from evals.results import Result, line_of
from evals.scripts import Script, ScriptError, read_script


def wanting(query: str, wanted: str) -> Script:
    text = f'id: a\nturns: [{{user: hi}}]\nexpect: {{state: {{file: a.sqlite, query: "{query}", {wanted}}}}}'
    return read_script(text, Path("a.yaml"))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as base, base:
        base.execute("CREATE TABLE t (x)")
        base.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(250)])
    return tmp_path


@pytest.mark.parametrize(("count", "right"), [(100, False), (249, False), (250, True), (251, False)])
def test_all_rows_are_counted(state: Path, count: int, right: bool) -> None:
    script = wanting("SELECT x FROM t", f"count: {count}")
    assert (state_wrong(script.expect.state[0], rows_of(script, state)["0"]) == "") == right


@pytest.mark.parametrize(
    "query",
    [
        "VACUUM INTO '{}'",
        "ATTACH '{}' AS b",
        "DELETE FROM t",
        "PRAGMA user_version",
        "WITH a AS (SELECT ')') DELETE FROM t",
        "WITH a AS (SELECT 1) INSERT INTO absent SELECT 1 FROM a",
    ],
)
def test_what_does_not_read_is_told_at_reading(state: Path, query: str) -> None:
    with pytest.raises(ScriptError, match="begins with SELECT or WITH|must only read"):
        wanting(query.format(state / "made.sqlite"), "count: 0")


def test_a_query_only_reads(state: Path) -> None:
    script = wanting("SELECT * FROM pragma_user_version", "count: 0")
    rows = rows_of(script, state)["0"]
    assert "only SELECT may stand here" in state_wrong(script.expect.state[0], rows)


def test_a_query_that_does_not_end_is_given_up(state: Path) -> None:
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    script = wanting(endless, "count: 0")
    told = state_wrong(script.expect.state[0], rows_of(script, state)["0"])
    assert told == "a.sqlite: the query does not end, or takes 2,000,000 steps and more: ask for less"


def test_bytes_are_kept_as_sql_writes_them(state: Path) -> None:
    script = wanting("SELECT x'00ff', count(*) FROM t", "rows: [[\"X'00FF'\", 250]]")
    record = ConversationRecord("a", "demo", "text", databases=rows_of(script, state))
    assert state_wrong(script.expect.state[0], record.databases["0"]) == ""
    assert json.dumps(line_of(Result(record)))
