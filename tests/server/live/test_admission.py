import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.admission import HELD_S, TICKET_S, Admission
from server.live.errors import Busy


def busy(admission: Admission, desk: str, now_s: float, ticket: str | None = None) -> Busy:
    with pytest.raises(Busy) as caught:
        admission.enter(desk, now_s, ticket)
    return caught.value


def test_places_are_given_until_there_are_none() -> None:
    admission = Admission(2, {})
    admission.enter("a", 0)
    admission.enter("b", 0)
    error = busy(admission, "a", 0)
    assert error.ahead == 0
    assert error.ticket
    assert busy(admission, "b", 0).ahead == 1


def test_a_full_desk_does_not_hold_up_another() -> None:
    admission = Admission(10, {"a": 1})
    admission.enter("a", 0)
    first = busy(admission, "a", 0)
    admission.enter("b", 0)
    assert busy(admission, "a", 0).ahead == 1
    assert admission.place(first.ticket, 1) == (0, False)


def test_the_first_in_the_queue_gets_the_next_place_and_nobody_else() -> None:
    admission = Admission(1, {})
    admission.enter("a", 0)
    first, second = busy(admission, "a", 0), busy(admission, "a", 0)
    admission.leave("a", 1)
    assert busy(admission, "a", 1).ahead == 2
    assert busy(admission, "a", 1, second.ticket).ticket == second.ticket
    assert admission.place(first.ticket, 2) == (0, True)
    admission.enter("a", 3, first.ticket)
    assert admission.place(first.ticket, 3) is None
    assert admission.place(second.ticket, 3) == (0, False)


def test_who_does_not_ask_has_left_the_queue() -> None:
    admission = Admission(1, {})
    admission.enter("a", 0)
    first, second = busy(admission, "a", 0), busy(admission, "a", 0)
    admission.place(second.ticket, TICKET_S)
    assert admission.place(second.ticket, TICKET_S + 1) == (0, False)
    assert admission.place(first.ticket, TICKET_S + 1) is None


def test_a_place_that_is_not_taken_goes_to_the_next() -> None:
    admission = Admission(1, {})
    admission.enter("a", 0)
    first, second = busy(admission, "a", 0), busy(admission, "a", 0)
    admission.leave("a", 0)
    for now_s in range(1, int(HELD_S) + 2):
        admission.place(first.ticket, now_s)
        admission.place(second.ticket, now_s)
    assert admission.place(second.ticket, HELD_S + 2) == (0, True)
    assert admission.place(first.ticket, HELD_S + 2) is None


def test_a_full_queue_takes_nobody() -> None:
    admission = Admission(1, {}, queue_length=1)
    admission.enter("a", 0)
    busy(admission, "a", 0)
    error = busy(admission, "a", 0)
    assert error.ahead is None
    assert error.ticket == ""


def test_a_place_that_nobody_took_cannot_be_given_back() -> None:
    with pytest.raises(ValueError, match="no place"):
        Admission(1, {}).leave("a", 0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["enter", "ticket", "leave", "look"]), st.sampled_from("ab"), st.floats(0, 9)
        )
    )
)
def test_whatever_happens_no_more_are_in_than_there_are_places(steps: list[tuple[str, str, float]]) -> None:
    admission, now_s, tickets = Admission(3, {"a": 2}, queue_length=4), 0.0, []
    inside = {"a": 0, "b": 0}
    for what, desk, passed in steps:
        now_s += passed
        if what == "leave" and inside[desk]:
            admission.leave(desk, now_s)
            inside[desk] -= 1
        elif what == "look" and tickets:
            admission.place(tickets[-1], now_s)
        elif what in ("enter", "ticket"):
            try:
                admission.enter(desk, now_s, tickets.pop() if what == "ticket" and tickets else None)
                inside[desk] += 1
            except Busy as error:
                tickets.append(error.ticket)
        assert admission.taken == sum(inside.values()) <= 3
        assert inside["a"] <= 2
        assert admission.waiting <= 4
