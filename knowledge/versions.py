"""Versions of the knowledge: what it held after each change, and how an earlier one is brought back.

A version is a folder of hard links to the index's files, which are replaced and never changed, so that it
costs little more than what differs from the next one. Whoever makes one holds the index's lock.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from knowledge.errors import StoreError
from knowledge.record import Catalogue, Record
from knowledge.store import Store

log = logging.getLogger(__name__)

KEPT = 10
"""Versions; the oldest is dropped when another comes."""
SIDE_BYTES = 500_000_000
"""Of vectors and word indexes that older versions keep; beyond, they are made again when they are needed."""
MOST_NAMES = 50
"""Documents that a version names of each kind of change; their number is always told."""
_SIDE = ("vectors-{}.npz", "vectors-{}.i8", "topics-{}.npz", "words-{}.npz")
"""Files that follow from the catalogue; {} is its digest."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many documents came, changed and went, and the names of some of them."""

    added: int = 0
    updated: int = 0
    removed: int = 0
    names: Mapping[str, tuple[str, ...]] | None = None
    """"added", "updated", "removed" → sources, at most `MOST_NAMES` each."""

    @property
    def any(self) -> bool:
        """Tell whether something changed."""
        return bool(self.added or self.updated or self.removed)

    def __str__(self) -> str:
        """Return it as "+3 ~1 −2"."""
        parts = (("+", self.added), ("~", self.updated), ("−", self.removed))
        return " ".join(f"{sign}{count}" for sign, count in parts if count) or "nothing"


@dataclass(frozen=True, slots=True)
class Version:
    """What the knowledge held after one change."""

    number: int
    """From 1, growing."""
    at: float
    """Seconds since 1970, UTC."""
    cause: str
    """"learn", "remove", "rollback to 3", or "found": as it was when versions began to be kept."""
    changes: Changes
    documents: int
    passages: int
    digest: str
    """Of the catalogue."""


class Versions:
    """The versions that are kept of one index.

    Args:
        folder: of the index.
    """

    def __init__(self, folder: Path) -> None:
        self._index = folder
        self._folder = folder / "versions"

    def all(self) -> list[Version]:
        """Return the versions, the present one first; those that cannot be read are left out."""
        found = []
        for number in self._numbers():
            try:
                told = json.loads((self._at(number) / "version.json").read_text(encoding="utf-8"))
                changes = Changes(**told.pop("changes"))
                found.append(Version(**told, changes=changes))
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue
        return sorted(found, key=lambda one: -one.number)

    def keep(self, catalogue: Catalogue, cause: str) -> Version | None:
        """Keep the index as it is; None where it holds the same documents as the last version.

        Call it with the index's lock held, when its files are those of the catalogue.

        Raises:
            StoreError: the folder cannot be written.
        """
        last = next(iter(self.all()), None)
        if last is not None and last.digest == catalogue.version:
            return None
        if last is None and not catalogue.records:
            return None
        now = _contents(catalogue)
        changes = _changes(self._contents(last), now)
        if last is not None and not changes.any:
            return None
        version = Version(
            number=max(self._numbers(), default=0) + 1,
            at=time.time(),
            cause=cause,
            changes=changes,
            documents=len(now),
            passages=len(catalogue.passages()),
            digest=catalogue.version,
        )
        try:
            self._write(version, now)
            self._prune()
        except OSError as error:
            raise StoreError(
                f"{self._folder}: this version of the knowledge cannot be kept ({error.strerror}); "
                "free some space or delete that folder"
            ) from error
        return version

    def note(self, catalogue: Catalogue, cause: str = "learn") -> Version | None:
        """Keep the index as it is; the first version says that it was found so. See `keep`."""
        return self.keep(catalogue, cause if self.all() else "found")

    def catalogue(self, version: Version) -> Catalogue:
        """Read what a version held.

        Raises:
            StoreError: it is damaged.
        """
        return Store(self._at(version.number)).read()

    def lay_out(self, version: Version, digest: str) -> None:
        """Put a version's vectors and word index where the index looks for those of a catalogue."""
        for name in _SIDE:
            kept, wanted = self._at(version.number) / name.format(version.digest), name.format(digest)
            if kept.exists() and not (self._index / wanted).exists():
                part = self._index / f"{wanted}.{os.getpid()}.part"
                _link(kept, part)
                part.replace(self._index / wanted)

    def _write(self, version: Version, contents: Mapping[str, str]) -> None:
        self._folder.mkdir(exist_ok=True)
        self._clear()
        part = self._folder / f"{version.number}.{os.getpid()}.part"
        part.mkdir()
        _link(self._index / "catalogue.json", part / "catalogue.json")
        for name in _SIDE:
            file = self._index / name.format(version.digest)
            if file.exists():
                _link(file, part / file.name)
        (part / "contents.json").write_text(json.dumps(contents, ensure_ascii=False), encoding="utf-8")
        with (part / "version.json").open("w", encoding="utf-8") as told:
            json.dump(asdict(version), told, ensure_ascii=False)
            told.flush()
            os.fsync(told.fileno())
        part.rename(self._at(version.number))

    def _prune(self) -> None:
        """Drop the oldest versions, and what can be made again of large ones."""
        numbers = sorted(self._numbers(), reverse=True)
        for number in numbers[KEPT:]:
            gone = self._folder / f"{number}.gone"
            self._at(number).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
        size = 0
        for number in numbers[1:KEPT]:
            files = [file for file in self._at(number).iterdir() if file.suffix in (".npz", ".i8")]
            size += sum(file.stat().st_size for file in files)
            if size > SIDE_BYTES:
                for file in files:
                    file.unlink(missing_ok=True)

    def _clear(self) -> None:
        """Delete what a killed process has left."""
        for left in (*self._folder.glob("*.part"), *self._folder.glob("*.gone")):
            shutil.rmtree(left, ignore_errors=True)

    def _contents(self, version: Version | None) -> dict[str, str]:
        if version is None:
            return {}
        try:
            told = (self._at(version.number) / "contents.json").read_text(encoding="utf-8")
            return {str(source): str(mark) for source, mark in json.loads(told).items()}
        except (OSError, ValueError, AttributeError):
            return _contents(self.catalogue(version))

    def _numbers(self) -> list[int]:
        try:
            return [int(one.name) for one in self._folder.iterdir() if one.name.isdigit()]
        except OSError:
            return []

    def _at(self, number: int) -> Path:
        return self._folder / str(number)


def noted(folder: Path, catalogue: Catalogue, cause: str = "learn", *, first: bool = False) -> None:
    """Keep the index as it is; that a version cannot be kept stops nobody from learning.

    Args:
        folder: of the index; its lock is held.
        catalogue: what it holds.
        cause: what was done.
        first: only where no version is kept yet.
    """
    versions = Versions(folder)
    try:
        if not first or not versions.all():
            versions.keep(catalogue, "found" if first else cause)
    except StoreError as error:
        log.warning("%s", error)


def _contents(catalogue: Catalogue) -> dict[str, str]:
    """Return for each document a mark of what it says."""
    return {source: _mark(record) for source, record in catalogue.records.items() if record.passages}


def _mark(record: Record) -> str:
    said = (part for one in record.passages for part in (one.id, one.title, *one.questions, *one.tags))
    return hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()[:12]


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    names = {
        "added": [source for source in now if source not in before],
        "updated": [source for source in now if source in before and before[source] != now[source]],
        "removed": [source for source in before if source not in now],
    }
    counts = {kind: len(sources) for kind, sources in names.items()}
    return Changes(**counts, names={kind: tuple(each[:MOST_NAMES]) for kind, each in names.items()})


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)  # a disk without hard links
