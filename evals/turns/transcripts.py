"""What is said in recordings, in the forms in which public sets of speech tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from evals.live_speech import transcripts
from speech.errors import AudioError

_SPHINX = re.compile(r"^(?:<s>)?\s*(?P<text>.*?)\s*(?:</s>)?\s*\((?P<name>[^()\s]+)\)\s*$")
_NOT_SAID = re.compile(r"</?s>|<sil>|\+\+\w+\+\+")


def transcripts_of(files: Iterable[Path]) -> dict[Path, str]:
    """Read what is said in recordings.

    Known are, beside the recordings: `transcripts.tsv` (name, tab, text), a text file of the same name (.txt
    or .lab), `metadata.csv` (name|text|text in words, as LJ Speech), `*.trans.txt` (name text, as
    LibriSpeech) and `*.transcription` (text (name), as Sphinx).

    Returns:
        File → what is said in it; files of which nothing is told are left out.

    Raises:
        AudioError: a transcript is not UTF-8 text.
    """
    files = list(files)
    told = dict[Path, str]()
    for folder in sorted({file.parent for file in files}):
        named = dict(_tables(folder))
        told |= {file: named[file.stem] for file in files if file.parent == folder and file.stem in named}
    for file in files:
        for beside in (file.with_suffix(".txt"), file.with_suffix(".lab")):
            if beside.is_file():
                told[file] = _plain(" ".join(_read(beside).split()))
    told |= transcripts(files)
    return {file: text for file, text in told.items() if text}


def _tables(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name without its ending, and text, of the tables in a folder."""
    for table in sorted(folder.iterdir()):
        if table.name == "metadata.csv":
            for line in _read(table).splitlines():
                name, _, texts = line.partition("|")
                yield Path(name.strip()).stem, texts.rpartition("|")[2].strip()
        elif table.name.endswith(".trans.txt"):
            for line in _read(table).splitlines():
                name, _, text = line.partition(" ")
                yield name, text.strip().lower()
        elif table.suffix == ".transcription" or table.name == "transcription":
            for line in _read(table).splitlines():
                if found := _SPHINX.match(line):
                    yield Path(found["name"]).name, _plain(found["text"])


def _plain(text: str) -> str:
    return " ".join(_NOT_SAID.sub(" ", text).split())


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise AudioError(f"{file} is not UTF-8 text: save it again as such") from None
