"""The `visavis` command: every subcommand's words and options; what they do stands in other modules."""

from __future__ import annotations

import io
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from evals.command import evaluate
from server.arguments import DeskArgument, JsonOption
from server.avatar_command import avatar_app
from server.boundary import UsageError, boundary, check_suffix, print_json, tell
from server.emotion_command import emotion
from server.knowledge_command import knowledge_app
from server.learn_command import learn
from server.models_command import models_app
from server.operators_command import operators_app
from server.picture import ConsentOption, FaceOption, ImageOption, screen_picture
from server.privacy_command import privacy_app
from server.serve_command import serve
from server.trends_command import trends

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""A digital human for customer service.

    A DESK is a folder that describes one service position; leave it out to use the demo desk, an online shop.
    Start with: visavis ask --text "How long is the warranty on a tent?" --out reply.mp4""",
)
app.add_typer(models_app, name="models")
app.add_typer(avatar_app, name="avatar")
app.add_typer(operators_app, name="operator")
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(privacy_app, name="privacy")


@app.command()
def ask(
    desk: DeskArgument = "demo",
    text: Annotated[str | None, typer.Option("--text", "-t", help="The question in words.")] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", "-a", help="The question as a sound file of any common format.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the talking answer to this mp4 file.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Ask one question, by text or by voice, and get one talking answer.

    Examples:

      visavis ask --text "How long does delivery to Ireland take?" --out reply.mp4

      visavis ask mydesk --audio question.wav --json
    """
    from agent.desk import Desk
    from server.ask import ask as run
    from server.ask import document_of
    from server.progress import stages
    from server.terminal import show_reply

    with boundary():
        check_suffix(out, ".mp4")
        with stages(quiet=json) as shown:
            result, counter = run(Desk.load(desk), text=text, audio=audio, out=out, stages=shown)
            for note in result.notes:
                shown.note(note)
        document = document_of(result, counter)
    tell(document, show_reply, json=json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the clips and the page.")] = Path(
        "out/demo"
    ),
    json: JsonOption = False,
) -> None:
    """Ask the demo desk by text and by voice; write the clips and a page that shows them."""
    from server.demo import run_demo
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = run_demo(out, shown)
    tell(document, f"\nThe answers, with transcript, citations and timing: {document['page']}", json=json)


@app.command()
def doctor(desk: DeskArgument = "demo", json: JsonOption = False) -> None:
    """Say what each stage will use, why, what is missing and how to get it.

    Exit 1 if the main job could not run.
    """
    from server.doctor import examine, show_examination

    with boundary():
        document = examine(desk)
    tell(document, show_examination, json=json)
    raise typer.Exit(0 if document["ready"] else 1)


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    name: Annotated[str, typer.Option(help="What the desk is called.")] = "",
    company: Annotated[str, typer.Option(help="Whose desk it is.")] = "",
    json: JsonOption = False,
) -> None:
    """Write a starter desk: settings, sample knowledge, policy, a tool, a script."""
    from agent.desk import new_desk

    with boundary():
        desk = new_desk(folder, name=name, company=company)
    files = sorted(str(p.relative_to(desk.folder)) for p in desk.folder.rglob("*") if p.is_file())
    if json:
        print_json({"desk": str(desk.folder), "files": files})
        return
    typer.echo(f"{desk.folder} holds a new desk:")
    for file in files:
        typer.echo(f"  {file}")
    typer.echo(f'Edit desk.toml and knowledge/, then: visavis ask {folder} --text "…" --out reply.mp4')


@app.command()
def search(
    arguments: Annotated[
        list[str], typer.Argument(metavar="[DESK] QUERY", help="The desk, and what to look for.")
    ],
    count: Annotated[int, typer.Option("-k", min=1, max=50, help="How many passages.")] = 5,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only documents with this tag; may be given often.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Only passages in this language: en, zh; may be given often.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what was updated on that day or later."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Search a desk's knowledge; shows what an answer would rest on.

    Examples:

      visavis search "how long is the warranty"

      visavis search mydesk "帐篷 保修" --language zh --since 2026-01-01 --json

      visavis search mydesk returns --tag shop --tag outlet -k 10

    Each passage has a score, 0 to 1: how likely it answers the question. "answerable" says it of the whole.
    """
    from agent.desk import Desk
    from agent.library import open_knowledge
    from server.terminal import show_passages

    with boundary():
        if len(arguments) > 2:
            raise UsageError('put the query in quotes: visavis search [DESK] "QUERY"')
        query = arguments[-1]
        if not query.strip():
            raise UsageError('the query is empty; for example: visavis search "how long is the warranty"')
        desk = Desk.load(arguments[0] if len(arguments) == 2 else "demo")
        knowledge = open_knowledge(desk)
        try:
            passages = knowledge.search(
                query,
                k=count,
                language=desk.language_of(query),
                tags=tag or (),
                languages=language or (),
                since=since.date().isoformat() if since else "",
            )
            answerable = knowledge.answerable(query)
        finally:
            knowledge.close()
    document = {
        "passages": [
            {
                "source": p.source,
                "title": p.title,
                "text": p.text,
                "score": round(p.score, 4),
                "section": p.section,
                "page": p.page,
                "url": p.url,
                "language": p.language,
                "updated": p.updated,
                "tags": list(p.tags),
            }
            for p in passages
        ],
        "answerable": round(answerable, 4),
    }
    tell(document, show_passages, json=json)


@app.command()
def screen(
    text: Annotated[str | None, typer.Argument(help="What to screen.", show_default=False)] = None,
    direction: Annotated[str, typer.Option(help="input, output, document or tool.")] = "input",
    language: Annotated[str | None, typer.Option(help="en or zh; told from the script if left out.")] = None,
    desk: Annotated[str, typer.Option(help="Whose policy.")] = "demo",
    image: ImageOption = None,
    consent: ConsentOption = None,
    face: FaceOption = False,
    json: JsonOption = False,
) -> None:
    """Show what the guard says of a text, or with --image of a picture or clip, and which rule says so."""
    from agent.desk import Desk
    from moderation.verdict import Direction

    with boundary():
        if direction not in set(Direction):
            raise UsageError(f"--direction is one of {', '.join(Direction)}")
        if (image is None) == (text is None):
            raise UsageError("give a text, or a picture or clip with --image: one of both")
        if image is not None:
            document = screen_picture(image, desk, consent=consent, face=face)
        else:
            verdict = Desk.load(desk).guard().screen(text or "", direction=direction, language=language)
            document = {
                "action": verdict.action.value,
                "scores": {category: round(score, 4) for category, score in verdict.scores.items()},
                "rule": verdict.rule,
                "text": verdict.text,
            }
    if json:
        print_json(document)
    else:
        typer.echo(f"{document['action']}" + (f" by {document['rule']}" if document["rule"] else ""))
        for line in document.get("reasons", [document["text"]]):
            typer.echo(line)


@app.command()
def speak(
    text: Annotated[str, typer.Argument(help="What to say.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The wav file to write.")],
    emotion: Annotated[str, typer.Option(help="One of the seven emotions of a reply.")] = "neutral",
    language: Annotated[str | None, typer.Option(help="en or zh; told from the script if left out.")] = None,
    json: JsonOption = False,
) -> None:
    """Speak a text into a wav file."""
    from agent.sentence import REPLY_EMOTIONS
    from server.speak import speak_to

    with boundary():
        if emotion not in REPLY_EMOTIONS:
            raise UsageError(f"--emotion is one of {', '.join(REPLY_EMOTIONS)}")
        document = speak_to(out, text, emotion=emotion, language=language)
    tell(document, f"{out}: {document['duration_s']} s by {document['engine']}", json=json)


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]…", help="Figures; all if left out."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=100, help="Repetitions of each; medians are given.")] = 5,
    json: JsonOption = False,
) -> None:
    """Measure the whole chain and each stage on this machine.

    Examples:

      visavis bench search_ms first_sound_ms

      visavis bench live

      visavis bench recommend FOLDER, whose ratings.csv has the columns userId,movieId,rating,timestamp
    """
    from evals.bench import run_bench, show_bench
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = run_bench(names or [], runs=runs, stages=shown)
    tell(document, show_bench, json=json)


app.command("eval")(evaluate)


@app.command(hidden=True)
def warm() -> None:
    """Compile the renderer and index the demo desk, so that the first answer is as quick as the next."""
    from server.warm import warm_up

    with boundary():
        warm_up()


app.command()(learn)
app.command()(emotion)
app.command()(serve)
app.command()(trends)


def main() -> None:
    """Run the command; whatever goes wrong is one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # A service manager's polite end is cleaned up after like a person's Ctrl-C, also where a shell that put
    # the command into the background has told it not to listen to that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with boundary():
        app()
