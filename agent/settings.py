"""What may stand in a `desk.toml`: one service position, described by its owner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, HttpUrl, field_validator, model_validator

from agent.hours import read_hours
from agent.manner_settings import Feelings
from agent.privacy import Privacy
from agent.section import Fraction, Language, Section
from speech.background import ABOVE_DB

if TYPE_CHECKING:
    from knowledge.passage import Passage

_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
"""As browsers write it: lower case, no path, no slash at the end."""


class Persona(Section):
    """Who the visitor talks to."""

    name: str = Field(default="Mira", min_length=1, max_length=60)
    company: str = Field(min_length=1, max_length=120)
    style: str = Field(default="warm, brief and precise", max_length=500)
    """How a language model should sound."""
    contact: dict[Language, str] = Field(default_factory=dict)
    """A sentence that says where a person can be reached; added when the desk does not know."""


class Voice(Section):
    """How it sounds."""

    engine: Literal["auto", "espeak", "piper"] = "auto"
    model: str = ""
    """A Piper voice (.onnx) or an espeak-ng voice such as "en-us+f5"; empty: one that suits the rig."""


class Avatar(Section):
    """How it looks."""

    rig: str = "mira"
    """A built-in rig's name, one made with `visavis avatar create`, or the path of a rig folder."""
    size: int = Field(default=512, ge=128, le=1080, multiple_of=2)
    """Width in pixels; even, as H.264 wants it."""
    framing: Literal["square", "portrait"] = "square"
    """portrait: 9:16, for kiosks and phones."""
    background: str = ""
    """A colour such as "#e9eef3", a picture's path, "blur:PATH" for a blurred one; empty: a light wall."""
    lips: str = ""
    """ONNX model of Wav2Lip's interface that redraws the mouth, a path from the desk's folder; empty: no."""
    ai_label: bool = True
    """Draw "AI" into a corner of the picture."""
    captions: bool = True
    """Draw the words into the picture; a caption track is always written."""

    @field_validator("lips")
    @classmethod
    def _a_model(cls, lips: str) -> str:
        if lips and not lips.lower().endswith(".onnx"):
            raise ValueError('name an ONNX file in the desk\'s folder, for example lips = "lips.onnx"')
        return lips


class Hearing(Section):
    """How it hears."""

    engine: Literal["auto", "faster-whisper", "pocketsphinx"] = "auto"
    model: str = ""
    """Folder of a CTranslate2 Whisper model; empty: the one in the model cache, if any."""
    turn_end: Literal["auto", "words"] = "auto"
    """What tells whether a visitor has finished: auto asks their voice too, where Smart Turn is present."""
    above_background_db: Annotated[float, Field(ge=0, le=30)] = ABOVE_DB
    """A voice counts from so much above what is heard all the time, in dB: other tables' talk stops no reply.
    0: every voice counts, however far away."""


class Answering(Section):
    """How it answers."""

    engine: Literal["auto", "extractive", "openai"] = "auto"
    """auto: an OpenAI-compatible endpoint where a key or `base_url` is set, else extractive."""
    model: str = "gpt-4o-mini"
    base_url: HttpUrl | None = None
    """Of any OpenAI-compatible server; empty: `OPENAI_BASE_URL`, or OpenAI's own."""
    api_key_env: str = Field(default="OPENAI_API_KEY", pattern=r"^[A-Z_][A-Z0-9_]*$")
    """Name of the environment variable that holds the key; the key itself never stands in a file."""
    timeout_s: float = Field(default=8.0, gt=0, le=120)
    """To the first words, and between any two pieces of the stream."""
    fallback: bool = True
    """Answer from the knowledge alone when the endpoint cannot be reached."""
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.2
    support: Fraction = 0.6
    """How far passages and results of tools must support what a language model writes before it is said;
    0 says everything."""
    history_tokens: int = Field(default=1200, ge=0, le=200_000)
    """How much of what was said before a language model is told."""
    policy: str = ""
    """A text file in the desk's folder: the company's own rules for a language model."""


class Knowledge(Section):
    """What it knows."""

    passages: int = Field(default=5, ge=1, le=20)
    """How many are looked at for an answer."""
    answer_from: Fraction = 0.5
    """Below this calibrated score the desk says that it does not know."""
    embedder: str = "embedded"
    """"embedded", "fastembed:NAME" (or a folder with an ONNX model), or "openai:MODEL"; another one indexes
    the documents again."""
    base_url: HttpUrl | None = None
    """Of the OpenAI-compatible server that embeds; empty: that of `answering`."""
    reranker: str = ""
    """A cross-encoder: its name in `visavis models list`, or a folder with an ONNX model; empty: none."""
    server: HttpUrl | None = None
    """Of a chroma server that several machines share; empty: a database in the state folder."""

    @field_validator("embedder")
    @classmethod
    def _known_embedder(cls, embedder: str) -> str:
        if embedder != "embedded" and not re.fullmatch(r"(?:fastembed|openai):\S.*", embedder):
            raise ValueError(
                'write "embedded", "fastembed:NAME", "fastembed:FOLDER" for a folder beside desk.toml that '
                'holds an ONNX model, or "openai:MODEL"'
            )
        return embedder


class McpServer(Section):
    """One `[[tools.mcp]]`: a program that is started, or an address."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")
    """Goes before its tools' names."""
    command: str = ""
    """Program that speaks MCP on its standard input and output; it runs in the desk's folder."""
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    """Environment of the program; "${NAME}" stands for a variable of this process."""
    url: HttpUrl | None = None
    """Of a server that speaks streamable HTTP."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent to `url`; "${NAME}" stands for a variable of this process, so that no key stands in a file."""
    only: tuple[str, ...] = ()
    """Names of the tools that may be called; empty: all."""
    read_only: tuple[str, ...] = ()
    """Tools that change nothing, though the server does not say so; all others are confirmed first."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 4.0
    """For one call; the dialogue itself waits five seconds."""

    @model_validator(mode="after")
    def _one_way(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError(f"give the MCP server {self.name!r} either a command or a url")
        return self


class Tools(Section):
    """What it can do besides its `tools.py`; only a language model calls these."""

    mcp: tuple[McpServer, ...] = ()
    """MCP servers whose tools a language model may call."""

    @field_validator("mcp")
    @classmethod
    def _names_of_their_own(cls, servers: tuple[McpServer, ...]) -> tuple[McpServer, ...]:
        names = [server.name for server in servers]
        twice = next((name for name in names if names.count(name) > 1), "")
        if twice:
            raise ValueError(f"two MCP servers are called {twice!r}; give each a name of its own")
        return servers


class Recommending(Section):
    """What it suggests to ask next."""

    on: bool = True
    """Show up to three questions after an answer."""
    visitors: bool = True
    """Learn from what visitors went on to ask, where the event store holds enough of it."""


class Limits(Section):
    """What one visitor may ask of it."""

    question_chars: int = Field(default=2000, ge=10, le=20_000)
    audio_s: float = Field(default=120.0, gt=0, le=600)
    reply_sentences: int = Field(default=8, ge=1, le=40)


class Handoff(Section):
    """When visitors are passed on to people, and how those are reached otherwise."""

    words: tuple[str, ...] = ()
    """Words and phrases of visitors that are for people: "lawyer", "投诉"."""
    topics: tuple[str, ...] = ()
    """Documents by their tags or paths, such as "legal" or "en/claims.md", whose answers go on to people."""
    hours: str = ""
    """When people are there: "mon-fri 09:00-17:30, sat 10:00-14:00"; empty: always."""
    timezone: str = ""
    """Of the hours, such as "Europe/Dublin"; empty: the server's."""
    contact: dict[Language, str] = Field(default_factory=dict)
    """A sentence that says where people can be reached otherwise; empty: the persona's."""
    message_tool: str = "open_ticket"
    """Tool of `tools.py` that takes a message where nobody is there; where it is missing, none is taken."""
    wait_s: float = Field(default=300.0, ge=1, le=86_400)
    """Seconds after which a visitor who waits is told that nobody is free."""
    away_s: float = Field(default=180.0, ge=1, le=86_400)
    """Seconds after which a person who answers no more has gone, and the desk takes over again."""

    @field_validator("hours")
    @classmethod
    def _hours_can_be_read(cls, hours: str) -> str:
        read_hours(hours)
        return hours

    @field_validator("timezone")
    @classmethod
    def _a_time_zone(cls, timezone: str) -> str:
        read_hours("", timezone)
        return timezone

    @field_validator("words", "topics")
    @classmethod
    def _not_empty(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if any(not word for word in words):
            raise ValueError('an empty text stands for everything; write a word, such as "lawyer"')
        return words

    @property
    def open(self) -> bool:
        """Whether people are there now."""
        return read_hours(self.hours, self.timezone).open()

    def speaks_of(self, text: str) -> bool:
        """Tell whether a visitor's words are for people."""
        said = " ".join(text.casefold().replace("’", "'").split())
        return any(_phrase(word).search(said) for word in self.words)

    def is_about(self, passages: Sequence[Passage]) -> bool:
        """Tell whether the passage that was found for a question, best first, is of one of the topics."""
        best = next(iter(passages), None)
        if best is None:
            return False
        source = best.source.partition("#")[0].casefold()
        names = {source, source.rsplit("/", 1)[-1].rsplit(".", 1)[0], *(tag.casefold() for tag in best.tags)}
        return any(topic.casefold() in names for topic in self.topics)


class Web(Section):
    """Who may talk to it in a browser, how many at once, and for how long."""

    origins: tuple[str, ...] = ()
    """Other sites whose pages may embed it, such as "https://shop.example"; "*" for any."""
    record: bool = False
    """Offer visitors that their conversation is recorded; nothing is recorded unless they agree."""
    max_sessions: int = Field(default=16, ge=1, le=10_000)
    """Conversations at once; who comes later waits. The server's own limit holds too."""
    idle_s: float = Field(default=300.0, ge=10, le=86_400)
    """Seconds without a word or a touch after which a conversation ends."""
    longest_s: float = Field(default=3600.0, ge=30, le=86_400)
    """Seconds after which a conversation ends in any case."""

    @field_validator("origins")
    @classmethod
    def _plain_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin[:80]!r} is no origin; write scheme and host, and the port if there is one, "
                    'without a path, for example "https://shop.example"'
                )
        return tuple(dict.fromkeys(origins))


class DeskSettings(Section):
    """The whole file."""

    name: str = Field(min_length=1, max_length=120)
    languages: tuple[Language, ...] = ("en",)
    """The first is spoken when the visitor's language cannot be told."""
    persona: Persona
    voice: Voice = Voice()
    avatar: Avatar = Avatar()
    hearing: Hearing = Hearing()
    answering: Answering = Answering()
    knowledge: Knowledge = Knowledge()
    tools: Tools = Tools()
    recommending: Recommending = Recommending()
    limits: Limits = Limits()
    web: Web = Web()
    handoff: Handoff = Handoff()
    privacy: Privacy = Privacy()
    emotion: Feelings = Feelings()
    phrases: dict[Language, dict[str, str]] = Field(default_factory=dict)
    """Fixed lines that differ from the defaults."""

    @field_validator("languages")
    @classmethod
    def _some_language(cls, languages: tuple[Language, ...]) -> tuple[Language, ...]:
        if not languages:
            raise ValueError('name at least one language, for example languages = ["en"]')
        return tuple(dict.fromkeys(languages))

    @model_validator(mode="after")
    def _known_phrases(self) -> DeskSettings:
        from agent.phrases import Phrases

        known = set(Phrases.model_fields)
        for language, lines in self.phrases.items():
            unknown = sorted(set(lines) - known)
            if unknown:
                lines_there = ", ".join(sorted(known))
                raise ValueError(f"phrases.{language} has no line {unknown[0]!r}; there are: {lines_there}")
            empty = sorted(key for key, line in lines.items() if not line.strip())
            if empty:
                raise ValueError(f"phrases.{language}.{empty[0]} is empty; write a line or leave it out")
        return self


@lru_cache(maxsize=512)
def _phrase(word: str) -> re.Pattern[str]:
    """Match a phrase: Latin letters as whole words, Chinese ones anywhere."""
    body = r"\s+".join(map(re.escape, word.casefold().split()))
    before = "(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = "(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return re.compile(f"{before}{body}{after}")
