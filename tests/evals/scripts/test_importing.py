"""Conversations of other tools become scripts; what cannot be taken over is told with its line."""

from pathlib import Path

import pytest

from evals.scripts import Script, ScriptError, find_scripts, load_scripts, read_script
from evals.scripts.importing import Imported, import_file, write_scripts
from evals.scripts.writing import SCHEMA_FILE


def imported(file: Path, content: str | bytes) -> Imported:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_file(file)


def scripts(those: Imported) -> list[Script]:
    return [read_script(text, Path(f"{name}.yaml")) for name, text in those.scripts]


TABLE = """\
Conversation ID,User,Expected,Outcome,Must not,Source,Tags,Tools,Owner,Langage
late,"My parcel is late,
two weeks.",We refund you within 14 days.,answered,we guarantee; promise,en/late.md,"refund, late",,Tom,
,And to Germany?,Germany | Deutschland,,,,,,,
cancel,Cancel order 10366,,clarified,,,,"cancel_order(order=10366)",,
cancel,thanks,Happy to help you with whatever else you need,gone,,,,-,,
"""


def test_a_table_has_a_row_a_turn(tmp_path: Path) -> None:
    those = imported(tmp_path / "a.csv", TABLE)
    late, cancel = scripts(those)
    assert (late.id, late.tags, late.language) == ("late", ("refund", "late"), "en")
    first, second = late.turns
    assert first.expect.contains == ("14 days",)
    assert first.expect.must_not == ("we guarantee", "promise")
    assert first.expect.cites == ("en/late.md",)
    assert "# Expected: We refund you within 14 days." in those.scripts[0][1]
    assert second.expect.contains_any == ("Germany", "Deutschland")
    assert cancel.turns[0].expect.tools is not None
    assert cancel.turns[0].expect.tools[0].arguments == {"order": "10366"}
    assert cancel.turns[1].expect.tools == ()
    assert [line.split(": ")[0] for line in those.left_out] == ["a.csv:1", "a.csv:1", "a.csv:6", "a.csv:6"]
    assert "did you mean 'language'?" in those.left_out[1]
    assert "without a fact to look for" in those.left_out[2]
    assert "the outcome 'gone': write one of answered" in those.left_out[3]


def test_a_test_managers_export_keeps_its_ids(tmp_path: Path) -> None:
    table = "Test ID,User,Outcome\nTC-7,A person please,handover\n"
    those = imported(tmp_path / "a.csv", table)
    (script,) = scripts(those)
    assert (script.id, script.turns[0].expect.outcome) == ("TC-7", ("handoff",))
    assert those.left_out == ()


def test_a_table_may_have_a_row_a_message_and_chinese_headings(tmp_path: Path) -> None:
    rows = (
        "对话编号\t角色\t文本\n一\t客服\t您好\n一\t用户\t我的包裹晚了\n一\t客服\t请提供订单号\n"
        "二\t用户\t转人工\n二\t经理\t好\n"
    )
    those = imported(tmp_path / "a.tsv", rows.encode("gb18030"))
    one, two = scripts(those)
    assert (one.id, one.language) == ("一", "zh")
    assert [turn.user for turn in one.turns] == ["我的包裹晚了"]
    assert one.turns[0].expect.contains == ("请提供订单号",)
    assert two.turns[0].user == "转人工"
    assert [line.split(": ")[0] for line in those.left_out] == ["a.tsv:2", "a.tsv:6"]


def test_questions_and_answers_are_a_conversation_each_unless_empty_rows_part_them(tmp_path: Path) -> None:
    alone = scripts(imported(tmp_path / "faq.csv", "问题;答案\n退款要多久？;14天\n你们在哪里？;都柏林\n"))
    assert [script.id for script in alone] == ["faq-001", "faq-002"]
    blocks = scripts(imported(tmp_path / "talk.csv", "question;answer\na;b\nc;d\n;\ne;f\n"))
    assert [[turn.user for turn in script.turns] for script in blocks] == [["a", "c"], ["e"]]


def test_a_workbooks_sheets_are_suites(tmp_path: Path) -> None:
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook()
    first, second = book.active, book.create_sheet("After sales")
    first.title = "Orders"
    for sheet, said in ((first, "Where is it?"), (second, "It broke")):
        sheet.append(["Test suite of ACME"])
        sheet.append([])
        sheet.append(["case", "user", "contains", "handoff", "barge in"])
        sheet.append([1, said, 4711, True, None])
        sheet.append([None, "hello?", None, None, 1.5])
    book.create_sheet("Notes").append(["nothing to replay"])
    book.save(tmp_path / "book.xlsx")
    those = import_file(tmp_path / "book.xlsx")
    orders, sales = scripts(those)
    assert (orders.id, sales.id, sales.tags) == ("Orders-book-1", "After-sales-book-1", ("After-sales",))
    assert orders.turns[0].expect.contains == ("4711",)
    assert orders.turns[0].expect.handoff is True
    assert orders.turns[1].barge_in is not None
    assert those.left_out[0].startswith("book.xlsx[Notes]:1: no column holds")


CONVO = """\
Refund

#bot
Welcome!

#me
UTT_HELLO

#bot
Hi $name, I am Mira

#me
PAUSE 2000
I want a refund

#bot
!we guarantee
?Anything else?
TEXT_CONTAINS_ANY refund|money back
BUTTONS Yes|No
UTT_BYE

#me
BUTTON yes|Yes please

#bot
!TEXT_REGEXP sorry.*guarantee
NEVER_HEARD 5
"""


def test_botiums_conversations_and_utterances_are_taken_over(tmp_path: Path) -> None:
    (tmp_path / "hello.utterances.txt").write_text("UTT_HELLO\nhello\ngood morning\n")
    (tmp_path / "bye.utterances.txt").write_text("UTT_BYE\nbye\nsee you\n")
    those = imported(tmp_path / "refund.convo.txt", CONVO)
    one, two = scripts(those)
    assert (one.id, one.title) == ("refund-1", "Refund")
    assert [one.turns[0].user, two.turns[0].user] == ["hello", "good morning"]
    hello, refund, button = one.turns
    assert hello.expect.contains == ("I am Mira",)
    assert (refund.user, refund.pause_s) == ("I want a refund", 2)
    assert refund.expect.must_not == ("we guarantee",)
    assert refund.expect.contains_any == ("refund", "money back")
    assert refund.expect.regex == ("bye|see you",)
    assert (button.user, button.expect.regex) == ("Yes please", ("^(?!.*(?:sorry.*guarantee))",))
    lines = [int(line.split(":")[1]) for line in those.left_out]
    assert lines == [4 - 1, 10, 18, 20, 24, 28]
    assert "'NEVER_HEARD 5' is not known here" in those.left_out[-1]


def test_botiums_partial_conversations_stand_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "login.pconvo.txt").write_text("login\n\n#me\nI am Ann\n\n#bot\nWelcome\n")
    (tmp_path / "loop.pconvo.txt").write_text("loop\n\n#include loop\n")
    convo = "#begin\n\n#include login\n\n#me\n# 1 please\n\n#include loop\n\n#include nowhere\n\n#end\n"
    those = imported(tmp_path / "main.convo.txt", convo)
    (script,) = scripts(those)
    assert [turn.user for turn in script.turns] == ["I am Ann", "# 1 please"]
    assert script.turns[0].expect.contains == ("Welcome",)
    assert [int(line.split(":")[1]) for line in those.left_out] == [8, 10]


STORIES = """\
stories:
- story: A basic story
  steps:
  - action: action_session_start
  - user: |
      show me [chinese]{"entity": "cuisine"} food in [Berlin](city)
    intent: inform
  - action: utter_greet
  - slot_was_set:
    - cuisine: chinese
  - intent: bye
  - action: utter_bye
  - action: action_check
  - intent: unknown
  - user: /bye
"""
CASES = """\
fixtures:
  - premium:
      - logged_in: true
test_cases:
  - test_case: money
    fixtures: [premium]
    steps:
      - user: hi
      - bot: "Hello there!"
      - user: I want 10 euros
        assertions:
          - flow_started: transfer_money
          - bot_uttered: {text_matches: "10 (euro|EUR)"}
          - bot_did_not_utter: {text_matches: sorry}
          - generative_response_is_grounded: {threshold: 0.9}
      - user: yes
        assertions:
          - flow_started: pattern_human_handoff
"""
DOMAIN = """\
responses:
  utter_greet:
  - text: "Hey!"
  - text: "Hello {name}, welcome to the shop"
  utter_bye:
  - text: Bye
"""


def test_rasas_stories_find_their_texts_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "domain.yml").write_text(DOMAIN)
    (tmp_path / "data/nlu.yml").write_text("nlu:\n- intent: bye\n  examples: |\n    - see you\n    - ciao\n")
    those = imported(tmp_path / "tests/test_stories.yml", STORIES)
    (script,) = scripts(those)
    assert (script.id, script.title) == ("A-basic-story", "A basic story")
    food, bye, again = script.turns
    assert food.user == "show me chinese food in Berlin"
    assert food.expect.contains_any == ("Hey!", "welcome to the shop")
    assert (bye.user, bye.expect.contains) == ("see you", ("Bye",))
    assert again.user == "see you"
    assert [int(line.split(":")[1]) for line in those.left_out] == [8, 9, 13, 14]


def test_rasas_test_cases_keep_their_assertions(tmp_path: Path) -> None:
    those = imported(tmp_path / "cases.yml", CASES)
    (script,) = scripts(those)
    assert script.fixtures.customer == {"logged_in": "true"}
    hi, euros, yes = script.turns
    assert hi.expect.contains == ("Hello there!",)
    assert euros.expect.regex == ("10 (euro|EUR)", "^(?!.*(?:sorry))")
    assert euros.expect.grounded is True
    assert (yes.user, yes.expect.outcome) == ("yes", ("handoff",))
    assert [int(line.split(":")[1]) for line in those.left_out] == [6, 12]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "Quesiton,Anser\na,b\n", "'Quesiton' → 'question'"),
        ("a.csv", "user\n\n", "no row says anything"),
        ("a.xlsx", "no workbook", "a.xlsx"),
        ("a.convo.txt", "Title\n\n#bot\nhello\n", 'no section "#me"'),
        ("a.yml", "id: a\nturns: []\n", "neither `stories:` nor `test_cases:`"),
        ("a.yml", "stories: [\n", "not YAML"),
        ("a.docx", "x", "not a kind of file that is read here"),
    ],
)
def test_what_is_none_is_told(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        imported(tmp_path / name, content)
    assert str(caught.value).startswith(str(tmp_path)) or name in str(caught.value)
    assert message in str(caught.value)
    with pytest.raises(ScriptError, match="check name and rights"):
        import_file(tmp_path / "missing.csv")


def test_one_conversation_that_is_wrong_leaves_the_others(tmp_path: Path) -> None:
    rows = "id,user,emotion,regex\na,hello,hapy,\nb,hello,,(\nc,hello,happy,\n"
    those = imported(tmp_path / "a.csv", rows)
    assert [name for name, _ in those.scripts] == ["c"]
    assert those.left_out[0].startswith("a.csv:2: 'a' is left out: `turns.1.expect.emotion`: 'hapy'")
    assert "not a regular expression" in those.left_out[1]


def test_a_folder_is_imported_and_written_without_overwriting(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.csv").write_text("id,user\nsame,hello\n")
    (source / "b.csv").write_text("id,user\nsame,hi\n")
    (source / "c.csv").write_text("nothing\n")
    (source / "domain.yml").write_text(DOMAIN)
    those = import_file(source)
    files = write_scripts(those, target)
    assert [file.name for file in files] == ["same.yaml", "same-2.yaml"]
    assert (target / SCHEMA_FILE).is_file()
    read, wrong = load_scripts(find_scripts([target]))
    assert (len(read), wrong) == (2, [])
    assert len(those.left_out) == 1
    files[0].write_text("id: mine\nturns: [{user: hi}]\n")
    with pytest.raises(ScriptError, match="would be overwritten"):
        write_scripts(those, target)
    assert files[0].read_text().startswith("id: mine")
    write_scripts(those, target, overwrite=True)
    assert "hello" in files[0].read_text()


def test_hostile_cells_stay_words(tmp_path: Path) -> None:
    words = '"; rm -rf / #\n- id: x'
    those = imported(
        tmp_path / "a.csv", 'id,user\n../../etc/passwd,"=1+1"\nb,"' + words.replace('"', '""') + '"\n'
    )
    first, second = scripts(those)
    assert first.id == "etc-passwd"
    assert (first.turns[0].user, second.turns[0].user) == ("=1+1", words)


def test_german_headings_and_numbered_cases_are_known(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "\ufeffNr.;Kunde;Erwartete Antwort;Darf nicht;Sprache\n1;Wo ist es?;unterwegs;garantiert;Deutsch\n\n"
        "2;Und wann?;morgen;;Deutsch\n",
        "utf-8",
    )
    (one, first), (_, second) = import_file(tmp_path / "a.csv").scripts
    assert one == "a-001"
    for text in ("language: de", 'contains: "unterwegs"', 'must_not: "garantiert"'):
        assert text in first
    assert 'contains: "morgen"' in second


def test_the_system_of_published_dialogues_is_the_desk(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,speaker,text\n1,USER,When?\n1,SYSTEM,At nine\n", "utf-8")
    ((_, text),) = import_file(file).scripts
    assert 'contains: "At nine"' in text
    file.write_text("id,speaker,text\n1,system,Be kind\n1,user,When?\n1,assistant,At nine\n", "utf-8")
    assert "Be kind" in import_file(file).left_out[0]


def test_negated_lists_includes_and_patterns_of_botium_are_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "bye.pconvo.txt").write_text("BYE\n\n#me\nbye\n\n#bot\n!UTT_HOURS\n", "utf-8")
    (tmp_path / "hours.utterances.txt").write_text("UTT_HOURS\nfrom nine\nat nine\n", "utf-8")
    (tmp_path / "a.convo.txt").write_text(
        "a\n\n#me\nhi\n\n#bot\nTEXT_REGEXP ^(ok|fine)\nINCLUDE BYE\n\n#me\nso\n\n#bot\nTEXT_REGEXP (\n",
        "utf-8",
    )
    those = import_file(tmp_path / "a.convo.txt")
    ((_, text),) = those.scripts
    assert 'regex: "^(ok|fine)"' in text
    assert 'must_not: ["from nine", "at nine"]' in text
    assert those.left_out == ("a.convo.txt:14: '(' is no regular expression",)


def test_stories_that_a_checkpoint_joins_are_one_conversation(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(
        "stories:\n- story: one\n  steps:\n  - user: hello\n  - checkpoint: met\n"
        "- story: two\n  steps:\n  - checkpoint: met\n  - user: and you\n  - bot: fine\n",
        "utf-8",
    )
    (_, (_, two)) = import_file(tmp_path / "a.yml").scripts
    assert two.index('user: "hello"') < two.index('user: "and you"')
