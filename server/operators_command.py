"""`visavis operator`: the people who may take conversations over, and their keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from server.arguments import JsonOption
from server.boundary import boundary, print_json, tell

operators_app = typer.Typer(
    no_args_is_help=True,
    help="""People who take conversations over: keys for the inbox.

    While a desk has somebody, visitors who ask for a person are passed on, in the conversation they are in:
    GET /v1/inbox shows who waits; /docs says the rest.""",
)
FileOption = Annotated[
    Path | None,
    typer.Option("--file", help="Where the keys' hashes are kept; by default in the state folder."),
]
NameArgument = Annotated[str, typer.Argument(help="What visitors are told: a first name, such as Anna.")]


@operators_app.command("add")
def add(
    name: NameArgument,
    desk: Annotated[
        list[str] | None, typer.Option(help="Looks after this desk alone, by its name in addresses; often.")
    ] = None,
    file: FileOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key, which is shown this once; servers that run take it at once.

    A name that is there already gets a new key, which replaces the old one.

    Examples:

      visavis operator add Anna

      visavis operator add Ben --desk front --desk returns
    """
    from server.live.operators import add_operator, read_operators

    with boundary():
        before = [one for one in read_operators(_file(file)) if one.name == " ".join(name.split())]
        key = add_operator(_file(file), name, desk or ())
    for old in before:
        since = datetime.fromtimestamp(old.added_at, UTC).date().isoformat()
        typer.echo(
            f"{old.name} had a key already, since {since} ({', '.join(old.desks) or 'all desks'}): "
            "the new one replaces it, and the old one lets in no more. Another person needs another name.",
            err=True,
        )
    tell(
        {"name": name, "desks": desk or [], "key": key, "replaced": bool(before)},
        f"{key}\n{name} sends it as `Authorization: Bearer KEY`; it is not shown again.",
        json=json,
    )


@operators_app.command("list")
def show(file: FileOption = None, json: JsonOption = False) -> None:
    """List who has a key."""
    from server.live.operators import read_operators

    with boundary():
        there = read_operators(_file(file))
    documents = [
        {
            "name": one.name,
            "desks": list(one.desks),
            "added": datetime.fromtimestamp(one.added_at, UTC).isoformat(timespec="seconds"),
        }
        for one in there
    ]
    if json:
        print_json({"operators": documents})
    elif not there:
        typer.echo("Nobody yet: visitors are told how to reach people otherwise. visavis operator add NAME")
    for document in [] if json else documents:
        desks = ", ".join(document["desks"]) or "all desks"
        typer.echo(f"{document['name']}: {desks}, since {document['added'][:10]}")


@operators_app.command("remove")
def remove(name: NameArgument, file: FileOption = None, json: JsonOption = False) -> None:
    """Take a key back; it lets in no more, also where a server runs."""
    from server.live.operators import remove_operator

    with boundary():
        remove_operator(_file(file), name)
    tell({"removed": name}, f"{name} is let in no more.", json=json)


def _file(given: Path | None) -> Path:
    from agent.desk import state_root
    from server.live.options import OPERATORS

    return given or state_root() / OPERATORS
