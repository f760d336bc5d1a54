"""Learning: what of the given paths and addresses is new, read and checked, ready to be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.chunk import passages_of
from knowledge.document import Document, Withheld, find_documents
from knowledge.errors import DocumentError
from knowledge.passage import Passage
from knowledge.quarantine import Check, fingerprint_of, parted, reasons
from knowledge.reader import Reader, load
from knowledge.readers.given import Given, digest_of
from knowledge.record import Catalogue, Record
from knowledge.site import PageGone, Site, is_url

KEEP_AFTER = 20_000
"""Passages that are kept in one go: what was learnt before a power cut stays learnt, and each time costs
writing the word index anew."""

Progress = Callable[[int, int, str], None]
"""Told the documents done, those known of, and the present one's source."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document, or a part of one, that was not learnt."""

    source: str
    reason: str
    quarantined: bool = False
    """True where it was kept out because it may do harm."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A document that was found, not yet opened."""

    source: str
    root: str
    place: str
    open: Callable[[], Given]
    web: bool = False


class Learning:
    """One run over paths and addresses.

    Args:
        known: what was learnt before.
        check: called with each passage's words.
        progress: called before each document and at the end.
    """

    def __init__(
        self, known: Catalogue, *, check: Check | None = None, progress: Progress | None = None
    ) -> None:
        self.skipped: list[Skipped] = []
        self.gone: set[str] = set()
        """Sources that are no longer there."""
        self.unchanged = 0
        self._records = dict(known.records)
        self._places = {record.place: record.source for record in known.records.values() if record.place}
        self._check = check
        self._progress = progress or (lambda _done, _total, _source: None)
        self._done = self._total = 0

    def batches(self, paths: Sequence[str | Path]) -> Iterator[dict[str, Record]]:
        """Yield the records of what is new or changed, by source, some thousands of passages at a time.

        Raises:
            DocumentError: a path does not exist, or the only address cannot be fetched.
        """
        for path in paths:
            if not is_url(str(path)) and not Path(path).exists():
                raise DocumentError(
                    f"{path}: no such file or folder; give the path of a document or of a folder"
                )
        batch: dict[str, Record] = {}
        size = 0
        with Reader() as reader:
            for path in paths:
                seen: set[str] = set()
                root = str(path) if is_url(str(path)) else str(Path(path).resolve())
                for item in self._items(path, root, seen, alone=len(paths) == 1):
                    seen.add(item.source)
                    record = self._learn(item, reader, seen)
                    if record is not None:
                        batch[item.source] = self._records[item.source] = record
                        size += len(record.passages)
                        if size >= KEEP_AFTER:
                            yield batch
                            batch, size = {}, 0
                lost = {source for source, one in self._records.items() if one.root == root} - seen
                self.gone |= lost
        self._progress(self._done, self._total, "")
        self.gone -= batch.keys()
        yield batch

    def _items(self, path: str | Path, root: str, seen: set[str], *, alone: bool) -> Iterator[_Item]:
        if is_url(str(path)):
            with Site(str(path)) as site:
                try:
                    pages = site.list_pages(self._skip)
                except DocumentError as error:
                    if alone:
                        raise
                    # The other places are learnt all the same, and nothing of this one is forgotten.
                    self._skip(root, str(error))
                    seen |= {source for source, one in self._records.items() if one.root == root}
                    return
                self._total += len(pages)
                for page in pages:
                    yield _Item(page.url, root, page.url, lambda page=page: site.fetch(page), web=True)  # type: ignore[misc]
            return
        folder = Path(path)

        def skip(source: str, reason: str) -> None:
            # What cannot be read just now is not forgotten.
            seen.add(source)
            self._skip(source, reason)

        found = list(find_documents(folder, skip))
        self._total += len(found)
        if not found and folder.is_dir() and not any(one.root == root for one in self._records.values()):
            self._skip(str(path), f"{path}: holds no documents that can be learnt; put some there")
        for source, file in found:
            place = str(file.resolve()).encode("utf-8", "replace").decode()
            name = self._name(source, root, place)
            yield _Item(name, root, place, lambda file=file, name=name: load(file, name))  # type: ignore[misc]

    def _name(self, source: str, root: str, place: str) -> str:
        """Return a file's source: its path in the folder, and the folder's name if that path is taken."""
        known = self._places.get(place)
        if known is not None:
            return known
        parent = Path(root).name if place != root else Path(root).parent.name
        digest = hashlib.sha256(root.encode()).hexdigest()[:6]
        for name in (source, f"{parent}/{source}", f"{parent}-{digest}/{source}"):
            taken = self._records.get(name)
            if taken is None or taken.place in ("", place) or name in self.gone:
                break
        self._places[place] = name
        return name

    def _learn(self, item: _Item, reader: Reader, seen: set[str]) -> Record | None:
        """Return a document's record; None where it is skipped or unchanged."""
        self._progress(self._done, max(self._total, self._done + 1), item.source)
        self._done += 1
        before = self._records.get(item.source)
        try:
            given = item.open()
            if not item.web and before is not None and self._is_same(before, digest_of(given.data)):
                return self._keep(before, item)
            document = reader.read(given)
        except PageGone as error:
            seen.discard(item.source)
            self._skip(item.source, str(error))
            return None
        except DocumentError as error:
            self._skip(item.source, str(error))
            return None
        if item.web:
            document = replace(document, digest=_content_digest(document))
            if before is not None and self._is_same(before, document.digest):
                return self._keep(before, item)
        passages, withheld = self._screen(document)
        for part in withheld:
            self._skip(part.source, part.reason, quarantined=True)
        if not passages and not any(part.passage for part in withheld):
            if before is not None:
                self.gone.add(item.source)
            return None
        return Record(
            source=item.source,
            digest=document.digest,
            root=item.root,
            title=document.title,
            updated=document.updated,
            tags=document.tags,
            passages=tuple(passages),
            file=item.place,
            checked=self._check is not None,
            withheld=tuple(withheld),
            screened=fingerprint_of(self._check),
        )

    def _is_same(self, before: Record, digest: str) -> bool:
        if before.digest != digest or not (before.checked or self._check is None):
            return False
        # What an earlier release kept out, it did not keep: it is read again, to be judged again.
        lost = before.withheld and not before.screened and fingerprint_of(self._check)
        return not lost

    def _keep(self, before: Record, item: _Item) -> Record | None:
        for source, reason in reasons(before, self._check):
            self._skip(source, reason, quarantined=True)
        if before.root == item.root:
            self.unchanged += bool(before.passages or not before.withheld)
            return None
        return replace(before, root=item.root, file=item.place)

    def _screen(self, document: Document) -> tuple[list[Passage], list[Withheld]]:
        """Part what may be learnt from what may do harm."""
        passages, out = parted(passages_of(document), self._check)
        return passages, [*document.withheld, *out]

    def _skip(self, source: str, reason: str, *, quarantined: bool = False) -> None:
        self.skipped.append(Skipped(source, reason, quarantined))


def _content_digest(document: Document) -> str:
    words = [document.title, *(part for one in document.sections for part in (one.heading, one.text))]
    return digest_of("\0".join(words).encode("utf-8", "replace"))
