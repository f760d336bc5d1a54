import random
from pathlib import Path

import numpy as np
import pytest

from agent import recommend_history
from agent.errors import AgentError
from agent.recommend_history import Asked, Habits, learn

pytest.importorskip("implicit", reason="the extra [recommend] is not installed")

TASTES = 6
OF_A_TASTE = 8


def planted(visits: int = 240, seed: int = 3) -> list[Asked]:
    """Visitors each of whom asks about one taste's topics, with now and then something else."""
    chance = random.Random(seed)
    asked = []
    for visit in range(visits):
        taste = visit % TASTES
        for step in range(4):
            of = taste if chance.random() < 0.85 else chance.randrange(TASTES)
            asked.append(Asked(f"v{visit}", f"t{of}-{chance.randrange(OF_A_TASTE)}", visit * 100.0 + step))
    return asked


@pytest.fixture(scope="module")
def habits() -> Habits:
    return learn(planted(), now_s=5.0)


def test_what_similar_visitors_asked_about_comes_first(habits: Habits) -> None:
    right = sum(
        topic.startswith(f"t{taste}-")
        for taste in range(TASTES)
        for topic in habits.likely([f"t{taste}-0", f"t{taste}-1"], 3)
    )
    assert right >= 0.9 * 3 * TASTES


def test_what_was_asked_about_is_not_likely_again(habits: Habits) -> None:
    assert not {"t0-0", "t0-1"} & set(habits.likely(["t0-0", "t0-1"], 40))


def test_of_visitors_of_whom_nothing_is_known_the_popular_is_likely(habits: Habits) -> None:
    assert np.array_equal(np.argsort(-habits.scores(["nowhere"])), np.argsort(-habits.popular))


def test_likelihoods_lie_between_nought_and_one(habits: Habits) -> None:
    values = list(habits.likely(["t2-3"], 48).values())
    assert values == sorted(values, reverse=True)
    assert min(values) >= 0.0
    assert max(values) <= 1.0


def test_too_few_visits_teach_nothing_and_say_so() -> None:
    few = learn(planted(20))
    assert few.topics == ()
    assert few.likely(["t0-0"], 3) == {}
    assert "of the 50 visits" in few.why


def test_habits_are_the_same_when_read_again(habits: Habits, tmp_path: Path) -> None:
    file = tmp_path / "habits.npz"
    habits.save(file)
    again = Habits.load(file)
    assert again is not None
    assert again.topics == habits.topics
    assert again.likely(["t1-1"], 5) == habits.likely(["t1-1"], 5)
    assert (again.visits, again.at_s, again.why) == (habits.visits, 5.0, "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not an archive"])
def test_a_damaged_file_counts_as_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "habits.npz"
    file.write_bytes(content)
    assert Habits.load(file) is None
    assert Habits.load(tmp_path / "missing.npz") is None


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_history, "find_spec", lambda name: None)
    with pytest.raises(AgentError, match=r"visavis\[recommend\]"):
        learn(planted(60))
