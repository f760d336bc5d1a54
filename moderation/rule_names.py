"""Names of rules: of the word lists, of what stands in code, and of a policy's engines and topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moderation.lexicon import entries
from moderation.verdict import Category

if TYPE_CHECKING:
    from moderation.policy import Policy

LISTS = ("en", "zh", "injection")
CODED = frozenset(
    f"{category}.{name}"
    for category, names in {
        "blocked": "word",
        "promise": "made",
        "competitor": "named",
        "pii": "card iban bic account email phone resident_id ssn nino national_id passport driving_licence"
        " security_code birth_date plate ip_address mac_address wallet name address",
        "secrets": "key password code",
        "unsafe_link": "scheme userinfo address lookalike image redirect shortener download domain unlisted",
        "injection": "jailbreak delimiter encoded hidden flood",
        "engine": "timeout error",
    }.items()
    for name in names.split()
)
"""The rules that stand in code; the others stand in the word lists."""


def listed_rules() -> set[str]:
    """The rules of the word lists.

    Raises:
        ModerationError: A word list that ships is broken.
    """
    return {entry.rule for name in LISTS for entry in entries(name)}


def patterned_topics() -> set[str]:
    """The topics for which patterns ship.

    Raises:
        ModerationError: The list that ships is broken.
    """
    return {entry.rule.partition(".")[2] for entry in entries("topics")}


def rules_of(policy: Policy) -> set[str]:
    """All the rules that may fire under a policy."""
    judged = {f"{category}.{name}" for category in Category for name in policy.engines.names}
    return listed_rules() | CODED | judged | {f"topic.{name}" for name in policy.topics}
