"""What a guard judges by, in short: it changes with the policy, the weights and the rules that ship."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moderation.policy import Policy

FOLDER = Path(__file__).parent
UNJUDGING = {"safe_lines", "help_lines", "images"}
"""Parts of a policy that change no verdict on a text."""
LENGTH = 16
"""Hexadecimal digits: 64 bits, to tell one state from another, not to withstand anybody."""


def fingerprint(policy: Policy, *more: Path) -> str:
    """Return what changes when verdicts on texts may; `more`: files that judge, too.

    Of a model that a policy names, the folder's files are looked at by size and time, as they may be large;
    what an endpoint judges by is not known.
    """
    digest = hashlib.sha256(_shipped().encode())
    digest.update(policy.model_dump_json(exclude=UNJUDGING).encode())
    for name, onnx in sorted(policy.engines.onnx.items()):
        for file in sorted((policy.folder / onnx.path).glob("*")):
            told = file.stat()
            digest.update(f"{name}/{file.name} {told.st_size} {told.st_mtime_ns}".encode())
    for file in more:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:LENGTH]


@lru_cache(maxsize=1)
def _shipped() -> str:
    """Of the rules, the word lists and the weights in this package: some 10 MB, 20 ms."""
    digest = hashlib.sha256()
    for place in ("*.py", "lexicon/*", "weights/*"):
        for file in sorted(FOLDER.glob(place)):
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
