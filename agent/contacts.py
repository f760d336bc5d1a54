"""Where a desk's people are reached, as its owner wrote it: telephone numbers, addresses and sites."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moderation.policy import Policy

PHONE_DIGITS = range(5, 16)
"""From short service numbers to the longest of ITU-T E.164."""
_EMAIL = re.compile(r"[\w%+-][\w.%+-]{0,63}@(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.:@])(?:\+|00)?\(?\d(?:[ \-./()]{0,2}\d){4,18}(?![\w@:])", re.ASCII)
_SITE = re.compile(
    r"(?<![\w.@-])(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24})(?![\w@.-])", re.A | re.I
)


def with_contacts(policy: Policy, lines: Iterable[str]) -> Policy:
    """Return a policy by which the contacts in some lines may be said.

    Args:
        policy: the desk's; what it allows stays allowed.
        lines: sentences that say where people are reached.
    """
    # Chinese letters stand right beside numbers and addresses, and belong to neither.
    text = "\n".join(re.sub(r"[^\x00-\x7f]", " ", unicodedata.normalize("NFKC", line)) for line in lines)
    emails = _EMAIL.findall(text)
    rest = _EMAIL.sub(" ", text)
    phones = [found for found in _PHONE.findall(rest) if sum(map(str.isdigit, found)) in PHONE_DIGITS]
    links = [found.lower().removeprefix("www.") for found in _SITE.findall(rest)]
    own = policy.contacts
    allowed = own.model_copy(
        update={
            "phones": (*own.phones, *phones),
            "emails": (*own.emails, *(email.rstrip(".") for email in emails)),
            "links": (*own.links, *links),
        }
    )
    return policy.model_copy(update={"contacts": allowed})
