"""Keyed hashes of how visitors are reached: their conversations are found by it, though it is not kept."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from agent.particulars import Particulars

LAST_DIGITS = 8
"""Of a telephone number; what stands before them is written in many ways, or not at all."""
FEWEST_DIGITS = 7
_PURPOSE = b"visavis contact "
"""So that nothing else that is signed with the same secret equals one of these."""
_CHARS = 32
"""Of a hash, in hexadecimal digits."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def hash_of(contact: str, secret: bytes) -> str:
    """Return the hash of an e-mail address or a telephone number, however it is written; empty for neither.

    Args:
        contact: as somebody wrote it.
        secret: of the server, with which tokens are signed.
    """
    text = contact.strip().lower()
    digits = "".join(filter(str.isdecimal, text))
    if _EMAIL.fullmatch(text):
        plain = f"email {text}"
    elif len(digits) >= FEWEST_DIGITS and not re.search(r"[^\W\d_]", text):
        plain = f"phone {digits[-LAST_DIGITS:]}"
    else:
        return ""
    return hmac.new(secret, _PURPOSE + plain.encode(), hashlib.sha256).hexdigest()[:_CHARS]


def hashes_of(told: Particulars, secret: bytes) -> tuple[str, ...]:
    """Return the hashes of all telephone numbers and e-mail addresses that a visitor told."""
    return tuple(sorted(filter(None, {hash_of(each, secret) for each in (*told.phones, *told.emails)})))


def hashes_of_all(contacts: Iterable[str], secret: bytes) -> list[str]:
    """Return the hashes of contacts that have one."""
    return [found for each in contacts if (found := hash_of(each, secret))]
