"""A session's tokens take the place of one another, and a breaking network locks nobody out."""

import pytest

from server.live.errors import LiveError
from server.live.passes import Passes
from server.live.tokens import Tokens

TOKENS = Tokens(b"x" * 32)


def passes_of(clock: list[float] | None = None) -> Passes:
    now = clock or [0.0]
    return Passes(TOKENS, "s1", "front", "https://shop.example", expires_s=60.0, clock=lambda: now[0])


def admit(passes: Passes, token: str) -> None:
    passes.admit(TOKENS.read(token, session="s1", origin="https://shop.example"))


def refused(passes: Passes, token: str) -> bool:
    try:
        admit(passes, token)
    except LiveError as error:
        return (error.code, error.status) == ("token_used", 401)
    return False


def test_a_token_lets_in_until_a_newer_one_was_used() -> None:
    passes = passes_of()
    first = passes.next()
    admit(passes, first)
    second = passes.next()
    assert not refused(passes, first)  # the message that held the second may have been lost
    third = passes.next()
    admit(passes, third)
    assert refused(passes, first)
    assert refused(passes, second)
    assert not refused(passes, third)


def test_a_token_that_was_kept_ends_those_before_it() -> None:
    passes = passes_of()
    first = passes.next()
    admit(passes, first)
    second = passes.next()
    passes.kept()
    assert refused(passes, first)
    admit(passes, second)


def test_a_client_that_knows_nothing_of_newer_tokens_comes_back_with_its_first() -> None:
    passes = passes_of()
    first = passes.next()
    for _ in range(5):
        admit(passes, first)
        passes.next()


def test_later_tokens_end_with_the_first() -> None:
    now = [0.0]
    passes = passes_of(now)
    passes.next()
    now[0] = 61.0
    with pytest.raises(LiveError) as told:
        admit(passes, passes.next())
    assert told.value.code == "token_expired"
