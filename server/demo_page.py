"""The page that shows what the demo answered."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from agent.desk import Desk

WATERFALL = (
    ("recognition", "heard", "from the end of the question to its words"),
    ("first_sentence", "first sentence", "written and screened"),
    ("first_sound", "first sound", "ready to be played"),
    ("first_frame", "first frame", "of the speaking face"),
)
"""Moments after the end of the question that the page draws, in order."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One question with its answer."""

    caption: str
    text: str
    sound: Path | None
    document: dict[str, Any]


def write_page(path: Path, desk: Desk, shown: list[Shown]) -> Path:
    """Write the page beside its clips and return its path."""
    assets = resources.files("server") / "assets"
    page = Template((assets / "demo.html").read_text(encoding="utf-8"))
    engines = shown[0].document["engines"]
    names = " · ".join(f"{stage}: {engine}" for stage, engine in engines.items() if stage != "recognition")
    path.write_text(
        page.substitute(
            desk=escape(desk.settings.name),
            engines=escape(names),
            answers="\n".join(_answer(number, one) for number, one in enumerate(shown, 1)),
        ),
        encoding="utf-8",
    )
    return path


def _answer(number: int, one: Shown) -> str:
    document = one.document
    clip = Path(document["video"]["path"])
    language = document["language"]
    return f"""
<section aria-labelledby="q{number}">
  <h2 id="q{number}">{escape(one.caption)}</h2>
  <div class="pair">
    <video controls preload="metadata" width="512" height="512" src="{clip.name}#t=0.6">
      <track kind="captions" srclang="{language}" label="Captions" src="{clip.stem}.vtt">
    </video>
    <div>
      {_question(one)}
      <p class="label">Answer <span class="outcome">{escape(document["outcome"])}</span></p>
      <p class="said" lang="{language}">{_sentences(document)}</p>
      {_citations(document)}
      {_waterfall(document["timings_ms"])}
    </div>
  </div>
</section>"""


def _question(one: Shown) -> str:
    document = one.document
    if one.sound is None:
        return f'<p class="label">Question</p><p class="asked">{escape(one.text)}</p>'
    words = document["transcript"] or "(no words)"
    heard = f"{document['engines']['recognition']}, confidence {document['confidence']:.2f}"
    said = f'<p class="small">Said: {escape(one.text)}</p>' if one.text else ""
    return (
        f'<p class="label">Question</p><audio controls preload="none" src="{one.sound.name}"></audio>{said}'
        f'<p class="asked">{escape(words)}</p><p class="small">Heard by {escape(heard)}</p>'
    )


def _sentences(document: dict[str, Any]) -> str:
    return " ".join(
        f'<span title="{escape(s["emotion"])}, {s["start"]:.2f} s">{escape(s["text"])}</span>'
        for s in document["sentences"]
    )


def _citations(document: dict[str, Any]) -> str:
    rows = "".join(
        f"<li><details><summary>{escape(c['title'])} <code>{escape(_place(c))}</code> "
        f"{c['score']:.2f}</summary><p>{escape(c['text'])}</p></details></li>"
        for c in document["citations"]
    )
    return f'<p class="label">Rests on</p><ul class="cites">{rows}</ul>' if rows else ""


def _place(citation: dict[str, Any]) -> str:
    page = citation.get("page")
    return f"{citation['source']}, page {page}" if page else str(citation["source"])


def _waterfall(timings: dict[str, float | None]) -> str:
    """Draw when each stage was done, in milliseconds after the end of the question."""
    steps = [(label, timings[name], why) for name, label, why in WATERFALL if timings[name] is not None]
    end = max(float(at or 0) for _, at, _ in steps) or 1.0
    rows, before = [], 0.0
    for label, at, why in steps:
        now = float(at or 0)
        left, width = 100 * before / end, 100 * max(now - before, 0) / end
        rows.append(
            f'<li title="{escape(why)}"><span>{escape(label)}</span><span class="track">'
            f'<i style="left:{left:.1f}%;width:{max(width, 0.6):.1f}%"></i></span><b>{now:.0f} ms</b></li>'
        )
        before = now
    return (
        '<p class="label">Milliseconds after the end of the question</p>'
        f'<ol class="waterfall">{"".join(rows)}</ol>'
    )
