from dataclasses import replace

import pytest

from agent.overheard import Overheard, reason_to_ignore
from agent.turn_commands import IgnoreReason
from agent.turn_settings import TurnSettings

QUIET = Overheard("where is it", "en", 0.9, 0.9, 10.0, 1.0, False, None, float("-inf"))


def reason(said: Overheard, **changed: object) -> IgnoreReason | None:
    return reason_to_ignore(replace(said, **changed), TurnSettings())  # type: ignore[arg-type]


def test_a_question_is_answered() -> None:
    assert reason(QUIET) is None
    assert reason(QUIET, over_reply=True) is None


@pytest.mark.parametrize("text", ["", "...", "。", "?!"])
def test_nothing_said_is_nothing(text: str) -> None:
    assert reason(QUIET, text=text) is IgnoreReason.NO_WORDS


def test_uncertain_words_count_only_where_somebody_spoke_for_long() -> None:
    assert reason(QUIET, confidence=0.2, voiced_s=0.5) is IgnoreReason.NO_WORDS
    assert reason(QUIET, confidence=0.2, voiced_s=1.5) is None
    assert reason(QUIET, confidence=0.5, voiced_s=0.3) is None


def test_yes_means_go_on_only_in_the_middle_of_a_reply() -> None:
    assert reason(QUIET, text="yes") is None
    assert reason(QUIET, text="yes", over_reply=True) is IgnoreReason.BACKCHANNEL
    assert reason(QUIET, text="yes", over_reply=True, reply_ends_s=10.5) is None
    assert reason(QUIET, text="yes", reply_ends_s=15.0) is IgnoreReason.BACKCHANNEL
    assert reason(QUIET, text="mm-hm", over_reply=True, reply_ends_s=10.5) is IgnoreReason.BACKCHANNEL
    assert reason(QUIET, text="mm-hm", reply_ends_s=10.5) is None


def test_stop_needs_something_to_stop_and_wait_does_not() -> None:
    assert reason(QUIET, text="stop") is None
    assert reason(QUIET, text="stop", lately_over_s=9.0) is IgnoreReason.STOP
    assert reason(QUIET, text="stop", over_reply=True, confidence=0.0) is IgnoreReason.STOP
    assert reason(QUIET, text="等一下") is IgnoreReason.STOP


@pytest.mark.parametrize("text", ["never mind", "不用了", "算了"])
def test_declining_stops_a_reply_and_answers_a_question(text: str) -> None:
    assert reason(QUIET, text=text, over_reply=True) is IgnoreReason.STOP
    assert reason(QUIET, text=text, over_reply=True, reply_ends_s=15.0) is IgnoreReason.STOP
    assert reason(QUIET, text=text, over_reply=True, reply_ends_s=10.5) is None
    assert reason(QUIET, text=text, lately_over_s=9.0) is None


def test_a_lone_word_that_was_hardly_heard_is_a_noise_over_a_reply() -> None:
    assert reason(QUIET, text="fee", over_reply=True, voiced_s=0.5, ending=0.1) is IgnoreReason.NO_WORDS
    assert reason(QUIET, text="fee", voiced_s=0.5, ending=0.1) is None
    assert reason(QUIET, text="stop", over_reply=True, voiced_s=0.5, ending=0.1) is IgnoreReason.STOP


def test_a_word_that_nobody_says_alone_is_a_noise_over_a_reply() -> None:
    assert reason(QUIET, text="the", over_reply=True, voiced_s=0.5) is IgnoreReason.NO_WORDS
    assert reason(QUIET, text="the", voiced_s=0.5) is None
    assert reason(QUIET, text="no", over_reply=True, voiced_s=0.3) is None
    assert reason(QUIET, text="does the", over_reply=True, voiced_s=0.5) is IgnoreReason.NO_WORDS
    assert reason(QUIET, text="refund", over_reply=True, voiced_s=0.5) is None
    assert reason(QUIET, text="refund", over_reply=True, voiced_s=0.9, ending=0.1) is None
    assert reason(QUIET, text="refund please", over_reply=True, voiced_s=0.5, ending=0.1) is None
    assert reason(QUIET, text="不是", over_reply=True, voiced_s=0.5) is None
