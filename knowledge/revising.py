"""What people change in the knowledge by hand: documents are removed, earlier versions are brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import DocumentError, KnowledgeError
from knowledge.record import Catalogue, Record
from knowledge.versions import Version, Versions

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

Records = dict[str, Record]


def versions_of(base: KnowledgeBase) -> list[Version]:
    """Return the versions of a knowledge base, the present one first.

    What changed since the last one was kept is noted first, where the folder can be written.
    """
    store = base._store
    try:
        with store.writing(wait=False):
            Versions(store.folder).note(store.read())
    except KnowledgeError:
        pass  # what is kept can be read all the same
    return Versions(store.folder).all()


def remove(base: KnowledgeBase, sources: Iterable[str], own: Path | None = None) -> Version | None:
    """Forget documents, as one version.

    Args:
        base: the knowledge.
        sources: of the documents.
        own: the folder that the desk learns by itself; a document that lies there stays out until its file
            changes.

    Raises:
        DocumentError: there is no such document.
        BusyError: another command is changing the knowledge.
        StoreError: the index cannot be written.
    """
    names = list(dict.fromkeys(sources))

    def without(now: Records) -> Records:
        for name in names:
            if name not in now or not now[name].passages:
                raise DocumentError(f"there is no document {name}; `visavis knowledge list` names all")
        kept = dict(now)
        for name in names:
            record = kept.pop(name)
            if _lies_in(record, own):
                kept[name] = _kept_out(record)
        return kept

    return _change(base, without, "remove")


def roll_back(
    base: KnowledgeBase, number: int | None = None, own: Path | None = None
) -> tuple[Version, Version | None]:
    """Bring back what the knowledge held at an earlier version; that is a version too.

    Where a file of the desk's own folder differs from what is brought back, it is learnt again when it is
    changed, and not before.

    Args:
        base: the knowledge.
        number: of the version; by default the one before the present one.
        own: the folder that the desk learns by itself.

    Returns:
        The version that was brought back, and the new one; None where both are the same.

    Raises:
        DocumentError: there is no such version.
        BusyError: another command is changing the knowledge.
        StoreError: the index cannot be written, or the version is damaged.
    """
    versions = Versions(base._store.folder)
    found = versions_of(base)
    if number is None and len(found) < 2:
        raise DocumentError(
            "there is no earlier version yet; one is kept at each change, by learning or removing"
        )
    wanted = found[1] if number is None else next((one for one in found if one.number == number), None)
    if wanted is None:
        kept = f"{found[-1].number} to {found[0].number}" if found else "none"
        raise DocumentError(
            f"there is no version {number}; kept are {kept}, see `visavis knowledge versions`"
        )
    then = versions.catalogue(wanted)

    def back(now: Records) -> Records:
        return _held(then.records, now, own)

    made = _change(base, back, f"rollback to {wanted.number}", (wanted, then))
    return wanted, made


def kept_out(records: Iterable[Record]) -> list[Record]:
    """Return the documents that were removed and whose files are left alone until they change."""
    return [record for record in records if not record.passages]


def _change(
    base: KnowledgeBase,
    change: Callable[[Records], Records],
    cause: str,
    origin: tuple[Version, Catalogue] | None = None,
) -> Version | None:
    """Replace the catalogue in one step, keeping the version before and the one after."""
    store, embedder = base._store, base._embedder
    versions = Versions(store.folder)
    with base._lock, store.writing(wait=False):
        before = store.read()
        catalogue = Catalogue.of(change(before.records), embedder.name)
        versions.note(before)
        if catalogue != before:
            if origin is not None and origin[1].embedder == embedder.name:
                versions.lay_out(origin[0], catalogue.version)
            store.write(catalogue, embedder)
            base._loaded = None
        return versions.keep(catalogue, cause)


def _held(then: Records, now: Records, own: Path | None) -> Records:
    """Return the records of an earlier time, such that learning the desk's own folder leaves them alone."""
    records: Records = {}
    for source, record in then.items():
        present = now.get(source)
        if _lies_in(record, own):
            if present is not None:
                # The file as it is now counts as the one that was learnt.
                record = replace(record, digest=present.digest, checked=True)
            elif record.passages and not Path(record.place).exists():
                # Nothing is missed in the folder: the document is as one that was given in memory.
                record = replace(record, file=record.place, root="")
        records[source] = record
    for source, record in now.items():
        if source not in then and _lies_in(record, own):
            records[source] = _kept_out(record)
    return records


def _kept_out(record: Record) -> Record:
    return replace(record, passages=(), withheld=(), checked=True)


def _lies_in(record: Record, own: Path | None) -> bool:
    return own is not None and record.root == str(own.resolve())
