import threading
import time
from concurrent.futures import CancelledError

import pytest

from agent.workers import Workers


def test_calls_run_in_named_threads_and_errors_belong_to_who_asked() -> None:
    pool = Workers(2, "some")
    try:
        assert pool.submit(lambda: threading.current_thread().name).result(5).startswith("some_")
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 // 0).result(5)
        assert sorted(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
    finally:
        pool.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(abs, 1)


def test_a_call_that_hangs_holds_neither_the_pool_nor_the_process() -> None:
    pool, hang, began = Workers(1, "some", wait_s=0.1), threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        hang.wait()

    hanging, waiting = pool.submit(wait), pool.submit(abs, 1)
    assert began.wait(5)
    ended = threading.Thread(target=lambda: pool.shutdown(cancel_futures=True))
    ended.start()
    ended.join(20)
    assert not ended.is_alive()
    assert not hanging.done()
    with pytest.raises(CancelledError):
        waiting.result(0)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("some_"))
    hang.set()
    hanging.result(5)


def test_work_under_way_may_end() -> None:
    pool = Workers(1, "some", wait_s=20)
    slow = pool.submit(time.sleep, 0.2)
    pool.shutdown()
    assert slow.done()
