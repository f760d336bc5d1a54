import pytest

from moderation import Guard, Policy


@pytest.fixture(scope="session")
def guard() -> Guard:
    """The rules alone: what they do must not hang on a model's weights."""
    return Guard.load(Policy.from_table({"engines": {"embedded": False}}))


@pytest.fixture(scope="session")
def whole_guard() -> Guard:
    """The rules and the embedded classifier, as they ship."""
    return Guard.load()
