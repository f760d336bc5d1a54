"""Llama Guard behind an OpenAI-compatible chat server, as an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moderation.endpoint import RemoteJudge
from moderation.engine_settings import LLAMA_GUARD, LlamaGuardEngine
from moderation.errors import EngineError
from moderation.verdict import Category, Direction

CATEGORIES = {
    "S1": Category.VIOLENCE,  # violent crimes
    "S2": Category.DANGEROUS,  # non-violent crimes
    "S3": Category.SEXUAL,  # sex crimes
    "S4": Category.SEXUAL_MINORS,
    "S5": Category.HARASSMENT,  # defamation
    "S6": Category.TOPIC,  # specialised advice
    "S7": Category.PII,
    "S8": Category.DANGEROUS,  # intellectual property
    "S9": Category.DANGEROUS,  # indiscriminate weapons
    "S10": Category.HATE,
    "S11": Category.SELF_HARM,
    "S12": Category.SEXUAL,
    "S13": Category.TOPIC,  # elections
    "S14": Category.INJECTION,  # code interpreter abuse
}
"""Hazards of Llama Guard 3 (MLCommons) → ours."""
AT_ONCE = 4
"""Texts that are asked about at the same time: the server judges one in a request."""
ANSWER_TOKENS = 32
"""Longest answer: "unsafe" and all hazards."""
_SAID = re.compile(r"\s*(safe|unsafe)\b(.*)", re.IGNORECASE | re.DOTALL)
_HAZARD = re.compile(r"\bS(\d{1,2})\b", re.IGNORECASE)


class LlamaGuard(RemoteJudge):
    """Scores texts 0 or 1 by what the model says of each."""

    def __init__(self, settings: LlamaGuardEngine) -> None:
        super().__init__(LLAMA_GUARD, settings, CATEGORIES)

    def scores(self, texts: Sequence[str], direction: Direction) -> list[Mapping[str, float]]:
        """Category → 0 or 1 for each text.

        Raises:
            EngineError: the server does not judge, or not in time.
        """
        if len(texts) == 1:
            return [self._judged(texts[0], direction)]
        with ThreadPoolExecutor(min(AT_ONCE, len(texts)), thread_name_prefix="llama guard") as pool:
            return list(pool.map(lambda text: self._judged(text, direction), texts))

    def _judged(self, text: str, direction: Direction) -> Mapping[str, float]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": _messages(text.encode("utf-8", "replace").decode() or " ", direction),
            "temperature": 0,
            "max_tokens": ANSWER_TOKENS,
            "stream": False,
        }
        answer = self._endpoint.post("chat/completions", body)
        try:
            said = _SAID.match(answer["choices"][0]["message"]["content"])
        except (KeyError, IndexError, TypeError) as error:
            raise EngineError(f"its answer is no chat completion ({type(error).__name__})") from error
        if said is None:
            raise EngineError('it said neither "safe" nor "unsafe"; is it a Llama Guard?')
        if said.group(1).lower() == "safe":
            return {}
        hazards = [f"S{int(number)}" for number in _HAZARD.findall(said.group(2))]
        if not any(hazard in CATEGORIES for hazard in hazards):
            raise EngineError('it said "unsafe" and named no hazard')
        return {self._mapping[hazard]: 1.0 for hazard in hazards if hazard in self._mapping}


def _messages(text: str, direction: Direction) -> list[dict[str, str]]:
    """Put a text into the role whose words the model is to judge: the last one's."""
    if direction is Direction.OUTPUT:
        return [{"role": "user", "content": "…"}, {"role": "assistant", "content": text}]
    return [{"role": "user", "content": text}]
