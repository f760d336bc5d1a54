"""The reading process: one document at a time, within limits, so that a bad one harms nothing else.

Frames on the pipes: length of the JSON head, length of the bytes (two little-endian uint32), head, bytes.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
import time
from dataclasses import asdict
from typing import IO, Any

from knowledge.document import Document, Section, Withheld, unknown_type
from knowledge.errors import DocumentError
from knowledge.readers import SUFFIXES
from knowledge.readers.given import Given

SIZES = struct.Struct("<II")
MOST_MEMORY = 2 << 30
"""Bytes of address space: the interpreter with its libraries takes a quarter."""
MOST_CPU_S = 180
"""For one document; the client stops waiting before."""


def read_given(given: Given) -> Document:
    """Read a document with the reader of its format.

    Raises:
        DocumentError: nobody can read it.
    """
    name = SUFFIXES.get(given.suffix)
    if name is None:
        raise DocumentError(unknown_type(given.source))
    reader = importlib.import_module(f"knowledge.readers.{name}")
    try:
        document: Document = reader.read(given)
    except RecursionError:
        raise DocumentError(f"{given.source}: nested too deep; save it again in a simpler form") from None
    return document


def from_wire(item: dict[str, Any]) -> Document:
    """Make a document of its JSON form."""
    item["sections"] = tuple(
        Section(**{**one, **{name: tuple(one[name]) for name in ("parents", "questions", "tags")}})
        for one in item["sections"]
    )
    item["withheld"] = tuple(Withheld(**one) for one in item["withheld"])
    return Document(**{**item, "questions": tuple(item["questions"]), "tags": tuple(item["tags"])})


def main() -> None:
    """Read documents until the input closes."""
    _limit()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (frame := _receive(source)) is not None:
        head, data = frame
        _allow_time()
        try:
            given = Given(data, **head)
            reply: dict[str, Any] = {"document": asdict(read_given(given))}
        except DocumentError as error:
            reply = {"error": str(error)}
        except MemoryError:
            reply = {"error": f"{head['source']}: needs too much memory; split the file"}
        except Exception as error:
            reply = {"error": f"{head['source']}: cannot be read ({type(error).__name__}); save it again"}
        body = json.dumps(reply).encode("utf-8", "surrogatepass")
        target.write(SIZES.pack(len(body), 0) + body)
        target.flush()


def _receive(source: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    sizes = source.read(SIZES.size)
    if len(sizes) < SIZES.size:
        return None
    head, data = SIZES.unpack(sizes)
    return json.loads(source.read(head)), source.read(data)


def _allow_time() -> None:
    """Give the next document its processor time: a process whose client is gone ends nevertheless."""
    try:
        import resource

        used = int(time.process_time())
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (used + MOST_CPU_S, most))
    except (ImportError, OSError, ValueError):
        return


def _limit() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    main()
