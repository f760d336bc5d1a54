"""Vectors of all units: whole ones as bytes in a file, their signs in memory for a first look.

Looking at every vector of a large knowledge costs more time and memory than a question may take. The signs
alone (one bit a dimension) order vectors nearly as their cosines do (Charikar 2002), so that only the few
hundred best are read from the file.
"""

from __future__ import annotations

import hashlib
import os
import weakref
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from knowledge.embedder import Embedder, Vectors
from knowledge.passage import Passage
from knowledge.ragged import Integers, ends, find, places_of
from knowledge.unit import units_of

FORMAT = 2
EXACT_UNITS = 8_000
"""Up to so many vectors are all looked at: 20 MB, four milliseconds."""
SHORT_LIST = 600
"""Vectors that are read after the first look; the best 20 are among them in more than 99 of 100 questions."""
STRIDE = 16_384
"""Units whose signs are compared at once, so that they stay in the processor's cache."""
PASSAGES_AT_ONCE = 1_000
AROUND_UNITS = 400
"""Of a long document, so many units before and after one are its surroundings."""

Floats = npt.NDArray[np.float32]
OF_UNITS = ("ids", "owners", "headings", "scales")
"""Arrays with an item a unit."""


class UnitVectors:
    """Vectors of units in the order of passages; made once, never changed.

    Attributes:
        owners: int32[u], the number of each unit's passage.
        headings: bool[u], whether a unit says what its passage is about.
        first: int64[p + 1], number of each passage's first unit.
        contents: uint64[p], says what each passage's units were made of.
    """

    def __init__(
        self, rows: npt.NDArray[np.int8], arrays: dict[str, Any], passages: int, file: Path | None = None
    ) -> None:
        self.rows = rows
        self.contents: npt.NDArray[np.uint64] = arrays["contents"]
        self.ids: npt.NDArray[np.uint64] = arrays["ids"]
        self.scales: Floats = arrays["scales"]
        self.owners: npt.NDArray[np.int32] = arrays["owners"]
        self.headings: npt.NDArray[np.bool_] = arrays["headings"]
        self.first: Integers = np.searchsorted(self.owners, np.arange(passages + 1))
        small = len(self.ids) <= EXACT_UNITS
        self._exact: Floats | None = self.read(slice(None)) if small else None
        self._signs: npt.NDArray[np.uint64] | None = None if small else np.ascontiguousarray(arrays["signs"])
        if self._signs is not None:
            from knowledge.compiled import apart

            self._compare = apart
        self._file: int | None = None
        if not small and file is not None:
            # A mapped file would slowly come to lie in memory whole, one question after another.
            self._file = os.open(bytes_of(file), os.O_RDONLY)
            weakref.finalize(self, os.close, self._file)

    @classmethod
    def empty(cls) -> UnitVectors:
        """Return the vectors of no passages."""
        return cls.of_nothing(0)

    @classmethod
    def of_nothing(cls, passages: int) -> UnitVectors:
        """Return no vectors of some passages, which are then found by their words."""
        arrays = {
            "ids": np.zeros(0, dtype=np.uint64),
            "scales": np.zeros(0, dtype=np.float32),
            "owners": np.zeros(0, dtype=np.int32),
            "headings": np.zeros(0, dtype=bool),
            "contents": np.zeros(passages, dtype=np.uint64),
        }
        return cls(np.zeros((0, 1), dtype=np.int8), arrays, passages)

    @classmethod
    def load(cls, file: Path, passages: int) -> UnitVectors | None:
        """Open vectors that `write` wrote; None where they are missing, damaged or of another version."""
        try:
            with np.load(file, allow_pickle=False) as found:
                if int(found["format"]) != FORMAT:
                    return None
                arrays = {name: found[name] for name in found.files}
            if len(arrays["contents"]) != passages:
                return None
            shape = (len(arrays["ids"]), int(arrays["dimension"]))
            if not shape[0]:
                return cls.empty()
            rows = np.memmap(bytes_of(file), dtype=np.int8, mode="r", shape=shape)
            return cls(rows, arrays, passages, file)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of units and dimension."""
        return int(self.rows.shape[0]), int(self.rows.shape[1])

    def read(self, units: Integers | slice) -> Floats:
        """Return the vectors of some units, float32[n, d]."""
        rows = np.asarray(self.rows[units], dtype=np.float32)
        rows *= self.scales[units][:, None]
        return rows

    def near(self, vector: Floats, allowed: npt.NDArray[np.bool_] | None = None) -> Near:
        """Return what is near a question's vector.

        Args:
            vector: float32[d].
            allowed: bool[p], the passages that may be found; by default all.
        """
        if self._exact is not None:
            # One thread: a library's threads wait for each other longer than this takes.
            likeness = np.einsum("ud,d->u", self._exact, vector)
            units = np.arange(len(likeness)) if allowed is None else np.flatnonzero(allowed[self.owners])
            return Near(self, vector, units, likeness[units], likeness)
        units = self._short_list(vector, allowed)
        return Near(self, vector, units, self.likeness(units, vector), None)

    def likeness(self, units: Integers | slice, vector: Floats) -> Floats:
        """Return the cosines of some units and a vector, float32[n]."""
        rows = self.rows[units] if self._file is None else self._fetch(self._file, units)
        found: Floats = np.einsum("ud,d->u", rows.astype(np.float32), vector)
        return found * self.scales[units]

    def _fetch(self, file: int, units: Integers | slice) -> npt.NDArray[np.int8]:
        """Read some units' bytes without leaving them in memory."""
        size = self.rows.shape[1]
        if isinstance(units, slice):
            data = os.pread(file, (units.stop - units.start) * size, units.start * size)
        else:
            data = b"".join([os.pread(file, size, at) for at in (units * size).tolist()])
        return np.frombuffer(data, dtype=np.int8).reshape(-1, size)

    def _short_list(self, vector: Floats, allowed: npt.NDArray[np.bool_] | None) -> Integers:
        assert self._signs is not None
        words, count = self._signs.shape
        farthest = words * 64
        apart = np.empty(count, dtype=np.uint16)
        # Distances are small whole numbers: counting them is quicker than sorting.
        times = np.zeros(farthest + 1, dtype=np.int64)
        self._compare(self._signs, np.ascontiguousarray(_signs(vector[None, :])[:, 0]), apart, times)
        if allowed is not None:
            forbidden = ~allowed[self.owners]
            times -= np.bincount(apart[forbidden], minlength=farthest + 1)
            apart[forbidden] = np.iinfo(np.uint16).max
        counts = times.cumsum()
        limit = min(int(np.searchsorted(counts, SHORT_LIST)), farthest)
        units: Integers = np.flatnonzero(apart <= limit)
        if len(units) > 2 * SHORT_LIST:
            units = np.sort(units[np.argsort(apart[units], kind="stable")[: 2 * SHORT_LIST]])
        return units


class Near:
    """The units near one question."""

    def __init__(
        self, vectors: UnitVectors, vector: Floats, units: Integers, values: Floats, all_values: Floats | None
    ) -> None:
        self._vectors = vectors
        self._vector = vector
        self._all = all_values
        self.units = units
        """Numbers of the units that were looked at, rising."""
        self.values = values
        """Their cosines."""

    def passages(self) -> tuple[Integers, Floats]:
        """Return the passages that were looked at, rising, and the greatest cosine in each."""
        return _greatest(self._vectors.owners[self.units].astype(np.int64), self.values)

    def of(self, begin: int, end: int) -> Floats:
        """Return the cosines of the units from `begin` to before `end`."""
        if self._all is not None:
            return self._all[begin:end]
        return self._vectors.likeness(slice(begin, end), self._vector)


def bytes_of(file: Path) -> Path:
    """Return the file of the vectors themselves that belongs to one that `write` wrote."""
    return file.with_suffix(".i8")


def write(
    file: Path, passages: Sequence[Passage], embedder: Embedder, before: UnitVectors | None = None
) -> None:
    """Write the vectors of all units of passages; the file is there when all of it is.

    Args:
        file: what `UnitVectors.load` will open; the vectors lie beside it.
        passages: all, in their order.
        embedder: makes vectors of the units that are new.
        before: vectors of the same embedder whose units are not embedded again.
    """
    parts: dict[str, list[Any]] = {name: [] for name in OF_UNITS}
    signs = []
    part = bytes_of(file).with_suffix(f".{os.getpid()}.part")
    arrays = file.with_suffix(f".{os.getpid()}.part.npz")
    contents = np.asarray([_content(passage) for passage in passages], dtype=np.uint64)
    try:
        with part.open("wb") as target:
            for rows, block in _blocks(passages, contents, embedder, before or UnitVectors.empty()):
                target.write(rows.tobytes())
                signs.append(_signs(rows))
                for name in OF_UNITS:
                    parts[name].append(block[name])
            target.flush()
            os.fsync(target.fileno())
        empty = UnitVectors.empty()
        whole: dict[str, Any] = {
            name: np.concatenate([getattr(empty, name), *found]) for name, found in parts.items()
        }
        if len(whole["ids"]) > EXACT_UNITS:
            whole["signs"] = np.concatenate(signs, axis=1)
        with arrays.open("wb") as target:
            np.savez(target, format=FORMAT, dimension=embedder.dimension, contents=contents, **whole)
            target.flush()
            os.fsync(target.fileno())
        part.replace(bytes_of(file))
        arrays.replace(file)
    finally:
        part.unlink(missing_ok=True)
        arrays.unlink(missing_ok=True)


Block = tuple[npt.NDArray[np.int8], dict[str, npt.NDArray[Any]]]
"""Vectors of some units as bytes, and the arrays of `OF_UNITS`."""


def _blocks(
    passages: Sequence[Passage], contents: npt.NDArray[np.uint64], embedder: Embedder, before: UnitVectors
) -> Iterator[Block]:
    """Yield the units of passages, some passages at a time; those of passages that are known as they were."""
    places = find(before.contents, contents)
    order = np.argsort(before.ids)
    for begin in range(0, len(passages), PASSAGES_AT_ONCE):
        here = places[begin : begin + PASSAGES_AT_ONCE]
        new = np.flatnonzero(here < 0)
        rows, block, sizes = _units([passages[begin + at] for at in new.tolist()], embedder, before, order)
        # Behind the units that are known lie the new ones.
        known = len(before.contents)
        here[new] = known + np.arange(len(new))
        first = np.concatenate([before.first, before.first[-1] + ends(sizes)[1:]])
        units = places_of(first, here)
        old = units < first[known]
        block |= {"owners": np.zeros(len(rows), dtype=np.int32)}
        whole = {}
        for name in ("rows", *OF_UNITS):
            fresh = rows if name == "rows" else block[name]
            items = np.empty((len(units), *fresh.shape[1:]), dtype=fresh.dtype)
            items[old] = getattr(before, name)[units[old]] if old.any() else items[old]
            items[~old] = fresh[units[~old] - first[known]]
            whole[name] = items
        lengths = np.diff(first)[here]
        whole["owners"] = np.repeat(np.arange(begin, begin + len(here), dtype=np.int32), lengths)
        yield whole.pop("rows"), whole


def _units(
    passages: Sequence[Passage], embedder: Embedder, before: UnitVectors, order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int8], dict[str, npt.NDArray[Any]], Integers]:
    """Return the units of passages that are new or changed, and how many each has.

    Args:
        passages: some.
        embedder: makes vectors of the units that are new.
        before: units of the version before; those of the same passage and text keep their vectors.
        order: of the units before by their ids.
    """
    units = units_of(passages)
    ids = np.asarray([int(unit.id[:16], 16) for unit in units], dtype=np.uint64)
    at = np.minimum(np.searchsorted(before.ids, ids, sorter=order), max(len(order) - 1, 0))
    kept = before.ids[order[at]] == ids if len(order) else np.zeros(len(ids), dtype=bool)
    rows = np.zeros((len(units), embedder.dimension), dtype=np.int8)
    scales = np.zeros(len(units), dtype=np.float32)
    new = np.flatnonzero(~kept)
    if kept.any():
        places = order[at[kept]]
        rows[kept], scales[kept] = before.rows[places], before.scales[places]
    if len(new):
        rows[new], scales[new] = quantise(embedder.embed([units[one].text for one in new.tolist()]))
    headings = np.asarray([unit.heading for unit in units], dtype=bool)
    owners = np.asarray([unit.passage for unit in units], dtype=np.int64)
    return (
        rows,
        {"ids": ids, "headings": headings, "scales": scales},
        np.bincount(owners, minlength=len(passages)),
    )


def _content(passage: Passage) -> int:
    """Return a number for what a passage's units are made of."""
    words = "\0".join((passage.id, passage.title, passage.text, *passage.questions))
    return int.from_bytes(hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=8).digest())


def quantise(vectors: Vectors) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return vectors as int8[n, d] with a scale each, float32[n]."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9).astype(np.float32) / np.float32(127.0)
    return np.round(vectors / scales[:, None]).astype(np.int8), scales


def _signs(rows: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Return one bit a dimension, uint64[ceil(d / 64), n]."""
    count, dimension = rows.shape
    words = -(-dimension // 64)
    signs = np.zeros((words, count), dtype=np.uint64)
    for begin in range(0, count, STRIDE):
        bits = np.zeros((min(STRIDE, count - begin), words * 64), dtype=bool)
        bits[:, :dimension] = rows[begin : begin + STRIDE] > 0
        signs[:, begin : begin + STRIDE] = np.packbits(bits, axis=1).view(np.uint64).T
    return signs


def _greatest(keys: Integers, values: Floats) -> tuple[Integers, Floats]:
    """Return rising keys, each once, and the greatest value of each."""
    if not len(keys):
        return keys, values
    starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    return keys[starts], np.maximum.reduceat(values, starts)
