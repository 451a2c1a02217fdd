"""Options that several commands share."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]
Actor = Annotated[str, typer.Option("--actor", help="Who acts; the signed-in user when left out.")]
Everything = Annotated[bool, typer.Option("--all", help="Every line, not only the most important ones.")]
