"""Office files are zip archives: what is seen to before one is opened."""

from __future__ import annotations

import io
import zipfile

from knowledge.errors import DocumentError
from knowledge.readers.given import Given

MOST_UNPACKED = 300_000_000
"""Bytes of all parts together."""
MOST_RATIO = 200
"""Unpacked to packed size; office files reach 30, text of one letter 1,000."""
RATIO_FROM = 10_000_000
"""Bytes of a part below which its ratio says nothing."""
MOST_PARTS = 10_000
PART = 1 << 20
_XML_ENDINGS = (".xml", ".rels")


def check_archive(given: Given, needed: str) -> None:
    """See that an office file is one, and no bomb.

    Args:
        given: the file.
        needed: name of a part that it must have.

    Raises:
        DocumentError: it is damaged, encrypted, of another kind, or would fill the memory.
    """
    if given.data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise DocumentError(
            f"{given.source}: is encrypted or in the format of before 2007; save it again as "
            f"{given.suffix} without a password"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(given.data)) as archive:
            parts = archive.infolist()
            _check_sizes(given, parts)
            if needed not in {part.filename for part in parts}:
                raise DocumentError(f"{given.source}: is no {given.suffix} file; save it again as one")
            left = MOST_UNPACKED
            for part in parts:
                left -= _check_part(archive, part, given, left)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise DocumentError(
            f"{given.source}: the file is damaged ({error}); open it in its program and save it again"
        ) from error
    except Exception as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{given.source}: the file is damaged ({type(error).__name__})") from error


def _check_sizes(given: Given, parts: list[zipfile.ZipInfo]) -> None:
    total = sum(part.file_size for part in parts)
    if total > MOST_UNPACKED or len(parts) > MOST_PARTS:
        raise _bomb(given, f"unpacks to {total} bytes in {len(parts)} parts")
    for part in parts:
        if part.flag_bits & 1:
            raise DocumentError(f"{given.source}: is encrypted; save it again without a password")
        if part.file_size > max(RATIO_FROM, MOST_RATIO * part.compress_size):
            raise _bomb(given, f"a part unpacks to {part.file_size} bytes from {part.compress_size}")


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, given: Given, left: int) -> int:
    """Unpack a part bit by bit: its header may lie about its size. XML must declare no entities."""
    if part.is_dir():
        return 0
    size = 0
    with archive.open(part) as stream:
        while block := stream.read(PART):
            if size == 0 and part.filename.lower().endswith(_XML_ENDINGS):
                head = block[:100_000].replace(b"\0", b"").lower()
                if b"<!doctype" in head or b"<!entity" in head:
                    raise DocumentError(
                        f"{given.source}: declares XML entities, which office programs never do; leave it out"
                    )
            size += len(block)
            if size > left:
                raise _bomb(given, "unpacks to more than it says")
    return size


def _bomb(given: Given, what: str) -> DocumentError:
    return DocumentError(f"{given.source}: {what}, so it may be a zip bomb; split the file or leave it out")
