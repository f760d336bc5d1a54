"""Arguments and options that several subcommands of `visavis` take."""

from __future__ import annotations

from typing import Annotated

import typer

DeskArgument = Annotated[
    str, typer.Argument(metavar="DESK", help="The desk's folder; the demo desk if left out.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
