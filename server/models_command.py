"""`visavis models`: the words and options of its subcommands; what they do stands in other modules."""

from __future__ import annotations

from typing import Annotated

import typer

from server.arguments import JsonOption
from server.boundary import boundary, tell

models_app = typer.Typer(no_args_is_help=True, help="Models that make it better: list, download, show where.")


@models_app.command("list")
def models_list(json: JsonOption = False) -> None:
    """List the models that can be fetched, and which are here."""
    from server.models import list_models, show_models

    with boundary():
        document = list_models()
    tell(document, show_models, json=json)


@models_app.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(help="For example whisper-base or piper-en.")],
    json: JsonOption = False,
) -> None:
    """Download a model into the cache; continues where an earlier download stopped."""
    from server.models import pull_model
    from server.progress import stages

    with boundary(), stages(quiet=json) as shown:
        document = pull_model(name, shown)
    tell(document, f"{name} is in {document['path']}", json=json)


@models_app.command("path")
def models_path(json: JsonOption = False) -> None:
    """Print the folder in which models are kept (set it with VISAVIS_MODELS)."""
    from speech.models import cache_dir

    path = str(cache_dir())
    tell({"path": path}, path, json=json)
