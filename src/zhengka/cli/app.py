"""All sub-commands of `zhengka`."""

import typer

from zhengka.cli import (
    acts,
    blanks,
    cards,
    chip,
    database,
    invariants,
    keys,
    lists,
    officers,
    packages,
    parts,
    reader,
    reference_command,
    run,
    serve,
    settlement,
    verify,
)

app = typer.Typer(help="证卡 zhengka: the third-generation smart disability certificate card.", no_args_is_help=True,
                  add_completion=False, pretty_exceptions_enable=False)
app.add_typer(database.db, name="db")
app.add_typer(reference_command.docs, name="docs")
for group in (acts.plan, acts.exchange, acts.batch, acts.maker, cards.card, cards.lists, officers.officer, keys.keys,
              reader.reader, settlement.settlement):
    app.add_typer(group)
for shown in (chip.show, chip.check, chip.sample, chip.script, blanks.init):
    cards.card.command()(shown)
for told in (packages.package, packages.acknowledge, packages.receipt):
    acts.batch.command()(told)
for of_maker in (packages.enrol, packages.revoke, packages.text_form):
    acts.maker.command()(of_maker)
for of_list in (lists.held, lists.ask_release, lists.keep_held, lists.release, lists.delays, lists.fetch):
    cards.lists.command()(of_list)
for command in (acts.import_, acts.photos, acts.sample, verify.verify, run.demo, run.run, serve.serve, serve.worker,
                database.backup, database.restore, parts.parts):
    app.command(name=command.__name__.strip("_"))(command)
app.command(name="check-invariants")(invariants.check_invariants)
