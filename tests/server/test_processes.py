"""Several processes behind one address, as `visavis serve --processes` runs them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]


def eventually(condition: Callable[[], bool], within_s: float = 120.0) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it never came to hold"
        time.sleep(0.2)


@pytest.mark.e2e
def test_a_process_that_is_killed_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "agent" / "desks" / "starter", tmp_path / "desk")
    command = [sys.executable, "-m", "server", "serve", str(tmp_path / "desk"), "--processes", "2"]
    command += ["--port", "0", "--max-sessions", "4", "--json"]
    served = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VISAVIS_STATE": str(tmp_path / "state")},
    )
    try:
        assert served.stdout is not None
        lines = []
        for line in served.stdout:
            lines.append(line)
            if line == "}\n":
                break
        document = json.loads("".join(lines))
        assert document["processes"] == 2
        workers = [one for one in psutil.Process(served.pid).children() if "spawn_main" in str(one.cmdline())]
        assert len(workers) == 2
        with httpx.Client(base_url=document["address"], trust_env=False, timeout=30) as http:
            made = [http.post("/v1/sessions", json={}).json()["session"] for _ in range(2)]
            assert len(set(made)) == 2
            assert [one["sessions"] for one in http.get("/healthz").json()["processes"]] == [1, 1]
            workers[0].send_signal(signal.SIGKILL)
            eventually(lambda: http.get("/healthz").status_code == 502)
            assert http.get("/").status_code == 200
            eventually(lambda: http.get("/healthz").status_code == 200)
        served.send_signal(signal.SIGTERM)
        rest, complaints = served.communicate(timeout=60)
    finally:
        served.kill()
        served.wait()
    assert (served.returncode, rest) == (0, "")
    assert "Traceback" not in complaints
    eventually(lambda: not workers[1].is_running(), 10)


@pytest.mark.e2e
def test_processes_that_cannot_serve_say_why(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "serve", str(tmp_path / "nothing"), "--processes", "2"]
    told = subprocess.run(
        [*command, "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "VISAVIS_STATE": str(tmp_path / "state")},
    )
    assert told.returncode == 2
    assert "nothing" in told.stderr
    assert "Traceback" not in told.stderr
