"""The guard: every screener over a text, then the policy's word on what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moderation.credentials import CredentialScreener
from moderation.desk_words import desk_screeners
from moderation.injection import InjectionScreener
from moderation.lexicon import Entry, Lexicon, entries
from moderation.links import LinkScreener
from moderation.mask import masked
from moderation.normalise import language_of
from moderation.personal_data import PersonalDataScreener
from moderation.screener import Classifier, Finding, Screener, Subject
from moderation.verdict import Action, Category, Direction, Span, Verdict

if TYPE_CHECKING:
    from moderation.policy import Policy

WINDOW = 4000
"""Characters screened at once; a longer text is screened in windows, so that time stays linear."""
OVERLAP = 300
"""Characters that two windows share: longer than any phrase or number that is looked for."""
LANGUAGES = ("en", "zh")
_WARMING = (
    "Call 0203 000 0000 or +44 20 7946 0958, IBAN GB82 WEST 1234 5698 7654 32, card 4111 1111 1111 1111",
    "身份证11010519491231002X",
)
MAX_CHARACTERS = 200_000
"""A longer text is no sentence, page or passage: its start is screened, and it counts as a flood of text."""
_RULES = frozenset(
    f"{category}.{name}"
    for category, names in {
        "blocked": "word",
        "promise": "made",
        "competitor": "named",
        "pii": "card iban email phone resident_id ssn nino passport security_code birth_date",
        "secrets": "key password code",
        "unsafe_link": "scheme userinfo address lookalike shortener download domain unlisted",
        "injection": "jailbreak delimiter encoded hidden flood",
    }.items()
    for name in names.split()
)
"""The rules that stand in code; the others stand in the word lists."""
_MASKABLE = frozenset((Category.PII, Category.SECRETS, Category.UNSAFE_LINK))


class Guard:
    """Screens texts by a policy. Immutable after construction, and safe to use from several threads."""

    engine = "rules"
    """What judges: word lists, checksums and patterns."""

    def __init__(
        self, policy: Policy, screeners: Sequence[Screener] = (), classifiers: Sequence[Classifier] = ()
    ) -> None:
        """A guard with the screeners that ship, then `screeners`, then `classifiers`.

        Raises:
            ModerationError: A word list that ships is broken.
            PolicyError: A phrase of the policy cannot be read.
        """
        self.policy = policy
        lists = [entry for language in LANGUAGES for entry in entries(language)]
        harmless = Entry("", 0.0, policy.words.allowed)
        rules = {entry.rule for entry in (*lists, *entries("injection"))}
        policy.check_rules(rules | _RULES | {f"topic.{name}" for name in policy.topics})
        self._screeners: tuple[Screener, ...] = (
            Lexicon((*lists, harmless)),
            *desk_screeners(policy),
            PersonalDataScreener(policy.personal_data, policy.contacts),
            CredentialScreener(),
            LinkScreener(policy.contacts),
            InjectionScreener(),
            *screeners,
        )
        self._classifiers = tuple(classifiers)

    @classmethod
    def load(cls, policy: Path | str | Policy | None = None) -> Guard:
        """A guard for a policy file; without one, for the default policy.

        Raises:
            PolicyError: The file is wrong; the message names file, key and remedy.
        """
        from moderation.policy import Policy  # pydantic, which a mere import should not pay for

        return cls(policy if isinstance(policy, Policy) else Policy.load(policy))

    def warm(self) -> None:
        """Load what loads at first use (telephone metadata, checksum tables): no visitor waits for it."""
        for text in _WARMING:
            self.screen(text)

    def screen(
        self, text: str, direction: Direction | str = Direction.INPUT, language: str | None = None
    ) -> Verdict:
        """Screen one text.

        Args:
            text: Any text, of any length.
            direction: Where it comes from.
            language: "en", "zh" …: which language masks are written in; by the text's script where left out.
        """
        return self.screen_many((text,), direction, language)[0]

    def screen_many(
        self, texts: Iterable[str], direction: Direction | str = Direction.INPUT, language: str | None = None
    ) -> list[Verdict]:
        """Screen texts, each for itself; classifiers see them as one batch."""
        towards = Direction(direction)
        batch = list(texts)
        found = [self._findings(text, towards, language or language_of(text)) for text in batch]
        for classifier in self._classifiers:
            for text, findings, scores in zip(batch, found, classifier.scores(batch, towards), strict=True):
                findings += (
                    Finding(f"{category}.{classifier.name}", score, 0, len(text))
                    for category, score in scores.items()
                )
        return [
            self._verdict(text, towards, language or language_of(text), findings)
            for text, findings in zip(batch, found, strict=True)
        ]

    def safe_line(self, verdict: Verdict, language: str = "en") -> str:
        """The prepared line to say instead of a refused or escalated text; "" for one that passes."""
        if verdict.passes:
            return ""
        policy = self.policy
        name = verdict.rule.partition(".")[2]
        topic = policy.topics.get(name) if verdict.category == Category.TOPIC else None
        lines = policy.safe_lines.get(language) or policy.safe_lines.get("en") or {}
        line = (
            (topic.lines.get(language) if topic else None)
            or lines.get(verdict.rule)
            or lines.get(verdict.category)
            or lines.get("default")
            or "I am sorry, I can't help with that."
        )
        help_line = policy.help_lines.get(language) or policy.help_lines.get("en") or "the emergency services"
        return line.replace("{help_line}", help_line)

    def _findings(self, text: str, direction: Direction, language: str) -> list[Finding]:
        if len(text) <= WINDOW:
            return list(self._screened(text, direction, language))
        found: dict[tuple[str, int, int], Finding] = {}
        if len(text) > MAX_CHARACTERS:
            found["flood", 0, 0] = Finding("injection.flood", 0.9, 0, 0)
        for start in range(0, min(len(text), MAX_CHARACTERS) - OVERLAP, WINDOW - OVERLAP):
            for finding in self._screened(text[start : start + WINDOW], direction, language):
                moved = replace(finding, start=finding.start + start, end=finding.end + start)
                found.setdefault((moved.rule, moved.start, moved.end), moved)
        return list(found.values())

    def _screened(self, text: str, direction: Direction, language: str) -> Iterator[Finding]:
        subject = Subject(text, direction, language)
        for screener in self._screeners:
            yield from screener.screen(subject)

    def _verdict(self, text: str, direction: Direction, language: str, findings: list[Finding]) -> Verdict:
        if not findings:
            return Verdict(Action.ALLOW, "", text, direction)
        policy = self.policy
        scores: dict[str, float] = {}
        deciding: list[tuple[int, float, Finding]] = []
        for finding in findings:
            category = finding.category
            scores[category] = max(scores.get(category, 0.0), finding.score)
            if finding.score >= policy.threshold(category):
                deciding.append((policy.action(finding.rule, direction).rank, finding.score, finding))
        if not deciding:
            return Verdict(Action.ALLOW, "", text, direction, scores=scores)
        deciding.sort(key=lambda row: row[:2], reverse=True)
        worst = deciding[0][2]
        counted = [finding for rank, _, finding in deciding if rank > 0]
        to_mask = [
            finding
            for finding in counted
            if finding.category in _MASKABLE or policy.action(finding.rule, direction) is Action.MASK
        ]
        return Verdict(
            action=policy.action(worst.rule, direction),
            rule=worst.rule,
            text=masked(text, to_mask, language) if to_mask else text,
            direction=direction,
            category=worst.category,
            scores=scores,
            spans=tuple(
                sorted(
                    {Span(f.start, f.end, f.category) for f in counted},
                    key=lambda span: (span.start, span.end),
                )
            ),
            rules=tuple(dict.fromkeys(finding.rule for _, _, finding in deciding)),
        )
