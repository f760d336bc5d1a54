"""The people who may take conversations over, and the keys that they come with.

A key is told once, when it is made; the file keeps its hash. Servers look at the file again when it changes,
so that a key holds, or holds no more, at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.errors import DeskError
from server.live.bearer import bearer_of
from server.live.errors import LiveError

KEY_BYTES = 32
LONGEST_NAME = 40
"""The avatar says the name."""
LOOK_S = 1.0
"""How often a server looks whether the file has changed."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person."""

    name: str
    """As visitors are told it."""
    hash: str
    """SHA-256 of the key, as hexadecimal digits."""
    desks: tuple[str, ...] = ()
    """Which they look after, by the names in addresses; empty: all."""
    added_at: float = 0.0
    """Seconds since 1970, UTC."""

    def serves(self, desk: str) -> bool:
        """Tell whether they look after a desk."""
        return not self.desks or desk in self.desks


class Operators:
    """Knows the people by their keys.

    Args:
        file: as `add_operator` writes it; None, or one that is missing: there is nobody.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._looked_s = float("-inf")
        self._known: tuple[Operator, ...] = ()

    def of(self, authorization: str) -> Operator:
        """Return whose key came in an Authorization header.

        Raises:
            LiveError: "key_missing" or "key_unknown".
        """
        return self.with_key(bearer_of(authorization))

    def with_key(self, key: str) -> Operator:
        """Return whose key it is.

        Raises:
            LiveError: "key_missing" or "key_unknown".
        """
        if not key:
            raise LiveError(
                "key_missing", "no key came along", "send it as Authorization: Bearer …", status=401
            )
        found = next((one for one in self.all() if secrets.compare_digest(one.hash, _hash(key))), None)
        if found is None:
            raise key_unknown()
        return found

    def still(self, operator: Operator) -> Operator | None:
        """Return somebody who came with a key as the file says now; None: that key lets in no more."""
        return next((one for one in self.all() if one.hash == operator.hash), None)

    def has(self, name: str, desk: str) -> bool:
        """Tell whether somebody of this name has a key, and looks after a desk."""
        return any(one.name == name and one.serves(desk) for one in self.all())

    def look_after(self, desk: str) -> bool:
        """Tell whether there is anybody who looks after a desk."""
        return any(one.serves(desk) for one in self.all())

    def all(self) -> tuple[Operator, ...]:
        """Return everybody, as the file says now."""
        now_s = time.monotonic()
        if self._file is None or now_s - self._looked_s < LOOK_S:
            return self._known
        self._looked_s = now_s
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = read_operators(self._file), stamp
        except FileNotFoundError:
            self._known, self._stamp = (), None
        except (OSError, DeskError):
            pass  # half written or not to be read just now: who was known stays so
        return self._known


def key_unknown() -> LiveError:
    """Return the error of a key that lets nobody in, or nobody any more."""
    return LiveError(
        "key_unknown", "nobody has this key", "make one with `visavis operator add NAME`", status=401
    )


def read_operators(file: Path) -> tuple[Operator, ...]:
    """Read everybody; nobody where the file is missing.

    Raises:
        DeskError: it cannot be read.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return tuple(
            Operator(
                str(one["name"]), str(one["hash"]), tuple(map(str, one["desks"])), float(one["added_at"])
            )
            for one in data["operators"]
        )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeskError(
            f"{file}: cannot be read ({error}); mend it, or delete it and make the keys anew"
        ) from error


def add_operator(file: Path, name: str, desks: Sequence[str] = ()) -> str:
    """Make a key for a person; one that they had before lets in no more.

    Returns:
        The key, which is kept nowhere.

    Raises:
        DeskError: the name cannot be said, or the file cannot be written.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise DeskError(f"a name has 1 to {LONGEST_NAME} letters; visitors hear it, so give a first name")
    key = secrets.token_urlsafe(KEY_BYTES)
    others = [one for one in read_operators(file) if one.name != name]
    _write(file, [*others, Operator(name, _hash(key), tuple(desks), time.time())])
    return key


def remove_operator(file: Path, name: str) -> None:
    """Let a person in no more.

    Raises:
        DeskError: there is no such person, or the file cannot be written.
    """
    there = read_operators(file)
    kept = [one for one in there if one.name != name]
    if len(kept) == len(there):
        names = ", ".join(one.name for one in there) or "nobody"
        raise DeskError(f"there is nobody called {name[:60]!r}; there is {names}")
    _write(file, kept)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _write(file: Path, operators: Sequence[Operator]) -> None:
    text = json.dumps({"operators": [asdict(one) for one in operators]}, ensure_ascii=False, indent=1)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(fresh, file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise DeskError(f"{file}: cannot be written ({error.strerror}); name another with --file") from error
