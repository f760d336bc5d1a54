"""What is known of documents: their records, and the catalogue of all of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.document import Withheld
from knowledge.errors import DocumentError
from knowledge.passage import Passage
from knowledge.readers.markdown import parse_document
from knowledge.unit import Unit, units_of

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One document of the catalogue."""

    source: str
    digest: str
    """Of the file's bytes: tells what changed."""
    root: str
    """Folder that it was learnt from; empty for texts that were added directly."""
    title: str
    updated: str
    tags: tuple[str, ...]
    passages: tuple[Passage, ...]
    file: str = ""
    """Where it was read: an absolute path or a URL; empty where that follows from root and source."""
    checked: bool = False
    """Whether its texts were checked when they were learnt."""
    withheld: tuple[Withheld, ...] = ()
    """Its parts that were not learnt."""
    screened: str = ""
    """Fingerprint of what its texts were checked by."""

    @property
    def place(self) -> str:
        """Where it was read."""
        if self.file or not self.root:
            return self.file
        single = Path(self.root).name == self.source
        return self.root if single else str(Path(self.root, self.source))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that the knowledge holds at one time."""

    records: dict[str, Record] = field(default_factory=dict)
    embedder: str = ""
    version: str = ""
    """Digest of the passages and of the embedder's name."""

    @classmethod
    def of(cls, records: dict[str, Record], embedder: str) -> Catalogue:
        """Make the catalogue of some documents, in a fixed order."""
        ordered = {source: records[source] for source in sorted(records)}
        digest = hashlib.sha256(f"{FORMAT}\0{embedder}\0".encode())
        for record in ordered.values():
            digest.update(f"{record.source}\0{record.digest}\0".encode())
            digest.update("\0".join(passage.id for passage in record.passages).encode())
        return cls(ordered, embedder, digest.hexdigest()[:16])

    def passages(self) -> list[Passage]:
        """Return all passages, in a fixed order; each id once."""
        unique = {passage.id: passage for record in self.records.values() for passage in record.passages}
        return list(unique.values())

    def units(self) -> list[Unit]:
        """Return the units of all passages, in the order of the vectors."""
        return units_of(self.passages())


def text_record(id_: str, text: str) -> Record:
    """Make the record of a text that is already in memory; it becomes one passage."""
    try:
        document = parse_document(text, id_)
    except DocumentError:
        # A single line that looks like a heading is a text too.
        document = parse_document(f"{text.lstrip('#- ')}", id_)
    body = "\n\n".join(
        f"{section.heading}\n\n{section.text}" if section.heading else section.text
        for section in document.sections
    )
    title = document.title if document.title != Path(id_).stem else body.split("\n")[0][:120]
    passage = Passage(
        id=id_,
        source=id_,
        title=title,
        text=body,
        language=document.language,
        kind=document.kind,
        questions=document.questions,
    )
    return Record(id_, document.digest, "", title, document.updated, document.tags, (passage,))


def read_record(item: dict[str, Any]) -> Record:
    """Make a record of its JSON form."""
    passages = tuple(map(_read_passage, item.pop("passages")))
    tags = tuple(item.pop("tags"))
    withheld = tuple(
        Withheld(**{**one, "passage": _read_passage(one["passage"]) if one.get("passage") else None})
        for one in item.pop("withheld", ())
    )
    return Record(**item, tags=tags, passages=passages, withheld=withheld)


def _read_passage(item: dict[str, Any]) -> Passage:
    lists = ("questions", "tags")
    return Passage(**{**item, **{name: tuple(item[name]) for name in lists if name in item}})
