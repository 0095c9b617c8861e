"""`zhengka docs`: write or check the generated reference."""

import typer

from zhengka.cli import reference

docs = typer.Typer(help="The generated pages of docs/reference.", no_args_is_help=True)


@docs.command()
def write(context: typer.Context) -> None:
    """Write the pages that differ from the code."""
    typer.echo("\n".join(reference.write(context.find_root().command)) or "reference is current")


@docs.command()
def check(context: typer.Context) -> None:
    """Name the pages that differ from the code; exit status 1 where there are any."""
    if stale := reference.stale(context.find_root().command):
        typer.echo(f"docs/reference is stale ({', '.join(stale)}): run `make docs`", err=True)
        raise typer.Exit(1)
    typer.echo("reference is current")
