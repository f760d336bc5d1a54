"""`visavis models`: the model cache for people and scripts."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from server.boundary import UsageError
from server.progress import Stages
from speech.models import CATALOGUE, cache_dir, find, pull


def list_models() -> dict[str, Any]:
    """Return what can be fetched and what is here."""
    rows = []
    for name, model in CATALOGUE.items():
        found = find(name)
        rows.append(
            {
                "name": name,
                "for": model.purpose,
                "size_mb": model.size_mb,
                "licence": model.licence,
                "path": str(found) if found else None,
            }
        )
    return {"cache": str(cache_dir()), "models": rows}


def show_models(document: dict[str, Any]) -> None:
    """Print the list."""
    table = Table(box=None, pad_edge=False)
    for name in ("name", "here", "MB", "licence", "for"):
        table.add_column(name)
    for row in document["models"]:
        here = "yes" if row["path"] else "-"
        table.add_row(row["name"], here, f"{row['size_mb']:.0f}", row["licence"], row["for"])
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(f"kept in {document['cache']}; fetch one with: visavis models pull NAME")


def pull_model(name: str, stages: Stages) -> dict[str, Any]:
    """Download a model.

    Raises:
        UsageError: there is none of that name.
        SpeechError: the download failed; run again to continue.
    """
    if name not in CATALOGUE:
        raise UsageError(f"there is no model {name!r}; there are: {', '.join(CATALOGUE)}")
    stages.stage(f"fetching {name}")
    path = pull(name, progress=stages.advance)
    return {"name": name, "path": str(path)}
