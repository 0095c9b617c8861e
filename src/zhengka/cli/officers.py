"""The first administrators, the demo's officers, and who acts when a command is given no officer."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from zhengka.accounts import demo
from zhengka.accounts.models import Officer
from zhengka.accounts.services import Account, actor_of, enrol, install
from zhengka.areas.models import Area
from zhengka.areas.services import add_street
from zhengka.areas.services import load as load_areas
from zhengka.cli import cluster
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

HUNAN = 430000_000000

officer = typer.Typer(name="officer", help="Accounts of officers (人员).", no_args_is_help=True)


@officer.command("install")
def install_(role: Annotated[str, typer.Argument(help="system, security or audit")],
             username: Annotated[str, typer.Option(help="Login name.")],
             name: Annotated[str, typer.Option(help="The person's name.")],
             person: Annotated[str, typer.Option(help="Staff number: the same for every account of one person.")],
             area: Annotated[int, typer.Option(help="12-digit code of the area.")] = HUNAN) -> None:
    """Make the account of a first administrator (初始化管理员); all others are opened and permitted on the pages.

    The first password is asked for, hidden and twice, or is the first line of standard input where that is no terminal.
    """
    cluster.ensure()
    password = _first_password()
    try:
        validate_password(password)
    except ValidationError as weak:
        raise Refusal("password-weak", why=" ".join(weak.messages)) from None
    found = Area.objects.filter(code=area).first()
    if found is None:
        raise Refusal("not-found", area=area)
    made = install(Account(username, name, person, role, found, password), request_id=uuid4())
    typer.echo(f"{made.username}: {role} · {found.name}. The password must be changed at the first login.")


def _first_password() -> str:
    """Never an argument: everybody on the machine may read those in the list of processes."""
    if sys.stdin.isatty():
        return str(typer.prompt("First password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def enrol_demo() -> list[demo.DemoOfficer]:
    """One officer per role for the whole pilot, a second clerk and producer, three custodians, and those of a second
    region with its street, each a person of its own; asking twice changes nothing. Doctors come with their
    institutions (`line.furnish`).
    """
    load_areas(Path(settings.DATA) / "areas" / "hubei-qiaokou.toml")
    county, (zh, en) = Area.objects.get(code=demo.COUNTY), demo.OFFICES[demo.STREET]
    add_street(county, (demo.STREET - demo.COUNTY) // 1000, zh.partition(county.name)[2], en.partition(",")[0])
    shown = [one for one in demo.officers() if one.username not in demo.DOCTORS]
    areas = Area.objects.in_bulk(list(demo.OFFICES))
    for officer in shown:
        enrol(Account(officer.username, demo.PEOPLE[officer.username][0], f"demo-{officer.username}", officer.role,
                      areas[officer.area], officer.password), request_id=uuid4())
    return shown


def actor(username: str) -> Actor:
    """The officer `username` as an actor; `Refusal("not-found")` where there is none."""
    officer = Officer.objects.select_related("area").filter(username=username, state="active").first()
    if officer is None:
        raise Refusal("not-found", officer=username)
    return actor_of(officer)
