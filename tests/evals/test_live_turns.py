from evals.live_script import Said
from evals.live_trace import talk_of
from evals.live_turns import Told, counted, told
from tests.evals.test_live_trace import LATE, said, trace

ENDED = 0.4
"""After the last voice, that the server commits a turn."""


def heard(turn: int, at: float, text: str = "words") -> tuple:
    return (1e3 * at, at, "heard", {"turn": turn, "text": text, "final": True})


def ended(turn: int, at: float, **timings: float) -> tuple:
    return (1e3 * at, at, "turn", {"turn": turn, "timings_ms": timings or {"turn_end": 1e3 * ENDED}})


def became(local: list, remote: list, events: list, asked: list[Said]) -> list[Told]:
    seen = trace(local, remote, said=tuple(events))
    talk = talk_of(seen, asked)
    return told(seen, talk, asked, talk.shift_s)


ONE = said(("a", "question", 10.0, 12.0))


def test_an_utterance_with_one_turn_and_a_reply_is_answered() -> None:
    events = [heard(1, 12 + LATE + ENDED, "go forward"), ended(1, 16.0)]
    (one,) = became([(10 + LATE, 12 + LATE)], [(12.8, 16.0)], events, ONE)
    assert (one.fate, one.turns, one.heard) == ("answered", 1, "go forward")
    assert one.document()["turn_end_ms"] == 400
    assert 590 <= one.document()["sound_ms"] <= 610
    assert one.document()["silence_ms"] is None


def test_two_turns_of_one_utterance_are_a_cut() -> None:
    events = [heard(1, 11.4), heard(2, 12.5), ended(1, 12.0), ended(2, 16.0)]
    (one,) = became([(10, 12)], [(12.8, 16.0)], events, ONE)
    assert (one.fate, one.turns) == ("cut", 2)


def test_an_answer_before_the_end_is_a_cut() -> None:
    (one,) = became([(10, 12)], [(11.5, 16.0)], [heard(1, 11.4), ended(1, 16.0)], ONE)
    assert one.fate == "cut"


def test_no_turn_and_no_reply_is_lost() -> None:
    assert became([(10, 12)], [], [], ONE)[0].fate == "lost"


def test_a_turn_without_a_reply_is_unanswered() -> None:
    assert became([(10, 12)], [], [heard(1, 12.5), ended(1, 12.5)], ONE)[0].fate == "unanswered"


def test_a_request_to_say_it_again_is_a_turn_without_words() -> None:
    events = [
        (12_900.0, 12.9, "sentence", {"turn": 1, "text": "Could you say that again?"}),
        ended(1, 14.0, first_sound=900.0),
    ]
    (one,) = became([(10, 12)], [(12.9, 14.0)], events, ONE)
    assert (one.fate, one.turns, one.heard) == ("answered", 1, "")


def test_an_utterance_that_goes_on_in_the_next_is_joined() -> None:
    asked = said(("a", "question", 10.0, 12.0), ("b", "interruption", 13.0, 15.0))
    events = [heard(1, 12.5), heard(1, 15.5), ended(1, 18.0)]
    first, second = became([(10, 12), (13, 15)], [(15.7, 18.0)], events, asked)
    assert (first.fate, second.fate) == ("joined", "answered")


def test_a_reply_that_does_not_stop_talks_over() -> None:
    asked = said(("b", "interruption", 15.0, 16.0))
    events = [heard(2, 16.5), ended(2, 20.0)]
    (one,) = became([(15, 16)], [(13.0, 16.3), (17.0, 20.0)], events, asked)
    assert one.fate == "talked_over"


def test_an_interruption_has_its_silence_and_its_answer() -> None:
    asked = said(("b", "interruption", 15.0, 17.0))
    (one,) = became([(15, 17)], [(13.0, 15.45), (17.7, 20.0)], [heard(2, 17.4), ended(2, 20.0)], asked)
    assert one.fate == "answered"
    assert 440 <= one.document()["silence_ms"] <= 460


def test_an_utterance_that_the_browser_swallowed_is_told_as_such() -> None:
    asked = said(*((name, "question", at, at + 2) for name, at in (("a", 10.0), ("b", 30.0), ("c", 50.0))))
    events = [heard(1, 12.4), ended(1, 14.0), heard(2, 52.4), ended(2, 54.0)]
    fates = became([(10, 12), (50, 52)], [(12.8, 14.0), (52.8, 54.0)], events, asked)
    assert [one.fate for one in fates] == ["answered", "not_at_microphone", "answered"]
    assert counted(fates) == {"utterances": 3, "answered": 2, "not_at_microphone": 1}
