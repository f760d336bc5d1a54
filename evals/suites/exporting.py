"""Conversations of public suites as scripts that `visavis eval` replays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from evals.scripts import Script
from evals.suites.figures import SuiteDataError


def write_scripts(folder: Path, scripts: Sequence[Script]) -> None:
    """Write scripts as YAML, one file each.

    Raises:
        SuiteDataError: the folder cannot be written to.
    """
    import yaml

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for script in scripts:
            document = script.model_dump(mode="json", exclude_unset=True)
            text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)
            (folder / f"{script.id}.yaml").write_text(text, encoding="utf-8")
    except OSError as error:
        raise SuiteDataError(
            f"cannot be written ({error.strerror}); name another --scripts", folder
        ) from error


def script_id(*parts: str) -> str:
    """Return an id of these parts, as scripts have them."""
    return re.sub(r"[^\w.\-]+", "-", "-".join(parts)).strip("-.")[:120]
