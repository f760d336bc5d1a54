"""A script's standing in a run: what its repeats came to, as far as another run is compared with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from evals.checks import Check
from evals.replay.record import Mode
from evals.results import Result


@dataclass(slots=True)
class Standing:
    """One script in one mode, over its repeats; those whose replay itself failed are counted apart."""

    script: str
    mode: Mode
    file: str = ""
    runs: int = 0
    """Repeats that were judged."""
    passed: int = 0
    errors: int = 0
    """Repeats whose replay failed."""
    checks: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Name with its turn → in how many repeats it passed, and of how many."""
    first_sound_ms: list[float] = field(default_factory=list)
    """Of every turn of every repeat."""

    @property
    def key(self) -> tuple[str, str]:
        """Script and mode."""
        return self.script, self.mode

    @property
    def rate(self) -> float:
        """Share of the judged repeats that passed."""
        return self.passed / self.runs if self.runs else 0.0

    @property
    def flaky(self) -> bool:
        """Whether some repeats passed and some failed."""
        return 0 < self.passed < self.runs

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: getattr(self, name) for name in self.__slots__}


def standings(results: Iterable[Result]) -> list[Standing]:
    """Return where the scripts stand, in the order in which they first came."""
    found = dict[tuple[str, str], Standing]()
    for result in results:
        record = result.record
        one = found.setdefault(
            (record.script, record.mode), Standing(record.script, record.mode, record.file)
        )
        if record.error:
            one.errors += 1
            continue
        one.runs += 1
        one.passed += result.passed
        together = dict[str, bool]()
        for check in result.checks:
            if check.skipped:
                continue
            name = titled(check)
            together[name] = together.get(name, True) and check.passed
        for name, passed in together.items():
            before = one.checks.get(name, (0, 0))
            one.checks[name] = (before[0] + passed, before[1] + 1)
        one.first_sound_ms += [
            turn.timings_ms["first_sound"] for turn in record.turns if "first_sound" in turn.timings_ms
        ]
    return list(found.values())


def titled(check: Check) -> str:
    """Return a check's name with its turn, counted from 1, by which runs are compared."""
    return check.name if check.turn is None else f"turn {check.turn + 1}: {check.name}"
