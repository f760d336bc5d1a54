"""OpenAI's moderation endpoint, or one that speaks as it does, as an engine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from moderation.endpoint import RemoteJudge
from moderation.engine_settings import OPENAI, OpenAIEngine
from moderation.errors import EngineError
from moderation.verdict import Category, Direction

CATEGORIES = {
    "hate": Category.HATE,
    "hate/threatening": Category.HATE,
    "harassment": Category.HARASSMENT,
    "harassment/threatening": Category.HARASSMENT,
    "sexual": Category.SEXUAL,
    "sexual/minors": Category.SEXUAL_MINORS,
    "violence": Category.VIOLENCE,
    "violence/graphic": Category.VIOLENCE,
    "self-harm": Category.SELF_HARM,
    "self-harm/intent": Category.SELF_HARM,
    "self-harm/instructions": Category.SELF_HARM,
    "illicit": Category.DANGEROUS,
    "illicit/violent": Category.DANGEROUS,
}
"""The endpoint's categories → ours."""
FLAGGED = 0.5
"""Least score of what the endpoint itself flags: each of its categories has a threshold of its own."""


class OpenAIModeration(RemoteJudge):
    """Scores texts by the moderation endpoint, all in one request."""

    def __init__(self, settings: OpenAIEngine) -> None:
        super().__init__(OPENAI, settings, CATEGORIES)

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        """Category → 0..1 for each text.

        Raises:
            EngineError: the endpoint does not judge, or not in time.
        """
        del direction  # it knows none
        safe = [text.encode("utf-8", "replace").decode() or " " for text in texts]
        answer = self._endpoint.post("moderations", {"model": self._model, "input": safe})
        try:
            return [self._ours(row["category_scores"], row["categories"]) for row in answer["results"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EngineError(f"its answer is no moderation ({type(error).__name__})") from error

    def _ours(self, scores: Mapping[str, float], flags: Mapping[str, bool]) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for theirs, ours in self._mapping.items():
            score = float(scores.get(theirs) or 0.0)
            if not math.isfinite(score):
                raise ValueError("a score is no number")
            if flags.get(theirs):
                score = max(score, FLAGGED)
            found[ours] = max(found.get(ours, 0.0), score)
        return found
