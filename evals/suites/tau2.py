"""τ²-bench against a desk made of a domain's policy and actions: reward by component, pass^k.

`python -m evals.suites.tau2 FOLDER [--json] [--limit N] [--repeat K]`. A desk without a language model finds
and says what the policy tells, and calls the actions whose arguments a visitor gives; most tasks need more.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evals.checks.judge import Judge, JudgeError
from evals.replay.desk import DeskUnderTest
from evals.replay.driver import SETTLE_S, Driver
from evals.replay.record import ConversationRecord
from evals.replay.text import replay_text
from evals.scripts import Script, Turn
from evals.scripts.script import Fixtures
from evals.statistics import pass_hat
from evals.suites.exporting import script_id
from evals.suites.figures import Figures, Found, SuiteDataError, Tick
from evals.suites.generated import Action, Model, action_of, write_desk
from evals.suites.recorders import DATABASE, WORLD
from evals.suites.tau2_reward import TRANSFER, Outcome, Reward, reward_of
from evals.suites.tau2_tasks import Call, Domain, Task
from evals.suites.tau2_user import MODEL, User, user_of
from evals.suites.telecom import Telecom
from evals.suites.telecom_actions import TELECOM_ACTIONS

MOST_TURNS = 12
"""Of a user; a conversation that is not over by then is worth nothing, as in the benchmark."""


class Talk(Driver):
    """A visitor whose words depend on what the desk says.

    Args:
        user: plays them.
        state: the desk's state folder; the task's world lies there, where it has one.
        given: of `Driver`.
    """

    def __init__(self, user: User, state: Path, *given: Any) -> None:
        super().__init__(*given)
        self._user, self._world = user, state / WORLD
        self.ended = False

    async def play(self) -> None:
        """Talk until the user has no more to say."""
        words: str | None = self._script.turns[0].user
        for number in range(MOST_TURNS):
            await self._play(number, Turn(user=words or ""))
            reply = self._probe.turns[-1].reply
            world = Telecom.load(self._world) if self._world.is_file() else None
            words = self._user.next(reply, world)
            if world is not None:
                world.save(self._world)
            if not words:
                self.ended = True
                break
        await self._until(lambda: self._probe.quiet, self._script.timeout_s)
        await self._pause(SETTLE_S)


def measure_tau2(
    domain: Domain,
    *,
    repeat: int = 1,
    limit: int | None = None,
    model: Model | None = None,
    tick: Tick = lambda *_: None,
) -> Found:
    """Have every task played.

    Args:
        domain: of `tau2_tasks.read_domain`.
        repeat: how often each; pass^k is given for k up to it.
        limit: at most so many tasks, the first ones.
        model: that answers at the desk; None: the embedded engines.
        tick: told how far it is.

    Raises:
        SuiteDataError: a task begins with what its world cannot do; a model that plays or judges is away.
        AgentError: the desk cannot be opened.
    """
    tasks = domain.tasks[:limit]
    has_world = _has_world(domain)
    actions = actions_of(domain, has_world)
    changing = {one.name for one in actions if one.changes}
    rewards: dict[str, list[Reward]] = {}
    found = Found("tau2")
    with tempfile.TemporaryDirectory(prefix="visavis-tau2-") as scratch:
        folder = Path(scratch)
        desk = write_desk(
            folder / "desk",
            f"{domain.name} service",
            documents={"policy.md": domain.policy, **domain.documents},
            actions=actions,
            rules=domain.policy,
            model=model,
        )
        if domain.database is not None and not has_world:
            (desk.folder / DATABASE).write_text(json.dumps(domain.database), encoding="utf-8")
        judge = Judge.from_environment(folder / "judged")
        with DeskUnderTest(desk) as under:
            for number, task in enumerate(tasks):
                for each in range(repeat):
                    outcome, record = _played(under, task, domain if has_world else None, folder, each)
                    reward = reward_of(
                        task,
                        outcome,
                        database=domain.database if has_world else None,
                        changing=changing.__contains__,
                        judge=partial(_judged, judge, record) if judge is not None else None,
                    )
                    rewards.setdefault(task.id, []).append(reward)
                    found.rows.append(_row(task, each, outcome, reward, record))
                    tick(number * repeat + each + 1, len(tasks) * repeat)
    _count(found, domain, tasks, rewards, repeat, changing, has_world)
    found.notes.append(
        f"desk: {model.name if model else 'embedded engines, no language model'}; user: "
        + ("a language model" if _user_model() else f"rules (set {MODEL} for a language model)")
    )
    return found


def actions_of(domain: Domain, has_world: bool) -> list[Action]:
    """Return what a domain's desk can do: its world's actions, or those that its tasks name."""
    if has_world:
        return list(TELECOM_ACTIONS)
    seen: dict[str, list[dict[str, Any]]] = {}
    for task in domain.tasks:
        for call in task.actions:
            if call.by == "assistant" and call.name != TRANSFER:
                seen.setdefault(call.name, []).append(call.arguments)
    return [action_of(name, arguments) for name, arguments in sorted(seen.items())]


def reference_reward(domain: Domain, task: Task) -> Reward:
    """Return the reward of a task's own solution: what shows whether the world and the rule are right."""
    world = Telecom.begin(domain.database or {}, task) if _has_world(domain) else None
    if world is not None:
        for call in task.actions:
            world.do(call)
    outcome = Outcome(task.actions, tuple(task.communicated), world)
    return _measured(domain, task, outcome)


def idle_reward(domain: Domain, task: Task) -> Reward:
    """Return the reward of a desk that does nothing and says nothing: the floor."""
    world = Telecom.begin(domain.database or {}, task) if _has_world(domain) else None
    return _measured(domain, task, Outcome((), (), world))


def _measured(domain: Domain, task: Task, outcome: Outcome) -> Reward:
    has_world = _has_world(domain)
    changing = {one.name for one in actions_of(domain, has_world) if one.changes}
    return reward_of(
        task,
        outcome,
        database=domain.database if has_world else None,
        changing=changing.__contains__,
    )


def _has_world(domain: Domain) -> bool:
    """Whether the domain's world is one that is built here."""
    return domain.database is not None and {"lines", "plans", "customers"} <= domain.database.keys()


def _played(
    under: DeskUnderTest, task: Task, domain: Domain | None, folder: Path, repeat: int
) -> tuple[Outcome, ConversationRecord]:
    files = {}
    if domain is not None:
        begun = folder / "begun.json"
        Telecom.begin(domain.database or {}, task).save(begun)
        files[WORLD] = str(begun)
    user, talks = user_of(task), list[Talk]()

    def driver(*given: Any) -> Talk:
        talks.append(Talk(user, under.state, *given))
        return talks[-1]

    script = Script(
        id=script_id("tau2", task.id), turns=(Turn(user=user.begin()),), fixtures=Fixtures(files=files)
    )
    record = replay_text(under, script, repeat=repeat, driver=driver)
    calls = [
        Call(one.tool, dict(one.arguments)) for turn in record.turns for one in turn.tools if not one.failed
    ]
    if any(turn.handoff for turn in record.turns):
        calls.append(Call(TRANSFER, {"summary": ""}))
    world = Telecom.load(under.state / WORLD) if domain is not None else None
    said = tuple(turn.heard_reply or turn.reply for turn in record.turns)
    return Outcome((*calls, *user.done), said, world, ended=bool(talks and talks[-1].ended)), record


def _judged(judge: Judge, record: ConversationRecord, text: str) -> bool:
    try:
        return judge.judge(text, record).reached
    except JudgeError as error:
        raise SuiteDataError(str(error)) from error


def _row(
    task: Task, repeat: int, outcome: Outcome, reward: Reward, record: ConversationRecord
) -> dict[str, Any]:
    return {
        "task": task.id, "repeat": repeat, "reward": "" if reward.value is None else reward.value,
        **{name.lower(): "" if one is None else one for name, one in reward.components.items()},
        "turns": len(record.turns), "ended": int(outcome.ended),
        "calls": " ".join(call.name for call in outcome.calls),
        "wanted": " ".join(call.name for call in task.actions),
    }  # fmt: skip


def _count(
    found: Found,
    domain: Domain,
    tasks: Sequence[Task],
    rewards: dict[str, list[Reward]],
    repeat: int,
    changing: set[str],
    has_world: bool,
) -> None:
    found.figures = {"tasks": len(tasks), "measured_whole": 0}
    found.figures["measured_whole"] = sum(
        all(one.value is not None for one in each) for each in rewards.values()
    )
    whole = found.figures["measured_whole"] == len(tasks)
    for name, unknown in (("", 0.0),) if whole else (("_at_least", 0.0), ("_at_most", 1.0)):
        each_of = [[unknown if one.value is None else one.value for one in each] for each in rewards.values()]
        found.figures |= _passes(each_of, repeat, name)
    idle = [idle_reward(domain, task).value or 0.0 for task in tasks]
    found.figures["reward_of_doing_nothing"] = statistics.fmean(idle)
    solved = [value for task in tasks if (value := reference_reward(domain, task).value) is not None]
    if solved:
        found.figures["reward_of_the_reference"] = statistics.fmean(solved)
    every = [one for each in rewards.values() for one in each]
    for name in dict.fromkeys(name for one in every for name in one.components):
        values = [one.components[name] for one in every if name in one.components]
        got = [one for one in values if one is not None]
        part: Figures = {"plays": len(values), "measured": len(got)}
        found.parts.setdefault("components", {})[name] = part | (
            {"mean": statistics.fmean(got)} if got else {}
        )
        if len(got) < len(values):
            found.not_measured[name] = _why(
                name, sum(any(name in one.missing for one in each) for each in rewards.values())
            )
    wanted = [(row["wanted"].split(), row["calls"].split()) for row in found.rows]
    pairs = [(name, name in taken) for names, taken in wanted for name in names]
    for name in sorted({name for name, _ in pairs}):
        taken = [was for one, was in pairs if one == name]
        found.parts.setdefault("reference actions, by name", {})[name] = {
            "wanted": len(taken), "taken": sum(taken), "changes": int(name in changing),
        }  # fmt: skip
    if not has_world:
        found.notes.append(
            "DB compares the calls that change something with the reference's, as this company's tables "
            "cannot be changed here; "
            + (
                "look-ups find rows of db.json"
                if domain.database
                else "db.json is not there: look-ups find nothing"
            )
        )


def _passes(rewards: Sequence[Sequence[float]], repeat: int, name: str) -> Figures:
    """Mean reward and pass^k; what is not measured counted as given."""
    found: Figures = {f"reward{name}": statistics.fmean(value for each in rewards for value in each)}
    for k in range(1, repeat + 1):
        found[f"pass^{k}{name}"] = statistics.fmean(
            pass_hat(sum(value == 1.0 for value in each), repeat, k) for each in rewards
        )
    return found


def _why(name: str, count: int) -> str:
    if name == "NL_ASSERTION":
        return f"{count} tasks have assertions in words: set VISAVIS_JUDGE_MODEL to have them judged"
    return f"{count} tasks need a world that is not built here"


def _user_model() -> bool:
    return bool(os.environ.get(MODEL))


if __name__ == "__main__":
    from evals.suites.command import main

    main(["tau2", *sys.argv[1:]])
