"""What a person at a terminal sees while work goes on; silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


class Stages(Protocol):
    """Told of the stages of a piece of work."""

    def stage(self, name: str) -> None:
        """Begin a stage; the one before it is done."""

    def advance(self, done: float, total: float) -> None:
        """Say how far the present stage is."""

    def note(self, message: str) -> None:
        """Say something that stays on the screen."""


class Silent:
    """For pipes, scripts and tests: only notes are written, to standard error."""

    def stage(self, name: str) -> None:
        """Do nothing."""

    def advance(self, done: float, total: float) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Write a line."""
        sys.stderr.write(f"visavis: {message}\n")


class Lines:
    """For work that takes long where no terminal shows it: a line a stage, to standard error."""

    def stage(self, name: str) -> None:
        """Write a line."""
        sys.stderr.write(f"visavis: {name}\n")
        sys.stderr.flush()

    def advance(self, done: float, total: float) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Write a line."""
        self.stage(message)


class Live:
    """A line a stage, with a spinner, a bar where the length is known, and the time it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def stage(self, name: str) -> None:
        """Begin a stage; the one before it is done."""
        self.end()
        self._task = self._progress.add_task(name, total=None, count="")

    def advance(self, done: float, total: float) -> None:
        """Say how far the present stage is."""
        if self._task is not None:
            whole = isinstance(done, int) and isinstance(total, int)
            count = f"{done}/{total}" if whole else ""
            self._progress.update(self._task, completed=done, total=max(total, 1e-9), count=count)

    def note(self, message: str) -> None:
        """Write a line above the stages."""
        self._progress.console.print(Text.assemble(("note ", "yellow"), message))

    def end(self) -> None:
        """Mark the present stage as done."""
        if self._task is not None:
            task = self._progress.tasks[self._task]
            self._progress.update(self._task, total=task.total or 1, completed=task.total or 1)
            self._task = None


@contextmanager
def stages(*, quiet: bool = False, always: bool = False) -> Iterator[Stages]:
    """Show stages on standard error if a person is there to see them.

    Args:
        quiet: show none.
        always: where no person is, write a plain line for each.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Lines() if always and not quiet else Silent()
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓[/green]"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        live = Live(progress)
        yield live
        live.end()
