from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evals.suites.figures import SuiteDataError
from evals.suites.generated import Model, action_of, pattern_of, write_desk
from evals.suites.lookup import look_up
from evals.suites.tau2 import idle_reward, measure_tau2, reference_reward
from evals.suites.tau2_reward import Outcome, Reward, reward_of, same
from evals.suites.tau2_tasks import Call, read_domain
from evals.suites.tau2_user import RuleUser, spoken, user_of
from evals.suites.telecom import Telecom, WorldError
from tests.openai_server import Behaviour, openai_server

DATA = Path(__file__).parents[3].parent / "shared" / "data"
TELECOM = pytest.mark.skipif(not (DATA / "tau2_telecom").is_dir(), reason="needs ../shared/data/tau2_telecom")


def _task(**changes: Any) -> dict[str, Any]:
    wanted = {
        "actions": [
            {"name": "find_user", "arguments": {"email": "ann@example.com"}},
            {
                "name": "cancel_pending_order",
                "arguments": {"order_id": "#W1234567", "reason": "no longer needed"},
            },
        ],
        "communicate_info": ["1204"],
        "reward_basis": ["DB", "COMMUNICATE"],
    }
    told = {
        "domain": "toys",
        "reason_for_call": "You want to cancel your order #W1234567, as you no longer need it.",
        "known_info": "Your email is ann@example.com.",
    }
    return {"id": "1", "user_scenario": {"instructions": told}, "evaluation_criteria": wanted | changes}


def _folder(folder: Path, *tasks: dict[str, Any]) -> Path:
    (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    (folder / "policy.md").write_text("# Orders\n\nPending orders can be cancelled.\n", encoding="utf-8")
    return folder


def _reward(folder: Path, outcome: Outcome, **changes: Any) -> Reward:
    task = read_domain(_folder(folder, _task(**changes))).tasks[0]
    return reward_of(task, outcome, changing=lambda name: name.startswith("cancel"))


CANCEL = Call("cancel_pending_order", {"order_id": "W1234567", "reason": "No longer needed"})


def test_the_reward_is_the_product_of_the_tasks_components(tmp_path: Path) -> None:
    right = Outcome((CANCEL,), ("That makes $1,204.",))
    assert _reward(tmp_path, right).value == 1.0
    assert _reward(tmp_path, replace(right, said=("Done.",))).components == {"DB": 1.0, "COMMUNICATE": 0.0}
    assert _reward(tmp_path, replace(right, calls=())).value == 0.0
    assert _reward(tmp_path, replace(right, calls=(CANCEL, CANCEL))).value == 0.0
    assert _reward(tmp_path, replace(right, ended=False)).value == 0.0
    assert _reward(tmp_path, right, reward_basis=["ACTION"]).value == 0.5


def test_what_cannot_be_measured_is_never_passed(tmp_path: Path) -> None:
    right = Outcome((CANCEL,), ())
    words = {"nl_assertions": ["The agent was kind."], "reward_basis": ["DB", "NL_ASSERTION"]}
    found = _reward(tmp_path, right, **words)
    assert found.value is None
    assert found.missing == ("NL_ASSERTION",)
    assert _reward(tmp_path, replace(right, calls=()), **words).value == 0.0
    assertion = [{"func_name": "assert_x", "arguments": {}}]
    assert _reward(tmp_path, right, env_assertions=assertion, reward_basis=["ENV_ASSERTION"]).value is None


def test_calls_are_compared_by_name_and_arguments() -> None:
    wanted = Call("pay", {"ids": ["2", "1"], "amount": 2.0})
    assert same(wanted, Call("pay", {"ids": "1, 2", "amount": "2"}))
    assert not same(wanted, Call("pay", {"ids": "1, 3", "amount": "2"}))
    assert not same(wanted, Call("pay", {"ids": "1, 2"}))
    assert same(replace(wanted, compared=()), Call("pay", {}))
    assert not same(wanted, Call("refund", dict(wanted.arguments)))


def test_arguments_are_known_by_their_shape_and_not_by_one_tasks_values() -> None:
    assert pattern_of(["#W2378156", "#W4284542"]) == r"(#?W\d{7})"
    assert "19122" not in pattern_of(["19122", "28236"])
    assert re.fullmatch(pattern_of(["EHGLP3"]), "4WQ150")
    assert re.search(pattern_of(["emma_kim_9957", "raj_sanchez_7340"]), "I am mia_li_3668.")
    assert not re.search(pattern_of(["EHGLP3"]), "CANCEL it")
    action = action_of("cancel_pending_order", [{"order_id": "#W1234567"}])
    assert action.changes
    assert not action_of("find_user_id_by_email", [{"email": "a@b.example"}]).changes


def test_a_user_says_why_they_call_and_answers_what_they_are_asked(tmp_path: Path) -> None:
    user = RuleUser(read_domain(_folder(tmp_path, _task())).tasks[0])
    assert user.begin() == "I want to cancel my order #W1234567, as I no longer need it."
    assert "ann@example.com" in (user.next("What is your e-mail address?", None) or "")
    assert user.next("What is your zip code?", None) == "I do not know the zip code."
    assert user.next("Shall I cancel the order #W1234567?", None) == "Yes, please."
    assert spoken("You mobile data is slow.") == "My mobile data is slow."


def test_tasks_are_played_to_a_desk_that_calls_what_it_is_told(tmp_path: Path) -> None:
    found = measure_tau2(read_domain(_folder(tmp_path, _task(communicate_info=[]))), repeat=2)
    row = found.rows[0]
    assert row["ended"] == 1
    assert "find_user" in row["calls"]
    assert found.figures["tasks"] == 1
    assert {"pass^1", "pass^2"} <= found.figures.keys()
    assert found.figures["reward_of_the_reference"] == 1.0
    assert found.figures["reward_of_doing_nothing"] == 0.0


def test_broken_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteDataError, match=r"policy\.md"):
        read_domain(tmp_path)
    broken = _task()
    del broken["user_scenario"]
    with pytest.raises(SuiteDataError, match=r"tasks\.json: task '1'.*user_scenario"):
        read_domain(_folder(tmp_path, broken))
    with pytest.raises(SuiteDataError, match="split_tasks"):
        read_domain(_folder(tmp_path, _task()), split="nope")


@TELECOM
def test_every_telecom_task_is_solved_by_its_reference_and_by_nothing_less() -> None:
    domain = read_domain(DATA / "tau2_telecom")
    assert all(reference_reward(domain, task).value == 1.0 for task in domain.tasks)
    assert all(idle_reward(domain, task).value == 0.0 for task in domain.tasks)


@TELECOM
def test_an_action_that_fails_changes_nothing() -> None:
    domain = read_domain(DATA / "tau2_telecom")
    world = Telecom.begin(domain.database or {}, domain.tasks[0])
    before = json.dumps(world.state)
    with pytest.raises(WorldError):
        world.do(Call("refuel_data", {"customer_id": "C1001", "line_id": "L1002", "gb_amount": -1}))
    with pytest.raises(WorldError):
        world.do(Call("reboot_device", {}))
    assert json.dumps(world.state) == before


@TELECOM
def test_a_user_does_with_their_phone_what_they_are_told() -> None:
    domain = read_domain(DATA / "tau2_telecom")
    task = next(one for one in domain.tasks if "airplane_mode_on" in one.id)
    world, user = Telecom.begin(domain.database or {}, task), RuleUser(task)
    said = user.next("Please turn off airplane mode.", world)
    assert [call.name for call in user.done] == ["toggle_airplane_mode"]
    assert said == "It works now, thank you."
    outcome = Outcome(tuple(user.done), (), world)
    assert reward_of(task, outcome, changing=lambda _: False).value == 1.0


def test_look_ups_find_rows_by_key_and_by_what_they_hold() -> None:
    tables = {
        "users": {
            "ann_1": {"email": "Ann@example.com", "address": {"zip": "19122"}, "name": {"first": "Ann"}}
        },
        "orders": {"#W1": {"user_id": "ann_1", "items": [{"item_id": "7", "price": 12.5}]}},
        "products": {"22": {"variants": {"7": {"price": 12.5}}}},
    }
    assert look_up(tables, {"email": "ann@example.com"}) == "ann_1"
    assert look_up(tables, {"first_name": "ann", "zip": "19122"}) == "ann_1"
    assert look_up(tables, {"order_id": "W1"}).startswith("user id: ann_1; items: (item id: 7; price: 12.5)")
    assert look_up(tables, {"item_id": "7"}) == "price: 12.5"
    assert look_up(tables, {"email": "bob@example.com"}) == "Nothing was found."


def test_what_is_not_measured_leaves_the_reward_between_two_bounds(tmp_path: Path) -> None:
    words = {"nl_assertions": ["The agent was kind."], "reward_basis": ["NL_ASSERTION"]}
    found = measure_tau2(read_domain(_folder(tmp_path, _task(**words))))
    assert (found.figures["reward_at_least"], found.figures["reward_at_most"]) == (0.0, 1.0)
    assert "reward" not in found.figures
    assert "NL_ASSERTION" in found.not_measured


def _answers(*said: str) -> Behaviour:
    first, *rest = (
        Behaviour(
            raw=json.dumps({"choices": [{"message": {"content": one}}]}), content_type="application/json"
        )
        for one in said
    )
    return replace(first, then=rest)


@TELECOM
def test_a_language_model_plays_the_user_and_acts_on_their_phone(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = read_domain(DATA / "tau2_telecom")
    task = next(one for one in domain.tasks if "airplane_mode_on" in one.id)
    world = Telecom.begin(domain.database or {}, task)
    server = _answers("I have no service.", "DO toggle_airplane_mode\nI did that.", "Thanks. ###STOP###")
    with openai_server(server) as address:
        monkeypatch.setenv("VISAVIS_USER_MODEL", "m")
        monkeypatch.setenv("VISAVIS_USER_URL", address)
        user = user_of(task)
        assert user.begin() == "I have no service."
        assert user.next("Please turn airplane mode off.", world) == "I did that."
        assert user.next("Does it work now?", world) is None
    assert world.phone.state["connection"] == "connected"
    assert [call.name for call in user.done] == ["toggle_airplane_mode"]
    assert task.reason in server.requests[0]["messages"][0]["content"]


def test_a_model_of_users_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = read_domain(_folder(tmp_path, _task())).tasks[0]
    with openai_server(Behaviour(status=400)) as address:
        monkeypatch.setenv("VISAVIS_USER_MODEL", "m")
        monkeypatch.setenv("VISAVIS_USER_URL", address)
        with pytest.raises(SuiteDataError, match="VISAVIS_USER_MODEL"):
            user_of(task).begin()


def test_a_desk_is_made_of_policy_and_actions_for_a_language_model(tmp_path: Path) -> None:
    desk = write_desk(
        tmp_path / "desk",
        "Toys",
        documents={"policy.md": "# Orders\n\nThey can be cancelled."},
        actions=[action_of("cancel_order", [{"order_id": "#W1234567"}])],
        rules="Be kind.",
        model=Model("m", "http://127.0.0.1:1/v1"),
    )
    assert desk.rules() == "Be kind."
    assert (desk.settings.answering.engine, desk.settings.answering.model) == ("openai", "m")
    (tool,) = desk.tools()
    assert tool.fill("please cancel order #W7654321") == {"order_id": "#W7654321"}
    assert tool.changes
