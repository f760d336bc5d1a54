"""The demo desk's content: complete, sayable, and saying one thing only."""

import json
import re
import sqlite3
import threading
import tomllib
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.beginning import Act, Aside, Say, Step
from agent.desk import Desk, new_desk
from agent.errands import next_step
from agent.history import Memory
from agent.slots import Errand
from agent.tools import Tool, load_tools, run_tool
from moderation import Action, Guard
from moderation.policy import Policy

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "agent" / "desks" / "demo"
STARTER = ROOT / "agent" / "desks" / "starter"
QUESTIONS = ROOT / "evals" / "data" / "demo_questions.jsonl"
FACTS = tomllib.loads((DEMO / "facts.toml").read_text(encoding="utf-8"))
LONGEST_SENTENCE = {"en": 30, "zh": 90}
"""Words; characters. Longer ones cannot be followed by ear."""


def front_matter(file: Path) -> tuple[dict[str, Any], str]:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("---\n"), f"{file.name} has no front matter"
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body.strip()


def documents(language: str, desk: Path = DEMO) -> list[Path]:
    return sorted((desk / "knowledge" / language).glob("*.md"))


ALL = [*documents("en"), *documents("zh"), *documents("en", STARTER)]


def prose(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if line and not line.startswith("#"))


def sections(body: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", body, flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def sentences(text: str, language: str) -> list[str]:
    end = r"(?<=[.!?])\s+" if language == "en" else r"(?<=[。！？])|\n"
    return [part for part in re.split(end, text) if part.strip()]


def words_of(language: str) -> str:
    return "\n".join(prose(front_matter(file)[1]) for file in documents(language))


def test_there_are_enough_documents_in_both_languages() -> None:
    assert len(documents("en")) >= 40
    assert len(documents("zh")) >= 20
    assert sum(front_matter(file)[0]["kind"] == "faq" for file in documents("en")) >= 6


@pytest.mark.parametrize("file", ALL, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_document_is_well_formed_and_can_be_read_aloud(file: Path) -> None:
    head, body = front_matter(file)
    language = file.parent.name
    assert head["language"] == language
    assert head["kind"] in ("article", "faq")
    assert isinstance(head["tags"], list)
    assert head["tags"]
    assert isinstance(head["updated"], date)
    assert body.startswith(f"# {head['title']}\n")
    parts = sections(body)
    assert len(parts) >= 2
    assert all(parts.values()), "a section without text"
    if head["kind"] == "faq":
        assert all(heading.endswith(("?", "？")) for heading in parts)
        assert language == "zh" or DEMO not in file.parents or 6 <= len(parts) <= 10
    else:
        questions = head["questions"]
        assert isinstance(questions, list)
        assert 3 <= len(questions) <= 12
        assert all(isinstance(question, str) for question in questions)
    text = prose(body)
    assert not re.search(r"todo|lorem|tbd|xxx|placeholder|^\s*[-*|]", text, re.IGNORECASE | re.MULTILINE)
    for sentence in sentences(text, language):
        length = len(sentence.split()) if language == "en" else len(sentence)
        assert length <= LONGEST_SENTENCE[language], sentence


@pytest.mark.parametrize("file", documents("zh"), ids=lambda file: file.stem)
def test_chinese_text_uses_chinese_punctuation(file: Path) -> None:
    assert not re.search(r"[\u4e00-\u9fff][,?!;:]|[,?!;:][\u4e00-\u9fff]", front_matter(file)[1])


def test_no_question_leads_to_two_documents() -> None:
    for language in ("en", "zh"):
        asked = Counter(
            str(question).casefold()
            for file in documents(language)
            for question in (front_matter(file)[0].get("questions") or sections(front_matter(file)[1]))
        )
        assert [question for question, times in asked.items() if times > 1] == []


RETURNS = FACTS["returns"]
REFUNDS = FACTS["refunds"]
DELIVERY = FACTS["delivery"]
WARRANTY = FACTS["warranty"]
SAID = [
    ("en", "returns", f"within {RETURNS['window_days']} days"),
    ("zh", "returns", f"{RETURNS['window_days']} 天内"),
    ("en", "return-costs", f"a return label costs {RETURNS['label_euros_eu']} euros"),
    ("en", "return-costs", f"a return label costs {RETURNS['label_euros_uk_ch_no']} euros"),
    ("zh", "return-costs", f"{RETURNS['label_euros_eu']} 欧元"),
    ("zh", "return-costs", f"{RETURNS['label_euros_uk_ch_no']} 欧元"),
    ("en", "refunds", f"within {REFUNDS['after_arrival_working_days']} working days"),
    ("zh", "refunds", f"{REFUNDS['after_arrival_working_days']} 个工作日"),
    ("en", "delivery-ireland", f"costs {DELIVERY['ireland']['fee_euros']} euros"),
    ("en", "delivery-ireland", f"from {DELIVERY['ireland']['free_from_euros']} euros"),
    ("zh", "delivery-ireland", f"运费 {DELIVERY['ireland']['fee_euros']} 欧元"),
    ("zh", "delivery-ireland", f"满 {DELIVERY['ireland']['free_from_euros']} 欧元"),
    ("en", "delivery-europe", f"costs {DELIVERY['near_europe']['fee_euros']} euros"),
    ("zh", "delivery-europe", f"运费 {DELIVERY['near_europe']['fee_euros']} 欧元"),
    ("en", "delivery-europe", f"from {DELIVERY['rest_of_eu']['free_from_euros']} euros"),
    ("zh", "delivery-europe", f"满 {DELIVERY['rest_of_eu']['free_from_euros']} 欧元"),
    (
        "en",
        "delivery-uk-switzerland-norway",
        f"costs {DELIVERY['uk_switzerland_norway']['fee_euros']} euros",
    ),
    (
        "zh",
        "delivery-uk-switzerland-norway",
        f"运费 {DELIVERY['uk_switzerland_norway']['fee_euros']} 欧元",
    ),
    ("en", "large-item-delivery", f"cost {DELIVERY['large_items']['fee_euros']} euros"),
    ("zh", "faq-delivery", f"费用是 {DELIVERY['large_items']['fee_euros']} 欧元"),
    ("en", "warranty", f"{WARRANTY['years_tents']} years"),
    ("en", "warranty", f"{WARRANTY['years_backpacks']} years"),
    ("zh", "warranty", f"保修 {WARRANTY['years_tents']} 年"),
    ("zh", "warranty", f"保修 {WARRANTY['years_backpacks']} 年"),
    ("en", "gift-cards", f"valid for {FACTS['gift_cards']['valid_years']} years"),
    ("zh", "gift-cards", f"有效期是 {FACTS['gift_cards']['valid_years']} 年"),
    ("en", "loyalty", f"after {FACTS['loyalty']['expire_months']} months"),
    ("zh", "loyalty", f"{FACTS['loyalty']['expire_months']} 个月后"),
    ("en", "sign-in", f"locked for {FACTS['account']['locked_minutes']} minutes"),
    ("zh", "account", f"锁 {FACTS['account']['locked_minutes']} 分钟"),
    ("en", "contact", FACTS["contact"]["phone"]),
    ("zh", "contact", FACTS["contact"]["phone"]),
    ("en", "contact", FACTS["contact"]["email"]),
    ("zh", "contact", FACTS["contact"]["email"]),
    ("en", "stores", FACTS["stores"]["dublin"]),
    ("zh", "stores", FACTS["stores"]["amsterdam"]),
]


@pytest.mark.parametrize(("language", "name", "words"), SAID)
def test_the_articles_say_what_the_fact_sheet_says(language: str, name: str, words: str) -> None:
    assert words in (DEMO / "knowledge" / language / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "pattern", "allowed"),
    [
        ("en", r"(?:return|exchange)[^.]{0,60} within (\d+) days", {str(RETURNS["window_days"])}),
        ("zh", r"(\d+) 天内[^。]{0,6}(?:退货|可以退|可以换)", {str(RETURNS["window_days"])}),
        ("en", r"large items?[^.]{0,40}? for (\d+) euros", {str(RETURNS["large_item_pickup_euros"])}),
        ("en", r"yourself[^.]* for (\d+) minutes", {str(FACTS["orders"]["self_service_minutes"])}),
        ("en", r"refund[^.]* within (\d+) working days", {str(REFUNDS["after_arrival_working_days"])}),
        ("en", r"bank (?:then )?needs up to (\d+) ", {str(REFUNDS["bank_working_days"])}),
        ("en", r"search[^.]* up to (\d+) working days", {str(DELIVERY["rules"]["trace_working_days"])}),
        ("en", r"gift cards[^.]* valid for (\d+) years", {str(FACTS["gift_cards"]["valid_years"])}),
        ("en", r"answer[^.]* within (one|\d+) working days?", {"one", str(WARRANTY["answer_working_days"])}),
        ("zh", r"银行[^。]*(\d+) 个工作日", {str(REFUNDS["bank_working_days"])}),
        ("zh", r"下单后 (\d+) 分钟", {str(FACTS["orders"]["self_service_minutes"])}),
    ],
)
def test_a_number_is_the_same_wherever_it_is_said(language: str, pattern: str, allowed: set[str]) -> None:
    found = re.findall(pattern, words_of(language), re.IGNORECASE)
    assert found, "the pattern finds nothing: the articles were reworded, so reword the pattern"
    assert set(found) <= allowed


def test_only_the_shops_own_contacts_are_given() -> None:
    contact = FACTS["contact"]
    for language in ("en", "zh"):
        text = words_of(language)
        known = {value for key, value in contact.items() if key.endswith("email")}
        assert set(re.findall(r"[\w.]+@[\w.]+\w", text)) <= known
        assert set(re.findall(r"\d{3} \d{3} \d{4}", text)) == {contact["phone"]}
        assert "http" not in text


def test_the_policies_are_valid_and_allow_the_shops_contacts() -> None:
    policy = Policy.load(DEMO / "policy.toml")
    assert FACTS["contact"]["phone"] in policy.contacts.phones
    assert policy.words.competitors
    assert {"medical", "legal", "financial"} <= set(policy.topics)
    assert set(policy.help_lines) == {"en", "zh"}
    Policy.load(STARTER / "policy.toml")


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard.load(DEMO / "policy.toml")


def test_everything_that_the_desk_may_say_passes_its_own_policy(guard: Guard, look_up: Tool) -> None:
    lines = [
        line.format(number="HP-10342", day="Monday, 4 May", store="Cork", when="tomorrow at noon")
        for spoken in look_up.call.__globals__["LINES"].values()
        for line in spoken.values()
    ]
    for language in ("en", "zh"):
        lines += sentences(words_of(language), language)
    stopped = [line for line in lines if guard.screen(line, direction="output").action != Action.ALLOW]
    assert stopped == []


def test_no_question_about_the_shop_is_turned_away(guard: Guard) -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    asked = [row["question"] for row in rows if row["kind"] in ("in", "near", "handoff", "smalltalk")]
    for file in [*documents("en"), *documents("zh")]:
        asked += front_matter(file)[0].get("questions") or []
    assert [words for words in asked if not guard.screen(words, direction="input").passes] == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("We guarantee delivery by Friday.", "promise"),
        ("We will definitely refund you.", "promise"),
        ("I have cancelled your order.", "promise"),
        ("我们保证明天送到。", "promise"),
        ("我一定会给您退款。", "promise"),
        ("Fernwick Outdoor has that for less.", "competitor"),
    ],
)
def test_promises_and_rivals_are_never_said(guard: Guard, line: str, rule: str) -> None:
    verdict = guard.screen(line, direction="output")
    assert verdict.action == Action.REFUSE
    assert verdict.rule.startswith(rule)


@pytest.mark.parametrize(
    "words",
    ["How do I treat a tick bite?", "Can I sue you?", "Should I buy bitcoin now?", "手烫伤了怎么处理"],
)
def test_advice_that_is_no_shops_business_is_not_given(guard: Guard, words: str) -> None:
    assert guard.screen(words, direction="input").rule.startswith("topic.")


def test_the_questions_are_many_and_point_to_documents() -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    kinds = Counter((row["kind"], row["language"]) for row in rows)
    assert len(rows) >= 150
    assert kinds["in", "en"] >= 70
    assert kinds["in", "zh"] >= 30
    assert kinds["out", "en"] >= 25
    assert kinds["out", "zh"] >= 10
    assert kinds["near", "en"] + kinds["near", "zh"] >= 15
    assert len({row["id"] for row in rows}) == len(rows)
    for number, row in enumerate(rows, start=1):
        assert row["split"] == ("test" if number % 3 == 0 else "dev")
        assert bool(row["expect_sources"]) == (row["kind"] == "in") or row["kind"] == "smalltalk"
        for source in row["expect_sources"]:
            assert (DEMO / "knowledge" / source).is_file(), source


def content_words(question: str) -> set[str]:
    if re.search(r"[\u4e00-\u9fff]", question):
        bare = re.sub(r"\W", "", question)
        return {bare[at : at + 2] for at in range(len(bare) - 1)}
    common = set(re.findall(r"\w+", "the a i is do to my of in it you can and for how what me have your on"))
    return set(re.findall(r"[a-z0-9']+", question.casefold())) - common


def test_the_questions_are_not_worded_like_the_documents() -> None:
    known = [
        content_words(str(words))
        for file in [*documents("en"), *documents("zh")]
        for words in [*(front_matter(file)[0].get("questions") or []), *sections(front_matter(file)[1])]
    ]
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        asked = content_words(row["question"])
        if row["kind"] == "in":
            nearest = max(known, key=lambda words: len(words & asked) / max(1, len(words | asked)))
            assert len(nearest & asked) / len(nearest | asked) < 0.5, (row["id"], nearest)


def named(name: str) -> Tool:
    return next(one for one in load_tools(DEMO / "tools.py") if one.name == name)


@pytest.fixture(scope="module")
def look_up() -> Tool:
    return named("look_up_order")


def ask(look_up: Tool, number: str, folder: Path, language: str = "en") -> str:
    return run_tool(look_up, {"order_number": number}, language=language, state_dir=folder)


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        ("10366", "being packed", "正在打包"),
        ("10369", "Cork store", "科克门店"),
        ("10372", "pre-order", "预购"),
        ("10342", "on its way", "已经发货"),
        ("10345", "out for delivery", "正在派送"),
        ("10350", "ready in our Dublin store", "都柏林门店取货"),
        ("10336", "pick-up point", "自提点"),
        ("10338", "was delivered", "送达"),
        ("10331", "sorry", "很抱歉"),
        ("10325", "reached our warehouse", "到达了仓库"),
        ("10318", "was refunded", "已经退款"),
        ("10327", "was cancelled", "取消了"),
    ],
)
def test_every_state_of_an_order_can_be_said(
    look_up: Tool, tmp_path: Path, number: str, english: str, chinese: str
) -> None:
    assert english in ask(look_up, number, tmp_path)
    assert chinese in ask(look_up, number, tmp_path, "zh")


@pytest.mark.parametrize("number", ["10342", "HP-10342", "hp 10342", "H P 10342", " HP10342 "])
def test_an_order_is_found_however_its_number_is_written(look_up: Tool, tmp_path: Path, number: str) -> None:
    assert ask(look_up, number, tmp_path).startswith("Your order HP-10342 is on its way")


def test_an_unknown_order_is_said_to_be_unknown_and_what_to_check(look_up: Tool, tmp_path: Path) -> None:
    line = ask(look_up, "99999", tmp_path)
    assert "cannot find" in line
    assert "confirmation e-mail" in line
    assert "没有找到" in ask(look_up, "99999", tmp_path, "zh")


@pytest.mark.parametrize(
    "hostile",
    [
        "'; DROP TABLE orders; --",
        "10342 OR 1=1",
        "10342'",
        "",
        "HP-",
        "1e9999",
        "-10342\x00",
        "1034２",
        "9" * 5000,
    ],
)
def test_hostile_input_changes_nothing_and_is_not_repeated(
    look_up: Tool, tmp_path: Path, hostile: str
) -> None:
    before = ask(look_up, "10342", tmp_path)
    line = ask(look_up, hostile, tmp_path)
    assert line.startswith("I need the five digits")
    assert ask(look_up, "10342", tmp_path) == before
    (book,) = tmp_path.glob("*.sqlite")
    with sqlite3.connect(book) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone()[0] >= 25
    connection.close()


def test_visitors_who_ask_at_once_share_one_whole_order_book(look_up: Tool, tmp_path: Path) -> None:
    lines: list[str] = []
    threads = [
        threading.Thread(target=lambda: lines.append(ask(look_up, "10342", tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines) == 8
    assert len(set(lines)) == 1
    assert [file.suffix for file in tmp_path.iterdir()] == [".sqlite"]


def test_a_state_folder_with_odd_signs_in_its_name_works(look_up: Tool, tmp_path: Path) -> None:
    assert "on its way" in ask(look_up, "10342", tmp_path / "a b?mode=rw#%41 客服")


def test_promised_days_are_working_days_to_come(look_up: Tool, tmp_path: Path) -> None:
    numbers = ("10340", "10342", "10355", "10331", "10347")
    for number in numbers:
        found = re.search(r"(\w+), (\d+) (\w+)\.", ask(look_up, number, tmp_path))
        assert found
        assert found.group(1) not in ("Saturday", "Sunday")
        days = [date.today() + timedelta(days=ahead) for ahead in range(10)]
        assert (found.group(2), found.group(3)) in [(str(day.day), f"{day:%B}") for day in days]


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("where is my order HP-10342?", "10342"),
        ("has my parcel hp 10345 left yet", "10345"),
        ("it's one oh three four two", "10342"),
        ("10342", "10342"),
        ("帮我查一下订单一零三四二到哪了", "10342"),
        ("我的快递HP-10345呢", "10345"),
    ],
)
def test_an_order_number_is_heard_in_a_visitors_words(look_up: Tool, words: str, number: str) -> None:
    assert look_up.about.search(words)
    assert look_up.fill(words) == {"order_number": number}


@pytest.mark.parametrize(
    "words", ["where is my order?", "a tent for 10342 euros", "call 020 910 0142", "订单在哪里", "order 4711"]
)
def test_no_order_is_looked_up_without_its_number(look_up: Tool, words: str) -> None:
    assert not (look_up.about.search(words) and look_up.fill(words))


def test_the_starter_desk_is_ready_to_use(tmp_path: Path) -> None:
    desk = new_desk(tmp_path / "mine", name="My shop desk", company="My shop")
    assert len(documents("en", desk.folder)) == 3
    (check,) = desk.tools()
    today = date.today()
    state = tmp_path / "state"
    recent = run_tool(check, {"bought": f"{today.year - 1}-02-28"}, language="en", state_dir=state)
    assert "warranty runs until 28 February" in recent
    old = run_tool(check, {"bought": "2012-02-29"}, language="en", state_dir=state)
    assert "ended on 1 March 2014" in old
    nonsense = run_tool(check, {"bought": "2012-13-45"}, language="en", state_dir=state)
    assert "did not understand" in nonsense


def test_the_demo_desk_is_found_by_its_name() -> None:
    desk = Desk.load("demo")
    assert desk.scripts == tuple(sorted((DEMO / "scripts").glob("*.yaml")))
    assert [(tool.name, tool.changes) for tool in desk.tools()] == [
        ("look_up_order", False),
        ("cancel_order", True),
        ("open_ticket", True),
        ("book_call_back", True),
    ]


def step(words: str, language: str = "en", errand: Errand | None = None) -> Step:
    phrases = Desk.load("demo").phrases("zh" if language == "zh" else "en")
    tools = load_tools(DEMO / "tools.py")
    return next_step(words, Memory(errand=errand), tools, phrases, language=language, now_s=1.0)


@pytest.mark.parametrize(
    ("language", "said", "tool", "values"),
    [
        ("en", ("Where is my order?", "HP-10342"), "look_up_order", {"order_number": "10342"}),
        ("zh", ("我的快递到哪了？", "一零三四二"), "look_up_order", {"order_number": "10342"}),
        ("en", ("I'd like to cancel order 10366", "yes"), "cancel_order", {"order_number": "10366"}),
        ("zh", ("帮我取消订单", "10366", "是的"), "cancel_order", {"order_number": "10366"}),
        ("en", ("open a ticket", "my lamp hums", "yes"), "open_ticket", {"problem": "my lamp hums"}),
        ("zh", ("我要开工单", "灯不亮了", "对"), "open_ticket", {"problem": "灯不亮了"}),
        (
            "en",
            (
                "can someone call me back?",
                "oh eight seven, one two three, four five six seven",
                "tomorrow at 3 pm",
                "yes",
            ),
            "book_call_back",
            {"phone": "0871234567", "when": "tomorrow at 3 pm"},
        ),
        (
            "zh",
            ("请给我回电话", "13800138000", "明天上午", "好的"),
            "book_call_back",
            {"phone": "13800138000", "when": "明天上午"},
        ),
    ],
)
def test_an_action_is_talked_through(
    language: str, said: tuple[str, ...], tool: str, values: dict[str, str]
) -> None:
    errand: Errand | None = None
    for words in said[:-1]:
        asked = step(words, language, errand)
        assert isinstance(asked, Say), words
        errand = asked.errand
    done = step(said[-1], language, errand)
    assert isinstance(done, Act)
    assert (done.tool.name, dict(done.values)) == (tool, values)


def test_no_question_to_the_help_pages_begins_an_action() -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    begun = [
        row["question"]
        for row in rows
        if row["kind"] in ("in", "near", "out")
        and not isinstance(step(row["question"], row["language"]), Aside)
    ]
    assert begun == []


def test_an_order_that_was_cancelled_is_cancelled_for_the_next_visitor_too(
    look_up: Tool, tmp_path: Path
) -> None:
    cancel = named("cancel_order")
    arguments = {"order_number": "10366"}
    line = run_tool(cancel, arguments, language="en", state_dir=tmp_path)
    assert line.startswith("The order HP-10366 is cancelled.")
    assert "was cancelled on" in ask(look_up, "10366", tmp_path)
    assert "already" in run_tool(cancel, arguments, language="en", state_dir=tmp_path)
    assert "取消了" in run_tool(cancel, {"order_number": "10378"}, language="zh", state_dir=tmp_path)


@pytest.mark.parametrize(("number", "said"), [("10342", "cannot be cancelled"), ("99999", "cannot find")])
def test_an_order_that_is_under_way_or_unknown_is_not_cancelled(
    look_up: Tool, tmp_path: Path, number: str, said: str
) -> None:
    before = ask(look_up, number, tmp_path)
    assert said in run_tool(
        named("cancel_order"), {"order_number": number}, language="en", state_dir=tmp_path
    )
    assert ask(look_up, number, tmp_path) == before


def test_tickets_and_calls_are_written_down(tmp_path: Path) -> None:
    for number in ("T-1", "T-2"):
        line = run_tool(named("open_ticket"), {"problem": "'; DROP TABLE"}, language="en", state_dir=tmp_path)
        assert number in line
    wanted = {"phone": "0871234567", "when": "tomorrow"}
    line = run_tool(named("book_call_back"), wanted, language="en", state_dir=tmp_path)
    assert "tomorrow" in line
    assert "0871234567" not in line
    with closing(sqlite3.connect(tmp_path / "requests.sqlite")) as book:
        assert book.execute("SELECT problem FROM tickets").fetchall() == [("'; DROP TABLE",)] * 2
        assert book.execute("SELECT phone, suits FROM calls").fetchall() == [("0871234567", "tomorrow")]
