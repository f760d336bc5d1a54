"""The command as people and scripts call it, in this process."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from server.command import app


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Call `visavis` with arguments; returns exit code, standard output and standard error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def document(*arguments: str | Path) -> dict[str, Any]:
    """Call it with `--json`; returns what it prints."""
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found
