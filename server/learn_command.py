"""`visavis learn`: teach a desk documents and web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.arguments import JsonOption
from server.boundary import FAILED, boundary, print_json

if TYPE_CHECKING:
    from knowledge import LearnReport
    from knowledge.quarantine import Rescreened

SHOWN = 20
"""Skipped documents that are named at a terminal; --json names all."""


def learn(
    desk: Annotated[str, typer.Argument(metavar="DESK", help="Whose knowledge.")],
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH|URL…", help="Documents, folders of them, web pages or sitemaps."),
    ],
    json: JsonOption = False,
) -> None:
    """Teach a desk documents that lie elsewhere; its own knowledge folder is learnt by itself.

    Reads Markdown, text, HTML, PDF, DOCX, XLSX, CSV, and JSON or JSON Lines with questions and answers.
    Unchanged files are passed over; what was learnt from a folder or sitemap and is no longer in it is
    forgotten. What stands hidden in a document, or tells the assistant what to do, is kept out and named.

    Examples:

      visavis learn mydesk handbook.pdf faq.xlsx help/

      visavis learn mydesk https://www.example.com/sitemap.xml
    """
    from agent.desk import Desk
    from agent.library import document_check, open_knowledge
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        loaded = Desk.load(desk)
        guard = loaded.guard()
        anew: list[Rescreened] = []
        shown.stage("reading documents")
        knowledge = open_knowledge(loaded, guard, learning=True, rescreened=anew.append)

        def tell(done: int, total: int, source: str) -> None:
            if source:
                shown.advance(done, total)
            else:
                shown.stage(f"indexing what is new of {total} documents")
                if knowledge.is_being_written():
                    shown.note("another command is teaching this desk; waiting until it is done")

        try:
            report = knowledge.add(paths, check=document_check(guard), progress=tell)
        finally:
            knowledge.close()
    if json:
        came_back = [source for one in anew for source in one.came_back]
        went = [part.source for one in anew for part in one.went]
        print_json(document_of(report) | {"came_back": came_back, "went": went})
    else:
        for one in anew:
            if one.came_back or one.went:
                typer.echo(str(one))
        _show(report)
    if report.skipped and not (report.added or report.updated or report.unchanged or report.removed):
        raise typer.Exit(FAILED)


def document_of(report: LearnReport) -> dict[str, object]:
    """Return a report as `--json` prints it."""
    return {
        "added": report.added,
        "updated": report.updated,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "skipped": [
            {"source": one.source, "reason": one.reason, "quarantined": one.quarantined}
            for one in report.skipped
        ],
        "passages": report.passages,
    }


def _show(report: LearnReport) -> None:
    typer.echo(
        f"{report.added} added, {report.updated} updated, {report.removed} removed, "
        f"{report.unchanged} unchanged; {report.passages} passages in all"
    )
    for one in report.skipped[:SHOWN]:
        word = "quarantined" if one.quarantined else "skipped"
        typer.echo(
            f"{word} {one.reason if one.reason.startswith(one.source) else f'{one.source}: {one.reason}'}"
        )
    if len(report.skipped) > SHOWN:
        typer.echo(f"and {len(report.skipped) - SHOWN} more; --json names all")
