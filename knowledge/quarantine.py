"""Quarantine: passages that a check keeps out, and how they come back when the check changes its mind."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from knowledge.document import Withheld
from knowledge.passage import Passage
from knowledge.record import Catalogue, Record

Check: TypeAlias = Callable[[str], str]
"""Returns why a text must not be learnt; empty where it may be. One that can change, with a desk's policy for
example, has a `fingerprint: str` that changes with it."""
_AGAIN = "kept out by earlier rules; `visavis serve` and `visavis learn` screen it anew"
AT_ONCE = 8
"""Passages between two rests: some 50 ms of work."""


@dataclass(frozen=True, slots=True)
class Rescreened:
    """What came of screening the knowledge anew."""

    passages: int = 0
    """Passages that were screened."""
    came_back: tuple[str, ...] = ()
    """Sources of passages that were in quarantine and may be used again."""
    went: tuple[Withheld, ...] = ()
    """Passages that may no longer be used."""
    elsewhere: bool = False
    """Another process was screening: nothing was done here, and that one may judge by other rules."""

    def __str__(self) -> str:
        """Say it in a sentence."""
        return (
            f"what may be learnt has changed: {self.passages} passages were screened anew, "
            f"{len(self.came_back)} came back from quarantine, {len(self.went)} went into it"
            + "".join(f"; {one.reason}" for one in self.went[:3])
            + (f"; and {len(self.went) - 3} more" if len(self.went) > 3 else "")
        )


def fingerprint_of(check: Check | None) -> str:
    """What a check judges by, in short; empty for one that never changes, or none."""
    return str(getattr(check, "fingerprint", ""))


def parted(
    passages: Sequence[Passage], check: Check | None, rest: Callable[[], None] = lambda: None
) -> tuple[list[Passage], list[Withheld]]:
    """Part what may be learnt from what may not.

    Args:
        passages: of one document, in their order.
        check: what tells; None: all may.
        rest: called after each passage.
    """
    kept: list[Passage] = []
    out: list[Withheld] = []
    for at, passage in enumerate(passages):
        words = "\n".join((passage.title, passage.section, passage.text, *passage.questions))
        reason = check(words) if check else ""
        if reason:
            out.append(Withheld(passage.source, f"{passage.source}: {reason}", passage, at))
        else:
            kept.append(passage)
        rest()
    return kept, out


def stale(known: Catalogue, check: Check) -> list[Record]:
    """The documents that were checked by something else than `check` as it is now."""
    return [one for one in known.records.values() if is_stale(one, check)]


def is_stale(record: Record, check: Check | None) -> bool:
    """Tell whether a document was checked by something else than `check` as it is now."""
    return record.checked and check is not None and record.screened != fingerprint_of(check)


def reasons(record: Record, check: Check | None) -> Iterator[tuple[str, str]]:
    """Source and reason of each part that is kept out; what other rules kept out may come back by itself."""
    for part in record.withheld:
        again = part.passage is not None and is_stale(record, check)
        yield part.source, f"{part.source}: {_AGAIN}" if again else part.reason


def screened(record: Record, check: Check, rest: Callable[[], None] = lambda: None) -> Record:
    """A document with each of its passages, those in quarantine too, judged anew; nothing is read again."""
    kept, out = parted(list(_all(record)), check, rest)
    lasting = (part for part in record.withheld if part.passage is None)
    return replace(
        record,
        passages=tuple(kept),
        withheld=(*lasting, *out),
        checked=True,
        screened=fingerprint_of(check),
    )


def compared(before: Record, after: Record) -> Rescreened:
    """What screening a document anew has changed."""
    were = {part.passage.id for part in before.withheld if part.passage}
    had = {passage.id for passage in before.passages}
    return Rescreened(
        passages=len(list(_all(before))),
        came_back=tuple(one.source for one in after.passages if one.id in were - had),
        went=tuple(part for part in after.withheld if part.passage and part.passage.id in had),
    )


def together(one: Rescreened, other: Rescreened) -> Rescreened:
    """Both as one."""
    return Rescreened(one.passages + other.passages, one.came_back + other.came_back, one.went + other.went)


def resting(share: float, stop: Callable[[], bool]) -> Callable[[], None]:
    """Return what to call after each passage: it sleeps, so that work takes that share of the time.

    Args:
        share: of a processor, above 0; 1: it never sleeps.
        stop: true when it is to be given up.

    Raises:
        InterruptedError: by what is returned, when it is to be given up.
    """
    done, began = 0, time.monotonic()

    def rest() -> None:
        nonlocal done, began
        if stop():
            raise InterruptedError("screening was given up; it goes on at the next start")
        done += 1
        if done % AT_ONCE == 0 and share < 1:
            time.sleep((time.monotonic() - began) * (1 / share - 1))
            began = time.monotonic()

    return rest


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Tell whether nobody else is screening the index in a folder; nobody will, meanwhile."""
    with (folder / "screening").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _all(record: Record) -> Iterator[Passage]:
    """A document's passages in their order, those in quarantine among them."""
    out = {part.at: part.passage for part in record.withheld if part.passage is not None}
    kept = iter(record.passages)
    for at in range(len(out) + len(record.passages)):
        passage = out.pop(at, None) or next(kept, None)
        if passage is not None:
            yield passage
    yield from out.values()
