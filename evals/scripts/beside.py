"""What lies beside a script: the recordings, noises and files that it names."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from evals.scripts.errors import ScriptError
from evals.scripts.script import NOISES, Script

LONGEST_NOISE_S = 600.0
"""Of a recorded noise."""


def check_beside(script: Script) -> None:
    """Look whether what a script names lies beside it.

    Raises:
        ScriptError: something is missing, cannot be read, or lies elsewhere.
    """
    for name, line in _named(script):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            told = f"{name!r} leads out of the script's folder: put the file beside or below the script"
            raise ScriptError(told, script.file, line)
    for number, turn in enumerate(script.turns):
        if turn.wav:
            _check_recording(script, turn.wav, script.line("turns", number, "wav"))
    for name, line in _noises(script):
        if name not in NOISES:
            _check_noise(script, name, line)
    for name, source in script.fixtures.files.items():
        line = script.line("fixtures", "files", name)
        if Path(name).is_absolute() or ".." in Path(name).parts or not Path(name).parts:
            raise ScriptError(
                f"{name!r} leaves the desk's state folder: give a plain name", script.file, line
            )
        if not (script.file.parent / source).is_file():
            raise ScriptError(f"{source} is not there: put it beside the script", script.file, line)


def _named(script: Script) -> Iterator[tuple[str, int]]:
    """Give the files that a script names, with their lines: it must fetch nothing from elsewhere."""
    for number, turn in enumerate(script.turns):
        yield turn.wav, script.line("turns", number, "wav")
    yield from _noises(script)
    for name, source in script.fixtures.files.items():
        yield source, script.line("fixtures", "files", name)


def _noises(script: Script) -> Iterator[tuple[str, int]]:
    """Give every noise that a script wants, with its line."""
    for voice in (script.voice, *(turn.voice for turn in script.turns)):
        if voice is not None and voice.noise is not None:
            yield voice.noise.kind, script.line_of_noise(voice.noise)


def _check_recording(script: Script, name: str, line: int) -> None:
    from evals.replay.visitor_voice import RECORDING_S

    if not (script.file.parent / name).is_file():
        raise ScriptError(f"{name} is not there: put the recording beside the script", script.file, line)
    _check_sound(script, name, RECORDING_S, line)


def _check_noise(script: Script, name: str, line: int) -> None:
    if not (script.file.parent / name).is_file():
        near = difflib.get_close_matches(name, NOISES, n=1)
        meant = f"did you mean `{near[0]}`?" if near else "put it there"
        told = f"the noise {name!r} is none of {', '.join(NOISES)}, and no file beside the script: {meant}"
        raise ScriptError(told, script.file, line)
    _check_sound(script, name, LONGEST_NOISE_S, line)


def _check_sound(script: Script, name: str, longest_s: float, line: int) -> None:
    """Look whether a sound can be read."""
    from speech.audio import load_audio
    from speech.errors import AudioError

    try:
        load_audio(script.file.parent / name, max_s=longest_s)
    except AudioError as error:
        raise ScriptError(str(error), script.file, line) from None
