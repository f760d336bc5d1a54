"""Whatever is sent to the HTTP interface, it answers as its own description says."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode

from server.live.app import create_app
from server.live.options import ServeOptions
from tests.server.live.serving import Stageless, desk_in, opener

OPERATIONS = (
    "POST /v1/sessions",
    "GET /desks/{desk}/poster.jpg",
    "DELETE /v1/sessions/{session}",
    "POST /v1/sessions/{session}/rate",
    "GET /v1/sessions/{session}/data",
    "DELETE /v1/sessions/{session}/data",
    "GET /v1/queue/{ticket}",
    "POST /v1/chat",
    "GET /v1/inbox",
    "GET /v1/inbox/{session}",
    "POST /v1/inbox/{session}/take",
    "POST /v1/inbox/{session}/say",
    "POST /v1/inbox/{session}/back",
    "GET /v1/desks/{desk}/trends",
    "GET /v1/desks/{desk}/alerts",
    "GET /desks",
    "GET /healthz",
    "GET /metrics",
)
WITHOUT_ARGUMENTS = ("GET /desks", "GET /healthz", "GET /metrics")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    app = create_app(
        [desk_in(folder / "front", "max_sessions = 1000")],
        ServeOptions(rates={}, max_sessions=1000, unjoined=1000, unjoined_kiosks=1000),
        opener=opener,
        cast=Stageless(),
    )
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        port = bound.getsockname()[1]
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    finally:
        server.should_exit = True
        thread.join(20)


def test_every_operation_is_fuzzed(schema: Any) -> None:
    there = [result.ok() for result in schema.get_all_operations()]
    assert sorted(f"{one.method.upper()} {one.path}" for one in there) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_path_answers_as_described(schema: Any, operation: str, mode: GenerationMode) -> None:
    if mode is GenerationMode.NEGATIVE and operation in WITHOUT_ARGUMENTS:
        return  # nothing can be wrong with what takes nothing
    method, path = operation.split(" ")

    @settings(
        max_examples=15,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def fuzz(case: Any) -> None:
        case.validate_response(case.call())

    fuzz()
