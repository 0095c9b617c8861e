"""The closing table: per step how many went in, came out, were held and why, counted from the rows themselves."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db.models import F, Sum
from django.utils import timezone
from rich.table import Table

from zhengka.cards import queries as cards
from zhengka.cases import queries as cases
from zhengka.cli import boxes, planting
from zhengka.cli.line import PROGRAMME, Officers, results_of
from zhengka.cli.proof import Lost
from zhengka.core.actors import Actor
from zhengka.custody import queries as custody
from zhengka.custody.workflow import SORTS
from zhengka.exchange.sample import pilot_units
from zhengka.gates import queries as gates
from zhengka.production import queries as batches
from zhengka.production.workflow import FINDINGS
from zhengka.programme import queries as programmes
from zhengka.registry import queries as registry
from zhengka.stock import queries as stock


@dataclass(frozen=True)
class Line:
    """One step: what went in, what came out, what was held by reason. It adds up when in = out + held, where what went
    in is counted from other rows than the rest wherever the step before left some.
    """

    step: str
    went_in: int
    came_out: int
    held: Counter[str] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        """True where nothing is missing and nothing came from nowhere."""
        return self.went_in == self.came_out + self.held.total()


def lines(who: Officers, verdicts: Counter[str], lost: Lost) -> list[Line]:
    """Every step of the main job as the rows of the database tell it."""
    by = who.clerk
    return [*_plan(by), *_registry(by), *_cases(by), *_production(by), *_blanks(who), *_in_use(by),
            Line("8 核验 verify offline", _usable(by) - lost.reported, verdicts["valid"],
                 Counter({code: n for code, n in verdicts.items() if code != "valid"})),
            Line("9 挂失解挂 lost and found", lost.reported, lost.accepted, Counter(
                {"lost: refused online and offline": lost.refused} if lost.reported else {})),
            *gates_lines(by)]


def _plan(by: Actor) -> list[Line]:
    filed, loaded = pilot_units(Path(settings.DATA)), programmes.plan_and_fact(PROGRAMME, {}, actor=by)
    return [Line("1 计划 issuing units", len(filed), len(loaded)),
            Line("1 计划 planned holders", sum(unit.holders for unit in filed), sum(unit.planned for unit in loaded))]


def _registry(by: Actor) -> list[Line]:
    taken = registry.imports(actor=by)
    reasons: Counter[str] = Counter()
    for record in taken:
        reasons.update(record.reasons)
    sums = taken.aggregate(*(Sum(name, default=0) for name in ("rows", "created", "merged", "unchanged")))
    good, faults = registry.photo_counts(actor=by)
    holders = registry.imported(actor=by).count()
    return [
        Line("2 导入 rows of the files", sums["rows__sum"],
             sum(sums[f"{name}__sum"] for name in ("created", "merged", "unchanged")), reasons),
        Line("2 持证人 accepted rows → persons", sums["rows__sum"] - reasons.total(), holders,
             Counter({"merged into a known person": sums["merged__sum"], "unchanged": sums["unchanged__sum"]})),
        Line("2 照片 photos of the persons", holders, good, Counter(faults)),
    ]


def _cases(by: Actor) -> list[Line]:
    states, others, told = cases.counts(by), cases.instead_of_exchange(by), cases.of_life(by)
    held = Counter({state: n for state, n in states.items() if state != "ordered"})
    return [Line("3 办理 cases of every kind", sum(told.values()), told.get(cases.ENDED, 0),
                 Counter({state: n for state, n in told.items() if state != cases.ENDED})),
            Line("3 换发 exchange", registry.imported(actor=by).count(), states.get("ordered", 0), held + others)]


def _production(by: Actor) -> list[Line]:
    all_batches = batches.batches(by).filter(ordered=F("prepared") + F("held"))  # those whose chunks were decided
    names = ("ordered", "prepared", "held", "good", "spoiled", "suspect")
    total = {name: all_batches.aggregate(n=Sum(name, default=0))["n"] for name in names}
    away = {words: all_batches.filter(state=state).aggregate(n=Sum("prepared", default=0))["n"]
            for state, words in (("prepared", "to be sent"), ("sent", "at the maker"))}
    return [
        Line("4 组批 batch", total["ordered"], total["prepared"], Counter(batches.hold_reasons(by))),
        Line("5 制卡 make", total["prepared"], total["good"] + total["suspect"], Counter(
            {"spoiled, ordered again": total["spoiled"], **away})),
        Line("6 验收 receive: print = chip = QR = record",
             total["prepared"] - total["spoiled"] - sum(away.values()), total["good"],
             Counter(batches.suspect_reasons(by))),
        *[Line(f"6 植错 planted: {kind.words}", kind.planted, min(kind.caught, kind.made_good))
          for kind in planting.caught(by)],
        *_answered_twice(by),
        *_receipts(by), *_looked(by),
    ]


def _receipts(by: Actor) -> list[Line]:
    """Receipts both ways: the maker's of the packages that it got, ours of the results that it sent."""
    given = batches.batches(by).filter(state__in=("sent", "received", "closed"))
    had, back = given.exclude(acknowledged_at=None).count(), given.exclude(state="sent")
    ours = back.exclude(receipt="").count()
    return [Line("5 收包回执 packages sent, acknowledged by the maker", given.count(), had, Counter(
                {"not acknowledged yet": given.filter(acknowledged_at=None).count()})),
            Line("6 回盘回执 results taken, acknowledged by us", back.count(), ours, Counter(
                {"no receipt yet": back.filter(receipt="").count()}))]


def _looked(by: Actor) -> list[Line]:
    """The read-back gate: every card that came out of the results as good and was to be looked at."""
    gated = batches.batches(by).exclude(gate="")
    looked = batches.looks(by)
    came = gated.aggregate(n=Sum("good", default=0))["n"] + looked.get("failed", 0)
    return [Line("6 核对 read-back gate: print = chip = QR = record", came, looked.get("passed", 0), Counter(
        {"differ, named": looked.get("failed", 0), "to be looked at": looked.get("", 0),
         "not drawn": looked.get("not drawn", 0)}))]


def _answered_twice(by: Actor) -> list[Line]:
    batch = planting.planted_in(by)
    if batch is None or batch.state not in ("received", "closed") or not results_of(batch).exists():
        return []
    seen = planting.answered_twice(batch, results_of(batch), by=by, at=timezone.now())
    return [Line(f"6 植错 planted: {planting.TWICE}", 1, int(seen))]


def _blanks(who: Officers) -> list[Line]:
    """Blank cards: all that were received, and of the batches that came back as many as cards were made."""
    balance = stock.balance(who.producer.lo, who.producer.hi, timezone.now())
    held = Counter({account: many for account, many in balance.accounts.items() if account != "issued" and many})
    cards_made, blanks_used, wasted = boxes.used(who)
    return [Line("5 空白卡 blank cards received → cards", balance.received, balance.accounts["issued"], held),
            Line("5 空白卡 blanks used = cards made", blanks_used, cards_made, Counter(
                {"spoiled beside the cards": wasted} if wasted else {}))]


def _in_use(by: Actor) -> list[Line]:
    states = cards.counts(by)
    made = batches.batches(by).aggregate(n=Sum("good", default=0))["n"]
    sealed, outcomes = custody.counted(by)
    seals = custody.troubles(actor=by).filter(sort="seal-differs").count()
    made_of = batches.places(by)
    away = {state: n for state, n in made_of.items() if state not in ("active", "suspended", "frozen")}
    entered = batches.batches(by).aggregate(n=Sum("prepared", default=0))["n"]
    return [Line("7 结存 balance to the card: numbered → in use, and where each other one is", entered,
                 sum(made_of.values()) - sum(away.values()), Counter(away)),
            *[Line("7 植错 planted: 封签不符 seal of another number", 1, min(seals, 1))] * bool(sealed),
            Line("7 流转 parcels, counted as they were opened", sealed, outcomes.get("there", 0), Counter(
                {outcome or "not opened yet": n for outcome, n in outcomes.items() if outcome != "there"})),
            Line("7 领取激活 hand-over, activation", made, _usable(by), Counter(
        {state: states[state] for state in ("ready", "issued") if states.get(state)}))]


def gates_lines(by: Actor) -> list[Line]:
    """What gates sent of their logs, and what of it was new."""
    sent = gates.sent(actor=by)
    return [Line("10 闸机 lines of gates' logs", sent.lines, sent.fresh, Counter(
        {"sent twice": sent.repeats, **sent.refused}))] if sent.lines else []


def _usable(by: Actor) -> int:
    states = cards.counts(by)
    return states.get("active", 0) + states.get("suspended", 0)


def named(who: Officers) -> Table:
    """What was found wrong where faults were planted, each by its name: the cards of that batch, the seal."""
    shown = Table(title="异常点名 what was found, by name", title_justify="left", show_lines=False)
    for head in ("异常 Finding", "批次/包裹 Batch, parcel", "卡序列号、封签 Serial of the card, seal"):
        shown.add_column(head)
    batch = planting.planted_in(who.clerk)
    for finding in batches.findings(batch) if batch else ():
        shown.add_row(f"{FINDINGS[finding.code]} {finding.code}", str(batch), finding.serial)
    for trouble in custody.troubles(actor=who.clerk).filter(sort="seal-differs"):
        shown.add_row(f"{SORTS[trouble.sort]} {trouble.sort}", str(trouble.parcel), trouble.detail)
    return shown


def plain(line: Line) -> dict[str, object]:
    """A line for machines: the same words as the table's."""
    return {"step": line.step, "in": line.went_in, "out": line.came_out, "held": dict(sorted(line.held.items())),
            "adds_up": line.adds_up}


def table(found: list[Line], seconds: dict[str, float]) -> Table:
    """The lines as a table for the terminal, reasons under each step, with the time of each step where it is known."""
    shown = Table(title="证卡 · 收尾表 closing table", title_justify="left", show_lines=True)
    shown.add_column("步骤 Step", ratio=1)
    for head in ("进 In", "出 Out", "留 Held"):
        shown.add_column(head, justify="right", no_wrap=True)
    shown.add_column("")
    shown.add_column("秒 s", justify="right", no_wrap=True)
    told: set[str] = set()
    for line in found:
        why = "; ".join(f"{code} {n:,}" for code, n in line.held.most_common() if n)
        number = line.step.split(" ")[0]
        took = None if number in told else seconds.get(number)
        told.add(number)
        shown.add_row(line.step + (f"\n[dim]{why}[/]" if why else ""), f"{line.went_in:,}", f"{line.came_out:,}",
                      f"{line.held.total():,}", "[green]✓[/]" if line.adds_up else "[bold red]✗[/]",
                      f"{took:.1f}" if took else "")
    return shown
