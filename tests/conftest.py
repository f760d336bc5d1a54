"""What every test may rely on: a state folder of its own, no models, no network, no key."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)  # how busy the machine is says nothing of the code
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tests from what the user's machine happens to hold; child processes inherit it."""
    folder: Path = tmp_path_factory.mktemp("visavis")
    chosen = {
        "VISAVIS_STATE": str(folder / "state"),
        "VISAVIS_MODELS": str(folder / "models"),
        "VISAVIS_OFFLINE": "1",
    }
    before = {name: os.environ.get(name) for name in (*chosen, "OPENAI_API_KEY", "OPENAI_BASE_URL")}
    os.environ.update(chosen)
    os.environ.pop("OPENAI_API_KEY", None)
    os.environ.pop("OPENAI_BASE_URL", None)
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a test a state folder that no other test has written to."""
    monkeypatch.setenv("VISAVIS_STATE", str(tmp_path / "state"))
