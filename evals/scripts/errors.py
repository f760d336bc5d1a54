"""What can be wrong with a script."""

from __future__ import annotations

from pathlib import Path


class ScriptError(Exception):
    """A script cannot be used; says file, line and remedy.

    Args:
        message: what is wrong and what to do.
        file: in which.
        line: from 1; 0 where it concerns the whole file.
    """

    def __init__(self, message: str, file: Path | str = "", line: int = 0) -> None:
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{place}{message}")
        self.file, self.line, self.message = str(file), line, message
