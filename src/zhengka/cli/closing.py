"""The closing table: per step how many went in, came out, were held and why, counted from the rows themselves."""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import F, Sum
from rich.table import Table

from zhengka.cards import queries as cards
from zhengka.cases import queries as cases
from zhengka.cli.proof import Lost
from zhengka.core.actors import Actor
from zhengka.production import queries as batches
from zhengka.registry import queries as registry


@dataclass(frozen=True)
class Line:
    """One step: what went in, what came out, what was held by reason. It adds up when in = out + held."""

    step: str
    went_in: int
    came_out: int
    held: Counter[str] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        """True where nothing is missing and nothing came from nowhere."""
        return self.went_in == self.came_out + self.held.total()


def lines(by: Actor, verdicts: Counter[str], lost: Lost) -> list[Line]:
    """Every step of the main job as the rows of the database tell it."""
    return [*_registry(by), *_cases(by), *_production(by), *_in_use(by),
            Line("8 核验 verify offline", verdicts.total(), verdicts["valid"],
                 Counter({code: n for code, n in verdicts.items() if code != "valid"})),
            Line("9 挂失解挂 lost and found", lost.reported, lost.accepted, Counter(
                {"lost: refused online and offline": lost.refused,
                 "verdict differs": lost.reported - lost.refused - lost.accepted} if lost.reported else {}))]


def _registry(by: Actor) -> list[Line]:
    taken = registry.imports(actor=by)
    reasons: Counter[str] = Counter()
    for record in taken:
        reasons.update(record.reasons)
    sums = taken.aggregate(*(Sum(name, default=0) for name in ("rows", "created", "merged", "unchanged")))
    good, faults = registry.photo_counts(actor=by)
    holders = sum(registry.counts(actor=by).values())
    return [
        Line("2 导入 rows of the files", sums["rows__sum"],
             sum(sums[f"{name}__sum"] for name in ("created", "merged", "unchanged")), reasons),
        Line("2 持证人 accepted rows → persons", sums["rows__sum"] - reasons.total(), holders,
             Counter({"merged into a known person": sums["merged__sum"], "unchanged": sums["unchanged__sum"]})),
        Line("2 照片 photos of the persons", holders, good, Counter(faults)),
    ]


def _cases(by: Actor) -> list[Line]:
    states = cases.counts(by)
    held = Counter({state: n for state, n in states.items() if state != "ordered"})
    return [Line("3 换发 exchange", sum(states.values()), states.get("ordered", 0), held)]


def _production(by: Actor) -> list[Line]:
    all_batches = batches.batches(by).filter(ordered=F("prepared") + F("held"))  # those whose chunks were decided
    names = ("ordered", "prepared", "held", "good", "spoiled", "suspect")
    total = {name: all_batches.aggregate(n=Sum(name, default=0))["n"] for name in names}
    return [
        Line("4 组批 batch", total["ordered"], total["prepared"], Counter(batches.hold_reasons(by))),
        Line("5–6 制卡验收 make and receive", total["prepared"], total["good"],
             Counter({"spoiled, ordered again": total["spoiled"], "suspect": total["suspect"]})),
    ]


def _in_use(by: Actor) -> list[Line]:
    states = cards.counts(by)
    made = sum(states.get(state, 0) for state in ("ready", "issued", "active", "suspended"))
    usable = states.get("active", 0) + states.get("suspended", 0)
    return [Line("7 领取激活 hand-over, activation", made, usable, Counter(
        {state: states[state] for state in ("ready", "issued") if states.get(state)}))]


def table(found: list[Line], seconds: dict[str, float]) -> Table:
    """The lines as a table for the terminal, with the time of each step where it is known."""
    shown = Table(title="证卡 · closing table", title_justify="left")
    for head in ("步骤 Step", "进 In", "出 Out", "留 Held", "原因 Why", "", "秒 s"):
        shown.add_column(head, justify="right" if head in ("进 In", "出 Out", "留 Held", "秒 s") else "left")
    for line in found:
        why = "; ".join(f"{code} {n:,}" for code, n in line.held.most_common() if n)
        took = seconds.get(line.step.split(" ")[0])
        shown.add_row(line.step, f"{line.went_in:,}", f"{line.came_out:,}", f"{line.held.total():,}", why,
                      "[green]✓[/]" if line.adds_up else "[bold red]✗[/]", f"{took:.1f}" if took else "")
    return shown
