"""`visavis knowledge`: the words and options of its subcommands; what they do stands in other modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.arguments import JsonOption
from server.boundary import UsageError, boundary, print_json, tell
from server.printable import printable

if TYPE_CHECKING:
    from agent.desk import Desk
    from knowledge import KnowledgeBase

knowledge_app = typer.Typer(
    no_args_is_help=True,
    help="""What a desk knows, and what it lacks: documents, versions, open questions, doubtful places.

    Start with: visavis knowledge unanswered mydesk""",
)
DeskName = Annotated[str, typer.Argument(metavar="DESK", help="The desk's folder.")]


@knowledge_app.command("list")
def list_documents(desk: DeskName, json: JsonOption = False) -> None:
    """List the documents that a desk answers from.

    With each: how many passages it was cut into, its languages, tags, when it was updated, and where it was
    read. Documents of the desk's own knowledge folder are brought up to date first.

    Examples:

      visavis knowledge list mydesk

      visavis knowledge list mydesk --json | jq '.documents[].source'
    """
    from server.terminal_knowledge import show_documents

    with boundary(), _opened(desk) as (_, knowledge):
        from server.knowledge_documents import list_document

        document = list_document(knowledge)
    tell(document, show_documents, json=json)


@knowledge_app.command("remove")
def remove_documents(
    desk: DeskName,
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME…", help='As `list` names them; * stands for anything: "old/*".'),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove documents from what a desk answers from; their files stay where they are.

    A file of the desk's own knowledge folder stays out until it is changed. Running servers go on without the
    documents. `visavis knowledge rollback` brings them back.

    Examples:

      visavis knowledge remove mydesk handbook-2024.pdf

      visavis knowledge remove mydesk "old/*" --yes
    """
    with boundary(), _opened(desk, changing=True) as (loaded, knowledge):
        from knowledge.revising import remove, versions_of
        from server.knowledge_documents import listed, sources_of

        records = [one for one in knowledge.documents() if one.passages]
        sources = sources_of(names, records)
        before = versions_of(knowledge)
        if not yes:
            _confirm(printable(f"Remove {listed(sources)} from the knowledge of {loaded.folder.name}?"))
        made = remove(knowledge, sources, loaded.knowledge_folder)
        count = len([one for one in records if one.source not in sources])
    back = f"visavis knowledge rollback {desk} {before[0].number}" if before else ""
    document = {
        "removed": sources,
        "documents": count,
        "version": made.number if made else None,
        "undo": back,
    }
    if json:
        print_json(document)
        return
    typer.echo(printable(f"removed {listed(sources)}; {count} documents are left"))
    typer.echo(f"to get {'it' if len(sources) == 1 else 'them'} back: {back}")


@knowledge_app.command("versions")
def list_versions(desk: DeskName, json: JsonOption = False) -> None:
    """List what changed in a desk's knowledge, the latest first.

    Every `learn`, `remove` and `rollback` that changes something makes a version; the last 10 are kept.
    +3 ~1 −2: three documents came, one changed, two went.

    Examples:

      visavis knowledge versions mydesk
    """
    from server.terminal_knowledge import show_versions

    with boundary(), _opened(desk) as (_, knowledge):
        from server.knowledge_versions import versions_document

        document = versions_document(knowledge)
    tell(document, show_versions, json=json)


@knowledge_app.command("rollback")
def rollback(
    desk: DeskName,
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[N]",
            min=1,
            help="The version, as `versions` numbers it; the one before the last change.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Bring back what a desk knew before, in one step, while servers run.

    That is a version too: a second rollback without a number takes the first one back. Files in the desk's
    own knowledge folder are left alone; one that differs from what was brought back is learnt again when it
    is changed, and not before.

    Examples:

      visavis knowledge rollback mydesk

      visavis knowledge rollback mydesk 4
    """
    with boundary(), _opened(desk, changing=True) as (loaded, knowledge):
        from knowledge.revising import roll_back
        from server.knowledge_versions import rollback_document, rollback_told

        wanted, made = roll_back(knowledge, number, loaded.knowledge_folder)
        passages = knowledge.count
    tell(rollback_document(wanted, made, passages), rollback_told(wanted, made, passages), json=json)


@knowledge_app.command("unanswered")
def unanswered(
    desk: DeskName,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far to look back.")] = 30,
    faq: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.md", help="Write FAQ entries to be filled in, for `visavis learn`; also FILE.jsonl."
        ),
    ] = None,
    store: Annotated[
        str, typer.Option(help="Where `serve --store` keeps events, if elsewhere.", show_default=False)
    ] = "",
    json: JsonOption = False,
) -> None:
    """List what visitors asked and got no good answer to, most asked first.

    These are questions that the desk did not know, asked back about or passed on to a person, and those whose
    answers visitors rated down. Questions alike stand together; personal data is masked. Questions that the
    desk has learnt to answer since are left out.

    Examples:

      visavis knowledge unanswered mydesk

      visavis knowledge unanswered mydesk --days 7 --faq new-answers.md
    """
    from server.terminal_knowledge import show_unanswered

    with boundary():
        from server.faq import check, write_faq
        from server.open_questions import open_questions

        if faq is not None:
            check(faq)
        with _opened(desk) as (loaded, knowledge):
            found, document = open_questions(loaded, knowledge, days=days, store=store)
        written = write_faq(faq, found, desk) if faq is not None and found else []
    document["files"] = [str(file) for file in written]
    if json:
        print_json(document)
        return
    show_unanswered(document)
    for file in written:
        typer.echo(f"write the answers into {file}, then: visavis learn {desk} {file}")


@knowledge_app.command("hints")
def hints(desk: DeskName, json: JsonOption = False) -> None:
    """Find places in a desk's documents that contradict each other, and texts that stand there twice.

    A contradiction: two documents on one subject with other prices, times or amounts, or where one says
    "not". What is found is for a person to look at; few things are named, and mostly rightly. English and
    Chinese.

    Examples:

      visavis knowledge hints mydesk
    """
    from server.progress import stages
    from server.terminal_knowledge import show_hints

    with boundary(), stages(quiet=json) as shown, _opened(desk) as (_, knowledge):
        from server.hinting import hints_document

        shown.stage("comparing passages")
        document = hints_document(knowledge, shown.advance)
    tell(document, show_hints, json=json)


@contextmanager
def _opened(desk: str, *, changing: bool = False) -> Iterator[tuple[Desk, KnowledgeBase]]:
    """Open a desk's knowledge, brought up to date with its documents."""
    from agent.desk import Desk
    from agent.library import open_knowledge

    loaded = Desk.load(desk)
    knowledge = open_knowledge(loaded, learning=changing)
    try:
        yield loaded, knowledge
    finally:
        knowledge.close()


def _confirm(question: str) -> None:
    """Ask a person.

    Raises:
        UsageError: nobody is there, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is here to ask; say --yes")
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was changed")
