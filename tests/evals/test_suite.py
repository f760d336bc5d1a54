import json
import shutil
import signal
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path

import pytest

import agent
from agent.desk import Desk
from agent.engines import Engines
from agent.errors import DeskError
from agent.stage import Stage
from agent.turn import TurnTaker
from evals.checks.conversation import check_conversation
from evals.checks.judge import MODEL
from evals.replay.desk import DeskUnderTest
from evals.replay.record import to_json
from evals.replay.text import replay_text
from evals.report import summary_of
from evals.results import RESULTS, read_results
from evals.running import HANGS_S, SuiteError, run
from evals.scripts import Script, ScriptError, load_script, read_script
from evals.scripts.reading import check_length
from evals.side import FILES, OTHER
from evals.suite import FAILED, FINE, HARNESS, Order, desk_and_scripts, kept_results, run_suite
from evals.variant import Variant, fingerprint
from evals.worker import Job, Task, work
from server.boundary import UsageError
from server.progress import Silent
from tests.evals import faults

DESK = """name = "Test"
languages = ["en", "zh"]
[persona]
name = "Ada"
company = "Acme"
[voice]
engine = "espeak"
[hearing]
engine = "pocketsphinx"
"""
DOCUMENT = """# Returns

## How long can I return something?

You have thirty days to return an item. The thirty days begin when your parcel arrives,
and a card comes with it.

# Warranty

## How long is the warranty?

The warranty is two years on everything that we sell.
"""
RETURNS = """id: returns
tags: [topic:returns]
turns:
  - user: How long can I return something?
    expect:
      contains: thirty days
      within_ms: 3000
"""
BREAKS_IN = """id: breaks-in
turns:
  - user: How long can I return something?
    expect: {interrupted: true, heard_reply: {must_not: a card comes with it}}
  - user: Stop. How long is the warranty?
    barge_in: 1.0
    expect: {yielded_ms: 1500, contains: two years}
"""
BACKCHANNEL = """id: backchannel
turns:
  - user: How long can I return something?
    expect: {interrupted: false}
  - user: Mm-hm.
    barge_in: 1.0
    expect: {resumed: true, silent: true}
"""
WARRANTY = "id: warranty\nturns:\n  - {user: How long is the warranty?, expect: {outcome: answered}}\n"


@pytest.fixture(autouse=True, scope="module")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with one document and four scripts."""
    folder = tmp_path_factory.mktemp("desks") / "acme"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "scripts").mkdir()
    (folder / "desk.toml").write_text(DESK, "utf-8")
    (folder / "knowledge" / "help.md").write_text(DOCUMENT, "utf-8")
    for text in (RETURNS, BREAKS_IN, BACKCHANNEL, WARRANTY):
        (folder / "scripts" / f"{text.splitlines()[0][4:]}.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def desk(folder: Path) -> Iterator[DeskUnderTest]:
    with Variant(str(folder)).open("text") as opened:
        yield opened


def failures(desk: DeskUnderTest, text: str) -> dict[str, str]:
    script = script_of(text)
    checks = check_conversation(script, replay_text(desk, script))
    return {check.name: check.message for check in checks if not check.passed}


def script_of(text: str) -> Script:
    return read_script(text, Path("script.yaml"))


def test_a_sound_desk_passes_and_takes_the_same_course_every_time(desk: DeskUnderTest) -> None:
    assert [failures(desk, text) for text in (RETURNS, BREAKS_IN, BACKCHANNEL, WARRANTY)] == [{}, {}, {}, {}]
    script = script_of(BREAKS_IN)
    courses = [to_json(replay_text(desk, script)) for _ in range(2)]
    for course in courses:
        del course["took_s"], course["cpu_s"]
        for turn in course["turns"]:
            del turn["timings_ms"]  # hold what was computed, which no machine does twice alike
    assert courses[0] == courses[1]


def test_the_first_turn_breaks_into_the_greeting(desk: DeskUnderTest) -> None:
    text = BREAKS_IN.split("  - user")[0] + "  - user" + BREAKS_IN.split("  - user")[2]
    (first,) = replay_text(desk, script_of(text)).turns
    assert failures(desk, text) == {}
    assert (first.notices, first.yielded_ms is not None) == ([], True)


def test_a_wrong_answer_is_told_by_name(desk: DeskUnderTest) -> None:
    faults.wrong_answer(desk.engines)
    assert list(failures(desk, RETURNS)) == ["contains"]


@pytest.mark.parametrize("fault", [faults.late_answer, faults.busy_answer])
def test_a_late_answer_is_told_by_name(desk: DeskUnderTest, fault: object) -> None:
    fault(desk.engines)  # type: ignore[operator]
    text = RETURNS.replace("3000", "1500")
    assert list(failures(desk, text)) == ["within_ms.first_sound"]


def test_an_unsafe_answer_is_told_though_nobody_asked(desk: DeskUnderTest) -> None:
    faults.unsafe_answer(desk.engines)
    found = failures(desk, WARRANTY)
    assert list(found) == ["safe"]
    assert faults.UNSAFE in found["safe"]


def test_a_desk_that_cannot_be_interrupted_is_told_by_name(
    desk: DeskUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TurnTaker, "speech_started", lambda *_: [])
    assert "did not yield" in failures(desk, BREAKS_IN)["yielded_ms"]


@pytest.mark.parametrize(("fault", "told"), [(faults.begins_anew, "twice"), (faults.skips_words, "left out")])
def test_a_reply_that_does_not_go_on_from_where_it_was_is_told_by_name(
    desk: DeskUnderTest, fault: Callable[[Stage], None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "resume", fault)
    found = failures(desk, BACKCHANNEL)
    assert list(found) == ["resumed"]
    assert told in found["resumed"]


def test_an_answer_that_never_comes_ends_in_time(desk: DeskUnderTest) -> None:
    faults.never_answers(desk.engines)
    found = failures(desk, RETURNS.replace("turns:", "timeout_s: 10\nturns:"))
    assert "no end of a reply came in time" in found["answered"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (faults.never_answers, "hung"),
        (faults.hangs_after_its_start, "hung"),
        (faults.endless_answer, "no end"),
        (faults.endless_slow_answer, "no end"),
    ],
)
def test_an_answerer_that_hangs_or_has_no_end_is_told_though_nobody_asked(
    desk: DeskUnderTest, fault: Callable[[Engines], None], why: str
) -> None:
    fault(desk.engines)
    asks_nothing = "id: returns\nturns:\n  - user: How long can I return something?\n"
    found = failures(desk, asks_nothing)
    assert list(found) == ["engines"]
    assert why in found["engines"]


def test_what_visitors_had_done_is_forgotten_between_conversations(desk: DeskUnderTest) -> None:
    (desk.state / "orders.sqlite").write_text("done")
    replay_text(desk, script_of(WARRANTY))
    assert not (desk.state / "orders.sqlite").exists()


def test_the_date_is_the_scripts(desk: DeskUnderTest) -> None:
    from datetime import date

    from evals.replay.desk import at_its_time

    script = script_of(WARRANTY.replace("turns:", "fixtures: {clock: 2026-05-04T10:00}\nturns:"))
    with at_its_time(script):
        assert date.today() == date(2026, 5, 4)
    assert date.today() != date(2026, 5, 4)


def order(folder: Path, **changes: object) -> Order:
    return Order((Variant(str(folder)),), workers=0, **changes)  # type: ignore[arg-type]


def test_a_new_desk_holds_the_conversation_that_it_ships_with() -> None:
    starter = Path(agent.__file__).parent / "desks" / "starter"
    with Variant(str(starter)).open("text") as opened:
        for file in (starter / "scripts").glob("*.yaml"):
            script = load_script(file)
            checks = check_conversation(script, replay_text(opened, script))
            assert [check for check in checks if not check.passed] == []


def test_a_suite_keeps_every_result_and_takes_up_what_broke_off(folder: Path, tmp_path: Path) -> None:
    suite = run_suite(order(folder, report=tmp_path), Silent())
    assert suite.code == FINE
    measured_nothing = replace(suite, results=replace(suite.results, results=()))
    assert measured_nothing.code == HARNESS
    assert len(suite.results.results) == 4
    file = tmp_path / RESULTS
    lines = file.read_text("utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["run", *["conversation"] * 4, "end"]
    file.write_text("\n".join(lines[:3]) + "\n" + lines[3][:40], "utf-8")  # killed while it wrote
    again = run_suite(order(folder, report=tmp_path), Silent())
    assert again.taken_up == 2
    assert {one.record.script for one in again.results.results} == {
        "returns",
        "breaks-in",
        "backchannel",
        "warranty",
    }
    found = read_results(file)
    assert found.complete
    assert len(found.results) == 4
    assert run_suite(order(folder, report=tmp_path), Silent()).taken_up == 0


def test_a_script_that_is_wrong_is_named_and_the_others_go_on(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(WARRANTY, "utf-8")
    (tmp_path / "bad.yaml").write_text("id: bad\nturns:\n  - {usr: hello}\n", "utf-8")
    suite = run_suite(order(folder, scripts=(tmp_path,)), Silent())
    assert suite.code == HARNESS
    assert len(suite.results.results) == 1
    assert "bad.yaml:3" in str(suite.wrong[0])
    assert "`user`" in str(suite.wrong[0])


def test_a_replay_whose_process_dies_is_named_and_the_others_go_on(folder: Path) -> None:
    variant = Variant(str(folder), change="tests.evals.faults:dies_of_warranties")
    suite = run_suite(Order((variant,), workers=1, tags=()), Silent())
    lost = {one.record.script: one.record.error for one in suite.results.results if one.record.error}
    assert set(lost) == {"warranty", "breaks-in"}
    assert "code 7" in lost["warranty"]
    assert {one.record.script for one in suite.results.results} == {
        "returns",
        "breaks-in",
        "backchannel",
        "warranty",
    }
    assert suite.code == FAILED  # the scripted line holds no "thirty days to return"


def test_two_desks_are_replayed_beside_each_other(folder: Path) -> None:
    two = (Variant(str(folder)), Variant(str(folder), change="tests.evals.faults:wrong_answer"))
    suite = run_suite(Order(two, (folder / "scripts" / "returns.yaml",), workers=0, repeat=2), Silent())
    assert [one.passed for one in suite.results.results] == [True, True]
    assert suite.other is not None
    assert [one.passed for one in suite.other.results] == [False, False]


def test_both_sides_of_a_comparison_are_kept_and_taken_up(folder: Path, tmp_path: Path) -> None:
    two = (Variant(str(folder)), Variant(str(folder), change="tests.evals.faults:wrong_answer"))
    both = Order(two, (folder / "scripts" / "returns.yaml",), workers=0, repeat=2, report=tmp_path)
    first = run_suite(both, Silent())
    assert [read_results(tmp_path / name).run.desk for name in FILES] == [one.name for one in two]
    for name, kept in zip(FILES, (3, 2), strict=True):
        lines = (tmp_path / name).read_text("utf-8").splitlines()
        (tmp_path / name).write_text("\n".join(lines[:kept]) + "\n", "utf-8")  # broke off
    assert kept_results(both) == 3
    again = run_suite(both, Silent())
    assert again.taken_up == 3
    for one, other in ((first.results, again.results), (first.other, again.other)):
        assert other is not None
        assert one is not None
        assert [each.passed for each in other.results] == [each.passed for each in one.results]
    assert [read_results(tmp_path / name).complete for name in FILES] == [True, True]
    run_suite(order(folder, scripts=both.scripts, report=tmp_path), Silent())
    assert not (tmp_path / OTHER).exists()


def test_a_report_within_the_desk_is_no_part_of_it(folder: Path, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    shutil.copytree(folder, desk)
    one = fingerprint((Variant(str(desk)),), [], beside=desk / "out" / "eval")
    (desk / "out" / "eval").mkdir(parents=True)
    (desk / "out" / "eval" / RESULTS).write_text("{}")
    assert fingerprint((Variant(str(desk)),), [], beside=desk / "out" / "eval") == one
    (desk / "knowledge" / "new.md").write_text("# New\n\nA new page.\n")
    assert fingerprint((Variant(str(desk)),), [], beside=desk / "out" / "eval") != one


def test_what_a_desk_prints_is_kept_out_of_standard_output(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    variant = Variant(str(folder), change="tests.evals.faults:prints")
    run_suite(Order((variant,), (folder / "scripts" / "returns.yaml",), workers=0), Silent())
    out, err = capfd.readouterr()
    assert (out, "printed by a tool" in err, "printed by its program" in err) == ("", True, True)


def test_another_knowledge_than_the_scripts_is_told_and_no_failure(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(
        WARRANTY.replace("turns:", "fixtures: {knowledge: 0123abcd}\nturns:"), "utf-8"
    )
    suite = run_suite(order(folder, scripts=(tmp_path,)), Silent())
    (note,) = summary_of(suite.results)["notes"]
    now = suite.results.results[0].record.knowledge
    assert note["message"].startswith(f"line 2: written for the knowledge 0123abcd, and {now} answered")
    assert suite.code == FINE
    (tmp_path / "old.yaml").write_text(
        WARRANTY.replace("turns:", f"fixtures: {{knowledge: {now[:8]}}}\nturns:"), "utf-8"
    )
    assert not summary_of(run_suite(order(folder, scripts=(tmp_path,)), Silent()).results)["notes"]


def test_a_desk_that_cannot_be_opened_ends_the_suite(folder: Path) -> None:
    broken = Variant(str(folder), ("answering.engine=openai", "answering.base_url=nonsense"))
    with pytest.raises((SuiteError, Exception), match="base_url|nonsense"):
        run_suite(Order((broken,), workers=1), Silent())


def test_the_first_name_is_the_desk_if_it_is_one(folder: Path, tmp_path: Path) -> None:
    script = folder / "scripts" / "returns.yaml"
    assert desk_and_scripts([]) == ("demo", ())
    assert desk_and_scripts([str(folder), str(script)]) == (str(folder), (script,))
    assert desk_and_scripts([str(script)]) == (str(folder.resolve()), (script,))
    (tmp_path / "alone.yaml").touch()
    assert desk_and_scripts([str(tmp_path / "alone.yaml")])[0] == "demo"
    assert desk_and_scripts([str(Desk.load().folder / "scripts")])[0] == "demo"
    with pytest.raises(UsageError, match="neither a desk nor a script"):
        desk_and_scripts([str(tmp_path / "nothing")])
    assert Variant(".").name == Path.cwd().name


def test_an_action_that_the_desk_does_not_have_is_the_scripts_mistake(folder: Path, tmp_path: Path) -> None:
    wrong = WARRANTY.replace("{outcome: answered}", "{tools: {name: refund, times: 0}}")
    (tmp_path / "wrong.yaml").write_text(wrong, "utf-8")
    (result,) = run_suite(order(folder, scripts=(tmp_path,)), Silent()).results.results
    assert result.record.error.startswith(f"{tmp_path / 'wrong.yaml'}:3: the desk has no action `refund`")


def test_a_worker_whose_parent_is_gone_says_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    ours, theirs = Pipe()
    ours.close()
    work(theirs, Job((Variant(str(folder)),)))
    assert capfd.readouterr().err == ""


def test_what_lies_beside_a_script_and_who_judges_tell_runs_apart(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = load_script_with(tmp_path, "begun")
    one = fingerprint((Variant(str(folder)),), [script])
    assert one == fingerprint((Variant(str(folder)),), [script])
    load_script_with(tmp_path, "changed")
    assert (two := fingerprint((Variant(str(folder)),), [script])) != one
    monkeypatch.setenv(MODEL, "judge")
    assert fingerprint((Variant(str(folder)),), [script]) not in (one, two)


def load_script_with(folder: Path, begun: str) -> Script:
    (folder / "begun.txt").write_text(begun)
    text = WARRANTY.replace("turns:", "fixtures: {files: {begun.txt: begun.txt}}\nturns:")
    (folder / "warranty.yaml").write_text(text, "utf-8")
    return load_script(folder / "warranty.yaml")


def test_a_goal_that_nobody_decides_is_counted_and_fails_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "goal.yaml").write_text(f"{WARRANTY}expect: {{goal: the visitor knows}}\n", "utf-8")
    suite = run_suite(order(folder, scripts=(tmp_path,)), Silent())
    assert (suite.results.run.not_judged, suite.code) == (1, FINE)
    assert summary_of(suite.results)["not_judged"] == 1


def test_a_script_of_another_desk_or_too_long_for_sound_is_wrong(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(f"{WARRANTY}desk: acme\n", "utf-8")
    (tmp_path / "other.yaml").write_text(f"{BACKCHANNEL}desk: bakery\n", "utf-8")
    suite = run_suite(order(folder, scripts=(tmp_path,)), Silent())
    assert [one.record.script for one in suite.results.results] == ["warranty"]
    assert "written for the desk bakery, not " in str(suite.wrong[0])
    with pytest.raises(ScriptError, match=r":3: its pauses take 1,801 s"):
        check_length(script_of("id: long\nturns:\n- {pause_s: 1800}\n- {user: hello, pause_s: 1}"))


def test_a_report_that_cannot_be_written_is_told_at_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/x")):
        with pytest.raises(UsageError, match="name a folder that can be written to"):
            run_suite(order(folder, report=place), Silent())


def test_an_unknown_setting_is_told_with_its_option_and_the_nearest_one(folder: Path) -> None:
    variant = Variant(str(folder), ("answering.enginee=extractive",), option="--against-set")
    with pytest.raises(DeskError, match=r"^--against-set .*did you mean answering\.engine\?"):
        variant.load()


def test_a_recording_without_its_words_is_no_script_for_words(folder: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    (tmp_path / "a.yaml").write_text("turns: [{wav: a.wav}]\n", "utf-8")
    with pytest.raises(UsageError, match="for mode text"):
        run_suite(order(folder, scripts=(tmp_path,)), Silent())


def test_a_tag_that_no_script_has_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="topic:none"):
        run_suite(order(folder, tags=("topic:none",)), Silent())


def test_workers_that_are_stopped_leave_nothing_and_print_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    variant = Variant(str(folder), change="tests.evals.faults:prints_and_hangs")
    script = script_of(WARRANTY)
    replays = run([Task(script), Task(script, 1)], Job((variant,)), 1)
    monkeypatch.setitem(HANGS_S, "text", 0.5)
    _, lost = next(replays)
    assert "was stopped" in lost.record.error
    replays.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.glob("visavis-eval-*"))
    assert "printed by a tool" not in capfd.readouterr().out
