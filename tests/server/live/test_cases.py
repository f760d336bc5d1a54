"""What a person reads of a conversation, and what is kept of it."""

from agent.conversation_events import HeardWords, PersonTold, SentenceBegan, TurnEnded
from agent.handoff_record import Handoff, Line
from agent.privacy import Privacy
from agent.sentence import Outcome, Sentence
from moderation.policy import Policy
from server.live.cases import LINES, Case, stored
from server.live.masking import Masker, SessionMask

HANDOFF = Handoff("asked", True, True, "en", "About a tent.", (Line("visitor", "Hi"),), {"names": ("Anna",)})


def case() -> Case:
    return Case("s1", "front", HANDOFF, 1.0, 1.0, lambda text: text.replace("10342", "[number]"))


def ended(turn: int, heard: str) -> TurnEnded:
    return TurnEnded(turn, "", heard, Outcome.ANSWERED, True)


def test_of_a_reply_that_was_interrupted_only_what_was_heard_is_shown() -> None:
    one = case()
    one.state = "taken"
    one.take(HeardWords(1, "When?", final=True), 2.0, "")
    for text in ("It comes tomorrow.", "At noon."):
        one.take(SentenceBegan(2, Sentence(text, person="Anna")), 3.0, "Anna")
    line = one.take(ended(2, "It comes tom"), 4.0, "Anna")
    assert line is not None
    assert (line.text, line.who, line.interrupted) == ("It comes tom", "person", True)
    assert [each.text for each in one.document().transcript] == ["Hi", "When?", "It comes tom"]
    one.take(SentenceBegan(3, Sentence("Sorry?", person="Anna")), 5.0, "Anna")
    one.take(ended(3, ""), 6.0, "Anna")
    assert len(one.said) == 2


def test_what_the_ai_said_before_a_person_stays_the_ai_s_where_that_person_is_interrupted() -> None:
    one = case()
    one.state = "taken"
    for text, person in (
        ("You talk with Anna.", ""),
        ("I speak.", ""),
        ("Hi there.", "Anna"),
        ("I am Anna.", "Anna"),
    ):
        one.take(SentenceBegan(2, Sentence(text, person=person)), 3.0, "Anna")
    line = one.take(ended(2, "You talk with Anna. I speak. Hi there. I am"), 4.0, "Anna")
    assert line is not None
    assert (line.text, line.who, line.name) == ("Hi there. I am", "person", "Anna")
    told = [(each.who, each.text) for each in one.said]
    assert told == [("ai", "You talk with Anna."), ("ai", "I speak."), ("person", "Hi there. I am")]


def test_a_person_of_whom_nothing_was_heard_said_nothing() -> None:
    one = case()
    one.state = "taken"
    one.take(SentenceBegan(2, Sentence("You talk with Anna.")), 3.0, "Anna")
    one.take(SentenceBegan(2, Sentence("Hi there.", person="Anna")), 3.0, "Anna")
    line = one.take(ended(2, "You talk"), 4.0, "Anna")
    assert line is not None
    assert (line.text, line.who, line.interrupted) == ("You talk", "ai", True)
    assert [each.text for each in one.said] == ["You talk"]


def test_what_is_told_to_the_person_is_kept_masked() -> None:
    one = case()
    one.state = "taken"
    one.by = "Anna"
    one.take(HeardWords(1, "Call [phone number] about 10342.", final=True), 2.0, "Anna")
    line = one.take(PersonTold(1, "Call 087 123 4567 about 10342.", "unclear"), 2.0, "Anna")
    assert line is not None
    assert one.masked(line).text == "Call [phone number] about [number]."
    assert one.document("Anna").transcript[-1].text == "Call 087 123 4567 about 10342."
    assert one.document("Ben").transcript[-1].text == "Call [phone number] about [number]."
    kept = stored(one.kept(), over=False)
    assert kept.transcript[-1].text == "Call [phone number] about [number]."
    assert kept.transcript[-1].flagged == "unclear"
    assert (kept.state, kept.live) == ("taken", True)
    assert stored(one.kept(), over=True).state == "left"


def test_who_has_the_conversation_no_more_reads_it_masked_and_so_does_who_takes_it_then() -> None:
    one = case()
    one.state, one.by = "taken", "Anna"
    one.take(HeardWords(1, "[phone number]", final=True), 2.0, "Anna")
    one.take(PersonTold(1, "087 123 4567"), 2.0, "Anna")
    one.move("back", 3.0)
    assert "087" not in one.document("Anna").model_dump_json()
    one.by = "Ben"
    one.move("taken", 4.0)
    assert one.document("Ben").transcript[-1].text == "[phone number]"


def test_a_desk_that_keeps_no_words_keeps_none_of_visitors_here_either() -> None:
    one = case()
    one.mask = SessionMask(Masker(Policy.load(), Privacy(keep="none")))
    one.take(HeardWords(1, "my words", final=True), 2.0, "")
    one.take(SentenceBegan(1, Sentence("Ours.")), 3.0, "")
    kept = stored(one.kept(), over=False)
    assert [line.text for line in kept.transcript] == ["Ours."]
    assert (kept.summary, kept.data) == ("", {})


def test_a_long_conversation_keeps_its_latest_lines() -> None:
    one = case()
    for turn in range(LINES + 20):
        one.take(SentenceBegan(turn, Sentence(str(turn))), 1.0, "")
    assert len(one.said) == LINES
    one.take(ended(LINES + 19, "cut"), 2.0, "")
    assert one.said[-1].text == "cut"
    assert one.said[-2].text == str(LINES + 18)
