"""`visavis serve` as a process of its own, for tests of what only a process can show."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Served:
    """A server process that serves."""

    def __init__(self, process: subprocess.Popen[str], document: dict[str, Any]) -> None:
        self.process, self.document = process, document
        self.address: str = document["address"]
        self.complaints = ""
        """What it had written to standard error when it ended."""

    def stop(self) -> tuple[int, str]:
        """Tell it to stop; returns its exit code and what else it wrote to standard output."""
        self.process.send_signal(signal.SIGTERM)
        rest, self.complaints = self.process.communicate(timeout=60)
        return self.process.returncode, rest

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()


def a_desk(folder: Path, web: str = "") -> Path:
    """Write the starter desk into a folder, with a `[web]` table."""
    shutil.copytree(ROOT / "agent" / "desks" / "starter", folder)
    with (folder / "desk.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[web]\n{web}\n" if web else "")
    return folder


@contextmanager
def served(desk: Path, state: Path, *arguments: str) -> Iterator[Served]:
    """Serve a desk on a free port of the loopback; the process is killed at the end.

    Args:
        desk: its folder.
        state: the user's data folder.
        arguments: more of the command.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", str(desk), "--port", "0", "--json", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VISAVIS_STATE": str(state)},
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        yield Served(process, json.loads("".join(lines)))
    finally:
        process.kill()
        process.communicate()


def until(so: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    end_s = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end_s, "it never came to hold"
        time.sleep(0.1)
