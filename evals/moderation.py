"""How well the guard tells harmful from harmless: `python -m evals.moderation [DATA] [--set NAME…] [--json]`.

Without DATA only our own held-out file is measured, with it also the public sets that are in that folder.
"Flagged" is every action but allow, "stopped" is refuse, escalate or end. For personal data a mask is the
right answer, elsewhere the column "masked" tells how much of what was flagged is only that. Held-out texts
that also stand in the training texts are left out and counted. What was missed is shown only with
`--misses`, so that nobody tunes on it by accident.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evals.figure import NotHere
from evals.moderation_counts import Figures, Judged, entity_recall, figures, groups
from evals.moderation_sets import NAMES, Item, read
from moderation import Action, Direction, Guard, Policy, Verdict

if TYPE_CHECKING:
    from rich.table import Table

MOST = 800
"""Texts asked of one public set, evenly spread over it; `--every 1` asks all and takes minutes."""
MOST_CHARACTERS = 300_000
"""Of one public set together: long prompts cost as much as many questions."""
BATCH = 64
TEXTS = Path("moderation/texts")
"""Training texts, from the repository's root."""
Judge = Callable[[Sequence[str], str], list[Verdict]]


def measure(
    names: Sequence[str], data: Path | None, judge: Judge, every: int | None = None, known: str = ""
) -> tuple[dict[str, Figures], list[Judged]]:
    """Judge the sets and count.

    Args:
        names: Of `moderation_sets.NAMES`; a set that is not there is passed over and says so.
        data: Folder of the public sets.
        judge: Texts and direction to verdicts.
        every: Take every nth text; None: all that is held out, and at most `MOST` of a public set.
        known: Training texts as `folded`; held-out texts that stand there are left out.

    Returns:
        Figures by set, and all judged texts.
    """
    found: dict[str, Figures] = {}
    everything: list[Judged] = []
    for name in names:
        try:
            items = read(name, data)
        except NotHere as missing:
            found[name] = {"missing": str(missing)}
            continue
        seen = [item for item in items if name == "heldout" and fold(item.text) in known]
        items = [item for item in items if item not in seen] if seen else items
        items = items[:: every or (1 if name == "heldout" else _stride(items))]
        began = time.process_time()
        rows = judged(items, judge)
        found[name] = figures(rows) | {"ms_per_text": (time.process_time() - began) * 1e3 / len(rows)}
        if name == "heldout":
            found[name]["left_out"] = dict(Counter(item.language for item in seen))
        found[name]["groups"] = groups(name, rows)
        if any(item.entities for item in items):
            found[name]["entities"] = entity_recall(rows)
        everything += rows
    return found, everything


def _stride(items: Sequence[Item]) -> int:
    characters = sum(len(item.text) for item in items)
    return max(-(-len(items) // MOST), -(-characters // MOST_CHARACTERS))


def judged(items: Sequence[Item], judge: Judge) -> list[Judged]:
    """Judge texts in batches of one direction, in the order given."""
    verdicts: dict[int, Verdict] = {}
    for direction in dict.fromkeys(item.direction for item in items):
        places = [place for place, item in enumerate(items) if item.direction == direction]
        for start in range(0, len(places), BATCH):
            part = places[start : start + BATCH]
            verdicts.update(zip(part, judge([items[place].text for place in part], direction), strict=True))
    return [Judged(item, verdicts[place]) for place, item in enumerate(items)]


def judge_of(engine: str, policy: Policy) -> Judge:
    """The judge of that name: the guard as it ships, its rules alone, or the classifier alone.

    Raises:
        ModerationError: The classifier's weights are missing or broken.
    """
    if engine == "guard":
        return Guard.load(policy).screen_many
    if engine == "rules":
        return Guard(policy).screen_many
    from moderation.classifier import load_classifier

    classifier = load_classifier()

    def alone(texts: Sequence[str], direction: str) -> list[Verdict]:
        towards = Direction(direction)
        return [
            _by_scores(policy, classifier.name, text, towards, scores)
            for text, scores in zip(texts, classifier.scores(texts, towards), strict=True)
        ]

    return alone


def _by_scores(
    policy: Policy, name: str, text: str, towards: Direction, scores: Mapping[str, float]
) -> Verdict:
    over = [category for category, score in scores.items() if score >= policy.threshold(category, name)]
    fired = [f"{category}.{name}" for category in over]
    ranked = sorted(fired, key=lambda rule: policy.action(rule, towards).rank, reverse=True)
    action = policy.action(ranked[0], towards) if ranked else Action.ALLOW
    rule = ranked[0] if ranked else ""
    return Verdict(action, rule, text, towards, scores=dict(scores), rules=tuple(ranked))


def fold(text: str) -> str:
    """The letters and digits of a text, small, and nothing else: for finding the same text again."""
    return re.sub(r"[\W_]+", "", text.lower())


def folded(folder: Path) -> str:
    """All the texts of a folder's files, folded file by file; "" where there is no folder."""
    if not folder.is_dir():
        return ""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return "\n".join(fold(file.read_text(encoding="utf-8", errors="replace")) for file in files)


def tables(found: Mapping[str, Figures], cases: bool) -> list[Table]:
    """The figures as tables; with `cases` a row for every case."""
    from rich.table import Table

    columns = {
        "texts": "texts",
        "harmful": "harmful",
        "recall": "recall",
        "recall_stopped": "stopped",
        "recall_named": "named",
        "false_alarms": "false alarms",
        "false_stops": "stopped",
        "masked": "masked",
        "balanced_accuracy": "balanced",
        "f1": "F1",
        "average_precision": "AP",
    }
    made = []
    for name, one in found.items():
        table = Table("", *columns.values(), title=name, title_justify="left", title_style="bold")
        if "missing" in one:
            table.caption = one["missing"]
        parts = {key: part for key, part in one.get("groups", {}).items() if cases or "." not in key}
        for key, part in {**parts, "all": one}.items() if "texts" in one else ():
            table.add_row(key, *(_cell(part.get(column)) for column in columns))
        for kind, part in one.get("entities", {}).items():
            table.add_row(kind, str(part["n"]), "", _cell(part["recall"]))
        if one.get("left_out"):
            table.caption = f"left out, they stand in the training texts: {one['left_out']}"
        made.append(table)
    return made


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{100 * value:.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure from the shell."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.moderation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", nargs="?", type=Path, help="folder of the public sets")
    parser.add_argument("--set", nargs="+", action="extend", dest="names", metavar="NAME", choices=NAMES)
    parser.add_argument("--engine", choices=("guard", "rules", "embedded"), default="guard")
    parser.add_argument("--policy", type=Path, help="a policy.toml instead of the default policy")
    parser.add_argument("--every", type=int, metavar="N", help="take every nth text of each set")
    parser.add_argument("--texts", type=Path, default=TEXTS, help="training texts that are not measured on")
    parser.add_argument("--cases", action="store_true", help="a row for every case of the held-out file")
    parser.add_argument("--misses", action="store_true", help="show what was judged wrongly")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.every is not None and chosen.every < 1:
        parser.error("--every takes a whole number from 1 on")
    if chosen.data is not None and not chosen.data.is_dir():
        parser.error(f"{chosen.data} is no folder; give the one that holds the public sets")
    names = chosen.names or (NAMES if chosen.data else NAMES[:1])
    judge = judge_of(chosen.engine, Policy.load(chosen.policy))
    found, rows = measure(names, chosen.data, judge, chosen.every, folded(chosen.texts))
    if chosen.json:
        sys.stdout.write(json.dumps({"engine": chosen.engine, "sets": found}, ensure_ascii=False) + "\n")
    else:
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() else 150)
        for table in tables(found, chosen.cases):
            console.print(table)
    for row in rows if chosen.misses else ():
        if row.flagged != row.item.harmful:
            told = {"case": row.item.case, "rule": row.verdict.rule, "text": row.item.text}
            sys.stderr.write(json.dumps(told, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
