import pytest

from agent.turn import TurnTaker
from agent.turn_commands import (
    Cancel,
    CancelReason,
    Command,
    Commit,
    Discard,
    Ignore,
    Pause,
    Prepare,
    Recognize,
    Resume,
)
from agent.turn_settings import TurnSettings
from tests.agent.turn_script import At, Play, Say, began, ended, stop, typed

QUESTION = Say(1.0, 2.5, "where is my order")
"""Committed at 2.9; its reply sounds from 3.2 to 8.2."""


def reason(play: Play) -> list[str]:
    return [c.reason.value for _, c in play.of(Ignore)]  # type: ignore[attr-defined]


def test_a_plain_question_is_answered_four_tenths_of_a_second_after_its_last_voice() -> None:
    play = Play().run(QUESTION)
    ((time, commit),) = play.of(Commit)
    assert time == pytest.approx(2.9, abs=0.03)
    assert commit == Commit(1, "where is my order", "en")
    assert play.names() == ["Commit"]
    assert play.states() == ["thinking", "speaking", "listening"]


def test_words_are_asked_for_and_an_answer_prepared_before_the_turn_ends() -> None:
    play = Play().run(QUESTION)
    ((asked, _),) = play.of(Recognize)
    ((prepared, prepare),) = play.of(Prepare)
    assert asked == pytest.approx(2.7, abs=0.03)
    assert 2.75 < prepared < 2.85
    assert prepare == Prepare(1, "where is my order")
    assert not play.of(Discard)


def test_words_that_were_hardly_understood_are_not_waited_for_as_if_they_were_unfinished() -> None:
    def ends_s(confidence: float) -> float:
        play = Play().run(Say(1.0, 2.0, "sorry but that was not like where us to", confidence=confidence))
        ((at_s, _),) = play.of(Commit)
        return at_s

    assert ends_s(0.3) == pytest.approx(2.8, abs=0.06)
    assert ends_s(0.3) < ends_s(0.45) < ends_s(0.9)


def test_a_pause_in_the_middle_of_a_sentence_does_not_end_the_turn() -> None:
    play = Play().run(Say(1.0, 1.8, "I want to"), Say(3.3, 4.5, "I want to return my order"))
    ((time, commit),) = play.of(Commit)
    assert commit == Commit(1, "I want to return my order", "en")
    assert time == pytest.approx(4.9, abs=0.03)


def test_who_never_finishes_is_answered_after_the_long_wait() -> None:
    play = Play().run(Say(1.0, 1.8, "I want to"))
    ((time, commit),) = play.of(Commit)
    assert time == pytest.approx(1.8 + 2.5, abs=0.05)
    ((prepared, _),) = play.of(Prepare)
    assert prepared == pytest.approx(time - 0.6, abs=0.05)


def test_a_preparation_is_thrown_away_when_the_visitor_says_more() -> None:
    play = Play().run(Say(1.0, 2.0, "where is my order"), Say(2.3, 3.5, "where is my order from last week"))
    names = [type(c).__name__ for _, c in play.commands]
    assert names.index("Discard") < names.index("Commit")
    assert [c.text for _, c in play.of(Prepare)] == ["where is my order", "where is my order from last week"]  # type: ignore[attr-defined]
    assert len(play.commits()) == 1


def test_a_preparation_is_kept_when_only_a_breath_follows() -> None:
    play = Play().run(Say(1.0, 2.0, "where is my order"), Say(2.25, 2.6, "Where is my order?"))
    assert len(play.of(Prepare)) == 1
    assert not play.of(Discard)
    assert play.commits()[0].text == "Where is my order?"


def test_a_word_that_begins_at_the_last_moment_holds_the_end_of_the_turn() -> None:
    play = Play().run(Say(1.0, 2.0, "where is my order"), Say(2.38, 3.4, "where is my order and my refund"))
    assert [c.text for c in play.commits()] == ["where is my order and my refund"]


def test_a_dictated_order_number_is_waited_for() -> None:
    play = Play()
    script = (
        Say(1.0, 2.0, "my order number is"),
        Say(2.9, 3.4, "my order number is four seven"),
        Say(4.5, 5.1, "my order number is four seven one one"),
    )
    play.run(*script)
    assert [c.text for c in play.commits()] == ["my order number is four seven one one"]


def test_a_dictated_address_is_waited_for_where_it_is_expected() -> None:
    def dictation(taker: TurnTaker, now_s: float) -> None:
        taker.expect_dictation(True)

    script = (Say(1.0, 2.0, "twelve Station Road"), Say(2.8, 3.6, "twelve Station Road Cambridge"))
    assert len(Play(think_s=None).run(*script).commits()) == 2
    play = Play().run(At(0.5, dictation), *script)
    assert [c.text for c in play.commits()] == ["twelve Station Road Cambridge"]
    assert play.of(Commit)[0][0] == pytest.approx(4.6, abs=0.05)


def test_an_email_address_is_waited_for() -> None:
    play = Play().run(
        Say(1.0, 2.0, "my email is anna at"), Say(3.6, 4.4, "my email is anna at example dot com")
    )
    assert [c.text for c in play.commits()] == ["my email is anna at example dot com"]


def test_a_cough_over_a_reply_holds_it_only_until_there_are_no_words() -> None:
    play = Play().run(QUESTION, Say(4.0, 4.4, "", confidence=0.0))
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume"]
    ((held, _),) = play.of(Pause)
    ((on, _),) = play.of(Resume)
    assert held == pytest.approx(4.3, abs=0.03)
    assert on == pytest.approx(4.4 + 0.2 + 0.08, abs=0.05)
    assert reason(play) == ["no_words"]
    assert play.states()[-1] == "listening"


def test_a_short_cough_does_not_even_hold_it() -> None:
    play = Play().run(QUESTION, Say(4.0, 4.2, "", confidence=0.0))
    assert play.names() == ["Commit"]


def test_an_uncertain_short_word_over_a_reply_counts_as_a_noise() -> None:
    play = Play().run(QUESTION, Say(4.0, 4.5, "the", confidence=0.1))
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume"]


@pytest.mark.parametrize(
    ("text", "language"),
    [("mm-hm", "en"), ("Yeah, okay.", "en"), ("嗯", "zh"), ("嗯嗯，好的", "zh"), ("对对对", "zh")],
)
def test_a_backchannel_over_a_reply_lets_it_go_on(text: str, language: str) -> None:
    play = Play().run(QUESTION, Say(4.0, 4.5, text, language))
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume"]
    assert reason(play) == ["backchannel"]
    assert play.of(Resume)[0][0] < 4.9


def test_two_false_alarms_in_a_row_hold_the_reply_twice() -> None:
    play = Play().run(QUESTION, Say(4.0, 4.5, "mm-hm"), Say(5.5, 6.0, "yeah"))
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume", "Pause", "Ignore", "Resume"]
    assert play.states()[-1] == "listening"


@pytest.mark.parametrize(
    ("text", "language"), [("stop", "en"), ("Okay, wait please!", "en"), ("停", "zh"), ("等一下", "zh")]
)
def test_a_stop_word_ends_the_reply_and_is_not_answered(text: str, language: str) -> None:
    play = Play().run(QUESTION, Say(4.0, 4.5, text, language, confidence=0.2))
    assert play.names() == ["Commit", "Pause", "Cancel", "Ignore"]
    assert play.of(Cancel)[0][1] == Cancel(CancelReason.STOPPED)
    assert play.of(Cancel)[0][0] < 4.85
    assert play.states()[-1] == "listening"


def test_other_words_end_the_reply_and_are_answered() -> None:
    play = Play().run(QUESTION, Say(4.0, 5.2, "no I meant the other one"))
    assert play.names() == ["Commit", "Pause", "Cancel", "Commit"]
    assert play.of(Pause)[0][0] == pytest.approx(4.3, abs=0.03)
    assert play.of(Cancel)[0][1] == Cancel(CancelReason.INTERRUPTED)
    assert play.commits()[1] == Commit(2, "no I meant the other one", "en", joined=False)


def test_a_long_interruption_ends_the_reply_before_it_is_over_itself() -> None:
    play = Play().run(QUESTION, Say(4.0, 8.0, "I am asking about something else entirely"))
    cancelled = play.of(Cancel)[0][0]
    assert 5.2 < cancelled < 5.6
    assert play.of(Commit)[1][0] == pytest.approx(8.4, abs=0.05)


def test_stop_is_obeyed_in_the_middle_of_a_longer_sentence() -> None:
    class Interim(Play):
        def _words(self, now_s: float, command: Recognize, asked_s: float) -> list[Command]:
            text = "wait wait" if command.interim else "wait wait I want something else"
            if asked_s < 3.0:
                text = "where is my order"
            return self.taker.words(now_s, text, 0.9, "en", asked=command.asked)

    play = Interim().run(QUESTION, Say(4.0, 7.0, ""))
    assert play.of(Cancel)[0] == (play.of(Cancel)[0][0], Cancel(CancelReason.STOPPED))
    assert play.of(Cancel)[0][0] < 5.6
    assert play.commits()[1].text == "wait wait I want something else"


def test_words_while_thinking_join_the_turn() -> None:
    play = Play(think_s=3.0).run(QUESTION, Say(3.5, 4.6, "the one from last week"))
    assert play.names() == ["Commit", "Pause", "Commit"]
    assert play.commits()[1] == Commit(2, "the one from last week", "en", joined=True)
    assert play.states()[:4] == ["thinking", "paused", "thinking", "speaking"]


def test_a_cough_while_thinking_does_not_lose_the_answer() -> None:
    play = Play(think_s=2.0).run(QUESTION, Say(3.5, 4.0, "", confidence=0.0))
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume"]
    assert "speaking" in play.states()


def test_speech_that_began_with_the_reply_belongs_to_the_question() -> None:
    play = Play().run(QUESTION, Say(3.3, 4.6, "the one from last week"))
    assert play.names() == ["Commit", "Pause", "Commit"]
    assert play.commits()[1].joined
    assert play.of(Pause)[0][0] == pytest.approx(3.6, abs=0.03)


def test_who_was_cut_off_is_waited_for_longer_from_then_on() -> None:
    play = Play(reply_s=1.0).run(
        QUESTION, Say(3.3, 4.6, "the one from last week"), Say(10.0, 11.0, "where is my parcel")
    )
    assert play.of(Commit)[2][0] == pytest.approx(11.6, abs=0.05)


def test_the_avatar_does_not_answer_itself() -> None:
    def is_echo(text: str, at_s: float) -> bool:
        return text == "it left our warehouse" and at_s == pytest.approx(4.0)

    play = Play(is_echo=is_echo).run(QUESTION, Say(4.0, 5.2, "it left our warehouse"))
    assert reason(play) == ["echo"]
    assert play.names() == ["Commit", "Pause", "Ignore", "Resume"]


def test_an_avatar_that_hears_itself_all_the_time_does_not_stop_for_it() -> None:
    def is_echo(text: str, at_s: float) -> bool:
        return text == "it left our warehouse"

    echoes = [Say(t, t + 1.5, "it left our warehouse") for t in (4.0, 7.0, 10.0, 13.0)]
    play = Play(is_echo=is_echo, reply_s=30.0).run(QUESTION, *echoes, Say(17.0, 18.5, "no, the other one"))
    assert [round(time) for time, _ in play.of(Pause)] == [4, 7]
    assert play.names()[-2:] == ["Cancel", "Commit"]
    assert play.of(Cancel)[0][0] < 17.6
    assert reason(play) == ["echo"] * 4


def test_noise_all_day_is_never_answered() -> None:
    bursts = [Say(t, t + 0.6, "", confidence=0.0) for t in range(1, 300, 2)]
    play = Play().run(*bursts, until_s=305.0)
    assert set(play.names()) == {"Ignore"}
    assert len(play.names()) == len(bursts)
    assert not play.states()


def test_a_noise_that_lasts_lets_the_reply_go_on() -> None:
    play = Play().run(QUESTION, Say(4.0, 20.0, "", confidence=0.0), until_s=25.0)
    assert play.names() == ["Commit", "Pause", "Resume", "Ignore"]
    assert play.of(Resume)[0][0] - play.of(Pause)[0][0] <= 3.2
    assert play.states()[-1] == "listening"


def test_a_noise_that_lasts_lets_the_reply_go_on_even_if_nobody_can_tell_words() -> None:
    play = Play(answers_interim=False).run(QUESTION, Say(4.0, 16.0, "", confidence=0.0), until_s=25.0)
    assert play.of(Resume)[0][0] - play.of(Pause)[0][0] == pytest.approx(8.0, abs=0.05)


def test_a_monologue_is_answered_after_thirty_seconds() -> None:
    play = Play(reply_s=20.0).run(Say(1.0, 45.0, "it all began when"), until_s=60.0)
    time, commit = play.of(Commit)[0]
    assert 31.0 <= time <= 31.2
    assert play.names() == ["Commit", "Ignore"]
    assert reason(play) == ["overlong"]


def test_a_recogniser_that_never_answers_stops_nothing() -> None:
    play = Play(recognition_s=None).run(QUESTION, until_s=30.0)
    assert reason(play) == ["unanswered"]
    assert not play.states()


def test_a_reply_goes_on_two_seconds_after_speech_whose_words_never_come() -> None:
    class Deaf(Play):
        def _words(self, now_s: float, command: Recognize, asked_s: float) -> list[Command]:
            return [] if asked_s > 3.0 else super()._words(now_s, command, asked_s)

    play = Deaf().run(QUESTION, Say(4.0, 4.6, "hello"), until_s=30.0)
    assert play.of(Resume)[0][0] == pytest.approx(6.6, abs=0.05)
    assert play.names() == ["Commit", "Pause", "Resume", "Ignore"]
    assert play.states()[-1] == "listening"


def test_words_that_come_late_still_end_the_reply() -> None:
    class Slow(Play):
        def _follow(self, now_s: float, commands: list[Command]) -> None:
            self.recognition_s = 3.0 if now_s > 4.0 else 0.08
            super()._follow(now_s, commands)

    play = Slow(reply_s=10.0).run(QUESTION, Say(4.0, 4.6, "something else please"), until_s=30.0)
    assert play.names() == ["Commit", "Pause", "Resume", "Cancel", "Commit"]


def test_a_reply_that_never_begins_is_given_up() -> None:
    play = Play(think_s=None).run(QUESTION, until_s=40.0)
    ((time, cancel),) = play.of(Cancel)
    assert cancel == Cancel(CancelReason.NO_ANSWER)
    assert time == pytest.approx(2.9 + 20.0, abs=0.1)
    assert play.states() == ["thinking", "listening"]


def test_a_reply_that_never_ends_is_ended_two_seconds_after_its_sound() -> None:
    def lasts(taker: TurnTaker, now_s: float) -> list[Command]:
        return taker.reply_lasts(now_s, 7.0, last=True)

    play = Play(reply_s=None).run(QUESTION, At(3.3, lasts), until_s=20.0)
    ((time, cancel),) = play.of(Cancel)
    assert cancel == Cancel(CancelReason.STUCK)
    assert time == pytest.approx(9.0, abs=0.05)


def test_how_long_a_reply_lasts_may_be_told_before_it_begins() -> None:
    def lasts(taker: TurnTaker, now_s: float) -> list[Command]:
        return taker.reply_lasts(now_s, 7.0, last=True)

    play = Play(reply_s=None).run(QUESTION, At(3.1, lasts), until_s=20.0)
    assert play.of(Cancel)[0][0] == pytest.approx(9.0, abs=0.05)


def test_a_held_reply_is_not_taken_for_stuck() -> None:
    def lasts(taker: TurnTaker, now_s: float) -> list[Command]:
        return taker.reply_lasts(now_s, 8.2, last=True)

    play = Play(reply_s=5.0, answers_interim=False).run(
        QUESTION, At(3.3, lasts), Say(4.0, 10.0, "mm"), until_s=30.0
    )
    assert not play.of(Cancel)
    assert play.states()[-1] == "listening"


def test_a_reply_whose_length_nobody_tells_ends_all_the_same() -> None:
    play = Play(reply_s=None).run(QUESTION, until_s=200.0)
    assert play.of(Cancel)[0][1] == Cancel(CancelReason.STUCK)


def test_typing_while_the_avatar_speaks_ends_the_reply() -> None:
    play = Play().run(QUESTION, At(5.0, typed("  where  are you ")))
    assert play.names() == ["Commit", "Cancel", "Commit"]
    assert play.of(Cancel)[0][1] == Cancel(CancelReason.TYPED)
    assert play.commits()[1] == Commit(2, "where are you", "")


def test_typing_while_it_thinks_joins_the_turn() -> None:
    play = Play(think_s=3.0).run(QUESTION, At(4.0, typed("number 4711")))
    assert play.names() == ["Commit", "Commit"]
    assert play.commits()[1].joined


def test_what_was_begun_to_be_said_comes_before_what_was_typed() -> None:
    play = Play().run(Say(1.0, 2.0, "my email is"), At(3.0, typed("a@example.com")))
    assert play.commits() == [Commit(2, "my email is a@example.com", "en")]
    assert reason(play) == ["typed"]


@pytest.mark.parametrize("at_s", [3.0, 5.0])
def test_the_stop_button_ends_thinking_and_speaking(at_s: float) -> None:
    play = Play().run(QUESTION, At(at_s, stop))
    assert play.names() == ["Commit", "Cancel"]
    assert play.states()[-1] == "listening"


def test_the_stop_button_forgets_what_is_being_said() -> None:
    play = Play().run(Say(1.0, 2.5, "where is my order"), At(2.0, stop))
    assert not play.commits()
    assert set(reason(play)) <= {"stopped", "overlong"}


def test_a_greeting_can_be_interrupted_and_is_never_joined() -> None:
    play = Play().run(At(0.5, began), Say(0.6, 2.0, "where is my order"), At(6.0, ended))
    assert play.names() == ["Pause", "Cancel", "Commit"]
    assert not play.commits()[0].joined


def test_a_yes_at_the_very_end_of_a_reply_answers_it() -> None:
    def lasts(taker: TurnTaker, now_s: float) -> list[Command]:
        return taker.reply_lasts(now_s, 8.2, last=True)

    play = Play().run(QUESTION, At(3.3, lasts), Say(7.8, 8.3, "yes"))
    assert play.commits()[-1].text == "yes"
    early = Play().run(QUESTION, At(3.3, lasts), Say(5.0, 5.5, "yes"))
    assert len(early.commits()) == 1


def test_a_yes_after_the_reply_answers_it() -> None:
    play = Play().run(QUESTION, Say(9.0, 9.4, "yes"))
    assert play.commits()[-1].text == "yes"


def test_a_request_to_wait_is_not_answered_but_stop_means_something_where_nothing_can_be_stopped() -> None:
    assert Play().run(Say(1.0, 1.6, "just a moment")).names() == ["Ignore"]
    assert Play().run(Say(1.0, 1.6, "stop")).names() == ["Commit"]
    assert Play().run(QUESTION, Say(8.4, 8.9, "stop")).names() == ["Commit", "Ignore"]


def test_answers_without_numbers_are_taken_in_their_order() -> None:
    taker = TurnTaker()
    taker.speech_started(0.3, 0.0)
    taker.speech_ended(1.2, 1.0)
    taker.speech_started(1.6, 1.3)
    taker.words(1.7, "where is", 0.9, "en")
    assert not any(isinstance(c, Commit) for c in taker.tick(1.9))
    taker.speech_ended(2.2, 2.0)
    taker.words(2.3, "where is my order", 0.9, "en")
    assert Commit(1, "where is my order", "en") in taker.tick(2.45)


def test_an_answer_about_an_utterance_that_is_over_is_dropped() -> None:
    taker = TurnTaker()
    taker.speech_started(0.3, 0.0)
    first = next(c for c in taker.speech_ended(1.2, 1.0) if isinstance(c, Recognize))
    taker.typed(1.3, "hello")
    assert taker.words(1.5, "where is my order", 0.9, "en", asked=first.asked) == []
    assert taker.words(1.6, "where is my order", 0.9, "en") == []


@pytest.mark.parametrize("score", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_the_wait_falls_smoothly_with_the_score(score: float) -> None:
    settings = TurnSettings()
    assert 0.4 <= settings.end_delay_s(score) <= 2.5
    assert settings.end_delay_s(score) <= settings.end_delay_s(max(0.0, score - 0.05))
    assert settings.end_delay_s(max(0.0, score - 0.01)) - settings.end_delay_s(score) < 0.05


def test_another_judge_of_finished_turns_can_be_used() -> None:
    taker = TurnTaker(finished=lambda text, language: 0.0)
    taker.speech_started(0.3, 0.0)
    taker.speech_ended(1.2, 1.0)
    taker.words(1.3, "where is my order", 0.9, "en")
    assert not any(isinstance(c, Commit) for c in taker.tick(3.4))
    assert any(isinstance(c, Commit) for c in taker.tick(3.5))


def test_an_old_answer_that_comes_after_a_newer_question_ends_no_turn() -> None:
    taker = TurnTaker()
    taker.speech_started(0.3, 0.0)
    old = next(c for c in taker.speech_ended(1.2, 1.0) if isinstance(c, Recognize))
    taker.speech_started(1.6, 1.3)
    new = next(c for c in taker.speech_ended(2.2, 2.0) if isinstance(c, Recognize))
    taker.words(2.3, "where is my order", 0.9, "en", asked=old.asked)
    assert not any(isinstance(c, Commit) for c in taker.tick(2.6))
    commands = taker.words(2.7, "where is my order from last week", 0.9, "en", asked=new.asked)
    assert Commit(1, "where is my order from last week", "en") in commands


def test_who_speaks_again_after_a_false_alarm_is_listened_to_again() -> None:
    class Deaf(Play):
        def _words(self, now_s: float, command: Recognize, asked_s: float) -> list[Command]:
            return [] if asked_s > 3.0 else super()._words(now_s, command, asked_s)

    play = Deaf(reply_s=20.0).run(QUESTION, Say(4.0, 4.6, "hello"), Say(8.0, 8.6, "hello"), until_s=40.0)
    assert play.names() == ["Commit", "Pause", "Resume", "Pause", "Resume", "Ignore"]


@pytest.mark.parametrize(
    ("text", "ending", "voice", "end_s"),
    [
        ("where is my order", 0.9, None, 1.4),
        ("where is my order", 0.9, 0.98, 1.4),
        ("where is my order", 0.9, 0.05, 1.8),  # it sounds as if more were to come
        ("where is my order and", 0.9, None, 3.5),
        ("where is my order and", 0.9, 0.05, 3.5),
        ("where is my order and", 0.9, 0.98, 2.28),  # words and voice disagree
        ("where is my order and", 0.1, None, 1.8),  # who knows whether that was an "and"
        ("where is my order and", 0.1, 0.98, 1.4),  # the voice does
        ("where is my order and", 0.1, 0.05, 1.8),
    ],
)
def test_words_as_far_as_they_were_understood_and_the_voice_tell_when_a_turn_ends(
    text: str, ending: float, voice: float | None, end_s: float
) -> None:
    taker = TurnTaker()
    taker.speech_started(0.3, 0.0)
    taker.speech_ended(1.2, 1.0)
    taker.words(1.3, text, 0.9, "en", ending=ending, voice=voice)
    assert not any(isinstance(c, Commit) for c in taker.tick(end_s - 0.05))
    assert any(isinstance(c, Commit) for c in taker.tick(end_s + 0.05))


@pytest.mark.parametrize(("ending", "end_s"), [(0.9, 1.4), (0.1, 1.8)])
def test_a_syllable_that_was_hardly_understood_may_begin_a_sentence(ending: float, end_s: float) -> None:
    taker = TurnTaker()
    taker.speech_started(0.95, 0.8)
    taker.speech_ended(1.2, 1.0)
    taker.words(1.3, "yes", 0.9, "en", ending=ending, voice=0.98)
    assert not any(isinstance(c, Commit) for c in taker.tick(end_s - 0.05))
    assert any(isinstance(c, Commit) for c in taker.tick(end_s + 0.05))
