"""Build the offline edition: ``python -m serving.offline OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cdss.bundle import SHIPPED
from cdss.errors import CdssError
from serving.offline.build import build
from serving.offline.vendor import vendored


def main(
    out: Annotated[Path, typer.Argument(help="Folder to make; an earlier edition is replaced.")],
    jurisdiction: Annotated[str, typer.Option(help="Whose preferences and rules.")] = "vn",
    server: Annotated[
        str, typer.Option(help="Origin records are sent to, if not the page's own.")
    ] = "",
    bundles: Annotated[Path, typer.Option(help="Where the trained models are.")] = SHIPPED,
    demonstrations: Annotated[bool, typer.Option(help="Models from teaching data too.")] = False,
    runtime: Annotated[
        Path | None, typer.Option(help="onnxruntime-web as npm pack writes it, not to fetch it.")
    ] = None,
) -> None:
    """Make the edition for a commune station without a network."""
    try:
        made = build(
            out, vendored(runtime), jurisdiction=jurisdiction, server=server.rstrip("/"),
            bundles=bundles, demonstrations=demonstrations,
        )  # fmt: skip
    except CdssError as error:
        typer.echo(f"not built: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{made.folder}: {made.files} files, version {made.version}")
    typer.echo(f"first load {made.compressed / 1e6:.2f} MB compressed; later loads need no network")
    typer.echo("models: " + ", ".join(f"{k} {v}" for k, v in made.models.items()))
    typer.echo(f"try it: python {made.folder / 'serve.py'}")


if __name__ == "__main__":
    typer.run(main)
