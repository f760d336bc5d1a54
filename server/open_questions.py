"""The questions of a desk that are still open: what `visavis knowledge unanswered` tells."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.revising import versions_of
from moderation import Guard
from server.boundary import UsageError
from server.faq import day_of
from server.unanswered import KINDS, Collected, Matter, collect, masker, matters

if TYPE_CHECKING:
    from agent.desk import Desk
    from knowledge import KnowledgeBase
    from server.live.database import Database

DAY_S = 86_400.0
WAYS = ("input", "document")
"""Directions in which a visitor's question must pass the guard to be written into an FAQ."""


def open_questions(
    desk: Desk, knowledge: KnowledgeBase, *, days: float, store: str = ""
) -> tuple[list[Matter], dict[str, Any]]:
    """Return what may become an FAQ entry, and all as `--json` prints it.

    Args:
        desk: whose.
        knowledge: the desk's.
        days: how far to look back.
        store: SQLite file or URL; by default the one that `visavis serve` uses.

    Raises:
        UsageError: there is no such store.
        EmbedderError: the embedder does not answer.
    """
    from server.live.audit import Deed, append
    from server.live.desks import named
    from server.privacy_tasks import actor

    name = next(iter(named([desk])))
    since = time.time() - days * DAY_S
    screen = Guard.load().screen
    database = events_in(store)
    collected = Collected((), 0, 0, 0)
    if database is not None:
        try:
            collected = collect(database, name, since, masker(lambda text: screen(text).text))
            deed = Deed(actor(), "read", "unanswered", name)
            database.write(lambda connection: append(connection, deed, time.time()))
        finally:
            database.close()
    found = matters(collected.asked, knowledge)
    own = desk.guard()
    learnt = _learnt_since(desk, knowledge, found)
    open_now = [one for one in found if one.question not in learnt]
    document = {
        "desk": name,
        "since": day_of(since),
        "turns": collected.turns,
        "questions": [_matter(one) for one in open_now],
        "learnt_since": sorted(learnt),
        "asked_for_a_person": collected.persons,
        "words_not_kept": collected.wordless,
    }
    harmless = [one for one in open_now if all(own.screen(one.question, way).passes for way in WAYS)]
    return harmless, document


def events_in(store: str) -> Database | None:
    """Open the event store to be read; None where nothing was kept yet.

    Raises:
        UsageError: it cannot be opened.
    """
    from agent.desk import state_root
    from server.live.database import Database
    from server.live.errors import LiveError

    place = store or str(state_root() / "sessions.sqlite")
    if "://" not in place and not Path(place).is_file():
        if store:
            raise UsageError(f"{store}: no such file; name what `visavis serve --store` was given")
        return None
    try:
        return Database.open(place, busy_s=5.0)
    except LiveError as error:
        raise UsageError(str(error)) from None


def _learnt_since(desk: Desk, knowledge: KnowledgeBase, found: Iterable[Matter]) -> set[str]:
    """Return the questions that were not known, and that the knowledge answers after a later change."""
    changed = max((one.at for one in versions_of(knowledge) if one.cause != "found"), default=0.0)
    enough = desk.settings.knowledge.answer_from
    return {
        one.question
        for one in found
        if one.last < changed
        and set(one.kinds) == {KINDS[0]}
        and knowledge.answerable(one.question, one.language) >= enough
    }


def _matter(one: Matter) -> dict[str, Any]:
    return {
        "question": one.question,
        "language": one.language,
        "times": one.times,
        "visitors": one.visitors,
        "kinds": dict(one.kinds),
        "last": datetime.fromtimestamp(one.last, UTC).isoformat(timespec="seconds"),
        "phrasings": list(one.phrasings),
        "answers": list(one.answers),
        "sources": list(one.sources),
    }
