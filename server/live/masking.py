"""Masks personal data in what is kept of a conversation, by a desk's `[privacy]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.addresses import addresses
from agent.particulars import LABELS, MOST, Particulars, hidden
from agent.privacy import Privacy
from agent.told_names import names_of
from moderation.credentials import CredentialScreener
from moderation.mask import masked
from moderation.normalise import language_of
from moderation.personal_data import PersonalDataScreener
from moderation.screener import Finding, Screener, Subject
from moderation.verdict import Category, Direction
from server.live.told_numbers import number_spans, secret_spans

if TYPE_CHECKING:
    from agent.desk import Desk
    from moderation.policy import Policy

LONGEST = 20_000
"""Characters of one text that are looked at; what is longer is no sentence, and its rest is not kept."""
_REMEMBERED = 64
"""Texts whose masked form is remembered: words come as heard, as a turn's question, and in a caption."""
_PRIVATE = (Category.PII, Category.SECRETS)
_CHECKED = ("pii.card", "pii.iban", "pii.resident_id")
"""With a checksum: one digit that was misheard breaks it."""
_TOLD = ("pii.name", "pii.address")
"""Words, of which all that is known is what was heard."""


class Masker:
    """Finds personal data as a desk's policy describes it, whatever the policy does about it.

    Immutable; used from several threads.

    Args:
        policy: of the desk.
        settings: of the desk.
        more: further screeners of visitors' words.
    """

    def __init__(
        self, policy: Policy, settings: Privacy | None = None, more: Sequence[Screener] = ()
    ) -> None:
        self.settings = settings or Privacy()
        personal, contacts = policy.personal_data, policy.contacts
        secrets = CredentialScreener()
        self._of_visitors: Sequence[Screener] = (
            PersonalDataScreener(personal, contacts, names=self.settings.mask_names),
            secrets,
            *more,
        )
        # "I am Mira" is no secret; a visitor's name in the desk's words is known from what they told.
        self._of_desk: Sequence[Screener] = PersonalDataScreener(personal, contacts), secrets

    def findings(self, text: str, *, own: bool, language: str) -> list[Finding]:
        """Return what is personal in a text.

        Args:
            text: of a visitor, or of the desk.
            own: it is the visitor's; the desk's may name the desk's own contacts.
            language: ISO 639-1.
        """
        subject = Subject(text, Direction.INPUT if own else Direction.OUTPUT, language)
        screeners = self._of_visitors if own else self._of_desk
        found = [each for screener in screeners for each in screener.screen(subject)]
        if own:
            found += (Finding("secrets.password", 0.85, *span, "secret") for span in secret_spans(text))
        return [each for each in found if each.category in _PRIVATE]

    def masked(self, text: str, known: Particulars, *, own: bool) -> str:
        """Return a text without personal data."""
        text = text[:LONGEST]
        language = language_of(text)
        text = masked(text, self.findings(text, own=own, language=language), language)
        if own:
            label = LABELS.get(language, LABELS["en"])["numbers"]
            for start, end in reversed(number_spans(text)):
                text = text[:start] + label + text[end:]
        if not self.settings.mask_names:
            return text
        if own:
            known = known | _told(text)
        return hidden(text, replace(known, phones=(), emails=(), numbers=()), language, own=False)

    def spans(self, text: str, known: Particulars, *, own: bool) -> list[tuple[int, int]]:
        """Return where personal data stands in a text, in characters; the spans may overlap."""
        found = [(each.start, each.end) for each in self.findings(text, own=own, language=language_of(text))]
        if own:
            found += number_spans(text)
        if self.settings.mask_names:
            if own:
                known = known | _told(text)
            for value in (*known.addresses, *_parts(known.names)):
                found += [match.span() for match in re.finditer(re.escape(value), text, re.IGNORECASE)]
        return sorted((start, end) for start, end in found if end > start)


def presidio_of(desk: Desk) -> list[Screener]:
    """Return what asks Presidio with the models that a desk names; nothing where it names none.

    Raises:
        ModerationError: Presidio or a model is not installed, or cannot be loaded.
    """
    named = desk.settings.privacy.presidio
    if not named:
        return []
    from moderation.presidio import PresidioScreener

    return [PresidioScreener({language: desk.beside(model) for language, model in named.items()})]


class SessionMask:
    """Masks one conversation: names that the visitor told are masked in all that follows.

    Args:
        masker: of the desk.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._known = Particulars()
        self._masked = lru_cache(maxsize=_REMEMBERED)(self._mask)

    @property
    def settings(self) -> Privacy:
        """What the desk keeps."""
        return self._masker.settings

    def of_visitor(self, text: str) -> str | None:
        """Return a visitor's words as they are kept; None where none are."""
        if self.settings.keep == "plain":
            return text
        self._known |= _told(text[:LONGEST])
        return None if self.settings.keep == "none" else self._masked(text, self._known, own=True)

    def of_desk(self, text: str) -> str | None:
        """Return words that the visitor was told as they are kept; None where none are."""
        if self.settings.keep == "plain":
            return text
        return None if self.settings.keep == "none" else self._masked(text, self._known, own=False)

    def document(self, value: Any) -> Any:
        """Return a JSON value with every text in it as the visitor's words are kept; None for none."""
        match value:
            case str():
                return self.of_visitor(value)
            case dict():
                return {key: self.document(each) for key, each in value.items()}
            case list() | tuple():
                return [self.document(each) for each in value]
            case _:
                return value

    def spans(self, text: str, *, own: bool) -> list[tuple[int, int]]:
        """Return what of a text must not be heard in a recording, in characters."""
        if own:
            self._known |= _told(text[:LONGEST])
        return self._masker.spans(text, self._known, own=own)

    def sure_spans(self, text: str) -> list[tuple[int, int]]:
        """Return where a visitor's words hold numbers whose checksum is right: heard as they are."""
        return [(each.start, each.end) for each in self._found(text) if each.rule in _CHECKED]

    def unsure(self, text: str) -> bool:
        """Tell whether a visitor's words hold a number, or the like, that may not have been heard right."""
        sure = self.sure_spans(text)
        found = [(each.start, each.end) for each in self._found(text) if each.rule not in _TOLD]
        return any(
            not any(first < end and start < last for first, last in sure)
            for start, end in (*found, *number_spans(text))
        )

    def _found(self, text: str) -> list[Finding]:
        return self._masker.findings(text, own=True, language=language_of(text))

    def _mask(self, text: str, known: Particulars, *, own: bool) -> str:
        return self._masker.masked(text, known, own=own)


def _told(text: str) -> Particulars:
    """Return the names and addresses that a visitor tells of themselves."""
    return Particulars(names=tuple(names_of(text))[-MOST:], addresses=tuple(addresses(text))[-MOST:])


def _parts(names: Sequence[str]) -> list[str]:
    """Return names and their parts, as they may be said one by one."""
    parts = [part for name in names for part in name.split() if len(part) > 2]
    return [*names, *parts]
