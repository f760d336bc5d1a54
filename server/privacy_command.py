"""`visavis privacy`: what is kept of visitors, given out, erased, and who has read it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.arguments import JsonOption
from server.boundary import UsageError, boundary, print_json

privacy_app = typer.Typer(
    no_args_is_help=True,
    help="""What is kept of visitors: give it out, erase it, see who has read it.

    A visitor's conversations are named by --session, or found by the e-mail address or telephone number
    that they told: --contact. Those are not kept, only hashes of them, made with the server's secret.""",
)
DeskOption = Annotated[
    str, typer.Argument(metavar="[DESK]", help="A desk's folder, or its name in addresses; all if left out.")
]
SessionOption = Annotated[
    list[str] | None, typer.Option("--session", help="A conversation's name; may be given often.")
]
ContactOption = Annotated[
    list[str] | None,
    typer.Option("--contact", help="An e-mail address or telephone number that the visitor told; often."),
]
StoreOption = Annotated[
    str, typer.Option("--store", help="As `visavis serve` was given it; by default in the state folder.")
]
RecordingsOption = Annotated[
    Path | None, typer.Option("--recordings", help="As `visavis serve` was given it; by default likewise.")
]
SecretOption = Annotated[
    Path | None, typer.Option("--secret-file", help="As `visavis serve` was given it; by default likewise.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@privacy_app.command("export")
def export(
    desk: DeskOption = "",
    session: SessionOption = None,
    contact: ContactOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the archives; by default this one.")
    ] = None,
    store: StoreOption = "",
    recordings: RecordingsOption = None,
    secret_file: SecretOption = None,
    json: JsonOption = False,
) -> None:
    """Write all that is kept of a visitor's conversations, each as one zip archive with a README.

    Examples:

      visavis privacy export --session 9ffycoVQReNnfCsD

      visavis privacy export mydesk --contact anna@example.com --out for-anna
    """
    from server.privacy_tasks import Kept

    with boundary(), Kept.open(desk, store, recordings, secret_file) as kept:
        document = asyncio.run(kept.export(session or (), contact or (), out or Path()))
    if json:
        print_json(document)
        return
    for found in document["archives"]:
        typer.echo(f"{found['file']}: {found['events']} events, {found['recordings']} files of recordings")
    typer.echo("What is in it stands in its README.txt. It holds personal data: keep it safe, and delete it.")


@privacy_app.command("erase")
def erase(
    desk: DeskOption = "",
    session: SessionOption = None,
    contact: ContactOption = None,
    store: StoreOption = "",
    recordings: RecordingsOption = None,
    secret_file: SecretOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Erase all that is kept of a visitor's conversations: what was said, recordings, cases, summaries.

    What is still on its way to the disk stays out too. To do it again does no harm.
    """
    from server.privacy_tasks import Kept

    with boundary(), Kept.open(desk, store, recordings, secret_file) as kept:
        names = asyncio.run(kept.find(session or (), contact or ()))
        if names and not yes:
            if json or not sys.stdin.isatty():
                raise UsageError("nothing was erased: nobody is here to ask; say --yes")
            if not typer.confirm(f"Erase {len(names)} conversations for good?", err=True):
                raise UsageError("nothing was erased")
        document = asyncio.run(kept.erase(names))
    if json:
        print_json(document)
    else:
        what = f"{len(document['erased'])} conversations and {document['files']} files were erased."
        typer.echo(what if names else "Nothing was found, so nothing was erased.")


@privacy_app.command("purge")
def purge(
    desk: DeskOption = "",
    keep_days: Annotated[
        float | None,
        typer.Option(min=0.0, help="For DESK where it says nothing itself; else it is left alone then."),
    ] = None,
    store: StoreOption = "",
    recordings: RecordingsOption = None,
    json: JsonOption = False,
) -> None:
    """Delete now what DESK has kept for long enough, as its servers do every six hours.

    Its own `[privacy] retention_days` and `recordings_days` hold for it, where its folder is named. Other
    desks are left alone.
    """
    from server.privacy_tasks import Kept

    with boundary(), Kept.open(desk, store, recordings) as kept:
        document = asyncio.run(kept.purge(keep_days))
    if json:
        print_json(document)
    else:
        typer.echo(f"{document['sessions']} conversations and {document['files']} files were deleted.")
        if document["left_alone"]:
            names = ", ".join(document["left_alone"])
            typer.echo(f"Left alone: {names}. Name a desk's folder, or its name and --keep-days.")


@privacy_app.command("audit")
def audit(
    desk: DeskOption = "",
    session: Annotated[str, typer.Option("--session", help="This conversation alone.")] = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="See that no row was changed or taken out; exit 1 if one was.")
    ] = False,
    head: Annotated[
        str, typer.Option("--head", help="A head noted earlier: see that it still is part of the trail.")
    ] = "",
    limit: Annotated[int, typer.Option("-n", min=1, max=100_000, help="How many rows, the latest.")] = 50,
    store: StoreOption = "",
    json: JsonOption = False,
) -> None:
    """Show who read, exported, erased or purged what and when.

    Every row is sealed by the next; the head is the seal of the last. Write it down elsewhere now and then,
    and give it as --head later: if the trail was cut short or written anew since, exit 1 says so.
    """
    from server.privacy_tasks import Kept

    head = head.strip()
    with boundary(), Kept.open(desk, store) as kept:
        document = asyncio.run(kept.audit(session, limit=limit, verify=verify, noted=head))
    whole = document.get("broken") is None
    known = not head or document["noted"] is not None
    if json:
        print_json(document)
    else:
        for row in reversed(document["rows"]):
            subject = " ".join(filter(None, (row["desk"], row["subject"])))
            typer.echo(f"{row['at']}  {row['actor']:<24}  {row['action']:<8}  {subject}")
        if verify or head:
            good = f"{document['verified']} rows follow from one another."
            typer.echo(good if whole else f"Row {document['broken']} does not follow from the one before it.")
        if head:
            kept_on = (
                f"The head that was noted is that of row {document['noted']}: what came before it stands."
            )
            lost = "The head that was noted is not in the trail: it was cut short, or written anew, since."
            typer.echo(kept_on if known else lost)
        typer.echo(f"head: {document['head'] or 'nothing was written down yet'}")
    if (verify or head) and not (whole and known):
        raise typer.Exit(1)
