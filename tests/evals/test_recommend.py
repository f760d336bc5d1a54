import random
from pathlib import Path

import pytest

from evals.bench import run_bench
from evals.figure import NotHere
from evals.recommend import RECOMMEND, RECOMMEND_FIGURES, Rating, evaluate, part, read_ratings
from server.boundary import UsageError
from server.progress import Silent

DATA = Path(__file__).parents[3] / "shared" / "data" / "movielens_small"


def tastes(users: int = 90, seed: int = 1) -> list[Rating]:
    """People who like one of three tastes' things, over time; half of them go on after the parting."""
    chance = random.Random(seed)
    ratings = []
    for user in range(users):
        taste = user % 3
        for step in range(20):
            own = chance.random() < 0.8
            item = f"{taste if own else chance.randrange(3)}-{chance.randrange(30)}"
            ratings.append(Rating(f"u{user}", item, 5.0 if own else 2.0, user * 3.0 + step * 10.0))
    return sorted(ratings, key=lambda one: one.at_s)


def test_nothing_of_the_future_is_learnt_from() -> None:
    ratings = tastes()
    past, visitors = part(ratings)
    parting = max(one.at_s for one in past)
    assert 0.7 < len(past) / len(ratings) <= 0.8
    assert visitors
    for visitor in visitors:
        assert not visitor.wanted & {one.item for one in visitor.known}
    assert all(one.at_s > parting for one in ratings if one not in past)


@pytest.mark.filterwarnings("error")
def test_planted_tastes_are_found_and_popularity_does_not_find_them() -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    outcome = evaluate(tastes(), "planted")
    assert outcome.ours.recall > 1.5 * outcome.popularity.recall
    assert outcome.ours.ndcg > 1.5 * outcome.popularity.ndcg


def test_where_there_is_too_little_it_is_said() -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    with pytest.raises(NotHere, match="too little"):
        evaluate([Rating("a", "x", 5.0, 1.0)], "nothing")
    with pytest.raises(NotHere, match="too little"):
        evaluate([], "nothing")


def test_columns_may_be_more_and_in_another_order(tmp_path: Path) -> None:
    file = tmp_path / "ratings.csv"
    file.write_text("\ufefftimestamp,userId,movieId,rating,,\n20,a,x,4.5,,\n10,b,y,3,,\n", encoding="utf-8")
    assert read_ratings(tmp_path) == [Rating("b", "y", 3.0, 10.0), Rating("a", "x", 4.5, 20.0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no ratings.csv"),
        ("userId,movieId,rating\na,x,4\n", "'timestamp' is missing"),
        ("userId,movieId,rating,timestamp\na,x,four,1\n", "line 2"),
        ("userId,movieId,rating,timestamp\na,x,4,1\nb,x\n", "line 3"),
        ("userId,movieId,rating,timestamp\na,x,nan,1\n", "line 2"),
    ],
)
def test_what_is_no_ratings_is_refused_in_a_line(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "ratings.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as refused:
        read_ratings(tmp_path)
    assert "\n" not in str(refused.value)


def test_bench_takes_a_folder_and_says_where_one_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    lines = [f"{one.user},{one.item},{one.value},{one.at_s}" for one in tastes()]
    (tmp_path / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *lines]))
    measured = run_bench([RECOMMEND, str(tmp_path)], runs=1, stages=Silent())
    assert set(measured["figures"]) == set(RECOMMEND_FIGURES)
    assert tmp_path.name in measured["figures"]["recommend_recall_at_10"]["note"]
    missing = run_bench([RECOMMEND], runs=1, stages=Silent())
    assert set(missing["skipped"]) == set(RECOMMEND_FIGURES)
    assert "recommend FOLDER" in missing["skipped"]["recommend_ndcg_at_10"]
    with pytest.raises(UsageError, match=r"no ratings\.csv"):
        run_bench(["popularity_recall_at_10", str(tmp_path / "nowhere")], runs=1, stages=Silent())


@pytest.mark.data
def test_real_ratings_are_foretold_better_than_by_popularity() -> None:
    pytest.importorskip("implicit", reason="the extra [recommend] is not installed")
    if not DATA.is_dir():
        pytest.skip("needs ../shared/data/movielens_small")
    outcome = evaluate(read_ratings(DATA), "MovieLens")
    assert outcome.ours.recall > 1.15 * outcome.popularity.recall
    assert outcome.ours.ndcg > 1.15 * outcome.popularity.ndcg
