"""`visavis serve`: its words and options; what it does stands in `server.serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.arguments import JsonOption
from server.boundary import boundary, print_json


def serve(
    desks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DESK…]", help="Folders of desks; the demo desk if left out."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 for every network of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any that is free.")] = 8600,
    secret_file: Annotated[
        Path | None, typer.Option(help="Signs visitors' tokens; made where missing. Share it among servers.")
    ] = None,
    stun: Annotated[list[str] | None, typer.Option(help="stun:HOST:PORT; may be given often.")] = None,
    turn: Annotated[
        list[str] | None,
        typer.Option(
            help="turn:HOST:PORT?transport=udp, also tcp: for visitors behind strict networks. "
            "VISAVIS_TURN_SECRET holds the secret that coturn shares."
        ),
    ] = None,
    udp_ports: Annotated[
        str,
        typer.Option(
            metavar="FIRST-LAST",
            help="UDP ports for sound and picture, as a firewall opens them: 40000-40100, at least two for "
            "each conversation. Any port if left out.",
        ),
    ] = "",
    relay_only: Annotated[bool, typer.Option("--relay-only", help="Use TURN alone, to try it.")] = False,
    max_sessions: Annotated[
        int | None, typer.Option(min=1, help="Conversations at once; by default two for each core.")
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            help="Processes that share the conversations: one serves about eight at once, and needs 700 MB.",
        ),
    ] = 1,
    drawers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=64,
            help="Processes that draw the faces, of 300 MB each; one for each core if left out. 0: the "
            "server draws them itself, which is enough for one visitor.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="https://shop.example: a site that may embed every desk; may be given often."),
    ] = None,
    store: Annotated[
        str, typer.Option(help="Where events go: a SQLite file, postgresql://…, or none.", show_default=False)
    ] = "",
    recordings: Annotated[
        Path | None,
        typer.Option(help="Folder for recordings of visitors who agreed, at desks that offer it."),
    ] = None,
    keep_days: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Events and recordings are deleted so long after a session; by default 30 days."
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="PEM file for https; needs --key. Else put a proxy before it.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file with the certificate's key.")] = None,
    json: JsonOption = False,
) -> None:
    """Serve desks live: a face that listens and answers, in browsers, widgets and at kiosks.

    Examples:

      visavis serve

      visavis serve mydesk --host 0.0.0.0 --certificate cert.pem --key key.pem

      visavis serve mydesk --processes 4 --max-sessions 16

      visavis serve mydesk --turn "turn:turn.example.com:3478?transport=udp"

    Browsers give the microphone only to https pages and to localhost.
    """
    from server.processes import serve_processes
    from server.progress import stages
    from server.serve import open_desks, serve_opened, show_serving
    from server.serve_options import options_of

    with boundary():
        options = options_of(
            host=host,
            port=port,
            secret_file=secret_file,
            stun=stun or (),
            turn=turn or (),
            relay_only=relay_only,
            udp_ports=udp_ports,
            drawers=drawers,
            max_sessions=max_sessions,
            origins=origin or (),
            store=store,
            recordings=recordings,
            kept_days=keep_days,
            certificate=certificate,
            key=key,
        )
        ready = print_json if json else show_serving
        shown = stages(quiet=json, always=True)
        if processes > 1:
            serve_processes(desks or [], options, processes, shown, ready=ready)
            return
        with shown as told:
            opened = open_desks(desks or [], options, told)
        serve_opened(opened, ready=ready)
