"""What stands between a language model and the voice: only what the sources support passes."""

from __future__ import annotations

import logging

from agent.answerer import Question
from agent.grounding import Evidence, Support, support
from agent.llm_style import Marked
from agent.llm_tools import Toolbox
from agent.sentence import Citation, Outcome, Sentence
from agent.settings import Persona

log = logging.getLogger(__name__)

OWN_LINES = ("greeting", "thanks", "goodbye", "identity", "unknown", "handoff", "other_language")
"""The desk's phrases that a model may say too; the others report what was done."""


class Gate:
    """Judges the sentences of one answer, in their order.

    Args:
        question: with the passages that may be rested on.
        persona: whose name and company may be said.
        toolbox: its results may be rested on too.
        enough: support (0..1) from which a sentence passes.
    """

    def __init__(self, question: Question, persona: Persona, toolbox: Toolbox, enough: float) -> None:
        self._question = question
        self._toolbox = toolbox
        self._enough = enough
        self._asked = f"{question.text} {question.standalone}".strip()
        heard = [one.reply for one in question.history if one.outcome is Outcome.ANSWERED]
        lines = [str(getattr(question.phrases, name)) for name in OWN_LINES]
        self._known = (f"{persona.name}, {persona.company}.", *lines, *persona.contact.values(), *heard)
        self._held = ""
        self.said = False
        """Something has passed."""
        self.claimed = False
        """What has passed says or asks something: it is more than courtesy."""
        self.left_out = 0
        self.ignorant = False
        """The model said that it does not know."""

    @property
    def needs_a_line(self) -> bool:
        """Whether the visitor is left without an answer, though the model wrote something."""
        return not self.claimed and bool(self.left_out or self._held or self.ignorant)

    def judge(self, marked: Marked) -> Sentence | None:
        """Return what may be said of a sentence, with what it rests on; None where nothing may."""
        if not marked.text:
            return None
        found = self._support(marked.text, self._sources())
        self.ignorant = self.ignorant or found.ignorant
        if found.bare and self._enough > 0:
            self._held = f"{self._held} {marked.text}".strip()
            return None
        if found.score < self._enough:
            log.info("a sentence was left out: %s (support %.2f)", found.flaw, found.score)
            self.left_out += 1
            self._held = ""  # a "yes" without what it stood for is worse than nothing
            return None
        outcome = marked.outcome or Outcome.ANSWERED
        if outcome is Outcome.ABSTAINED or (outcome is Outcome.ANSWERED and found.asks and not self.claimed):
            outcome = Outcome.CLARIFIED if found.asks else Outcome.ANSWERED
        text, self._held = f"{self._held} {marked.text}".strip(), ""
        self.said, self.claimed = True, self.claimed or found.claims or found.asks
        return Sentence(
            text, self._question.language, marked.emotion, outcome, self._citations(marked, found)
        )

    def _sources(self) -> list[Citation]:
        passages = [Citation.of(passage) for passage in self._question.passages]
        return passages + self._toolbox.results

    def _support(self, text: str, sources: list[Citation]) -> Support:
        evidence = [Evidence(one.text, one.title) for one in sources]
        return support(text, evidence, asked=self._asked, known=self._known)

    def _citations(self, marked: Marked, found: Support) -> tuple[Citation, ...]:
        """Return what a sentence rests on: what the model named where that is enough, else what is."""
        if not found.claims:
            return ()
        sources = self._sources()
        named = [sources[number - 1] for number in marked.cited if 0 < number <= len(sources)]
        if named and (self._enough <= 0 or self._support(marked.text, named).score >= self._enough):
            return tuple(dict.fromkeys(named))
        return tuple(dict.fromkeys(sources[index] for index in found.by))
