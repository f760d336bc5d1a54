"""The Authorization header: tokens of sessions and keys of operators come in it."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"\s*bearer(?:\s+|$)", re.IGNORECASE)
"""In capitals or not: RFC 7235, section 2.1."""


def bearer_of(authorization: str) -> str:
    """Return the token or key of an Authorization header; "" where there is none."""
    scheme = _SCHEME.match(authorization)
    return authorization[scheme.end() if scheme else 0 :].strip()
