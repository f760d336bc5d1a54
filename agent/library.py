"""A desk's library: its index with the embedder, the re-ranker and the database that its settings name."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent import grounding
from agent.desk import Desk
from knowledge import KnowledgeBase
from knowledge.embedder import Embedder
from knowledge.embedders import load_embedder
from knowledge.errors import EmbedderError, KnowledgeError, StoreError
from knowledge.learning import Skipped
from knowledge.quarantine import Rescreened
from knowledge.ranking import Reranker
from knowledge.table import default_embedder
from moderation import Guard
from moderation.fingerprint import fingerprint
from moderation.verdict import Action

log = logging.getLogger(__name__)

NAMED = 3
"""Documents that were left out and are named; `visavis learn DESK FOLDER` names all."""
LEFT_OUT_FILE = "left_out.txt"
"""In the state folder: what was told last of documents that were left out."""

Told = Callable[[str], None]


def open_knowledge(
    desk: Desk,
    guard: Guard | None = None,
    *,
    learning: bool = False,
    remind: bool = False,
    problem: Told | None = None,
    rescreened: Callable[[Rescreened], None] | None = None,
) -> KnowledgeBase:
    """Open a desk's index, brought up to date with its documents.

    Where something was learnt before, it goes on answering if it cannot be brought up to date: on a read-only
    disk, without the embedder that made it, with a chroma server that has vanished.

    Args:
        desk: whose.
        guard: tells which of its documents must not be learnt; by default the desk's own is loaded.
        learning: the caller is about to learn, so that nothing may be missing.
        remind: tell again what of the desk's documents was left out, though that was told before.
        problem: told what did not work, with a remedy; by default that is logged.
        rescreened: what was learnt by another policy, or another release's rules, is screened anew first, and
            this is told what came of it; by default that is left to `visavis learn` and `visavis serve`.

    Raises:
        KnowledgeError: the index is damaged, or there is none yet and none can be made.
    """
    told = problem or _logged
    try:
        embedder = open_embedder(desk)
    except EmbedderError as error:
        return _as_before(desk, error, told, learning=learning)
    knowledge = _opened(desk, embedder, told)
    try:
        check = document_check(guard or desk)
        if rescreened is not None:
            rescreened(knowledge.rescreen(check))
        if desk.knowledge_folder.is_dir():
            report = knowledge.add([desk.knowledge_folder], check=check)
            left_out = _left_out(report.skipped)
            if _is_new(desk, left_out) or (left_out and (remind or learning)):
                told(left_out)
    except (StoreError, EmbedderError) as error:
        own = knowledge.indexed_by == embedder.name
        if not own or learning:
            knowledge.close()
            return _as_before(desk, error, told, learning=learning)
        told(f"{error}; the knowledge is as it was learnt before")
    except BaseException:
        knowledge.close()
        raise
    return knowledge


@dataclass(frozen=True)
class DocumentCheck:
    """Tells why a text must not be learnt, by a guard's rules for documents."""

    whose: Guard | Desk

    @cached_property
    def fingerprint(self) -> str:
        """Changes with what it judges by: policy, weights, rules."""
        return fingerprint(self._guard.policy, Path(grounding.__file__))

    def __call__(self, text: str) -> str:
        """Return the reason; empty where it may be learnt."""
        verdict = self._guard.screen(text, direction="document")
        if verdict.action in (Action.REFUSE, Action.ESCALATE):
            return (
                f"kept out by the rule {verdict.rule}; change the text, or the rule in the desk's policy.toml"
            )
        if grounding.orders_a_model(text):
            return "kept out because it gives orders to an assistant; say to readers what is meant for them"
        return ""

    @cached_property
    def _guard(self) -> Guard:
        return self.whose.guard() if isinstance(self.whose, Desk) else self.whose


def document_check(whose: Guard | Desk) -> DocumentCheck:
    """Return what tells why a text must not be learnt, by the guard's rules for documents.

    Args:
        whose: the guard, or the desk whose guard is loaded when the first text is to be checked.
    """
    return DocumentCheck(whose)


def screen_anew(desk: Desk, guard: Guard, *, share: float, stop: Callable[[], bool]) -> Rescreened:
    """Judge a desk's knowledge anew where its policy, the weights or the rules have changed.

    It takes an index of its own, so that nobody's search waits for it. See `KnowledgeBase.rescreen`.

    Raises:
        InterruptedError: it was given up.
        KnowledgeError: the index cannot be written.
    """
    knowledge = KnowledgeBase.open(
        desk.state_folder / "knowledge",
        embedder=open_embedder(desk),
        server=str(desk.settings.knowledge.server or "").rstrip("/"),
    )
    try:
        return knowledge.rescreen(document_check(guard), share=share, stop=stop)
    finally:
        knowledge.close()


def open_embedder(desk: Desk) -> Embedder:
    """Return the embedder that the desk's settings name.

    Raises:
        EmbedderError: it cannot be loaded.
    """
    from speech.models import cache_dir, offline

    settings, answering = desk.settings.knowledge, desk.settings.answering
    kind, _, name = settings.embedder.partition(":")
    wanted = f"{kind}:{desk.beside(name)}" if kind == "fastembed" else settings.embedder
    base_url = settings.base_url or answering.base_url or os.environ.get("OPENAI_BASE_URL")
    try:
        return load_embedder(
            wanted,
            cache=cache_dir() / "fastembed",
            offline=offline(),
            base_url=str(base_url) if base_url else None,
            api_key=os.environ.get(answering.api_key_env, ""),
        )
    except EmbedderError as error:
        folder = desk.folder / name
        if kind != "fastembed" or folder.is_dir():
            raise
        raise EmbedderError(f"{error}; there is no folder {folder} either") from error


def open_reranker(desk: Desk) -> Reranker | None:
    """Return the cross-encoder that the desk's settings name; None where they name none.

    Raises:
        EmbedderError: it is not in the model cache, or cannot be loaded.
    """
    from knowledge.rerank import CrossEncoder
    from speech.models import CATALOGUE, find

    name = desk.settings.knowledge.reranker
    if not name:
        return None
    folder = find(name) or Path(desk.beside(name)).expanduser()
    if not folder.is_dir():
        remedy = (
            f"run `visavis models pull {name}`" if name in CATALOGUE else "`visavis models list` names some"
        )
        raise EmbedderError(f"the re-ranker {name!r} is not here; {remedy}")
    return CrossEncoder(folder)


def _as_before(desk: Desk, error: KnowledgeError, told: Told, *, learning: bool) -> KnowledgeBase:
    """Open what was learnt before with another embedder, untouched.

    Raises:
        KnowledgeError: the error, where nothing was or something is about to be learnt.
    """
    if learning:
        raise error
    knowledge = _opened(desk, default_embedder(), told)
    if not knowledge.count:
        knowledge.close()
        raise error
    told(f"{error}; the knowledge is as it was learnt before")
    return knowledge


def _opened(desk: Desk, embedder: Embedder, told: Told) -> KnowledgeBase:
    reranker = None
    try:
        reranker = open_reranker(desk)
    except EmbedderError as error:
        told(f"{error}; until then passages stay in their first order")
    return KnowledgeBase.open(
        desk.state_folder / "knowledge",
        embedder=embedder,
        reranker=reranker,
        server=str(desk.settings.knowledge.server or "").rstrip("/"),
    )


def _is_new(desk: Desk, left_out: str) -> bool:
    """Tell whether something was left out of which nobody was told yet, and remember it."""
    file = desk.state_folder / LEFT_OUT_FILE
    try:
        if left_out == (file.read_text(encoding="utf-8") if file.is_file() else ""):
            return False
        file.write_text(left_out, encoding="utf-8")
    except (OSError, ValueError):  # a read-only disk, or a damaged note: better told twice than never
        pass
    return bool(left_out)


def _left_out(skipped: Sequence[Skipped]) -> str:
    """Say what of a desk's documents was not learnt; empty where all were."""
    if not skipped:
        return ""
    named = "; ".join(one.reason for one in skipped[:NAMED])
    more = f"; and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
    return f"left out of the desk's documents: {named}{more}"


def _logged(problem: str) -> None:
    log.warning("%s", problem)
