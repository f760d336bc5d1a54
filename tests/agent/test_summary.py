from agent.history import Exchange, History
from agent.sentence import Outcome
from agent.slots import Errand, Stage
from agent.summary import remembered, summary


def exchange(question: str, reply: str = "Fine.", outcome: Outcome = Outcome.ANSWERED) -> Exchange:
    return Exchange(question, reply, outcome, False, "en")


def test_a_short_conversation_is_kept_word_for_word() -> None:
    said = (exchange("How much is delivery?"), exchange("And abroad?"))
    assert remembered(said, language="en") == ("", said)


def test_beyond_the_budget_older_exchanges_become_topics_values_and_open_matters() -> None:
    said = (
        exchange("Where is my order HP-10342?"),
        exchange("How much is delivery to Ireland?"),
        exchange("and to Spain?"),
        exchange("Do you sell boats?", outcome=Outcome.ABSTAINED),
        exchange("hello"),
        exchange("What is the warranty on tents?", "word " * 30),
    )
    earlier, kept = remembered(said, language="en", budget=20)
    assert kept == said[-1:]
    assert "HP-10342" in earlier
    assert "Spain" in earlier
    assert "Still open: Do you sell boats" in earlier
    assert "hello" not in earlier
    assert "warranty" not in earlier


def test_a_summary_stays_short_however_long_the_conversation_was() -> None:
    said = [exchange(f"How much is the chair number {number} please?") for number in range(1000, 1200)]
    assert len(summary(said, language="en")) < 1200
    assert "1199" in summary(said, language="en")


def test_a_summary_is_in_the_visitors_language() -> None:
    said = [exchange("退货要多久？"), exchange("你们卖船吗？", outcome=Outcome.ABSTAINED)]
    assert summary(said, language="zh") == "之前谈到：退货要多久。还没有解决：你们卖船吗。"


def test_refused_words_are_not_repeated() -> None:
    assert summary([exchange("something vile", outcome=Outcome.REFUSED)], language="en") == ""


def test_another_visitor_finds_nothing_of_the_one_before() -> None:
    history = History()
    history.add(exchange("Where is my order?"))
    history.take(Errand("look", Stage.ASKED, "en", 0.0))
    before = history.memory()
    history.clear()
    after = history.memory()
    assert after.exchanges == ()
    assert after.errand is None
    assert after.key != before.key


def test_a_question_that_was_cut_off_does_not_count_as_put() -> None:
    history = History()
    history.take(Errand("cancel", Stage.CONFIRM, "en", 0.0, question="Shall I cancel order 4 1 1 7?"))
    history.add(Exchange("cancel it", "Shall I", Outcome.CLARIFIED, interrupted=True))
    errand = history.memory().errand
    assert errand is not None
    assert not errand.put


def test_what_goes_on_is_part_of_the_memory_as_far_as_it_was_heard() -> None:
    history = History()
    now = Exchange("Do you deliver?", "Yes, we", Outcome.ANSWERED, True, "zh")
    memory = history.memory(now)
    assert memory.exchanges == (now,)
    assert memory.language == "zh"
    assert history.exchanges == ()
