"""A run's report: `summary.json`, `junit.xml`, `report.html`, and `compare.json` beside another run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evals.report.baseline import SUMMARY, Baseline, baseline_of
from evals.report.compare import compare
from evals.report.junit import JUNIT, write_junit
from evals.report.page import page_of
from evals.report.summary import summary_of
from evals.results import Results

PAGE = "report.html"
COMPARISON = "compare.json"


def write_report(
    folder: Path,
    results: Results,
    baseline: Results | Baseline | None = None,
    other: Results | None = None,
    *,
    names: tuple[str, str] | None = None,
) -> dict[str, Path]:
    """Write a run's report.

    Args:
        folder: is made; media that the results name are looked for in it.
        results: of the run.
        baseline: a run of before, told apart by script; see `evals.report.read_baseline`.
        other: a run of the same scripts to compare with, as B.
        names: of both sides of that comparison.

    Returns:
        The written files by name: "summary", "junit", "page", and "compare" where there is another run.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = baseline_of(summary_of(baseline)) if isinstance(baseline, Results) else baseline
    summary = summary_of(results, before)
    comparison = compare(results, other, names) if other is not None else None
    files = {"summary": folder / SUMMARY, "junit": folder / JUNIT, "page": folder / PAGE}
    _write_json(files["summary"], summary)
    write_junit(files["junit"], results)
    page = page_of(folder, results, summary, before=before, comparison=comparison)
    files["page"].write_text(page, encoding="utf-8")
    if comparison is not None:
        files["compare"] = folder / COMPARISON
        _write_json(files["compare"], comparison)
    return files


def _write_json(file: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=1)
    file.write_text(text.encode("utf-8", "replace").decode("utf-8") + "\n", encoding="utf-8")
