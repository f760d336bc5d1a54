"""A real TURN server for tests."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def turn_server(folder: Path, secret: str) -> AsyncIterator[int]:
    """Run a TURN server on the loopback; gives its port. Skips where coturn is not installed."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port = free_port()
    low = 20_000 + port % 10_000
    process = await asyncio.create_subprocess_exec(
        program, "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}",
        f"--min-port={low}", f"--max-port={low + 100}", "--use-auth-secret", f"--static-auth-secret={secret}",
        "--realm=test", "--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", "--log-file=stdout",
        "--simple-log", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'users'}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip

    async def listening() -> None:
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    await asyncio.wait_for(listening(), 10)
    yield port
    process.terminate()
    await process.wait()
