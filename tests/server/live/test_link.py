from server.live.link import Bucket


def test_a_bucket_gives_what_it_holds_and_fills_at_its_rate() -> None:
    bucket = Bucket(rate=10, size=5)
    assert all(bucket.take(1, 100.0) for _ in range(5))
    assert not bucket.take(1, 100.0)
    assert not bucket.take(1, 100.05)
    assert bucket.take(1, 100.11)
    assert not bucket.take(6, 1000.0)
    assert bucket.take(5, 1000.0)
