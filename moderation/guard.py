"""The guard: rules over a text, then engines over what they let through, and the policy's word on both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from moderation.credentials import CredentialScreener
from moderation.decision import decide, joined, tell
from moderation.desk_words import desk_screeners
from moderation.injection import InjectionScreener, unambiguous
from moderation.lexicon import Entry, Lexicon, entries
from moderation.links import LinkScreener
from moderation.mask import unlabelled
from moderation.normalise import has_han, language_of
from moderation.panel import WINDOW as AT_ONCE
from moderation.panel import Engine, Judgement, Panel
from moderation.personal_data import PersonalDataScreener
from moderation.rule_names import listed_rules, rules_of
from moderation.screener import Classifier, Finding, Screener, Subject
from moderation.second_look import SecondLook
from moderation.verdict import Category, Direction, Verdict

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
"""A longer text is no sentence, page or passage: so much of it is screened, and it is a flood of text."""
CONTEXT = 200
"""Characters of what was said before that a text is read together with."""
TOGETHER = 0.9
"""Least score of two texts that an engine reads as one: it is surer of what was written as one."""


class Guard:
    """Screens texts by a policy. Immutable after construction, and safe to use from several threads."""

    def __init__(
        self,
        policy: Policy,
        screeners: Sequence[Screener] = (),
        classifiers: Sequence[Classifier | Engine] = (),
    ) -> None:
        """A guard with the screeners that ship, then `screeners`; `classifiers` judge what these let through.

        Raises:
            ModerationError: A word list that ships is broken.
            PolicyError: A phrase of the policy cannot be read.
        """
        self.policy = policy
        policy.check_rules(rules_of(policy))
        self._screeners: tuple[Screener, ...] = (
            _lists(policy.words.allowed),
            *desk_screeners(policy),
            PersonalDataScreener(policy.personal_data, policy.contacts),
            CredentialScreener(),
            LinkScreener(policy.contacts),
            _injections(),
            *screeners,
        )
        self._panel = Panel(one if isinstance(one, Engine) else Engine(one) for one in classifiers)
        self._second_look = self._doubter(listed_rules())
        self.engine = "+".join(("rules", *(one.name for one in self._panel.engines)))
        """What judges: word lists, checksums and patterns, then the engines by name."""

    @classmethod
    def load(cls, policy: Path | str | Policy | None = None) -> Guard:
        """A guard for a policy file, with its engines; without one, for the default policy.

        Raises:
            PolicyError: The file is wrong; the message names file, key and remedy.
            ModerationError: The embedded classifier or an engine that the policy names cannot be opened.
        """
        from moderation.engines import open_engines
        from moderation.policy import Policy  # pydantic, which a mere import should not pay for

        chosen = policy if isinstance(policy, Policy) else Policy.load(policy)
        return cls(chosen, classifiers=open_engines(chosen))

    def warm(self) -> None:
        """Load what loads at first use (telephone metadata, checksum tables): no visitor waits for it."""
        for text in _WARMING:
            self.screen(text)

    def screen(
        self,
        text: str,
        direction: Direction | str = Direction.INPUT,
        language: str | None = None,
        *,
        context: str = "",
    ) -> Verdict:
        """Screen one text.

        Args:
            text: Any text, of any length.
            direction: Where it comes from.
            language: "en", "zh" …: which language masks are written in; by the text's script where left out.
            context: What was said right before it, and passed: harm that is spread over both counts.
        """
        return self.slow(self.quick(text, direction, language, context=context), context=context)

    def screen_many(
        self, texts: Iterable[str], direction: Direction | str = Direction.INPUT, language: str | None = None
    ) -> list[Verdict]:
        """Screen texts, each for itself; engines see them as one batch."""
        verdicts = [self.quick(text, direction, language) for text in texts]
        return self._judged(verdicts, [""] * len(verdicts), Direction(direction))

    def quick(
        self,
        text: str,
        direction: Direction | str = Direction.INPUT,
        language: str | None = None,
        *,
        context: str = "",
        exempt: Callable[[Finding], bool] | None = None,
    ) -> Verdict:
        """Screen one text by rules, in about a millisecond a sentence; arguments as of `screen`.

        `exempt` tells which findings do not count, such as the number that a visitor gave themself.
        The embedded classifier is asked only to take back what word lists found in a harmless sentence.
        """
        began = time.perf_counter()
        towards, written = Direction(direction), language or language_of(text)
        findings = self._findings(text, towards, written)
        if context:
            findings += self._across(text, towards, written, context[-CONTEXT:], findings)
        if exempt is not None:
            findings = [one for one in findings if not exempt(one)]
        if self._second_look is not None:
            findings = self._second_look.at(text, findings, towards)
        verdict = decide(text, towards, written, findings, self.policy)
        if not verdict.passes:
            tell(verdict, "rules", began)
        return verdict

    def slow(self, quick: Verdict, *, context: str = "") -> Verdict:
        """Have engines judge what `quick` gave a verdict on; the strictest word counts.

        They read `quick.text` without its personal data. What rules stop goes to no engine that waits
        for another machine. It returns within `budget_s`, whatever an engine does.
        """
        return self._judged([quick], [context[-CONTEXT:]], quick.direction)[0]

    @property
    def engines(self) -> tuple[Engine, ...]:
        """The engines that judge what rules let through, the embedded classifier first."""
        return self._panel.engines

    def judges(self, direction: Direction | str) -> bool:
        """Tell whether `slow` asks any engine about such texts."""
        return self._panel.sits(Direction(direction))

    def budget_s(self, direction: Direction | str) -> float:
        """Return how long `slow` may take at most: for a text, and once more for its context."""
        return 2 * self._panel.budget_s(Direction(direction))

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
            or lines.get(f"{verdict.category}.{verdict.direction.value}")
            or lines.get(verdict.category)
            or lines.get("default")
            or "I am sorry, I can't help with that."
        )
        help_line = policy.help_lines.get(language) or policy.help_lines.get("en") or "the emergency services"
        return line.replace("{help_line}", help_line)

    def _judged(
        self, verdicts: Sequence[Verdict], contexts: Sequence[str], direction: Direction
    ) -> list[Verdict]:
        began = time.perf_counter()
        # What rules stopped is judged for its scores alone: not where that is much work, nor by others.
        stopped = [not verdict.passes for verdict in verdicts]
        done = list(verdicts)
        for these in (True, False):
            rows = [number for number, one in enumerate(stopped) if one is these]
            rows = [number for number in rows if not (these and len(verdicts[number].text) > AT_ONCE)]
            if rows and self._panel.sits(direction):
                said = [unambiguous(unlabelled(verdicts[number].text)) for number in rows]
                before = [contexts[number] for number in rows]
                judgements = self._in_context(said, before, direction, inline_only=these)
                for number, judgement in zip(rows, judgements, strict=True):
                    done[number] = joined(verdicts[number], judgement, self.policy)
        for verdict, was_told in zip(done, stopped, strict=True):
            if not was_told:
                tell(verdict, self.engine, began)
        return done

    def _in_context(
        self, texts: Sequence[str], contexts: Sequence[str], direction: Direction, *, inline_only: bool
    ) -> list[Judgement]:
        """Judge texts by themselves, and with what came before where there is something."""
        with_context = [number for number, context in enumerate(contexts) if context]
        together = [_together(contexts[number], texts[number])[0] for number in with_context]
        judge, threshold = self._panel.judge, self.policy.threshold
        rows = judge([*texts, *together], direction, inline_only=inline_only)
        judgements, both = rows[: len(texts)], rows[len(texts) :]
        for number, judgement in zip(with_context, both, strict=True):
            own = judgements[number].scores
            more = [
                (engine, category, score)
                for engine, scores in judgement.scores.items()
                for category, score in scores.items()
                if score >= max(TOGETHER, threshold(category, engine, direction))
                and own[engine].get(category, 0.0) < threshold(category, engine, direction)
            ]
            if not more:
                continue
            [earlier] = judge([contexts[number]], direction, inline_only=inline_only)
            for engine, category, score in more:
                known = earlier.scores.get(engine, {}).get(category, 0.0)
                if known < threshold(category, engine, direction):
                    own[engine][category] = score
        return judgements

    def _doubter(self, listed: Iterable[str]) -> SecondLook | None:
        """What doubts the word lists: the embedded classifier, where the policy has it."""
        if not self.policy.engines.second_look:
            return None
        return next((SecondLook(one.ask, listed) for one in self._panel.engines if one.inline), None)

    def _across(
        self, text: str, direction: Direction, language: str, context: str, alone: Sequence[Finding]
    ) -> list[Finding]:
        """What begins in the context and ends in the text, by its place in the text."""
        together, at = _together(context, text)
        known = {finding.rule for finding in alone}
        return [
            replace(finding, start=0, end=finding.end - at)
            for finding in self._findings(together, direction, language)
            if finding.start < len(context) and finding.end > at and finding.rule not in known
        ]

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


@lru_cache(maxsize=8)
def _lists(allowed: tuple[str, ...]) -> Lexicon:
    """The word lists that ship, with a desk's harmless phrases; many desks share one."""
    shipped = [entry for language in LANGUAGES for entry in entries(language)]
    return Lexicon((*shipped, Entry("", 0.0, allowed)))


@lru_cache(maxsize=1)
def _injections() -> InjectionScreener:
    return InjectionScreener()


def _together(context: str, text: str) -> tuple[str, int]:
    """Return both as one text, and where the second begins."""
    before = context if has_han(text) and has_han(context) else f"{context} "
    return before + text, len(before)
