"""Whether sentences are supported by what they cite: the embedded judgement of `agent.grounding`."""

from __future__ import annotations

from collections.abc import Sequence

from agent.grounding import ENOUGH, Evidence, support
from evals.checks.matching import quoted
from evals.replay.record import Said


class Grounding:
    """Judges sentences by their citations.

    Args:
        known: what the desk says of itself and need not cite: fixed lines, names, contact.
        enough: score, 0..1, from which a sentence counts as supported.
    """

    def __init__(self, known: Sequence[str] = (), enough: float = ENOUGH) -> None:
        self._known, self._enough = tuple(known), enough

    def unsupported(self, sentences: Sequence[Said]) -> str:
        """Return which sentences claim what their citations do not say; empty for none."""
        for one in sentences:
            evidence = [Evidence(cited["text"], cited["title"]) for cited in one.citations]
            found = support(one.text, evidence, known=self._known)
            if not found.claims or found.bare or found.ignorant:
                continue
            if found.score < self._enough:
                why = (
                    f"its {found.flaw} {'are' if found.flaw.endswith('s') else 'is'} not in what it cites"
                    if found.flaw
                    else f"supported by {found.score:.2f}"
                )
                return f"{quoted(one.text)}: {why}"
        return ""
