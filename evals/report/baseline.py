"""The run that a new one is compared with: a `results.jsonl` or a `summary.json` of before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.report.standing import Standing
from evals.results import RESULTS, Results, read_results

SUMMARY = "summary.json"
VERSION = 1
"""Of a summary: raised when a field changes its meaning."""


class Score(BaseModel):
    """How a group of conversations did."""

    pass_rate: float | None = None


class Past(BaseModel):
    """A run that came before."""

    began: str = ""
    desk: str = ""
    mode: str = ""
    conversations: int = 0
    pass_rate: float | None = None
    first_sound_p95_ms: float | None = None


class Baseline(BaseModel):
    """What is read of a summary of before; its other figures are not looked at."""

    model_config = ConfigDict(extra="ignore")

    version: Literal[1]
    began: str = ""
    desk: str = ""
    mode: str = ""
    conversations: int = 0
    pass_rate: float | None = None
    by_tag: dict[str, Score] = {}
    by_language: dict[str, Score] = {}
    by_mode: dict[str, Score] = {}
    timings_ms: dict[str, dict[str, float]] = {}
    history: list[Past] = []
    by_script: list[Standing]


def read_baseline(file: Path) -> Results | Baseline:
    """Read a run of before.

    Args:
        file: its `results.jsonl` or `summary.json`, or the folder of its report.

    Raises:
        ValueError: it is neither, or cannot be read; the message says what to give.
    """
    if file.is_dir():
        inside = [file / name for name in (SUMMARY, RESULTS) if (file / name).is_file()]
        if not inside:
            raise ValueError(f"{file}: no {SUMMARY} or {RESULTS} in this folder: give a report's folder")
        file = inside[0]
    try:
        if file.suffix == ".jsonl":
            return read_results(file)
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{file}: there is no such file: run the suite once with --report, and keep its {SUMMARY}"
        ) from None
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror}): check its rights") from None
    except ValidationError as error:
        raise ValueError(
            f"{file}: {_first(error)}: not results of this version; run the suite again"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file}: not JSON ({error}): give a {SUMMARY} or {RESULTS} of before") from None
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file}: not results of this version ({error}): run the suite again") from None
    if not isinstance(document, dict) or "by_script" not in document:
        raise ValueError(f'{file}: no "by_script" in it: give a {SUMMARY} or {RESULTS} of before')
    return baseline_of(document, file.as_posix())


def baseline_of(summary: Mapping[str, Any], name: str = SUMMARY) -> Baseline:
    """Return a summary as a baseline.

    Args:
        summary: as `evals.report.summary_of` returns it.
        name: of it, for messages.

    Raises:
        ValueError: it is none; the message says where.
    """
    try:
        return Baseline.model_validate(summary)
    except ValidationError as error:
        raise ValueError(f"{name}: {_first(error)}: make it again by running the suite") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(one) for one in first['loc'])}: {first['msg']}"
