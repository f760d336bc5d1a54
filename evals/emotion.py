"""How well feelings are told from words, on public sets and on lines that training never saw.

    python -m evals.emotion DATA_DIR [--every N] [--misses]

where DATA_DIR holds the folders goemotions, cped_zh, banking77, bitext_cs; a missing one is left out. Of
GoEmotions only the test part is measured, its thresholds tuned on its dev part; of CPED the dialogues that
training leaves aside. `data/emotion_heldout.jsonl` holds lines of spoken service dialogue written for this.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.emotion import detect_emotions
from moderation.feelings import FEELINGS, cped, goemotions

HELDOUT = Path(__file__).with_name("data") / "emotion_heldout.jsonl"
STEPS = 200
"""Thresholds that are tried for a label."""

Table = NDArray[np.float64]


def multi_label(
    scores: Table, told: NDArray[np.bool_], tune: Table, tuned: NDArray[np.bool_]
) -> dict[str, float]:
    """Return F1 by label, the thresholds chosen on a dev part.

    Args:
        scores: [n, 7], of the test part.
        told: [n, 7], its labels.
        tune: [m, 7], scores of the dev part.
        tuned: [m, 7], its labels.
    """
    found: dict[str, float] = {}
    for column, label in enumerate(FEELINGS):
        tried = np.quantile(tune[:, column], np.linspace(0.3, 0.999, STEPS))
        best = max(tried, key=lambda edge: _f1(tune[:, column] >= edge, tuned[:, column]))  # noqa: B023
        found[label] = _f1(scores[:, column] >= best, told[:, column])
    return found


def single_label(found: Sequence[str], told: Sequence[str]) -> dict[str, float]:
    """Return F1 of each label that occurs."""
    labels, truth = np.array(found), np.array(told)
    return {label: _f1(labels == label, truth == label) for label in FEELINGS if (truth == label).any()}


def measure(folder: Path | None, *, every: int = 1, misses: bool = False) -> dict[str, Any]:
    """Measure everything that is there.

    Args:
        folder: of the public sets; None: the held-out lines alone.
        every: take only each so-many-th text of the public sets.
        misses: name the held-out lines that were told wrongly.
    """
    report = {"heldout": _heldout(misses=misses)}
    if folder is not None:
        if (folder / "goemotions").is_dir():
            report["goemotions"] = _goemotions(folder / "goemotions", every)
        if (path := folder / "cped_zh" / "valid_split.csv").exists():
            report["cped_zh"] = _cped(path, every)
        for name, path, column in (
            ("banking77", folder / "banking77" / "test.csv", "text"),
            ("bitext_cs", next(iter(sorted(folder.glob("bitext_cs/*.csv"))), folder / "none"), "utterance"),
        ):
            if path.exists():
                report[name] = _customers(path, column, every)
    return report


def _heldout(*, misses: bool) -> dict[str, Any]:
    lines = [json.loads(line) for line in HELDOUT.read_text(encoding="utf-8").splitlines()]
    report: dict[str, Any] = {}
    for language in ("en", "zh"):
        own = [line for line in lines if line["language"] == language]
        found = [one.label for one in detect_emotions([line["text"] for line in own])]
        told = [line["label"] for line in own]
        cases: dict[str, list[bool]] = {}
        for line, label in zip(own, found, strict=True):
            cases.setdefault(line["case"], []).append(label == line["label"])
        report[language] = {
            **_figures(single_label(found, told), len(own)),
            "accuracy": round(float(np.mean(np.array(found) == np.array(told))), 3),
            "calm_kept": round(
                float(np.mean([f == t for f, t in zip(found, told, strict=True) if t == "neutral"])), 3
            ),
            "cases": {case: f"{sum(right)}/{len(right)}" for case, right in sorted(cases.items())},
        }
        if misses:
            report[language]["misses"] = [
                f"{line['label']} taken for {label}: {line['text']}"
                for line, label in zip(own, found, strict=True)
                if label != line["label"]
            ]
    return report


def _goemotions(folder: Path, every: int) -> dict[str, Any]:
    tune, test = ([*goemotions(folder, part)][::every] for part in ("dev", "test"))
    felt = detect_emotions([one.text for one in test])
    scores, told = _scores(felt), _told(one.labels for one in test)
    before = _scores(detect_emotions([one.text for one in tune]))
    several = multi_label(scores, told, before, _told(one.labels for one in tune))
    single = [
        (one.label, next(iter(each.labels)))
        for one, each in zip(felt, test, strict=True)
        if len(each.labels) == 1
    ]
    return {
        "multi_label": _figures(several, len(test)),
        "single_label": _figures(single_label(*zip(*single, strict=True)), len(single)),
    }


def _cped(path: Path, every: int) -> dict[str, Any]:
    test = [one for one in cped(path) if one.part == "test"][::every]
    found = [one.label for one in detect_emotions([one.text for one in test])]
    return _figures(single_label(found, [next(iter(one.labels)) for one in test]), len(test))


def _customers(path: Path, column: str, every: int) -> dict[str, Any]:
    """Count the feelings that calm customers are said to have."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row[column] for row in csv.DictReader(file)][::every]
    felt = detect_emotions(texts)
    return {
        "texts": len(texts),
        "angry": round(float(np.mean([one.label == "anger" for one in felt])), 4),
        "neutral": round(float(np.mean([one.label == "neutral" for one in felt])), 4),
        "joy": round(float(np.mean([one.label == "joy" for one in felt])), 4),
    }


def _figures(by_label: dict[str, float], count: int) -> dict[str, Any]:
    return {
        "macro_f1": round(float(np.mean(list(by_label.values()))), 3),
        "f1": {label: round(value, 3) for label, value in by_label.items()},
        "texts": count,
    }


def _scores(felt: Iterable[Any]) -> Table:
    return np.array([[one.scores[label] for label in FEELINGS] for one in felt])


def _told(labels: Iterable[frozenset[str]]) -> NDArray[np.bool_]:
    return np.array([[label in one for label in FEELINGS] for one in labels])


def _f1(found: NDArray[np.bool_], told: NDArray[np.bool_]) -> float:
    hits = float(np.sum(found & told))
    return 2 * hits / max(float(np.sum(found) + np.sum(told)), 1.0)


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description="measure how well feelings are told from words")
    parser.add_argument("folder", type=Path, nargs="?", metavar="DATA_DIR", help="the public sets")
    parser.add_argument("--every", type=int, default=1, help="take only each so-many-th text")
    parser.add_argument(
        "--misses", action="store_true", help="name the held-out lines that were told wrongly"
    )
    given = parser.parse_args()
    if given.folder is not None and not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder; name the one that holds goemotions, cped_zh …")
    if given.every < 1:
        parser.error("--every is 1 or more")
    report = measure(given.folder, every=given.every, misses=given.misses)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
