"""One visitor who was passed on: where that stands, and what was said since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.conversation_events import (
    ConversationEvent,
    HeardWords,
    PersonTold,
    SentenceBegan,
    TurnEnded,
)
from agent.handoff_record import Handoff
from agent.line import joined
from server.live.handoff_documents import EntryDocument, HandoffDocument, LineDocument, State

if TYPE_CHECKING:
    from server.live.masking import SessionMask

LINES = 400
"""Lines that are kept of a transcript; the latest count."""
OPEN = ("waiting", "taken")
"""States in which somebody has to do something."""


@dataclass(slots=True)
class Case:
    """A visitor who was passed on."""

    session: str
    desk: str
    handoff: Handoff
    asked_at: float
    """Seconds since 1970, UTC."""
    changed_at: float
    shown: Callable[[str], str]
    """A visitor's words as they may be shown before a person has the conversation."""
    state: State = "waiting"
    by: str = ""
    unanswered_at: float | None = None
    """Since when the visitor waits for the person's words."""
    live: bool = True
    said: list[LineDocument] = field(default_factory=list)
    """Since the visitor was passed on."""
    mask: SessionMask | None = None
    """Masks what is kept once nobody has to do anything; None: it is kept as it was told."""
    _kept: list[LineDocument] = field(default_factory=list)
    """The same lines as they are kept: what the visitor told the person is masked."""
    _heard: str = ""
    """The visitor's last words, as the guard let them through."""
    _turn: int = -1
    _replies: list[tuple[int, str]] = field(default_factory=list)
    """Where the lines of the present turn's reply stand in `said`, and their sentences as spoken."""

    @property
    def open(self) -> bool:
        """Whether somebody has to do something."""
        return self.state in OPEN

    def move(self, state: State, at: float) -> None:
        """Take another state; what the visitor told the person who had them is masked from then on."""
        if self.state == "taken":
            self.forget()
        self.state, self.changed_at = state, at

    def forget(self) -> None:
        """Keep the visitor's words only as they are kept in the store."""
        self.said[:] = self._kept

    def take(self, event: ConversationEvent, at: float, person: str) -> LineDocument | None:
        """Follow what is said; returns the line that came to be, or changed.

        Args:
            event: of the conversation.
            at: now.
            person: who has the conversation; empty: the desk.
        """
        line: LineDocument | None = None
        match event:
            case HeardWords(final=True, text=text):
                self._heard = self.shown(text)
                if text and not person:
                    line = LineDocument(at=at, who="visitor", text=self._heard)
            case PersonTold():
                line = LineDocument(at=at, who="visitor", text=event.text, flagged=event.flagged)
            case SentenceBegan():
                name = event.sentence.person
                line = LineDocument(
                    at=at, who="person" if name else "ai", name=name, text=self._reply(event.sentence.text)
                )
                if event.turn != self._turn:
                    self._turn, self._replies = event.turn, []
                self._replies.append((len(self.said), event.sentence.text))
            case TurnEnded(interrupted=True):
                return self._cut(event)
            case _:
                pass
        if line is not None:
            self.said.append(line)
            told = isinstance(event, PersonTold)
            self._kept.append(line.model_copy(update={"text": self._heard}) if told else line)
            if len(self.said) > LINES:
                del self.said[0], self._kept[0]
                self._replies = [(at - 1, spoken) for at, spoken in self._replies if at]
        return line

    def entry(self) -> EntryDocument:
        """Return it without what was said."""
        handoff = self.handoff
        return EntryDocument(
            session=self.session,
            desk=self.desk,
            state=self.state,
            reason=handoff.reason,
            language=handoff.language,
            asked_at=self.asked_at,
            changed_at=self.changed_at,
            by=self.by,
            consent=handoff.consent,
            live=self.live,
            summary=handoff.summary,
            data={name: list(values) for name, values in handoff.data.items()},
        )

    def document(self, reader: str = "") -> HandoffDocument:
        """Return the whole of it.

        Args:
            reader: name of who reads; what the visitor told the person who has them is masked for others.
        """
        holds = bool(reader) and self.state == "taken" and self.by == reader
        return self._document(self.said if holds else self._kept)

    def masked(self, line: LineDocument) -> LineDocument:
        """Return a line that `take` gave last as others than the person may read it."""
        return self._kept[-1] if self.said and self.said[-1] is line else line

    def kept(self) -> str:
        """Return it as it is kept in the store, as JSON; of words that are not kept, what the desk said."""
        document = self._document(self._kept)
        if self.mask is not None and not self.open:
            document = masked_document(document, self.mask)
        if self.mask is not None and self.mask.settings.keep == "none":
            document = wordless(document)
        return document.model_dump_json()

    def _document(self, said: list[LineDocument]) -> HandoffDocument:
        before = [
            LineDocument(who=line.who, text=line.text, name=line.name) for line in self.handoff.transcript
        ]
        return HandoffDocument(**self.entry().model_dump(), transcript=[*before, *said])

    def _reply(self, text: str) -> str:
        return text if self.state == "taken" else self.shown(text)

    def _cut(self, event: TurnEnded) -> LineDocument | None:
        """Of a reply that was interrupted, only what was heard stays; another's words before it are whole."""
        if event.turn != self._turn or not self._replies:
            return None
        places = [at for at, _ in self._replies]
        heard = heard_of([spoken for _, spoken in self._replies], event.heard)
        last = max((number for number, text in enumerate(heard) if text), default=len(heard) - 1)
        name = self.said[places[last]].name
        first = last
        while first and self.said[places[first - 1]].name == name:
            first -= 1
        line = LineDocument(
            at=self.said[places[first]].at,
            who="person" if name else "ai",
            name=name,
            text=self._reply(joined(heard[first : last + 1])),
            interrupted=True,
        )
        for at in reversed(places[first if event.heard else 0 :]):
            del self.said[at], self._kept[at]
        self._replies = []
        if event.heard:
            self.said.append(line)
            self._kept.append(line)
        return line


def masked_document(document: HandoffDocument, mask: SessionMask) -> HandoffDocument:
    """Return a case that is through as it is kept: without personal data.

    What the visitor told of themselves stays only where they agreed to it and nobody came: so that they can
    be called back.
    """
    if mask.settings.keep == "plain":
        return document
    lines = [
        line.model_copy(
            update={"text": (mask.of_visitor if line.who == "visitor" else mask.of_desk)(line.text) or ""}
        )
        for line in document.transcript
    ]
    summary = mask.of_visitor(document.summary) or ""
    data = document.data if document.consent and not document.by and mask.settings.keep != "none" else {}
    return document.model_copy(update={"transcript": lines, "summary": summary, "data": data})


def wordless(document: HandoffDocument) -> HandoffDocument:
    """Return a case without a visitor's words, and what was told of them."""
    lines = [line for line in document.transcript if line.who != "visitor"]
    return document.model_copy(update={"transcript": lines, "summary": "", "data": {}})


def orphaned(text: str, mask: SessionMask | None) -> HandoffDocument:
    """Return a case whose server was killed, as it is kept from now on.

    Args:
        text: as `Case.kept` wrote it while somebody had to do something.
        mask: of its desk; None: nobody here knows the desk, and so no words are kept.

    Raises:
        ValueError: it cannot be read.
    """
    document = stored(text, over=True)
    if mask is None:
        return wordless(document).model_copy(update={"transcript": []})
    document = masked_document(document, mask)
    return wordless(document) if mask.settings.keep == "none" else document


def heard_of(sentences: Sequence[str], heard: str) -> list[str]:
    """Return what was heard of each sentence of a reply, where `heard` is what was heard of them together."""
    found = []
    for number, sentence in enumerate(sentences):
        whole = heard.startswith(sentence) and number < len(sentences) - 1
        found.append(sentence if whole else heard)
        heard = heard[len(sentence) :].lstrip() if whole else ""
    return found


def stored(text: str, *, over: bool) -> HandoffDocument:
    """Read a case that was kept.

    Args:
        text: as `Case.kept` wrote it.
        over: its session is over, whatever the case says.

    Raises:
        ValueError: it cannot be read.
    """
    document = HandoffDocument.model_validate_json(text)
    state: State = "left" if over and document.state in OPEN else document.state
    return document.model_copy(update={"state": state, "live": not over})
