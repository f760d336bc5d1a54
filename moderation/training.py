"""What both programs that train the embedded classifier are given, and what they read."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from moderation.corpus import TEXTS, Example, say, told, written
from moderation.public_sets import public


def options(program: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser of the folders that both read; each program adds its own options."""
    parser = argparse.ArgumentParser(prog=program, description=about)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of public sets (moderation/public_sets.py)"
    )
    parser.add_argument("--texts", type=Path, default=TEXTS, help="folder of written texts")
    parser.add_argument(
        "--told", type=Path, nargs="*", default=[], help="folders of harmless documents (*.md)"
    )
    return parser


def examples(given: argparse.Namespace) -> Iterator[Example]:
    """Read public sets, written texts and harmless documents, those that are kept aside too."""
    yield from public(given.data, say)
    yield from written(given.texts)
    yield from told(given.told)
