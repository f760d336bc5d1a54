import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.presence import IDLE_WARNING_S, RELOAD_S, Presence

WAITS = {"join_s": 60.0, "enter_s": 10.0}


def presence(idle_s: float = 120.0, longest_s: float = 1800.0) -> Presence:
    return Presence(1000.0, idle_s=idle_s, longest_s=longest_s)


def test_a_visitor_who_never_comes_is_waited_for_as_long_as_a_page_takes_to_connect() -> None:
    one = presence()
    assert one.over(1010.0, **WAITS) == ""
    assert one.over(1010.1, **WAITS) == "not_joined"


def test_where_all_are_waited_for_briefly_those_who_never_came_are_not_waited_for_longer() -> None:
    assert presence().over(1003.0, join_s=2.0, enter_s=10.0) == "not_joined"


@pytest.mark.parametrize(("politely", "waited_s"), [(False, 60.0), (True, RELOAD_S)])
def test_a_broken_network_is_waited_for_longer_than_a_closed_page(politely: bool, waited_s: float) -> None:
    one = presence()
    one.come(1001.0)
    one.leave(1005.0, politely=politely)
    assert one.over(1005.0 + waited_s, **WAITS) == ""
    assert one.over(1005.1 + waited_s, **WAITS) == "gone"


def test_who_comes_back_is_there_again() -> None:
    one = presence()
    one.come(1001.0)
    one.leave(1005.0, politely=True)
    one.come(1010.0)
    assert one.over(1100.0, **WAITS) == ""


def test_the_longest_time_counts_from_when_the_session_was_given_out() -> None:
    one = presence(longest_s=300.0)
    one.come(1009.0)
    one.act(1299.0)
    assert one.left_s(1299.0) == 1.0
    assert one.over(1300.0, **WAITS) == ""
    assert one.over(1300.1, **WAITS) == "too_long"


def test_silence_is_warned_of_once_and_then_ends_the_session() -> None:
    one = presence()
    one.come(1000.0)
    assert one.warning_s(1120.0 - IDLE_WARNING_S) is None
    assert one.warning_s(1095.0) == 25.0
    assert one.warning_s(1096.0) is None
    assert one.over(1120.0, **WAITS) == ""
    assert one.over(1120.1, **WAITS) == "idle"


def test_whoever_does_something_is_warned_anew() -> None:
    one = presence()
    one.come(1000.0)
    assert one.warning_s(1100.0) == 20.0
    one.act(1101.0)
    assert one.over(1200.0, **WAITS) == ""
    assert one.warning_s(1200.0) == 21.0


def test_a_short_patience_warns_in_its_second_half() -> None:
    one = presence(idle_s=10.0)
    one.come(1000.0)
    assert one.warning_s(1005.0) is None
    assert one.warning_s(1005.5) == 4.5


def test_after_a_long_answer_half_of_the_time_is_left() -> None:
    one = presence()
    one.come(1000.0)
    for now_s in range(1000, 1200):
        one.listen(float(now_s))
    assert one.over(1199.0 + 60.0, **WAITS) == ""
    assert one.over(1199.0 + 60.1, **WAITS) == "idle"


@given(st.lists(st.tuples(st.sampled_from(["come", "act", "listen", "leave", "look"]), st.floats(0, 40))))
def test_who_has_just_done_something_is_never_sent_away_for_silence(steps: list[tuple[str, float]]) -> None:
    one, now_s, acted_s = presence(), 1000.0, 1000.0
    for what, after_s in steps:
        now_s += after_s
        match what:
            case "come":
                one.come(now_s)
                acted_s = now_s
            case "act":
                one.act(now_s)
                acted_s = now_s
            case "listen":
                one.listen(now_s)
            case "leave":
                one.leave(now_s, politely=False)
            case _:
                if now_s - acted_s <= 60.0:
                    assert one.over(now_s, **WAITS) != "idle"
                    assert one.warning_s(now_s) is None
