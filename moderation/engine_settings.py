"""The policy's `[engines]`: which models judge beside the rules, in which time, and what if they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from moderation.errors import ModerationError
from moderation.verdict import Category, Direction

Score = Annotated[float, Field(ge=0.0, le=1.0)]
Milliseconds = Annotated[int, Field(ge=10, le=10_000)]
EMBEDDED = "classifier"
"""Name of the embedded classifier: its rules are "hate.classifier" and so on."""
OPENAI = "openai"
LLAMA_GUARD = "llama_guard"
RESERVED = (EMBEDDED, OPENAI, LLAMA_GUARD, "timeout", "error")
"""Names that no ONNX engine may have."""
SPOKEN = (Direction.INPUT, Direction.OUTPUT)


class Table(BaseModel):
    """A table of the policy: no unknown keys, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RemoteEngine(Table):
    """A model behind an address."""

    base_url: str
    model: str
    api_key_env: str
    """Name of the environment variable that holds the key; empty: none is sent."""
    budget_ms: Milliseconds
    directions: tuple[Direction, ...] = SPOKEN
    categories: dict[str, Category | None] = {}
    """Its category → ours, laid over the built-in mapping; "" for none."""

    @field_validator("categories", mode="before")
    @classmethod
    def _without_empty(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {label: None if category == "" else category for label, category in value.items()}

    def mapping(self, name: str, built_in: Mapping[str, Category]) -> dict[str, Category]:
        """Return its category → ours, as far as there is one.

        Args:
            name: of the engine, for messages.
            built_in: all of its categories.

        Raises:
            ModerationError: the policy names a category that it has not.
        """
        unknown = sorted(self.categories.keys() - built_in.keys())
        if unknown:
            raise ModerationError(
                f"engines.{name}.categories.{unknown[0]}: the engine has no such category; "
                f"it has {', '.join(built_in)}"
            )
        return {theirs: ours for theirs, ours in {**built_in, **self.categories}.items() if ours is not None}


class OpenAIEngine(RemoteEngine):
    """OpenAI's moderation endpoint, or one that speaks as it does."""

    base_url: str = "https://api.openai.com/v1"
    model: str = "omni-moderation-latest"
    api_key_env: str = "OPENAI_API_KEY"
    budget_ms: Milliseconds = 1500


class LlamaGuardEngine(RemoteEngine):
    """Llama Guard behind an OpenAI-compatible chat server (vLLM, Ollama, llama.cpp …); "S1" … "S14"."""

    model: str = "llama-guard3"
    api_key_env: str = ""
    budget_ms: Milliseconds = 2500


class OnnxEngine(Table):
    """A text classifier: a folder with `model.onnx`, `tokenizer.json` and `config.json`."""

    path: str
    """Beside the policy file, or absolute."""
    categories: dict[str, Category]
    """The model's label → ours; other labels do not count."""
    activation: str = Field(default="auto", pattern="^(auto|sigmoid|softmax)$")
    """Sigmoid where labels may hold together, softmax where one excludes the rest; auto: see config.json."""
    max_tokens: Annotated[int, Field(ge=8, le=4096)] = 256
    budget_ms: Milliseconds = 500
    directions: tuple[Direction, ...] = SPOKEN


Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
Where = Annotated[str, Field(pattern=r"^[a-z_]+(\.(input|output|document|tool))?$")]


class Engines(Table):
    """Which models judge beside the rules."""

    embedded: bool = True
    """The classifier that ships."""
    second_look: bool = True
    """Whether it may take back what a word list found in a sentence that it finds harmless."""
    closed: tuple[Where, ...] = ()
    """Categories, or "category.direction", in which doubt counts against a text when an engine fails."""
    thresholds: dict[Name, dict[Where, Score]] = {}
    """Engine → category or "category.direction" → the score from which on it counts; as `[thresholds]` says
    where left out."""
    openai: OpenAIEngine | None = None
    llama_guard: LlamaGuardEngine | None = None
    onnx: dict[Name, OnnxEngine] = {}
    """Name → engine; its rules are "category.name"."""

    @field_validator("closed")
    @classmethod
    def _categories(cls, closed: tuple[str, ...]) -> tuple[str, ...]:
        for one in closed:
            _check_category(one)
        return closed

    @field_validator("onnx")
    @classmethod
    def _own_names(cls, onnx: dict[str, OnnxEngine]) -> dict[str, OnnxEngine]:
        for name in onnx:
            if name in RESERVED:
                raise ValueError(f"{name!r} is the name of a built-in engine; choose another")
        return onnx

    @model_validator(mode="after")
    def _known_engines(self) -> Engines:
        for name, table in self.thresholds.items():
            for one in table:
                _check_category(one)
            if name not in self.names:
                raise ValueError(
                    f"thresholds.{name}: there is no such engine; there are {', '.join(self.names)}"
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the engines that the policy may speak of: the built-in ones, and its own."""
        return (EMBEDDED, OPENAI, LLAMA_GUARD, *self.onnx)

    def threshold(self, engine: str, category: str, direction: str = "") -> float | None:
        """The score from which on a category counts for an engine; None: as for every engine."""
        own = self.thresholds.get(engine, {})
        return own.get(f"{category}.{direction}", own.get(category))

    def closes(self, category: str, direction: Direction) -> bool:
        """Tell whether doubt counts against a text in a category, when an engine fails."""
        return category in self.closed or f"{category}.{direction.value}" in self.closed


def _check_category(key: str) -> None:
    if key.partition(".")[0] not in list(Category):
        raise ValueError(f"{key!r} is no category; write one of {', '.join(Category)}")
