"""What `visavis doctor` finds of a desk's content: its knowledge, its answers and its tools.

The servers that the desk names are asked whether they are there; no others.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.desk import Desk
from agent.llm import endpoint_is_set
from server.finding import Finding

if TYPE_CHECKING:
    from knowledge.store import Store

CONNECT_S = 3.0
"""How long a server may take to be reached."""
NAMED = 3
"""Documents that were left out and are named."""


def find_knowledge(desk: Desk) -> Finding:
    """Look at documents, index, embedder, re-ranker and database."""
    from agent.library import document_check
    from knowledge.document import find_documents
    from knowledge.quarantine import stale
    from knowledge.store import Store

    settings = desk.settings.knowledge
    files = list(find_documents(desk.knowledge_folder)) if desk.knowledge_folder.is_dir() else []
    store = Store(desk.state_folder / "knowledge", str(settings.server or "").rstrip("/"))
    learnt = store.read().records
    engine = f"chromadb + BM25, {settings.embedder}" + (f", {settings.reranker}" if settings.reranker else "")
    if not files and not learnt:
        return Finding(
            "knowledge",
            False,
            "-",
            "there are no documents",
            "the desk would know nothing",
            f"put documents into {desk.knowledge_folder}",
        )
    passages = sum(len(record.passages) for record in learnt.values())
    why = f"{len(files)} documents" + (f", {passages} passages learnt" if learnt else ", not indexed yet")
    faults = _faults(desk, store)
    old = len(stale(store.read(), document_check(desk)))
    left_out = [f"left out: {reason}" for reason in _left_out(desk, store)]
    told = [*faults, *left_out[:NAMED]]
    if old:
        told.append(
            f"{old} documents were screened by another policy or other rules; `visavis serve` does it anew"
        )
    if len(left_out) > NAMED:
        told.append(f"and {len(left_out) - NAMED} more")
    return Finding(
        "knowledge",
        bool(learnt) or not faults,  # what was learnt before still answers
        engine,
        why,
        "; ".join(told),
        f"visavis learn {desk.folder} {desk.knowledge_folder}" if left_out and not faults else "",
    )


def find_answering(desk: Desk) -> Finding:
    """Look at the language model's endpoint, or say that there is none."""
    settings = desk.settings.answering
    rules = " with the desk's rules" if desk.rules() else ""
    if settings.engine == "openai" or (settings.engine == "auto" and endpoint_is_set(settings)):
        place = str(settings.base_url or os.environ.get("OPENAI_BASE_URL") or "")
        missing = remedy = ""
        if not (os.environ.get(settings.api_key_env) or settings.base_url):
            missing, remedy = f"{settings.api_key_env} is not set", f"export {settings.api_key_env}=…"
        elif place and not _answers(place):
            missing = (
                f"nothing answers at {place}; start that server, or mend answering.base_url in desk.toml"
            )
        return Finding(
            "answering",
            not missing or settings.fallback,
            f"openai/{settings.model}",
            f"through {place or 'OpenAI'}{rules}; a sentence needs support of {settings.support:g}",
            missing,
            remedy,
        )
    return Finding(
        "answering",
        True,
        "extractive",
        "no endpoint is set: speaks only what the knowledge says",
        "a language model would answer more freely",
        f"export {settings.api_key_env}=…, or set answering.base_url in desk.toml",
    )


def find_tools(desk: Desk) -> Finding:
    """Look at the desk's own tools, and start or ask its MCP servers."""
    from agent.errors import ToolError
    from agent.mcp import McpTools

    tools, servers, problems = list(desk.tools()), desk.settings.tools.mcp, []
    if servers:
        try:
            opened = McpTools(servers, desk.folder)
        except ToolError as error:
            return Finding("tools", False, str(len(tools)), "MCP servers are named", str(error))
        tools += opened.tools
        problems += opened.problems
        opened.close()
        if find_answering(desk).engine == "extractive":
            problems.append("tools of MCP servers are called by a language model alone, and none is set")
    names = ", ".join(tool.name for tool in tools) or "the desk has none"
    return Finding("tools", True, str(len(tools)), names, "; ".join(problems))


def _left_out(desk: Desk, store: Store) -> list[str]:
    """Return what is not learnt of the desk's documents and why; what is new is read, nothing is written."""
    from agent.library import document_check
    from knowledge.learning import Learning
    from knowledge.quarantine import reasons

    known, root, check = store.read(), str(desk.knowledge_folder.resolve()), document_check(desk)
    others = (record for record in known.records.values() if record.root != root)
    elsewhere = [reason for record in others for _, reason in reasons(record, check)]
    if not desk.knowledge_folder.is_dir():
        return elsewhere
    learning = Learning(known, check=check)
    for _ in learning.batches([desk.knowledge_folder]):
        pass
    own = [
        one.reason if one.reason.startswith(one.source) else f"{one.source}: {one.reason}"
        for one in learning.skipped
    ]
    return [*elsewhere, *own]


def _faults(desk: Desk, store: Store) -> list[str]:
    """Return what of the knowledge's settings does not work, with a remedy each."""
    from agent.library import open_embedder, open_reranker
    from knowledge.errors import KnowledgeError

    faults = []
    looks: tuple[Callable[[], object], ...] = (
        lambda: open_embedder(desk).dimension,
        lambda: open_reranker(desk),
        store.check,
    )
    for look in looks:
        try:
            look()
        except KnowledgeError as error:
            faults.append(str(error))
    return faults


def _answers(address: str) -> bool:
    """Tell whether anything listens at an address."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_S).close()
    except OSError:
        return False
    return True
