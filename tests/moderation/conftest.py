import pytest

from moderation import Guard


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard.load()
