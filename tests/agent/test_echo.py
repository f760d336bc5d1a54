import pytest

from agent.echo import EchoGuard

ANSWER = "You can send almost anything back within thirty days, as long as it is unused and in its box."
OFFER = "Would you like standard or express?"
CHINESE = "大多数商品在三十天内可以退货，只要没有使用过。"


def guard(text: str = ANSWER, start_s: float = 10.0, end_s: float = 16.0) -> EchoGuard:
    echo = EchoGuard()
    echo.said(text, start_s, end_s)
    return echo


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        (ANSWER, 10.2),
        ("you can send almost anything back within thirty days", 10.3),
        ("you can sent almost anything back with in thirty day", 10.3),
        ("within thirty days as long as it is unused", 12.3),
        ("thirty days", 12.9),
    ],
)
def test_the_avatars_own_words_are_known(text: str, at_s: float) -> None:
    assert guard().is_echo(text, at_s)


def test_own_words_are_known_in_chinese() -> None:
    echo = guard(CHINESE, 10.0, 15.0)
    assert echo.is_echo("大多数商品在三十天内可以退货", 10.2)
    assert echo.is_echo("大多数商品在三十天那可以退货", 10.2)
    assert not echo.is_echo("三十天内可以退货吗", 17.0)


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("what about shoes", 12.0),
        ("no I want my money back", 12.0),
        ("thirty days", 16.5),
        ("thirty days", 14.5),
        ("can I send it back within thirty days if it is used", 13.0),
        ("is it the box you mean", 12.0),
        ("", 12.0),
    ],
)
def test_the_visitors_words_are_theirs(text: str, at_s: float) -> None:
    assert not guard().is_echo(text, at_s)


@pytest.mark.parametrize("at_s", [12.3, 12.1, 15.0])
def test_picking_an_offer_is_an_answer(at_s: float) -> None:
    assert not guard(OFFER, 10.0, 12.0).is_echo("express", at_s)


def test_an_echo_runs_over_sentences() -> None:
    echo = EchoGuard()
    echo.said("Your order left our warehouse yesterday.", 10.0, 12.5)
    echo.said("It should arrive on Friday.", 12.7, 14.4)
    assert echo.is_echo("your order left our warehouse yesterday it should arrive on friday", 10.2)
    assert echo.is_echo("warehouse yesterday it should arrive", 11.5)


def test_nothing_is_an_echo_before_anything_was_said_or_long_after() -> None:
    assert not EchoGuard().is_echo(ANSWER, 1.0)
    assert not guard().is_echo(ANSWER, 30.0)


def test_old_sentences_are_forgotten() -> None:
    echo = EchoGuard()
    for n in range(500):
        echo.said(ANSWER, n * 7.0, n * 7.0 + 6.0)
    assert len(echo._said) <= 6
