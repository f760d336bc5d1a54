"""Where errors end: one line that says what to do, and the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agent.errors import AgentError, DeskError
from avatar.errors import AvatarError, InputError, RigError
from knowledge.errors import DocumentError, KnowledgeError
from moderation.errors import ModerationError, PolicyError
from server.wording import reason_of, worded
from speech.errors import AudioError, SpeechError

FAILED = 1
WRONG_USE = 2
STOPPED = 130
"""128 + SIGINT, as shells expect."""

_OURS = (AgentError, AvatarError, KnowledgeError, ModerationError, SpeechError)
_WRONG_USE = (AudioError, DeskError, DocumentError, InputError, PolicyError, RigError)

T = TypeVar("T")


class UsageError(Exception):
    """The command was called wrongly; the message says how to call it."""


def check_suffix(out: Path | None, suffix: str) -> None:
    """See that a file that is to be written is named as what it will be.

    Raises:
        UsageError: it is not.
    """
    if out is not None and out.suffix.lower() != suffix:
        example = out.with_suffix(suffix) if out.name else f"reply{suffix}"
        raise UsageError(f"--out writes {suffix[1:]}; name the file {example}")


@contextmanager
def boundary() -> Iterator[None]:
    """Turn the project's errors into one line on standard error and an exit code."""
    try:
        yield
    except UsageError as error:
        complain(str(error))
        raise SystemExit(WRONG_USE) from None
    except _OURS as error:
        complain(worded(error))
        raise SystemExit(WRONG_USE if isinstance(error, _WRONG_USE) else FAILED) from None
    except KeyboardInterrupt:
        complain("stopped; nothing half-done was left behind")
        raise SystemExit(STOPPED) from None
    except MemoryError:
        complain("out of memory; close other programs, or give a smaller input")
        raise SystemExit(FAILED) from None
    except OSError as error:
        what, remedy = reason_of(error)
        complain(f"{error.filename or 'the system'}: {what}; {remedy}")
        raise SystemExit(FAILED) from None
    except Exception as error:
        if os.environ.get("VISAVIS_DEBUG"):
            raise
        name = type(error).__name__
        complain(f"something unforeseen went wrong ({name}); VISAVIS_DEBUG=1 shows where, please report it")
        raise SystemExit(FAILED) from None


def complain(message: str) -> None:
    """Write one line on standard error."""
    sys.stderr.write(f"visavis: {' '.join(message.split())}\n")


def print_json(document: object) -> None:
    """Write one JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    sys.stdout.flush()


def tell(document: T, words: str | Callable[[T], None], *, json: bool) -> None:
    """Write a command's result on standard output: as JSON, or in words for people."""
    if json:
        print_json(document)
    elif isinstance(words, str):
        sys.stdout.write(f"{words}\n")
    else:
        words(document)
