"""Reading scripts: what is wrong is told with file and line, and a remedy."""

from pathlib import Path

import pytest

from evals.scripts import ScriptError, find_scripts, load_script, load_scripts, read_script
from evals.scripts.reading import LARGEST_BYTES

ONE = "id: one\nturns:\n  - user: hello\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcde", "bcdef", strict=True)
)
STATE = "id: a\nturns: [{{}}]\nexpect:\n  state:\n  - {{file: {}, query: '{}', count: 0}}\n"
WRONG = {
    "tab": ("id: a\nturns:\n\t- user: hi\n", 3, "a tab stands here; indent with spaces"),
    "open quote": ('id: a\nturns:\n  - user: "hi\ntitle: b\n', 3, "opens here is not closed"),
    "colon": ("id: a\nturns:\n  - user: My order: late\n", 3, "in quotes"),
    "two scripts": (ONE + "---\n" + ONE, 4, "give each a file of its own"),
    "code": ("id: a\ntitle: !!python/object:os.system x\n", 2, "leave the tag out"),
    "tag": ("id: a\ntitle: !!int soon\n", 2, "'soon' is no int"),
    "control character": ("id: a\ntitle: b\x01\n", 2, "may not stand in it"),
    "bomb": (BOMB, 1, "more than 50000 values"),
    "alias in itself": ("id: a\nturns: &a [*a]\n", 2, "nested too deeply"),
    "a million brackets": ("id: a\nturns: " + "[" * 900_000, 2, "nested too deeply"),
    "list": ("- user: hi\n", 1, "a script is a mapping that begins with `id:`"),
    "empty": ("# nothing\n", 1, "empty: a script begins with `id:`"),
    "no turns": ("id: a\nturn:\n  - user: hi\n", 1, "`turns` is missing; line 2: `turn` is not known"),
    "empty turns": ("id: a\nturns: []\n", 2, "write at least one"),
    "twice": ("id: a\nturns:\n  - user: hi\n    user: ho\n", 4, "`user` stands here twice"),
    "near": ("id: a\nturns:\n  - user: hi\n    expect: {contain: x}\n", 4, "did you mean `contains`?"),
    "other tool's": ("id: a\nturns:\n  - user: hi\n    expect: {not_contains: x}\n", 4, "mean `must_not`?"),
    "unlike": ("id: a\nturns:\n  - user: hi\n    expect: {score: 1}\n", 4, "choose from cards, cites"),
    "too shallow": ("id: a\nturns:\n  - user: hi\n    contains: x\n", 4, "put it below `expect:`"),
    "choice": ("id: a\nmode: voice\nturns: [{user: hi}]\n", 2, "write one of text, audio, both"),
    "outcome": ("id: a\nturns:\n- expect: {outcome: refuse}\n", 3, "did you mean `refused`?"),
    "either": ("id: a\nturns:\n- expect: {handoff: perhaps}\n", 3, "true or false or one of asked, anger"),
    "emotion": ("id: a\nturns:\n- expect: {emotion: hapy}\n", 3, "choose from neutral, happy"),
    "none of them": (
        "id: a\nturns:\n- user: hi\n  expect:\n    emotion: []\n",
        5,
        "`turns.1.expect.emotion`: an empty list does not fit here; write at least one, or leave it out",
    ),
    "no words at all": (
        "id: a\nturns:\n- user: hi\n  expect:\n    suggestions: {}\n",
        5,
        "`turns.1.expect.suggestions`: nothing is wanted of it: write `contains` or",
    ),
    "no times": (
        "id: a\nturns: [{user: hi}]\nexpect:\n  within_ms: {}\n",
        4,
        "an empty mapping does not fit here; write at least one, or leave it out",
    ),
    "timing": ("id: a\nturns:\n- expect: {within_ms: {sound: 5}}\n", 3, "choose from turn_end, transcript"),
    "milliseconds": ("id: a\nturns:\n- expect: {within_ms: fast}\n", 3, "write milliseconds, such as 1500"),
    "number": ("id: a\nturns:\n- pause_s: long\n", 3, "'long' does not fit here; write a number"),
    "range": ("id: a\nvoice: {speed: 5}\nturns: [{user: hi}]\n", 2, "5 does not fit here; write 2 or less"),
    "text": ("id: a\nturns:\n- user: [a, b]\n", 3, "a list does not fit here; write a text"),
    "empty value": ("id: a\nturns:\n- user: hi\n  expect:\n", 4, "`turns.1.expect` is empty"),
    "mapping": ("id: a\nturns:\n- hello\n", 3, "'hello' does not fit here; write keys of its own"),
    "date": ("id: a\nfixtures: {clock: 2026-02-30}\nturns: [{}]\n", 2, "a date and time such as"),
    "year": ("id: a\nfixtures: {clock: 2026}\nturns: [{}]\n", 2, "2026 is no date and time"),
    "regex": ("id: a\nturns:\n- expect: {regex: '(a'}\n", 3, "not a regular expression"),
    "regex of an argument": (
        "id: a\nturns:\n- expect:\n    tools:\n    - {name: a, arguments: {b: '/(a/'}}\n",
        5,
        "not a regular",
    ),
    "no words": ("id: a\nturns:\n- expect: {contains: ''}\n", 3, "an empty text stands in every other"),
    "rows of nothing": (
        "id: a\nturns: [{}]\nexpect:\n  state: {file: a, query: SELECT 1}\n",
        4,
        "or `count`",
    ),
    "not SQL": (STATE.format("a", "DELETE FROM a"), 5, "begins with SELECT or WITH"),
    "changing SQL": (STATE.format("a", "WITH b AS (SELECT 1) INSERT INTO c SELECT 1"), 5, "must only read"),
    "silent barge-in": (
        "id: a\nturns:\n- user: hi\n- {barge_in: 1}\n",
        4,
        "breaks in but says nothing",
    ),
    "half of SQL": (STATE.format("a", "SELECT count( FROM a"), 5, "not one SQL query (near"),
    "two of SQL": (STATE.format("a", "SELECT 1; SELECT 2"), 5, "not one SQL query"),
    "state outside": (STATE.format("../a", "SELECT 1"), 5, "'../a' leaves the desk's state folder"),
    "spaces": ("id: a\nturns:\n- pause_s: 1\n- user: '   '\n", 4, "only spaces: write words"),
    "fact": (
        "id: a\nfixtures: {customer: {order: 1}}\nturns:\n- user: where is {customer.ordr}?\n",
        4,
        "did you mean `{customer.order}`?",
    ),
    "half an hour": ("mode: audio\nturns: [{user: a},\n {pause_s: 3000}]\n", 3, "its pauses take 3,001 s"),
    "id": ("id: a b\nturns: [{user: hi}]\n", 1, "letters, digits"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_line_and_a_remedy(name: str) -> None:
    text, line, message = WRONG[name]
    with pytest.raises(ScriptError) as caught:
        read_script(text, Path("s.yaml"))
    assert str(caught.value).startswith(f"s.yaml:{line}: ")
    assert message in str(caught.value)
    assert "Input should" not in str(caught.value)


def test_all_mistakes_are_told_in_their_order_and_many_are_counted() -> None:
    text = "id: a\nturns:\n" + "".join(f"  - usr: {number}\n" for number in range(30))
    with pytest.raises(ScriptError) as caught:
        read_script(text, Path("s.yaml"))
    assert "line 4: `usr`" in caught.value.message
    assert caught.value.message.endswith("and 22 more")


def test_a_value_stays_text_where_a_text_is_wanted() -> None:
    text = (
        "id: 12\nturns:\n"
        "- {user: 12:30, barge_in: no, expect: {contains: 0123, contains_any: [1.50, yes], handoff: no}}\n"
        "- {user: off, barge_in: yes, expect: {tools: {name: x, arguments: {order: 0123, n: 5}}}}\n"
    )
    script = read_script(text, Path("s.yaml"))
    first, second = script.turns
    assert (script.id, first.user, second.user) == ("12", "12:30", "off")
    assert first.expect.contains == ("0123",)
    assert first.expect.contains_any == ("1.50", "yes")
    assert (first.barge_in, first.expect.handoff) == (None, False)
    assert second.barge_in is not None
    assert second.expect.tools is not None
    assert second.expect.tools[0].arguments == {"order": "0123", "n": 5}


@pytest.mark.parametrize("data", [ONE.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + ONE.encode()])
def test_windows_files_are_read(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "one.yaml"
    file.write_bytes(data)
    script = load_script(file)
    assert script.turns[0].user == "hello"
    assert script.line("turns", 0, "user") == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\xff", "not UTF-8"),
        (b"# x\n" * (LARGEST_BYTES // 2), "no conversation is that long"),
        (ONE.encode() + b"    wav: missing.wav\n", ":4: missing.wav is not there"),
        (ONE.encode() + b"    wav: one.yaml\n", ":4: "),
        (
            ONE.encode() + b"voice: {noise: {kind: babbel}}\n",
            ":4: the noise 'babbel' is none of babble, white",
        ),
        (
            b"voice: {noise: {kind: hum}}\n" + ONE.encode() + b"    voice:\n      noise: {kind: rain.wav}\n",
            ":6: the noise 'rain.wav' is none of babble, white, pink, hum, and no file beside the script",
        ),
        (ONE.encode() + b"voice: {noise: {kind: one.yaml}}\n", ":4: "),
        (ONE.encode() + b"fixtures: {files: {'': one.yaml}}\n", ":4: '' leaves the desk's state folder"),
        (ONE.encode() + b"fixtures: {files: {../x: y}}\n", ":4: '../x' leaves the desk's state folder"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "one.yaml"
    file.write_bytes(data)
    with pytest.raises(ScriptError) as caught:
        load_script(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)


def test_a_wrong_script_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    (tmp_path / "b.yaml").write_text(ONE)
    (tmp_path / "c.yml").write_text("id: [")
    (tmp_path / "d.yaml").write_text("turns: [{user: hi}]")
    scripts, wrong = load_scripts(find_scripts([tmp_path]))
    assert [script.id for script in scripts] == ["one", "d"]
    assert "is used in" in wrong[0].message
    assert wrong[0].line == 1
    assert wrong[1].file.endswith("c.yml")


def test_a_place_without_scripts_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no script"):
        find_scripts([tmp_path])
    with pytest.raises(ScriptError, match="no such file"):
        find_scripts([tmp_path / "none"])


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("turns: [{user: Hello, wav: ../secret.wav}]", 2),
        ("turns: [{user: Hello, wav: /etc/passwd}]", 2),
        ("turns: [{user: Hello}]\nfixtures: {files: {a.sqlite: ../other.sqlite}}", 3),
        ("turns: [{user: Hello}]\nvoice: {noise: {kind: ../../street.wav}}", 3),
    ],
)
def test_a_script_fetches_nothing_from_outside_its_folder(tmp_path: Path, line: str, place: int) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"id: a\n{line}\n", "utf-8")
    with pytest.raises(ScriptError, match="leads out of the script's folder") as error:
        load_script(file)
    assert error.value.line == place
