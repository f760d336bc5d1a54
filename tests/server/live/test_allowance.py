from server.live.allowance import Allowance


def test_an_allowance_gives_what_it_holds_and_fills_at_its_rate() -> None:
    now_s = 100.0
    allowance = Allowance(10, 5, lambda: now_s)
    assert all(allowance.take() for _ in range(5))
    assert not allowance.take()
    now_s = 100.05
    assert not allowance.take()
    now_s = 100.11
    assert allowance.take()
    now_s = 1000.0
    assert not allowance.take(6)
    assert allowance.take(5)
    assert not allowance.take(0.1)
