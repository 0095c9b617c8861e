"""docs/reference, made from the code: what is written there cannot differ from what runs."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import resolve
from procrastinate.contrib.django import app as jobs
from typer.core import TyperGroup

from zhengka.accounts.roles import ADMINISTRATORS, ROLES
from zhengka.accounts.workflow import COVER, DELEGATION, OFFICER
from zhengka.assessment.workflow import APPOINTMENT, ASSESSMENT, CONFLICT, INSTITUTION, LICENCE, SESSION
from zhengka.bulk.workflow import ACT
from zhengka.cards import queries as card_queries
from zhengka.cards.activation import CHANNELS, IN_PERSON, Activation
from zhengka.cards.workflow import CARD, CHIP_ORDER, STOP
from zhengka.cases import policies
from zhengka.cases.rules import LEVELS, ROUTES, OfficeOf, Policy, Procedure
from zhengka.cases.workflow import KINDS
from zhengka.core.dated import FAULTS
from zhengka.core.errors import PROBLEMS
from zhengka.core.queue import task_names
from zhengka.core.workflow import Step, Workflow
from zhengka.custody.workflow import BOOKLET, CUSTODY, CUSTODY_CASE, PARCEL, PULPING
from zhengka.devices.workflow import DEVICE, PSAM
from zhengka.keys.workflow import CEREMONY, KEY
from zhengka.letters.workflow import LETTER
from zhengka.papers.workflow import PAPER, PORTRAIT
from zhengka.partners.workflow import PARTNER, WEBHOOK
from zhengka.production.workflow import BATCH
from zhengka.registry.workflow import CERTIFICATE, HOLDER, IMPORT
from zhengka.stock.workflow import BLANK, COUNT, ORDER, SHIPMENT, STORE, WRITE_OFF

WORKFLOWS = (OFFICER, COVER, DELEGATION, ACT, LETTER, INSTITUTION, LICENCE, SESSION, APPOINTMENT, ASSESSMENT, CONFLICT,
             DEVICE, PSAM, BLANK, STORE, SHIPMENT, WRITE_OFF, COUNT, ORDER, KEY, CEREMONY, HOLDER, CERTIFICATE, IMPORT,
             PAPER, PORTRAIT, CARD, CHIP_ORDER, BATCH, STOP, PARCEL, CUSTODY, CUSTODY_CASE, BOOKLET, PULPING,
             PARTNER, WEBHOOK)
DEFAULT_POLICY = "measures-2017"
Command = Any  # Typer carries a click of its own, without a public name
MADE = "<!-- Made by `zhengka docs write`; change the code, not this page. -->\n\n"


def pages(command: Command) -> dict[str, str]:
    """File name → text of every generated page; `command` is the whole `zhengka` command."""
    return {
        "problems.md": _problems(), "settings.md": _settings(), "workflows.md": _workflows(), "roles.md": _roles(),
        "cases.md": _cases(), "activation.md": _activation(),
        "tasks.md": _tasks(), "commands.md": _commands(command),
        "openapi.json": _openapi(),
    }


def folder() -> Path:
    """Where the generated pages lie."""
    return Path(settings.PROJECT_ROOT) / "docs" / "reference"


def write(command: Command) -> list[str]:
    """Write the pages that differ; their names."""
    folder().mkdir(parents=True, exist_ok=True)
    changed = stale(command)
    for name, text in pages(command).items():
        if name in changed:
            (folder() / name).write_text(text)
    return changed


def stale(command: Command) -> list[str]:
    """Names of the pages that differ from what the code says."""
    return [name for name, text in pages(command).items()
            if not (folder() / name).exists() or (folder() / name).read_text() != text]


def _page(title: str, *parts: str) -> str:
    return MADE + f"# {title}\n\n" + "\n".join(parts).rstrip() + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def _openapi() -> str:
    """The description that the site itself serves."""
    request = HttpRequest()
    request.method, request.META = "GET", {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    served = resolve("/api/v1/openapi.json").func(request).content
    return json.dumps(json.loads(served), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _problems() -> str:
    parts = ["Every refusal has a code. A page shows it in plain words, the API as problem+json (RFC 9457), "
             "the command line as one line and exit status 2.\n"]
    for code, problem in sorted(PROBLEMS.items()):
        parts.append(f"## {code}\n\nHTTP {problem.status}. {problem.title}. {problem.next}\n\n"
                     f"{problem.title_zh}。{problem.next_zh}\n")
    return _page("Problems", *parts)


def _settings() -> str:
    rows = [(f"`{name}`", f"`{default}`" if default else "", text)
            for name, default, text in settings.SETTING_SENTENCES]
    return _page("Settings", "Read once, from the environment; everything wrong is reported at once.\n",
                 _table(("Variable", "Default", "Meaning"), rows))


def _workflows() -> str:
    return _page("Workflows", "What may happen, drawn from the tables that the program itself obeys. Those of cases "
                 "differ by kind, area and day: [cases.md](cases.md).\n",
                 *(_workflow(workflow) for workflow in WORKFLOWS))


def _workflow(workflow: Workflow) -> str:
    matrix = [(step.source, f"{step.action} {step.zh}".strip(), step.target, f"`{step.permission}`", _who(step),
               _only_if(step)) for step in workflow.steps]
    return "\n".join([f"## {workflow.name}\n", _drawing(workflow),
                      _table(("From", "Action", "To", "Permission", "Roles", "Only if"), matrix)])


def _drawing(workflow: Workflow) -> str:
    drawing = ["```mermaid", "stateDiagram-v2", f"    [*] --> {workflow.initial}"]
    drawing += [f"    {s.source} --> {s.target}: {s.action} {s.zh}".rstrip() for s in workflow.steps]
    drawing += [f"    {state} --> [*]" for state in sorted(workflow.final)]
    return "\n".join([*drawing, "```\n"])


def _who(step: Step) -> str:
    return ", ".join(role for role, (_, held) in ROLES.items() if step.permission in held)


def _only_if(step: Step) -> str:
    """The guards' names; which office takes a step of a case has a column of its own."""
    return ", ".join(guard.__name__.replace("_", " ") for guard in step.guards if not isinstance(guard, OfficeOf))


def _cases() -> str:
    """Every table that the shipped case policies make; the default with drawings."""
    found = sorted(policies.load(Path(settings.DATA) / "cases"), key=lambda policy: policy.code != DEFAULT_POLICY)
    shipped = [(f"`{policy.code}`", f"{policy.valid_from} – {policy.valid_to or ''}".strip(), ROUTES[policy.route],
                policy.source) for policy in found]
    levels = [(f"`{level}`", zh) for level, zh in LEVELS.items()]
    faults = [(f"`{code}`", en, zh) for code, (en, zh) in FAULTS.items()]
    return _page(
        "Cases", "Who decides what, and by when: made from the policies in `data/cases`. Limits are working days,\n"
        "counted from the day after the step before. A permission without a role is nobody's yet.\n",
        _table(("Policy", "In force", "Route", "Source"), shipped),
        *(_policy(policy) for policy in found),
        "## Offices\n", _table(("In a file", "Office"), levels),
        "## Why a file is refused\n", _table(("Code", "Meaning", "含义"), faults))


def _policy(policy: Policy) -> str:
    groups: dict[str, list[str]] = {}
    for name, procedure in policy.procedures.items():
        groups.setdefault(_procedure(procedure, drawn=policy.code == DEFAULT_POLICY), []).append(name)
    notice = next(iter(policy.procedures.values())).notice
    told = [f"Public notice (公示): {notice.working_days} working days, showing {', '.join(notice.fields)} and nothing "
            f"else; {notice.clause}. A minor is never publicised.\n"] if notice else []
    if policy.reminds_before is not None:
        told.append(f"Another assessment (重新评定): reminded {policy.reminds_before} days before it is due.\n")
    return "\n".join([f"## {policy.code}\n", *told, *(
        f"### {', '.join(f'{name} {KINDS[name].zh}' for name in names)}\n\n{text}" for text, names in groups.items())])


def _procedure(procedure: Procedure, *, drawn: bool) -> str:
    matrix = [(step.source, f"{step.action} {step.zh}", step.target, ", ".join(rule.by), f"`{step.permission}`",
               _who(step), str(rule.within or ""), _only_if(step), rule.clause) for step, rule in procedure.rows()]
    left = [f"* Left out: {leg.step.action}. {procedure.off[leg.step.action]}" for leg in procedure.kind.legs
            if leg.step.action in procedure.off]
    left += [f"* Waived: {stage}. {source}" for stage, source in procedure.waived.items()]
    left += [f"* {name.replace('_', ' ')}: {value}" for name, value in procedure.times.items()]
    head = ("From", "Action", "To", "Office", "Permission", "Roles", "Within", "Only if", "Clause")
    return "\n".join([f"{procedure.clause}\n", _drawing(procedure.workflow()) if drawn else "", _table(head, matrix),
                      *left, ""])


def _activation() -> str:
    """What the shipped card policies say of the annual activation, and where."""
    found = sorted(card_queries.policies(), key=lambda policy: (policy.lo - policy.hi, policy.code))
    head = ("Policy", "Area", "In force from", "Term", "Opens", "Grace", "Ways", "Stops when it lapses", "Source")
    rows = [(f"`{policy.code}`", _codes(policy.lo, policy.hi), str(policy.valid_from), _term(policy.activation),
             f"{policy.activation.opens_days_before} days before", f"{policy.activation.grace_days} days",
             ", ".join(f"{channel} {CHANNELS[channel]}" for channel in policy.activation.channels),
             ", ".join(policy.activation.stops), policy.activation.source) for policy in found]
    return _page(
        "Annual activation",
        "What holds where (年度激活): made from the policies in `data/policies`; the narrowest area that contains an\n"
        "office holds. A lapsed activation stops what is named here and never what the certificate proves.\n"
        f"The first activation of a card is in person: {', '.join(IN_PERSON)}.\n", _table(head, rows))


def _codes(lo: int, hi: int) -> str:
    """The area of a policy as people write it; the nation has no code."""
    if lo == 0:
        return "the nation"
    first, last = lo // 10**6, hi // 10**6
    return f"{first}" if first == last else f"{first}–{last}"


def _term(rule: Activation) -> str:
    """When a term ends, in words."""
    years = "year" if rule.years == 1 else f"{rule.years} years"
    if rule.kind == "rolling":
        return f"{years} from the day"
    if rule.kind == "window":
        (first, day), (last, last_day) = rule.first, rule.last
        return f"window {first:02d}-{day:02d} – {last:02d}-{last_day:02d}, for the {years} to follow"
    return f"month {rule.of}, for the {years} to follow"


def _roles() -> str:
    permissions = sorted({permission for _, held in ROLES.values() for permission in held})
    head = ("Permission", *(f"{role} {zh}" for role, (zh, _) in ROLES.items()))
    rows = [(f"`{p}`", *("yes" if p in held else "" for _, held in ROLES.values())) for p in permissions]
    return _page("Roles and permissions",
                 f"Administrators ({', '.join(sorted(ADMINISTRATORS))}) hold no business permission.\n",
                 _table(head, rows))


def _tasks() -> str:
    rows = [(f"`{name}`", (jobs.tasks[name].func.__doc__ or "").strip().split("\n")[0]) for name in task_names()]
    return _page("Tasks", "What workers do, each by calling one service; each may run twice.\n",
                 _table(("Task", "Meaning"), rows))


def _commands(command: Command) -> str:
    parts: list[str] = []

    def walk(name: str, found: Command, tell: Callable[[str], None]) -> None:
        if isinstance(found, TyperGroup):
            for child in sorted(found.commands):
                walk(f"{name} {child}", found.commands[child], tell)
            return
        options = [(f"`{'`, `'.join(p.opts)}`", getattr(p, "help", "") or "") for p in found.params if p.name != "help"]
        listed = _table(("Argument", "Meaning"), options) if options else ""
        tell(f"## {name}\n\n{(found.help or '').strip()}\n\n{listed}")

    walk("zhengka", command, parts.append)
    return _page("Commands", *parts)
