"""STAR: what a wizard did next in recorded service dialogues, foretold by the knowledge's search.

Three questions are put at every step of the wizard that has a label, with what came before in the dialogue:

* next action: the label of the most similar step among the other dialogues (five folds, by dialogue);
* suggestion: which of the replies that the wizard was offered was taken, ranked by the same search;
* reply: the reply itself, found among all replies of the task by its words alone, with nothing learnt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.retrieval import knowledge_of
from evals.scripts import Script, Turn
from evals.suites.figures import Found, SuiteDataError, Tick, macro_and_weighted_f1, share
from evals.suites.tables import read_json
from knowledge import KnowledgeBase

FOLDS = 5
NEIGHBOURS = 20
"""Similar steps that are looked at for one of the labels on offer."""
QUERY = "query"
"""The label of every look-up, as in the published task."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the wizard, and what came before it."""

    dialogue: str
    tasks: tuple[str, ...]
    happy: bool
    several: bool
    """More than one task in the dialogue."""
    said: str
    """By the user, last."""
    previous: str
    """Label of the wizard's step before; empty at the beginning."""
    found: str
    """What the look-up before returned; empty where there was none."""
    action: str
    reply: str
    """Empty for a look-up."""
    options: tuple[str, ...]
    """Labels that were on offer."""

    @property
    def words(self) -> str:
        """What the search compares."""
        return f"{self.previous.replace('_', ' ')}. {self.found} {self.said}".strip()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One recorded dialogue."""

    id: str
    tasks: tuple[str, ...]
    happy: bool
    steps: tuple[Step, ...]
    said: tuple[str, ...]
    """By the user, in order."""
    unlabelled: int
    """Replies that the wizard wrote freely: no label says what they do."""


def read_star(folder: Path, limit: int | None = None) -> list[Dialogue]:
    """Read a folder of dialogues, one JSON file each; or one such file.

    Raises:
        SuiteDataError: there are none, or one is broken.
    """
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else [folder]
    dialogues = list[Dialogue]()
    for file in files:
        document = read_json(file)
        if isinstance(document, dict) and "Events" in document:
            dialogues.append(_dialogue(file, document))
        elif not folder.is_dir():
            raise SuiteDataError('no dialogue of STAR: it has no list "Events"', file)
    if not dialogues:
        raise SuiteDataError('holds no dialogue of STAR: JSON files with a list "Events"', folder)
    return dialogues[:limit]


def measure_star(dialogues: Sequence[Dialogue], *, tick: Tick = lambda *_: None) -> Found:
    """Foretell every step.

    Raises:
        SuiteDataError: there are too few dialogues to learn from some and ask the others.
    """
    steps = [step for one in dialogues for step in one.steps]
    if len(dialogues) < 2 or not steps:  # noqa: PLR2004
        raise SuiteDataError("needs two dialogues with labelled steps at least; give a folder of them")
    folds = min(FOLDS, len(dialogues))
    fold = {one.id: number % folds for number, one in enumerate(dialogues)}
    replies = _replies(steps)
    found, pairs = Found("star"), list[tuple[Step, dict[str, Any]]]()
    for asked in range(folds):
        known = [step for step in steps if fold[step.dialogue] != asked]
        often = _often(known)
        texts = [(f"{step.action}#{number}", step.words) for number, step in enumerate(known)]
        with knowledge_of(texts) as base:
            for step in steps:
                if fold[step.dialogue] == asked:
                    pairs.append((step, _asked(step, base, often)))
                    tick(len(pairs), len(steps))
    for task, texts in replies.items():
        with knowledge_of(texts) as base:
            for step, row in pairs:
                if step.reply and step.tasks[0] == task:
                    labels = [passage.id.rpartition("#")[0] for passage in base.search(step.said, k=3)]
                    row["reply_right"] = int(labels[:1] == [step.action])
                    row["reply_in_3"] = int(step.action in labels)
    found.rows = [row for _, row in pairs]
    _count(found, dialogues)
    return found


def scripts_of(dialogues: Iterable[Dialogue]) -> list[Script]:
    """Return the dialogues as scripts: what the user said; every turn must be answered."""
    return [
        Script(
            id=f"star-{one.id}",
            title=f"STAR dialogue {one.id}",
            tags=("star", *(f"task:{task}" for task in one.tasks), "happy" if one.happy else "unhappy"),
            turns=tuple(Turn(user=text) for text in one.said),
        )
        for one in dialogues
        if one.said
    ]


def _asked(step: Step, base: KnowledgeBase, often: dict[str, Counter[str]]) -> dict[str, Any]:
    labels = [passage.id.rpartition("#")[0] for passage in base.search(step.words, k=NEIGHBOURS)]
    given = labels[0] if labels else ""
    usual = often.get(step.previous) or often[""]
    row: dict[str, Any] = {
        "dialogue": step.dialogue, "task": " ".join(step.tasks), "happy": int(step.happy), "said": step.said,
        "previous": step.previous, "action": step.action, "given": given, "right": int(given == step.action),
        "usual": usual.most_common(1)[0][0],
    }  # fmt: skip
    if step.action in step.options and len(step.options) > 1:
        chosen = next((label for label in labels if label in step.options), "")
        row["suggestion_right"] = int(chosen == step.action)
        row["first_right"] = int(step.options[0] == step.action)
    return row


def _count(found: Found, dialogues: Sequence[Dialogue]) -> None:
    rows = found.rows
    found.figures = {"dialogues": len(dialogues), **_figures(rows)}
    for name, part in (
        ("happy", [row for row in rows if row["happy"]]),
        ("unhappy", [row for row in rows if not row["happy"]]),
        *(
            (task, [row for row in rows if row["task"] == task])
            for task in sorted({row["task"] for row in rows})
        ),
    ):
        if part:
            found.parts.setdefault("dialogues", {})[name] = _figures(part)
    free = sum(one.unlabelled for one in dialogues)
    found.notes += [
        "five folds by dialogue; next_action_f1 is weighted by how often each action is wanted; "
        f"{free} replies that the wizard wrote freely have no label and are left out",
        "usual_action_f1 is the floor: what most often followed the step before, whatever the user said; "
        "first_suggestion_accuracy takes what stood first among the wizard's suggestions",
    ]


def _figures(rows: Sequence[dict[str, Any]]) -> dict[str, float | int]:
    wanted, given = [row["action"] for row in rows], [row["given"] for row in rows]
    macro, weighted = macro_and_weighted_f1(wanted, given)
    usual = macro_and_weighted_f1(wanted, [row["usual"] for row in rows])[1]
    found: dict[str, float | int] = {
        "steps": len(rows), "next_action_accuracy": share([row["right"] for row in rows]),
        "next_action_f1": weighted, "next_action_macro_f1": macro, "usual_action_f1": usual,
    }  # fmt: skip
    for name, key in (
        ("suggestion_accuracy", "suggestion_right"),
        ("first_suggestion_accuracy", "first_right"),
        ("reply_recall@1", "reply_right"),
        ("reply_recall@3", "reply_in_3"),
    ):
        part = [row[key] for row in rows if key in row]
        if part:
            found[name] = share(part)
    return found


def _often(steps: Iterable[Step]) -> dict[str, Counter[str]]:
    """Label before → how often each label followed it; "" for all together."""
    often: dict[str, Counter[str]] = defaultdict(Counter)
    for step in steps:
        often[""][step.action] += 1
        if step.previous:
            often[step.previous][step.action] += 1
    return dict(often)


def _replies(steps: Iterable[Step]) -> dict[str, list[tuple[str, str]]]:
    """Task → its different replies, each with its label."""
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for step in steps:
        if step.reply:
            seen[step.tasks[0]].setdefault(step.reply, step.action)
    return {
        task: [(f"{label}#{number}", text) for number, (text, label) in enumerate(texts.items())]
        for task, texts in seen.items()
    }


def _dialogue(file: Path, document: dict[str, Any]) -> Dialogue:
    try:
        scenario = document["Scenario"]
        tasks = tuple(one["Task"] for one in scenario["WizardCapabilities"]) or ("none",)
        id_ = str(document.get("DialogueID", file.stem))
        steps, said, unlabelled = list[Step](), list[str](), 0
        previous = returned = ""
        for event in document["Events"]:
            kind, by = event["Action"], event["Agent"]
            if by == "User" and kind == "utter":
                said.append(event["Text"].strip())
                returned = ""
            elif kind == "return_item":
                item = event.get("Item") or {}
                returned = " ".join(f"{key} {value}" for key, value in item.items() if key != "id")[:200]
            elif by == "Wizard" and kind in ("pick_suggestion", QUERY):
                label = QUERY if kind == QUERY else event["ActionLabel"]
                steps.append(
                    Step(
                        id_, tasks, bool(scenario["Happy"]), bool(scenario["MultiTask"]),
                        said[-1] if said else "", previous, returned, label,
                        "" if kind == QUERY else event["Text"].strip(),
                        tuple(event.get("ActionLabelOptions") or ()),
                    )
                )  # fmt: skip
                previous = label
            elif by == "Wizard" and kind == "utter":
                unlabelled += 1
        return Dialogue(
            id_, tasks, bool(scenario["Happy"]), tuple(steps), tuple(filter(None, said)), unlabelled
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise SuiteDataError(
            f"no whole dialogue of STAR ({type(error).__name__}: {error}); fetch the file again", file
        ) from error
