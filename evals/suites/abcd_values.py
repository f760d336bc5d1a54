"""What an ABCD button is given: values found in what the customer said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHAPES: dict[str, str] = {
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "username": r"(?<![\w@.])[a-z]+\d{2,4}(?![\w@])",
    "order_id": r"(?<!\d)\d{10}(?!\d)",
    "account_id": r"\b(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{10}\b",
    "phone": r"\(?\d{3}\)?[ -]?\d{3}-\d{4}",
    "pin_number": r"(?<![\d#$])\d{6}(?!\d)",
    "zip_code": r"(?<!\d)\d{5}(?!\d)",
    "amount": r"\$\s?(\d+)(?!\d)",
    "full_address": r"\d+ [\w .]+,? *[a-z ]+, [A-Z]{2} *\d{5}",
    "street_address": r"\b\d{1,5} (?:\w+ ){1,3}(?:st|street|ave|avenue|rd|road|ln|lane|dr|drive|blvd)\b",
}
"""Kind of value → how it is written, without regard to case but for account ids."""
_ALL = frozenset({"verify-identity", "validate-purchase"})
"""Buttons that take everything that identifies the customer; others take what was said last."""


@dataclass(frozen=True, slots=True)
class Values:
    """What may be given."""

    slots: Mapping[str, tuple[str, ...]]
    """Button → kinds of values."""
    lists: Mapping[str, tuple[str, ...]]
    """Kind → its values, where they are few."""

    @classmethod
    def of(cls, ontology: Mapping[str, Any]) -> Values:
        """Return what an ontology allows.

        Raises:
            KeyError: it is none.
        """
        slots = {
            button: tuple(kinds) for part in ontology["actions"].values() for button, kinds in part.items()
        }
        lists = {kind: tuple(values) for kind, values in ontology["values"]["enumerable"].items()}
        return cls(slots, lists)

    def find(self, button: str, said: Sequence[str]) -> tuple[str, ...]:
        """Return what a button is given, as far as the customer said it."""
        found = list[tuple[int, str]]()
        kinds = self.slots.get(button, ())
        for kind in kinds:
            for place in range(len(said) - 1, -1, -1):
                value = self._in(kind, said[place])
                if value:
                    found.append((place, value))
                    break
        if not found:
            return ()
        if button in _ALL:
            return tuple(value for _, value in found)
        return (max(found, key=lambda one: one[0])[1],)

    def _in(self, kind: str, text: str) -> str:
        for value in self.lists.get(kind, ()):
            if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE):
                return value
        if kind == "customer_name":
            name = re.search(r"(?:name is|i am|i'm|this is)\s+([A-Z]\w+ [A-Z]\w+)", text, re.IGNORECASE)
            alone = re.fullmatch(r"\W*([A-Z]\w+ [A-Z]\w+)\W*", text)
            return (name or alone or ("", ""))[1]
        shape = _SHAPES.get(kind)
        found = re.search(shape, text, 0 if kind == "account_id" else re.IGNORECASE) if shape else None
        if not found:
            return ""
        return found.group(1) if found.re.groups else found.group()


def same_values(given: Sequence[str], wanted: Sequence[str]) -> bool:
    """Tell whether values are the same, without regard to order, case and spaces."""
    return sorted(map(_plain, given)) == sorted(map(_plain, wanted))


def _plain(value: str) -> str:
    return re.sub(r"\s+", " ", value).strip().casefold()
