"""When a visitor is passed on to a person, what is asked before, and what goes along; without sound."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.answerer import Answerer
from agent.desk import Desk
from agent.events import Ended, ErrandMoved, Event, Heard, PassedOn, Screened, Withdrawn, Written
from agent.feeling import CROSS, FURIOUS, anger
from agent.handoff import wants_person
from agent.handoff_record import handoff_of
from agent.history import Exchange, History
from agent.particulars import Particulars, hidden, particulars_of
from agent.reply import reply
from agent.scripted import ScriptedAnswerer
from agent.sentence import Outcome, Sentence
from agent.staff import Staff
from agent.tools import Tool
from knowledge.passage import Passage
from moderation import Guard
from speech.recognizer import Transcript
from speech.scripted_voice import ScriptedSynthesizer
from tests.agent.scripted import DESK, scripted_engines

THERE = Staff(known=True, there=True)
AWAY = Staff(known=True, there=False)
GUARD = Guard.load()
TOOLS = Desk.load("demo").tools()


pytestmark = pytest.mark.usefixtures("own_state")


class Talk:
    """A conversation in words; remembers as a live one does."""

    def __init__(
        self,
        folder: Path,
        answers: Sequence[str | Sentence] = ("You have thirty days.",),
        *,
        staff: Staff = THERE,
        settings: str = "",
        tools: tuple[Tool, ...] = (),
        answerer: Answerer | None = None,
    ) -> None:
        self.engines = scripted_engines(folder, answerer or ScriptedAnswerer(list(answers)), tools=tools)
        (folder / "desk.toml").write_text(DESK + settings, encoding="utf-8")
        self.engines.desk = Desk.load(folder)
        self.engines.guard = GUARD
        self.engines.synthesizer = ScriptedSynthesizer(rate=50.0)
        self.history, self.staff = History(), staff
        self.events: list[Event] = []
        self.outcome = Outcome.ANSWERED

    async def ask(self, text: str, confidence: float = 1.0) -> str:
        """Say something; return the reply."""
        heard = Heard(Transcript(text, "", confidence, "typed"), speech_s=1.0 if confidence < 1 else 0.0)
        memory = self.history.memory(staff=self.staff)
        question, said, self.events = "", [], []
        async for event in reply(heard, self.engines, memory):
            self.events.append(event)
            match event:
                case Screened() if not question and not said:
                    question = event.verdict.text
                    self.history.hear(text, event.verdict, self.engines.tools)
                case ErrandMoved():
                    self.history.take(event.errand)
                case Written():
                    said.append(event.sentence.text)
                case Ended():
                    self.outcome = event.outcome
                case _:
                    pass
        line = " ".join(said)
        self.history.add(Exchange(question, line, self.outcome, False, self.engines.desk.language_of(text)))
        return line

    @property
    def passed(self) -> PassedOn | None:
        return next((event for event in self.events if isinstance(event, PassedOn)), None)


async def test_who_asks_for_a_person_and_told_nothing_of_themselves_is_passed_on_at_once(
    tmp_path: Path,
) -> None:
    talk = Talk(tmp_path)
    said = await talk.ask("Can I talk to a real person, please?")
    assert talk.passed == PassedOn("asked", consent=False)
    assert said.endswith("You are next in line.")
    assert talk.outcome is Outcome.HANDOFF


@pytest.mark.parametrize(
    ("before", "request_", "question", "answer", "consent"),
    [
        ("My order is HP-10342.", "I want to speak to a person", "the numbers", "Yes, please.", True),
        ("My order is HP-10342.", "I want to speak to a person", "the numbers", "No.", False),
        ("Call me on 087 123 4567.", "operator please", "your phone number", "I'd rather not", False),
        ("我叫王小明，订单号是10342。", "我要转人工", "您的姓名、您提供的号码", "可以", True),
        ("我叫王小明。", "我要转人工", "您的姓名", "不用了吧，不要说", False),
    ],
)
async def test_what_the_visitor_told_goes_along_only_if_they_agree(
    tmp_path: Path, before: str, request_: str, question: str, answer: str, consent: bool
) -> None:
    talk = Talk(tmp_path)
    await talk.ask(before)
    assert question in await talk.ask(request_)
    assert talk.passed is None
    await talk.ask(answer)
    assert talk.passed == PassedOn("asked", consent)


async def test_a_question_in_place_of_an_answer_is_answered_and_the_consent_asked_for_again(
    tmp_path: Path,
) -> None:
    talk = Talk(tmp_path)
    await talk.ask("My order is HP-10342.")
    await talk.ask("I want to talk to a person")
    said = await talk.ask("How long do I have?")
    assert said == "You have thirty days. May I tell them the numbers that you gave me as well?"
    assert talk.passed is None
    await talk.ask("ok")
    assert talk.passed == PassedOn("asked", consent=True)


async def test_who_never_says_yes_is_passed_on_without_their_data(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    await talk.ask("My order is HP-10342.")
    await talk.ask("I want to talk to a person")
    await talk.ask("How long do I have?")
    said = await talk.ask("And what does it cost?")
    assert said.startswith("You have thirty days.")
    assert talk.passed == PassedOn("asked", consent=False)


async def test_who_changes_their_mind_is_not_passed_on(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    await talk.ask("My order is HP-10342.")
    await talk.ask("I want to talk to a person")
    assert (await talk.ask("Never mind, I don't need a person")).startswith("All right")
    assert talk.passed is None
    assert talk.history.errand is None


async def test_who_waits_hears_their_place_goes_on_asking_and_may_withdraw(tmp_path: Path) -> None:
    talk = Talk(tmp_path, staff=replace(THERE, waiting=True, place=3))
    assert await talk.ask("How long do I have?") == "You have thirty days."
    for again in ("When is a colleague coming?", "I want to talk to a person", "同事什么时候来？"):
        assert "3" in await talk.ask(again)
        assert talk.passed is None
    await talk.ask("I don't want to talk to a person any more")
    assert any(isinstance(event, Withdrawn) for event in talk.events)


@pytest.mark.parametrize(
    "text", ["Forget it.", "oh well, never mind then, thanks", "算了", "好吧，算了吧，谢谢"]
)
async def test_who_waits_and_lets_it_go_withdraws(tmp_path: Path, text: str) -> None:
    talk = Talk(tmp_path, staff=replace(THERE, waiting=True, place=1))
    said = await talk.ask(text)
    assert any(isinstance(event, Withdrawn) for event in talk.events)
    assert said.startswith("好的" if text > "z" else "All right")


@pytest.mark.parametrize(
    "text", ["How do I cancel my order?", "怎么取消订单？", "Forget it, when do you open?"]
)
async def test_who_waits_and_asks_of_cancelling_is_answered(tmp_path: Path, text: str) -> None:
    talk = Talk(tmp_path, staff=replace(THERE, waiting=True, place=1))
    assert await talk.ask(text) == "You have thirty days."


async def test_who_waits_and_drops_what_is_being_done_goes_on_waiting(tmp_path: Path) -> None:
    talk = Talk(tmp_path, staff=replace(THERE, waiting=True, place=1), tools=TOOLS)
    assert "?" in await talk.ask("Please open a ticket")
    await talk.ask("Forget it")
    assert not any(isinstance(event, Withdrawn) for event in talk.events)


@pytest.mark.parametrize(
    ("angry", "sorry"),
    [
        ("This is ridiculous!! You useless machine", "sorry about that"),
        ("你们太差了，气死我了！", "不好的体验"),
    ],
)
async def test_who_is_furious_is_answered_and_offered_a_person(
    tmp_path: Path, angry: str, sorry: str
) -> None:
    talk = Talk(tmp_path)
    said = await talk.ask(angry)
    assert "You have thirty days." in said
    assert said.count("sorry") + said.count("抱歉") == 1
    assert sorry in said
    assert talk.passed is None
    await talk.ask("是的" if sorry.startswith("不") else "Yes please")
    assert talk.passed == PassedOn("anger", consent=False)


async def test_an_offer_that_was_refused_is_not_made_again_soon(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    assert "Shall I pass you on" in await talk.ask("This is ridiculous!!")
    assert (await talk.ask("No.")).startswith("All right")
    assert await talk.ask("This is so ridiculous!!") == "You have thirty days."


async def test_two_questions_in_a_row_without_an_answer_bring_the_offer(tmp_path: Path) -> None:
    unknown = Sentence("I do not know.", outcome=Outcome.ABSTAINED)
    talk = Talk(tmp_path, [unknown])
    assert await talk.ask("What is the weight of the moon?") == "I do not know."
    assert "Shall I pass you on" in await talk.ask("And of the sun?")
    await talk.ask("Yes")
    assert talk.passed == PassedOn("failure", consent=False)


async def test_an_offer_is_made_once_more_where_the_next_question_was_of_no_use_either(
    tmp_path: Path,
) -> None:
    talk = Talk(tmp_path, [Sentence("I do not know.", outcome=Outcome.ABSTAINED)])
    for question in ("What is the weight of the moon?", "And of the sun?", "Hm, and of Mars?"):
        said = await talk.ask(question)
    assert said == "I do not know. Shall I pass you on to a colleague?"
    assert "Shall I" not in await talk.ask("Of Venus?")


async def test_who_vents_their_anger_is_not_told_that_the_desk_does_not_know(tmp_path: Path) -> None:
    talk = Talk(tmp_path, [Sentence("I do not know.", outcome=Outcome.ABSTAINED)])
    said = await talk.ask("You are completely useless!!")
    assert said == "I am sorry that this is so annoying. Shall I pass you on to a colleague?"


async def test_words_that_are_not_made_out_twice_bring_the_offer(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    assert "Shall I" not in await talk.ask("mumble", confidence=0.05)
    assert "Shall I pass you on" in await talk.ask("mumble", confidence=0.05)


async def test_an_answer_that_missed_the_question_counts(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    await talk.ask("How long do I have?")
    await talk.ask("That is not what I asked.")
    assert "Shall I pass you on" in await talk.ask("You didn't answer my question.")


async def test_what_the_settings_leave_to_people_goes_to_them(tmp_path: Path) -> None:
    talk = Talk(tmp_path, settings='[handoff]\nwords = ["my lawyer", "律师"]\ntopics = ["legal"]\n')
    await talk.ask("You will hear from My  Lawyer!")
    assert talk.passed == PassedOn("policy", consent=False)
    await talk.ask("我会找律师的")
    assert talk.passed is not None
    assert await talk.ask("Are lawyers welcome?") == "You have thirty days."
    talk.engines.knowledge.passage = Passage("1", "en/x.md", "X", "Text.", 0.9, tags=("Legal",))  # type: ignore[attr-defined]
    said = await talk.ask("What are the terms?")
    assert said.startswith("You have thirty days. Of course, I will get a colleague")
    assert talk.passed == PassedOn("policy", consent=False)


async def test_who_is_in_danger_hears_the_help_line_and_is_passed_on(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    said = await talk.ask("I want to kill myself")
    assert "You are next in line." in said
    assert talk.passed == PassedOn("guard", consent=False)


async def test_out_of_hours_a_message_is_taken_where_a_tool_takes_them(tmp_path: Path) -> None:
    settings = '[handoff]\nhours = "mon 09:00-09:01"\n[handoff.contact]\nen = "Write to help@acme.example."\n'
    talk = Talk(tmp_path, staff=AWAY, settings=settings, tools=TOOLS)
    said = await talk.ask("I want to talk to a person")
    assert "Write to help@acme.example." in said
    assert "Please tell me in one sentence" in said
    assert talk.passed == PassedOn("asked", consent=False, there=False)
    assert "Shall I open a ticket" in await talk.ask("My tent arrived with a hole in it")


async def test_out_of_hours_without_such_a_tool_the_contact_is_named(tmp_path: Path) -> None:
    talk = Talk(tmp_path, staff=AWAY, settings='[handoff.contact]\nzh = "请致电 12345。"\n')
    assert await talk.ask("我要转人工") == "抱歉，同事现在不在。 请致电 12345。"


async def test_where_nobody_looks_after_the_inbox_everything_is_as_before(tmp_path: Path) -> None:
    talk = Talk(tmp_path, staff=Staff())
    said = await talk.ask("This is ridiculous!! You useless machine")
    assert said == "I am sorry about that. You have thirty days."
    assert talk.passed is None


def test_a_handoff_hides_what_was_told_unless_the_visitor_agreed() -> None:
    history = [
        Exchange("My name is Anna Smith and my order is HP-10342", "HP-10342 is on its way, Anna Smith.",
                 Outcome.ANSWERED, False, "en"),
        Exchange("Why is it late?", "I do not know.", Outcome.ABSTAINED, False, "en"),
    ]  # fmt: skip
    told = Particulars(names=("Anna Smith",), numbers=("HP-10342",), phones=("0871234567",))
    agreed = handoff_of(PassedOn("asked", consent=True), history, "a person please", told, "en")
    assert agreed.data == {"names": ["Anna Smith"], "phones": ["0871234567"], "numbers": ["HP-10342"]}
    assert agreed.transcript[1].text == "HP-10342 is on its way, Anna Smith."
    assert "Still open: Why is it late" in agreed.summary
    masked = handoff_of(PassedOn("asked", consent=False), history, "a person please", told, "en")
    assert masked.data == {}
    whole = " ".join([masked.summary, *(line.text for line in masked.transcript)])
    assert "10342" not in whole
    assert "Anna" not in whole
    assert "Why is it late?" in whole


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("my name is john smith and my order is HP-10342",
         {"names": ["John Smith"], "numbers": ["HP-10342"]}),
        ("I'm Anna Smith, call me on +353 87 123 4567",
         {"names": ["Anna Smith"], "phones": ["+353871234567"]}),
        ("one oh three four two", {"numbers": ["10342"]}),
        ("my order is ten three forty-two", {"numbers": ["10342"]}),
        ("I'm Peter, at 12 Elm Street", {"names": ["Peter"], "addresses": ["12 Elm Street"]}),
        ("我是张伟，住在建国路88号", {"names": ["张伟"], "addresses": ["建国路88号"]}),
        ("ring me at zero two zero nine one zero zero one four two", {"phones": ["0209100142"]}),
        ("我叫王小明，手机13812345678，订单号10342",
         {"names": ["王小明"], "phones": ["13812345678"], "numbers": ["10342"]}),
        ("write to anna@shop.example", {"emails": ["anna@shop.example"]}),
        ("My card is 4111 1111 1111 1111", {}),
        ("My name is not on the list", {}),
        ("How do I return it within 30 days?", {}),
    ],
)  # fmt: skip
def test_what_visitors_tell_of_themselves_is_found(text: str, found: dict[str, list[str]]) -> None:
    assert particulars_of(text, GUARD.screen(text), TOOLS).document() == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("My name is Will. Will it come? It will, says Will.",
         "My name is [name]. Will it come? It will, says [name]."),
        ("my name is may and I may return it", "my name is [name] and I may return it"),
        ("I'm Peter. Is peter there?", "I'm [name]. Is [name] there?"),
        ("I'm Anna Smith, Anna for short", "I'm [name], [name] for short"),
        ("I'm German. I'm Sorry, I am Fine", "I'm German. I'm Sorry, I am Fine"),
        ("我姓高，我不高兴，高先生也不高兴", "我姓[姓名]，我不高兴，[姓名]先生也不高兴"),
        ("我是张伟，张伟的包坏了", "我是[姓名]，[姓名]的包坏了"),
        ("我叫Peter，我是程序员", "我叫[姓名]，我是程序员"),
        ("我是高中生，我是苏北人，我是何时下的单", "我是高中生，我是苏北人，我是何时下的单"),
        ("我叫你走开，我是白来了", "我叫你走开，我是白来了"),
        ("I live at 12 Elm Street, Springfield", "I live at [address]"),
        ("send it to 221b baker street", "send it to [address]"),
        ("My address is 7 The Green, Dublin 4.", "My address is [address]."),
        ("请寄到上海市世纪大道100号3栋502室", "请寄到[地址]"),
        ("我住在建国路88号，谢谢", "我住在[地址]，谢谢"),
        ("I walked 5 days on the road with 2 tents", "I walked 5 days on the road with 2 tents"),
        ("it is nineteen eighty four twelve", "it is [number]"),
        ("one oh three fourteen or twenty four months", "[number] or twenty four months"),
    ],
)  # fmt: skip
def test_what_visitors_tell_is_hidden_and_common_words_stay(text: str, shown: str) -> None:
    told = particulars_of(text, GUARD.screen(text), TOOLS)
    assert hidden(text, told, "zh" if text > "z" else "en", own=True) == shown


def test_numbers_are_hidden_however_they_are_grouped_and_prices_are_not() -> None:
    told = Particulars(numbers=("10342",))
    text = "Your order HP-10342, that was 1 0 3 4 2, costs 1200 euros."
    assert hidden(text, told, "en", own=False) == "Your order [number], that was [number], costs 1200 euros."


@pytest.mark.parametrize("text", [
    "I don't want to talk to a bot, I want a person", "不想跟机器人说话，转人工", "get me a human",
    "I won't talk to you any more, get me a human", "Operator, please", "可以帮我转一下人工吗",
])  # fmt: skip
def test_a_person_is_wanted(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", [
    "I don't need to talk to a person", "no need for a human agent", "不用转人工", "你是真人吗",
])  # fmt: skip
def test_no_person_is_wanted(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("calm", [
    "Where is my order?", "I'm not angry", "How do I file a complaint?", "怎么投诉？", "我没有生气",
    "Thank you, that helped", "Is the tent useless in snow or fine?", "HOW MUCH IS IT?",
])  # fmt: skip
def test_calm_words_are_not_taken_for_anger(calm: str) -> None:
    assert anger(calm, GUARD.screen(calm)) < FURIOUS


@pytest.mark.parametrize("cross", [
    "I am very disappointed", "This is the third time I ask", "where is my damn order", "我很失望",
])  # fmt: skip
def test_cross_words_count_from_the_second_time_on(cross: str) -> None:
    assert CROSS <= anger(cross, GUARD.screen(cross)) <= 1
