"""The decision: what was found and what engines judged, weighed by the policy, becomes a verdict."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moderation.mask import masked
from moderation.panel import Judgement
from moderation.screener import Finding
from moderation.verdict import Action, Category, Direction, Span, Verdict

if TYPE_CHECKING:
    from moderation.policy import Policy

log = logging.getLogger(__name__)

DOUBT = 0.5
"""Share of a threshold from which on a score counts where an engine failed that may not fail."""
_MASKABLE = frozenset((Category.PII, Category.SECRETS, Category.UNSAFE_LINK))
_BY_RULES = frozenset((Category.PII, Category.SECRETS))
"""What rules judge for themselves, by checksums and patterns: an engine only adds to them."""
_URGE = "harassment.urge"
"""The rule of "kill yourself"."""
_OF_ONESELF = re.compile(r"\b(?:i|i'?m|me|my|myself|mine|we|us|our)\b|我|咱", re.IGNORECASE)
"""Where visitors speak of themselves, doubt is for them."""


@dataclass(frozen=True, slots=True)
class _Reason:
    """Something that counts, and what the policy makes of it."""

    action: Action
    finding: Finding


def decide(
    text: str, direction: Direction, language: str, findings: Sequence[Finding], policy: Policy
) -> Verdict:
    """Decide by what rules found in a text."""
    scores: dict[str, float] = {}
    reasons: list[_Reason] = []
    for finding in findings:
        category = finding.category
        scores[category] = max(scores.get(category, 0.0), finding.score)
        if finding.score >= policy.threshold(category):
            reasons.append(_Reason(policy.action(finding.rule, direction), finding))
    counted = [reason for reason in reasons if reason.action.rank > 0]
    to_mask = [
        reason.finding
        for reason in counted
        if reason.finding.category in _MASKABLE or reason.action is Action.MASK
    ]
    return _verdict(
        masked(text, to_mask, language) if to_mask else text,
        direction,
        reasons,
        scores,
        tuple(
            sorted(
                {Span(one.finding.start, one.finding.end, one.finding.category) for one in counted},
                key=lambda span: (span.start, span.end),
            )
        ),
    )


def joined(before: Verdict, judgement: Judgement, policy: Policy) -> Verdict:
    """Return a verdict by rules together with what engines judged of the same text: the strictest counts."""
    direction = before.direction
    length = len(before.text)
    scores = dict(before.scores)
    reasons: list[_Reason] = []
    insulted = _tells_us_to_die(before)
    for engine, row in judgement.scores.items():
        for category, score in row.items():
            scores[category] = max(scores.get(category, 0.0), score)
            if category == Category.SELF_HARM and insulted:
                continue
            if score >= policy.threshold(category, engine, direction):
                finding = Finding(f"{category}.{engine}", score, 0, length)
                reasons.append(
                    _Reason(_of_engine(policy.action(finding.rule, direction), direction), finding)
                )
    reasons += _failures(before, judgement, policy)
    now = _verdict(before.text, direction, reasons, scores, before.spans)
    deciding = now if now.rule and _strictness(now) > _strictness(before) else before
    return Verdict(
        deciding.action,
        deciding.rule,
        before.text,
        direction,
        deciding.category,
        scores,
        before.spans,
        tuple(dict.fromkeys((*deciding.rules, *before.rules, *now.rules))),
        tuple(f"{failure.engine}.{failure.kind}" for failure in judgement.failures),
    )


def _tells_us_to_die(before: Verdict) -> bool:
    """Tell whether the only word of self-harm is an insult: an engine hears it and means the visitor."""
    return (
        before.direction is Direction.INPUT
        and _URGE in before.rules
        and not any(rule.startswith(f"{Category.SELF_HARM}.") for rule in before.rules)
        and not _OF_ONESELF.search(before.text)
    )


def _strictness(verdict: Verdict) -> tuple[int, float]:
    score = verdict.scores.get(verdict.category, 0.0) if verdict.rule else -1.0
    return verdict.action.rank, score


def _of_engine(action: Action, direction: Direction) -> Action:
    """Return what an engine's word comes to: it cannot mask, for it does not tell where something stands."""
    if action is not Action.MASK:
        return action
    return Action.SOFTEN if direction is Direction.INPUT else Action.REFUSE


def _failures(before: Verdict, judgement: Judgement, policy: Policy) -> Iterator[_Reason]:
    """Tell what failed engines come to: closed where doubt counts, else open and flagged."""
    direction = before.direction
    for failure in judgement.failures:
        rule = f"{Category.ENGINE}.{failure.kind}"
        closed = {one for one in failure.categories if policy.engines.closes(one, direction)}
        rows = [("", before.scores), *judgement.scores.items()]
        doubtful = any(
            score >= policy.threshold(category, engine, direction) * DOUBT
            for engine, row in rows
            for category, score in row.items()
            if category in closed - _BY_RULES
        )
        shut = doubtful or not closed <= judgement.judged | _BY_RULES
        yield _Reason(policy.action(rule, direction) if shut else Action.ALLOW, Finding(rule, 1.0, 0, 0))


def _verdict(
    text: str,
    direction: Direction,
    reasons: list[_Reason],
    scores: dict[str, float],
    spans: tuple[Span, ...],
) -> Verdict:
    if not reasons:
        return Verdict(Action.ALLOW, "", text, direction, scores=scores)
    reasons = sorted(reasons, key=lambda one: (one.action.rank, one.finding.score), reverse=True)
    worst = reasons[0]
    return Verdict(
        worst.action,
        worst.finding.rule,
        text,
        direction,
        worst.finding.category,
        scores,
        spans,
        tuple(dict.fromkeys(reason.finding.rule for reason in reasons)),
    )


def tell(verdict: Verdict, engine: str, began: float) -> None:
    """Log a verdict without the words; `began`: when judging did, by `time.perf_counter`."""
    quiet = verdict.action is Action.ALLOW and not verdict.failed
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "%s: %s by %s (%s); engine %s; failed: %s; %.1f ms",
        verdict.direction.value,
        verdict.action.value,
        verdict.rule or "no rule",
        verdict.category or "no category",
        engine,
        ", ".join(verdict.failed) or "none",
        (time.perf_counter() - began) * 1e3,
    )
