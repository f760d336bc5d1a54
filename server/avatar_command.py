"""`visavis avatar`: the words and options of its subcommands; what they do stands in other modules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.arguments import JsonOption
from server.boundary import boundary, print_json, tell

avatar_app = typer.Typer(
    no_args_is_help=True,
    help="""Faces: see them, let them speak, make one from a photo, capture a performance.

    Start with: visavis avatar say "Good morning, how can I help?" --emotion happy --out hello.mp4""",
)

RigOption = Annotated[
    str, typer.Option("--rig", "-r", help="A rig's name, see `visavis avatar list`, or a rig's folder.")
]
SizeOption = Annotated[int, typer.Option("--size", help="Width in pixels, even.")]
FramingOption = Annotated[str, typer.Option("--framing", help="square, or portrait (9:16).")]
BackgroundOption = Annotated[
    str,
    typer.Option("--background", help='"#rrggbb", a picture, or blur:PICTURE; a light wall if left out.'),
]
LabelOption = Annotated[bool, typer.Option("--label/--no-label", help='Draw "AI" into a corner.')]
LandmarkerOption = Annotated[
    Path | None,
    typer.Option("--landmarker", help="face_landmarker.task; the one in the model cache if left out."),
]


@avatar_app.command("list")
def avatar_list(json: JsonOption = False) -> None:
    """List the rigs: those that ship, and those made here."""
    from server.faces import list_rigs, show_rigs

    with boundary():
        document = list_rigs()
    tell(document, show_rigs, json=json)


@avatar_app.command("sheet")
def avatar_sheet(
    rig: Annotated[str, typer.Argument(metavar="RIG", help="A rig's name or folder.")] = "mira",
    kind: Annotated[str | None, typer.Option(help="Only this sheet: see the names of the files.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="A folder for all sheets, or a png file for one.")
    ] = Path("sheets"),
    json: JsonOption = False,
) -> None:
    """Draw contact sheets: all mouth shapes, expressions, blinks, looks, head turns and gestures of a rig.

    Examples:

      visavis avatar sheet kofi --out sheets

      visavis avatar sheet mira --kind visemes --out visemes.png
    """
    from server.faces import write_sheets
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = write_sheets(rig, kind, out, shown)
    if json:
        print_json(document)
        return
    for sheet in document["sheets"]:
        typer.echo(f"{sheet['path']}: {sheet['width']} × {sheet['height']} pixels")


@avatar_app.command("gestures")
def avatar_gestures(json: JsonOption = False) -> None:
    """List the gestures that `visavis avatar say --gesture` and the dialogue can ask for."""
    from server.faces import list_gestures

    with boundary():
        document = list_gestures()
    if json:
        print_json(document)
        return
    for gesture in document["gestures"]:
        typer.echo(f"{gesture['name']:<12}{gesture['duration_s']:.1f} s  {gesture['about']}")


@avatar_app.command("say")
def avatar_say(
    text: Annotated[
        str, typer.Argument(help="What to say; with --audio the words of the recording, if known.")
    ] = "",
    audio: Annotated[
        Path | None, typer.Option("--audio", "-a", help="Speak this recording with its own sound.")
    ] = None,
    emotion: Annotated[
        str,
        typer.Option(
            "--emotion",
            "-e",
            help="neutral, happy, empathetic, apologetic, concerned, surprised or thinking.",
        ),
    ] = "neutral",
    intensity: Annotated[float, typer.Option(help="How strongly, 0 to 1.")] = 1.0,
    gesture: Annotated[
        str, typer.Option(help="A motion of head and face, see `visavis avatar gestures`.")
    ] = "",
    language: Annotated[
        str | None, typer.Option("--language", "-l", help="en or zh; told from the text.")
    ] = None,
    rig: RigOption = "mira",
    size: SizeOption = 512,
    framing: FramingOption = "square",
    background: BackgroundOption = "",
    lips: Annotated[
        Path | None,
        typer.Option(help="Redraw the mouth with a Wav2Lip-like ONNX model (yours; see the README)."),
    ] = None,
    label: LabelOption = True,
    captions: Annotated[bool, typer.Option("--captions/--no-captions", help="Draw the words.")] = True,
    out: Annotated[Path, typer.Option("--out", "-o", help="The mp4 file to write.")] = Path("say.mp4"),
    json: JsonOption = False,
) -> None:
    """Let a face say something, with the built-in voice or with a recording's own sound.

    Examples:

      visavis avatar say "Your parcel is on its way." --emotion happy --gesture nod --out hello.mp4

      visavis avatar say --audio interview.wav --rig kofi --framing portrait --out kiosk.mp4
    """
    from server.progress import stages
    from server.say import Look, Manner, say

    with boundary(), stages(quiet=json) as shown:
        document = say(
            out,
            text,
            audio=audio,
            manner=Manner(emotion, intensity, gesture, language),
            look=Look(rig, size, framing, background, label, captions, lips),
            stages=shown,
        )
    tell(
        document,
        f"{document['path']}: {document['duration_s']:.1f} s, {document['engines']['face']}",
        json=json,
    )


@avatar_app.command("create")
def avatar_create(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="One face from the front, neutral, sharp.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What the rig is called: small letters.")],
    consent: Annotated[
        str,
        typer.Option(
            "--consent",
            "-c",
            help="Who agreed to what: the words of the person shown, kept in the rig. \\[required]",
            show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The rig's folder; among your rigs if left out.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a rig of that name.")] = False,
    landmarker: LandmarkerOption = None,
    desk: Annotated[str, typer.Option(help="Whose policy says what a photo may show.")] = "demo",
    json: JsonOption = False,
) -> None:
    """Make a rig from one photo of a person who agreed to it.

    Example:

      visavis avatar create anna.jpg --name anna --consent "I, Anna Kern, agree that Kern Ltd shows my face
      as its AI assistant until I withdraw this. 21 November 2026"
    """
    from server.faces import create
    from server.picture import policy_of
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = create(
            photo, name, consent, out,
            overwrite=overwrite, landmarker=landmarker, stages=shown, policy=policy_of(desk),
        )  # fmt: skip
    if json:
        print_json(document)
        return
    for note in document["notes"]:
        typer.echo(f"note: {note}")
    typer.echo(f"{document['path']}: use it with --rig {document['rig']}, or as avatar.rig in desk.toml")


@avatar_app.command("capture")
def avatar_capture(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="One face that performs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The track to write.")] = Path("track.json"),
    landmarker: LandmarkerOption = None,
    json: JsonOption = False,
) -> None:
    """Capture a performance from a video as a track of poses that any rig can play."""
    from server.faces import capture_track
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = capture_track(video, out, landmarker=landmarker, stages=shown)
    if json:
        print_json(document)
        return
    for note in document["notes"]:
        typer.echo(f"note: {note}")
    typer.echo(f"{document['path']}: {document['duration_s']:.1f} s; see it with: visavis avatar play {out}")


@avatar_app.command("play")
def avatar_play(
    track: Annotated[Path, typer.Argument(metavar="TRACK", help="What `visavis avatar capture` wrote.")],
    audio: Annotated[
        Path | None, typer.Option("--audio", "-a", help="Sound to go with it, for example the video's own.")
    ] = None,
    rig: RigOption = "mira",
    size: SizeOption = 512,
    framing: FramingOption = "square",
    background: BackgroundOption = "",
    label: LabelOption = True,
    out: Annotated[Path, typer.Option("--out", "-o", help="The mp4 file to write.")] = Path("play.mp4"),
    json: JsonOption = False,
) -> None:
    """Let a rig play a captured track."""
    from server.progress import stages
    from server.say import Look, play

    with boundary(), stages(quiet=json) as shown:
        document = play(
            out, track, audio=audio, look=Look(rig, size, framing, background, label), stages=shown
        )
    tell(document, f"{document['path']}: {document['duration_s']:.1f} s", json=json)
