"""`zhengka settlement`: an operator's statement is reckoned again from its file, by either side."""

from pathlib import Path
from typing import Annotated

import typer

from zhengka.gates import services

settlement = typer.Typer(name="settlement", help="Statements of operators.", no_args_is_help=True)


@settlement.callback()
def group() -> None:
    """Statements of operators."""


@settlement.command()
def verify(file: Annotated[Path, typer.Argument(help="The statement as JSON, as its page exports it.", exists=True,
                                                dir_okay=False)]) -> None:
    """Reckon a statement again from its file alone: signatures, double uses, counts, prices, sum. Needs no database."""
    found = services.check_file(file.read_bytes())
    for line in found.lines:
        typer.echo(f"{line.service} {line.rule} {line.gives}: {line.uses} × {_yuan(line.fen_each)}"
                   f" + {line.companions} × {_yuan(line.fen_companion)} = {_yuan(line.fen)}")
    typer.echo(f"{found.operator} {found.month}: {found.events} events, {found.counted} counted,"
               f" {_yuan(found.fen)} yuan")
    typer.echo("the head is signed" if found.signed else "the head is not signed")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
