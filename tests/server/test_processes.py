"""Several processes behind one address, as `visavis serve --processes` runs them."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import psutil
import pytest

from server.boundary import UsageError
from server.live.options import ServeOptions
from server.processes import serve_processes
from server.progress import stages
from tests.server.served import a_desk, served, until


@pytest.mark.e2e
def test_a_process_that_is_killed_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    desk, state = a_desk(tmp_path / "desk"), tmp_path / "state"
    with served(desk, state, "--processes", "2", "--max-sessions", "4") as front:
        assert front.document["processes"] == 2
        children = psutil.Process(front.process.pid).children()
        workers = [one for one in children if "spawn_main" in str(one.cmdline())]
        assert len(workers) == 2
        with httpx.Client(base_url=front.address, trust_env=False, timeout=30) as http:
            made = [http.post("/v1/sessions", json={}).json()["session"] for _ in range(2)]
            assert len(set(made)) == 2
            assert [one["sessions"] for one in http.get("/healthz").json()["processes"]] == [1, 1]
            workers[0].send_signal(signal.SIGKILL)
            until(lambda: http.get("/healthz").status_code == 502)
            assert http.get("/").status_code == 200
            until(lambda: http.get("/healthz").status_code == 200, 120)
        assert front.stop() == (0, "")
    assert "Traceback" not in front.complaints
    until(lambda: not workers[1].is_running(), 10)


def test_processes_that_cannot_serve_say_why(tmp_path: Path) -> None:
    options = ServeOptions(port=0)
    with pytest.raises(UsageError, match="nothing"):
        serve_processes([str(tmp_path / "nothing")], options, 1, stages(quiet=True), ready=lambda _: None)
