"""`zhengka check-invariants`: every promise that a query can check, one after the other, by name."""

from collections.abc import Iterator

import typer
from rich.console import Console
from rich.table import Table

from zhengka.accounts import invariants as accounts
from zhengka.bulk import invariants as bulk
from zhengka.cards import invariants as cards
from zhengka.cases import invariants as cases
from zhengka.cli import cluster
from zhengka.core import invariants as core
from zhengka.core.invariants import Check, Found
from zhengka.custody import invariants as custody
from zhengka.gates import invariants as gates
from zhengka.keys import invariants as keys
from zhengka.partners import invariants as partners
from zhengka.production import invariants as production
from zhengka.registry import invariants as registry
from zhengka.stock import invariants as stock


def checks() -> list[Check]:
    """Every check, by the number of its invariant."""
    found = [*registry.CHECKS, *cards.CHECKS, *stock.CHECKS, *production.CHECKS, *custody.CHECKS, *cases.CHECKS,
             *keys.CHECKS, *accounts.CHECKS, *bulk.CHECKS, *gates.CHECKS, *partners.CHECKS, *core.CHECKS,
             *core.of_rows()]
    return sorted(found, key=lambda check: int(check.number[1:]))


def broken() -> Iterator[Found]:
    """Run all; those that something breaks."""
    return (found for found in map(core.run, checks()) if found.broken)


def check_invariants(every: bool = typer.Option(False, "--all", help="Show those that hold, too.")) -> None:
    """Check every invariant that a query can check; exit status 1, and the rows by name, where one is broken."""
    cluster.ensure()
    found = [core.run(check) for check in checks()]
    wrong = [one for one in found if one.broken]
    if every:
        Console().print(table(found))
    for one in wrong:
        typer.echo(said(one))
    typer.echo(f"{len(found)} invariants: {len(found) - len(wrong)} hold, {len(wrong)} broken · "
               f"不变量 {len(found)} 项，{len(wrong)} 项不成立")
    if wrong:
        raise typer.Exit(1)


def said(one: Found) -> str:
    """One that is broken, with the first rows that break it, a line for each."""
    head = f"{one.check.number} {one.check.name}: {one.check.holds} · {one.check.holds_zh}: broken by {one.broken:,}"
    return "\n  ".join([head, *one.rows])


def table(found: list[Found]) -> Table:
    """Number, name and promise of each, and how many rows break it."""
    shown = Table("", "Name", "What holds 应成立", "", title="不变量 invariants", title_justify="left")
    for one in found:
        shown.add_row(one.check.number, one.check.name, f"{one.check.holds} · {one.check.holds_zh}",
                      f"[bold red]✗ {one.broken:,}[/]" if one.broken else "[green]✓[/]")
    return shown
