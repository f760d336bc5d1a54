"""Scripts are written as people write them, and read back as the same script."""

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.desk import Desk
from evals.scripts import find_scripts, load_script, read_script
from evals.scripts.expectations import ConversationExpectation, Database, ToolCall, TurnExpectation
from evals.scripts.script import BargeIn, Fixtures, Script, Turn
from evals.scripts.writing import HEADER, written

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), max_size=20
)
WORDS = TEXTS | st.sampled_from(["yes", "0123", "1e3", "12:30", "null", "- a", "a: b", "# x", "~", "1.50"])


def _expected(model: type[Any], **given: Any) -> Any:
    """Leave out the lists of nothing, but where they mean that there is none."""
    return model(**{key: one for key, one in given.items() if one or key in ("tools", "cites")})


EXPECTED = st.builds(
    _expected,
    st.just(TurnExpectation),
    cites=st.none() | st.lists(WORDS, max_size=2).map(tuple),
    contains=st.lists(WORDS.filter(str.strip), max_size=3).map(tuple),
    outcome=st.lists(st.sampled_from(["answered", "refused"]), max_size=2).map(tuple),
    tools=st.none()
    | st.lists(
        st.builds(
            ToolCall, name=WORDS, arguments=st.dictionaries(WORDS, WORDS | st.integers() | st.booleans())
        ),
        max_size=2,
    ).map(tuple),
    within_ms=st.dictionaries(st.sampled_from(["first_sound", "turn_end"]), st.integers(1, 9).map(float)),
    silent=st.none() | st.booleans(),
)


def _turn(user: str, barge_in: BargeIn | None, **more: Any) -> Turn:
    return Turn(user=user, barge_in=barge_in if user else None, **more)


TURNS = st.builds(
    _turn,
    user=WORDS.filter(lambda words: not words or bool(words.strip())),
    pause_s=st.floats(0, 60).map(lambda number: round(number, 2)),
    barge_in=st.none() | st.builds(BargeIn, after_s=st.sampled_from([1.0, 2.5])),
    expect=EXPECTED,
)
NAMES = WORDS.map(lambda words: f"{words}.sqlite").filter(lambda name: not set("/.") & set(name[:-7]))
STATE = st.builds(
    Database,
    file=NAMES,
    query=WORDS.map(lambda words: f"SELECT '{words.replace(chr(39), chr(39) * 2)}'"),
    rows=st.none() | st.lists(st.tuples(WORDS | st.none()), max_size=2).map(tuple),
    count=st.integers(0, 3),
)
SCRIPTS = st.builds(
    Script,
    id=st.just("a"),
    title=WORDS,
    tags=st.lists(WORDS.filter(bool), max_size=3).map(tuple),
    fixtures=st.builds(Fixtures, customer=st.dictionaries(WORDS, WORDS, max_size=2)),
    expect=st.builds(
        _expected, st.just(ConversationExpectation), state=st.lists(STATE, max_size=1).map(tuple)
    ),
    turns=st.lists(TURNS, min_size=1, max_size=3).map(lambda those: (Turn(user="hello"), *those)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
def test_what_is_written_is_read_back(script: Script) -> None:
    again = read_script(written(script), Path("a.yaml"))
    assert again.model_dump() == script.model_dump()


def test_the_demo_desks_scripts_survive_being_written() -> None:
    for file in find_scripts([Desk.load().folder / "scripts"]):
        script = load_script(file)
        assert read_script(written(script), file).model_dump() == script.model_dump()


def test_it_is_short_and_in_order_with_its_remarks() -> None:
    script = Script(
        id="late",
        language="zh",
        title="A late parcel",
        tags=("topic:refund", "late"),
        turns=(
            Turn(user="我的包裹晚了"),
            Turn(
                user="4711",
                barge_in=BargeIn(),
                expect=TurnExpectation.model_validate(
                    {"contains_any": "4711", "outcome": "answered", "within_ms": 1500, "tools": []}
                ),
            ),
        ),
    )
    assert written(script, about=["from a test"], remarks={1: ["look"]}).splitlines() == [
        HEADER,
        "# from a test",
        "id: late",
        "title: A late parcel",
        "language: zh",
        'tags: ["topic:refund", late]',
        "turns:",
        '  - user: "我的包裹晚了"',
        "  # look",
        '  - user: "4711"',
        "    barge_in: true",
        "    expect:",
        "      outcome: answered",
        '      contains_any: "4711"',
        "      tools: []",
        "      within_ms: 1500",
    ]
