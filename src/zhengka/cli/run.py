"""`zhengka run` and `zhengka demo`: the whole main job with progress and a closing table; then the site."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from django.conf import settings
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from zhengka.accounts.demo import DemoOfficer, officers
from zhengka.cli import (
    boxes,
    closing,
    cluster,
    desks,
    doors,
    invariants,
    line,
    making,
    parcels,
    proof,
    second,
    stories,
    waiting,
)
from zhengka.cli.database import bring_up_to_date
from zhengka.cli.files import keep_public_url
from zhengka.cli.officers import enrol_demo
from zhengka.cli.serve import check_free, serve
from zhengka.core.errors import Refusal
from zhengka.core.invariants import run as run_check
from zhengka.exchange.sample import FOLDER, generate, generate_photos, pilot_units
from zhengka.production.models import Maker

SEED = 20180516
"""The day of the notice. The sample in examples/ was made with it at scale 0.01."""
SHIPPED_SCALE = 0.01
COMPLETE = "complete"


class Steps:
    """Shows each step's progress and keeps its seconds."""

    def __init__(self, screen: Console) -> None:
        """Show on this terminal."""
        self.screen = screen
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[line.Told]:
        """One step: a bar while it runs, its seconds when it ends. The name begins with the step's number."""
        start = time.monotonic()
        columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.screen) as bars:
            bar = bars.add_task(name, total=None)
            yield lambda done, total: bars.update(bar, completed=done, total=total)
        number = name.split(" ", maxsplit=1)[0]
        self.seconds[number] = self.seconds.get(number, 0.0) + time.monotonic() - start


def demo(
    scale: str = typer.Option("0.01", help="Share of the pilot's 298,485 holders, or `full`."),
    seed: int = typer.Option(SEED, help="Equal seeds give equal people."),
    table: Path | None = typer.Option(None, help="Write the closing table here as JSON, too."),
) -> None:
    """Do the main job on invented holders, steps 1 to 9, and print the closing table; a repeat goes on where it was."""
    share = 1.0 if scale == "full" else float(scale)
    if not 0 < share <= 1:
        raise Refusal("scale-unfit", scale=scale)
    screen = Console()
    steps = Steps(screen)
    cluster.ensure()
    bring_up_to_date()
    keep_public_url()
    found = main_job(share, seed, steps)
    screen.print(closing.table(found, steps.seconds))
    screen.print(closing.named(line.Officers.demo()))
    screen.print(desks.table())
    if table:
        table.write_text(json.dumps([closing.plain(one) for one in found], ensure_ascii=False, indent=1) + "\n")
    if not all(one.adds_up for one in found):
        raise Refusal("table-does-not-add-up")


def main_job(share: float, seed: int, steps: Steps) -> list[closing.Line]:
    """Steps 1 to 9 at a share of the pilot, and what is left for each role; the closing lines."""
    with steps.step("1 区划与计划 areas and plan") as told:
        line.load_plan(Path(settings.DATA))
        enrol_demo()
        line.furnish(line.Officers.demo())
        told(1, 2)
        there = waiting.second(line.issuing_units()[0])
        second.begin(there.who, there.unit)
        told(2, 2)
    files, packs = sample(share, seed, steps)
    who = line.Officers.demo()
    with steps.step("2 导入 import") as told:
        line.import_files(files, by=who.clerk, told=told)
    with steps.step("2 照片 photos") as told:
        line.take_photos(packs, by=who.clerk, told=told)
    with steps.step("3 办理 each kind of case") as told:
        lacking = stories.tell(who, line.issuing_units(), told=told)
        waiting.decide_first(waiting.hunan(who, line.issuing_units()), at=timezone.now())
    if lacking:
        steps.screen.print(f"  样本缺 {lacking} 人，未演示各类事项 · no kind of case is told: it lacks {lacking} of "
                           f"{stories.NEED} fitting holders; take a larger --scale")
    with steps.step("3 换发 exchange") as told:
        line.exchange(who, told=told)
    with steps.step("4 制卡 batch, make, receive") as told:
        maker = line.trusted_maker(who)
        boxes.machine_of(who, maker, timezone.now())
        making.make_cards(who, maker, lambda found: boxes.loaded(who, maker, found), told=told)
    with steps.step("7 流转 parcels to the counters") as told:
        parcels.travel(who, told=told)
    with steps.step("7 领取激活 hand over, activate") as told:
        line.hand_over_and_activate(who, told=told)
    with steps.step("8 核验 verify offline") as told:
        line.publish(timezone.now())
        verdicts = proof.verify_all(who, processes=line.workers(), told=told)
    with steps.step("9 挂失解挂 lost and found") as told:
        lost = proof.lose_and_find(who, told=told)
    leave_work(who, maker, there, steps)
    _nothing_is_broken(steps)
    return closing.lines(who, verdicts, lost)


def leave_work(who: line.Officers, maker: Maker, there: waiting.Region, steps: Steps) -> None:
    """What is not done by the main job, so that each role finds work: in the pilot, then in the second region."""
    here = waiting.hunan(who, line.issuing_units())
    with steps.step("10 闸机 gates, vouchers, a month") as told:
        doors.furnish(who, line.issuing_units(), at=timezone.now(), told=told)
    with steps.step("10 待办 what waits for whom") as told:
        line.keep_batches(who, maker)
        boxes.leave_orders(who)
        desks.furnish(line.issuing_units(), at=timezone.now())
        waiting.tell(here, lambda: waiting.in_use(here.unit), told=told)
    with steps.step("10 待办 the second region") as told:
        waiting.decide_first(there, at=timezone.now())
        second.go_on(there.who, there.unit)
        waiting.tell(there, lambda: waiting.in_use(there.unit), told=told)
    line.publish(timezone.now())


def _nothing_is_broken(steps: Steps) -> None:
    """Every invariant that a query can check, at the end of all; `Refusal("invariant-broken")` with the first rows."""
    with steps.step("11 查核 check invariants") as told:
        checks = invariants.checks()
        found = []
        for number, check in enumerate(checks, 1):
            found.append(run_check(check))
            told(number, len(checks))
    if wrong := [one for one in found if one.broken]:
        for one in wrong:
            steps.screen.print(invariants.said(one), markup=False)
        raise Refusal("invariant-broken", names=", ".join(one.check.name for one in wrong))


def sample(share: float, seed: int, steps: Steps) -> tuple[list[Path], list[Path]]:
    """The second-generation files and the photo packs: the shipped files at their scale, all else made once."""
    shipped = Path(settings.PROJECT_ROOT) / "examples" / "second-generation"
    made = Path(settings.HOME) / "sample" / f"{seed}-{share}"
    folder = shipped if (share, seed) == (SHIPPED_SCALE, SEED) and shipped.exists() else made
    if not (made / COMPLETE).exists():
        units = pilot_units(Path(settings.DATA))
        if folder is made:
            with steps.step("0 样本 make the sample") as told:
                generate(made, scale=share, seed=seed, units=units, on_progress=told, processes=line.workers())
        with steps.step("0 样本 portraits") as told:
            generate_photos(made, scale=share, seed=seed, units=units, on_progress=told, processes=line.workers())
        (made / COMPLETE).touch()
    return (sorted(path for path in folder.iterdir() if path.suffix in (".xlsx", ".csv")),
            sorted((made / FOLDER).glob("*.zip")))


def run(scale: str = typer.Option("0.01", help="Share of the pilot's holders, or `full`.")) -> None:
    """Do the main job, then serve the site (with RUN_ONCE=1: end after the closing table)."""
    if not settings.RUN_ONCE:
        check_free()
    demo(scale, SEED, None)
    screen = Console()
    show_logins(officers(), screen)
    if settings.RUN_ONCE:
        return
    serve()


def show_logins(logins: list[DemoOfficer], screen: Console) -> None:
    """Print the demo officers' logins with role and office."""
    shown = Table("账号 Login", "岗位 Role", "单位 Office", "口令 Password", title="演示账号 demo officers",
                  title_justify="left")
    for officer in logins:
        shown.add_row(officer.username, officer.role_zh, officer.office_zh, officer.password)
    screen.print(shown)
