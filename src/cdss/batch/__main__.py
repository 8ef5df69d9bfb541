"""``python -m cdss.batch``: the same as ``cdss batch``."""

import typer

from cdss.batch.commands import batch

if __name__ == "__main__":
    typer.run(batch)
