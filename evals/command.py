"""`visavis eval`: replay scripted conversations, and tell what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.arguments import JsonOption
from server.boundary import STOPPED, UsageError, boundary, complain, tell
from server.progress import Stages, stages

if TYPE_CHECKING:
    from evals.suite import Order

VERBS = ("freeze", "import", "schema")
"""First words that do something else than replaying; a desk of such a name is given as "./freeze"."""
SHOWN = 40
"""Failures that a terminal shows; the report has all."""


def evaluate(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DESK] [SCRIPTS]…",
            help="The desk, then scripts or folders of them; the desk's own if left out.",
        ),
    ] = None,
    mode: Annotated[
        Literal["text", "audio"],
        typer.Option(help="By words, in virtual time; or by sound, through the media path."),
    ] = "text",
    repeat: Annotated[int, typer.Option(min=1, max=100, help="How often each script is replayed.")] = 1,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0, max=256, help="Processes; 0: none but this one. As many as are worth it if left out."
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Report of an earlier run: what fails now and passed then is a regression."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for results.jsonl, summary.json, junit.xml and report.html.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only scripts with this tag; several may be given.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting put over desk.toml, for example answering.engine=extractive.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="DESK", help="Another desk that is replayed beside it: which is better on what?"
        ),
    ] = None,
    against_set: Annotated[
        list[str] | None,
        typer.Option(
            "--against-set", metavar="KEY=VALUE", help="A setting of that other desk, or of this one."
        ),
    ] = None,
    video: Annotated[
        bool, typer.Option("--video", help="Audio mode: draw the face, measure it, keep clips.")
    ] = False,
    hearing: Annotated[
        Literal["desk", "script"],
        typer.Option(
            help="Audio mode: words by the desk's recognizer, or by the script; the sound is real either way."
        ),
    ] = "desk",
    server: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Talk to this running server over WebRTC, in real time; in text mode, type to it. With a "
            "key of `visavis operator add` in VISAVIS_OPERATOR_KEY it tells how it judged and what it did.",
        ),
    ] = "",
    ray: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help='Replay on a Ray cluster ("auto", "ray://head:10001", "local").'
        ),
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, though a run like this broke off.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="freeze, import: where to write.")] = None,
    store: Annotated[
        str, typer.Option("--store", help="freeze: as `visavis serve` was given it.", metavar="FILE|URL")
    ] = "",
    change: Annotated[str, typer.Option(hidden=True)] = "",
    json: JsonOption = False,
) -> None:
    """Replay scripted conversations, and check what came of them.

    Examples:

      visavis eval

      visavis eval mydesk tests/returns.yaml --repeat 3 --report out/eval

      visavis eval --mode audio --video --tag kind:barge-in --report out/eval

      visavis eval mydesk --baseline out/eval/results.jsonl --report out/new

      visavis eval mydesk --against-set answering.engine=extractive

      visavis eval freeze [DESK] SESSION --out scripts/refund.yaml

      visavis eval import conversations.xlsx --out scripts

      visavis eval schema

    Public suites (τ²-bench, ABCD, STAR, intents, safety): python -m evals.suites --help.
    Curves of turn taking: python -m evals.turns --help.

    Exit code: 0 all is well; 1 a check failed, or a regression; 2 wrong use, or a replay itself failed.
    """
    names = places or []
    # imported here: every other command would wait for what they load
    from evals.running import SuiteError
    from evals.scripts import ScriptError
    from evals.suite import Order, desk_and_scripts
    from evals.variant import Variant

    with boundary(), stages(quiet=json) as shown:
        if names and names[0] in VERBS:
            document = _verb(names[0], names[1:], out, store)
            code = 0
        else:
            desk, scripts = desk_and_scripts(names)
            variants = [Variant(desk, tuple(settings or ()), change)]
            if against or against_set:
                variants.append(Variant(against or desk, tuple(against_set or ()), option="--against-set"))
            if (video or hearing == "script") and mode != "audio":
                raise UsageError("--video and --hearing script need --mode audio")
            if server and not server.startswith(("http://", "https://")):
                raise UsageError(f"--server {server}: write its whole address, such as http://127.0.0.1:8600")
            if server and (settings or against or against_set or hearing == "script" or ray):
                raise UsageError(
                    "--server talks to a desk as it runs: leave out --set, --against, --against-set, "
                    "--hearing and --ray"
                )
            order = Order(
                tuple(variants),
                scripts,
                mode,
                repeat,
                workers,
                tags=tuple(tag or ()),
                report=report,
                video=video,
                told=hearing == "script",
                server=server,
                ray=ray,
                fresh=fresh,
            )
            try:
                document, code = _replayed(order, baseline, shown)
            except ScriptError as error:
                raise UsageError(str(error)) from None
            except SuiteError as error:
                complain(str(error))
                raise SystemExit(2) from None
    tell(document, show, json=json)
    raise typer.Exit(code)


def _replayed(order: Order, baseline: Path | None, shown: Stages) -> tuple[dict[str, Any], int]:
    from evals.report import compare, read_baseline, summary_of, write_report
    from evals.suite import FAILED, kept_results, run_suite

    try:
        before = read_baseline(baseline) if baseline else None
    except ValueError as error:
        raise UsageError(f"--baseline {error}") from None
    try:
        suite = run_suite(order, shown)
    except KeyboardInterrupt:
        if not (kept := kept_results(order)):
            raise
        complain(
            f"stopped: {kept} results are kept; the same command goes on from there"
            + (", without --fresh" if order.fresh else "")
        )
        raise SystemExit(STOPPED) from None
    document = summary_of(suite.results, before)
    if baseline is not None:
        document["baseline"] = baseline.as_posix()
    document["took_s"] = round(suite.took_s, 1)
    if suite.other is not None:
        document["comparison"] = compare(suite.results, suite.other)
    if suite.taken_up:
        document["taken_up"] = suite.taken_up
    if order.report is not None:
        shown.stage("writing the report")
        written = write_report(order.report, suite.results, before, suite.other)
        document["report"] = {name: str(path) for name, path in written.items()}
    regression = document.get("regression") or {}
    return document, FAILED if regression.get("regressed") else suite.code


def _verb(verb: str, rest: list[str], out: Path | None, store: str = "") -> dict[str, Any]:
    """Do something else than replaying."""
    from evals.scripts import ScriptError

    if verb == "schema":
        from evals.scripts.schema import schema

        return schema()
    if verb == "import":
        from evals.scripts.importing import import_file, write_scripts

        if len(rest) != 1 or out is None:
            raise UsageError("write: visavis eval import FILE --out FOLDER")
        try:
            imported = import_file(Path(rest[0]))
            written = write_scripts(imported, out)
        except ScriptError as error:
            raise UsageError(str(error)) from None
        return {"scripts": [str(one) for one in written], "left_out": list(imported.left_out)}
    from agent.desk import Desk
    from evals.scripts.freezing import freeze
    from evals.scripts.schema import write_schema

    if not rest or len(rest) > 2:
        raise UsageError("write: visavis eval freeze [DESK] SESSION --out FILE.yaml")
    try:
        text = freeze(Desk.load(rest[0] if len(rest) == 2 else "demo"), rest[-1], store=store)
    except ScriptError as error:
        raise UsageError(str(error)) from None
    if out is not None:
        if out.exists():
            raise UsageError(f"{out} exists already: name another file, or remove it")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        write_schema(out.parent)
    return {"script": text, "file": str(out) if out else None}


def show(document: dict[str, Any]) -> None:
    """Tell people what came."""
    from rich.console import Console

    from evals.terminal import show_summary

    console = Console(highlight=False, soft_wrap=True)  # a line that a pipe takes stays one
    if "conversations" in document:
        show_summary(document, console, SHOWN)
    elif "script" in document:
        typer.echo(
            document["script"] if document["file"] is None else f"written: {document['file']}\n", nl=False
        )
    elif "scripts" in document:
        for one in document["scripts"]:
            console.print(f"written: {one}", markup=False)
        for one in document["left_out"]:
            console.print(f"left out: {one}", markup=False)
    else:
        console.print_json(data=document)
