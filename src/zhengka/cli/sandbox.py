"""`zhengka sandbox`: where an operator's engineer tries everything (沙箱): files for a reader, a site for a program."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import typer
from django.conf import settings
from django.utils import timezone

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cli import cluster, officers
from zhengka.cli.files import writing as writing_file
from zhengka.cli.serve import serve as serve_site
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.devices import services as devices
from zhengka.formats import durable, qr
from zhengka.gates import services as gates
from zhengka.partners import services as partners
from zhengka.partners.rules import EVENTS, SCOPES
from zhengka_kit import asking, writing

sandbox = typer.Typer(name="sandbox", help="Test cards and a test site for operators' engineers.", no_args_is_help=True)

OPERATOR, VENUE, SERVICE = "changsha-transit", "network", "metro"
FIRST_AREA, LAST_AREA = 430100_000000, 430199_999999
"""Whose holders the metro's rule lets ride free."""
VERDICTS: Final = {"active": "valid", "suspended": "suspended", "cancelled": "revoked", "issued": "not-activated"}
"""State of a card in the register → what a program is told of it."""


class People(NamedTuple):
    """Who enters a program, who permits it, and who enters where a gate stands."""

    system: Actor
    security: Actor
    clerk: Actor


@sandbox.command()
def make(folder: Path) -> None:
    """Write test keys, test cards, bundles and cases into a new folder, for `zhengka-kit reader`."""
    try:
        with writing_file(folder):
            found = writing.make(folder)
    except ValueError:
        raise Refusal("sandbox-folder-used", folder=str(folder)) from None
    typer.echo(f"{folder}: {len(found)} cases · 共 {len(found)} 项")


@sandbox.command()
def client(
    file: Path = typer.Argument(Path("site.json"), help="Where the site is described, for `zhengka-kit site`."),
    hook: int = typer.Option(0, help="Port of this machine to which webhooks are sent; 0: none."),
) -> None:
    """Enter a program of an operator, a gate and, with --hook, a webhook on a demo site; describe them in a file."""
    _only_a_demo()
    cluster.ensure()
    people = People(*(officers.actor(name) for name in ("system", "security", "clerk")))
    described = describe(people, at=timezone.now(), hook=hook)
    with writing_file(file):
        durable.write(file, (json.dumps(described, ensure_ascii=False, indent=1) + "\n").encode(), mode=0o600)
    typer.echo(f"{file}: {len(described['cards'])} test cards · 测试卡 {len(described['cards'])} 张")


@sandbox.command()
def serve(file: Path = typer.Argument(Path("site.json")), hook: int = typer.Option(0)) -> None:
    """Do what `zhengka sandbox client` does, then serve the site, which must be a demo one (ZHENGKA_DEMO=1)."""
    client(file, hook)
    serve_site()


def describe(people: People, *, at: datetime, hook: int = 0, url: str = "") -> dict[str, Any]:
    """A client with all scopes, a gate at the metro, cards in each state, as `zhengka-kit site` reads them."""
    cards = list(_cards())
    if not any(card["passes"] for card in cards):
        raise Refusal("sandbox-without-cards")
    area = Area.objects.get(code=cards[0].pop("area"))
    about = partners.About(OPERATOR, f"沙箱 {at:%m-%d %H:%M}", tuple(SCOPES))
    row = partners.ask(area, about, by=people.system, request_id=uuid4(), at=at)
    row = partners.change(row, "permit", by=people.security, request_id=uuid4(), at=at)
    shown = partners.new_secret(row, by=people.system, request_id=uuid4(), at=at)
    gate = devices.register(area, devices.About("gate", f"沙箱闸机 {row.pk % 10**6}", "沙箱", "沙箱"), by=people.system,
                            request_id=uuid4(), at=at)
    gates.stand(gate, gates.Place(OPERATOR, VENUE, (SERVICE,)), by=people.clerk, request_id=uuid4(), at=at)
    secret = partners.subscribe(row, f"http://127.0.0.1:{hook}/", sorted(EVENTS), by=people.system, request_id=uuid4(),
                                at=at)[1] if hook else ""
    return {"format": asking.FORMAT, "url": url or settings.PUBLIC_URL, "client_id": row.client_id,
            "secret": shown.secret, "gate": str(gate.pk), "venue": VENUE, "service": SERVICE, "cards": cards,
            "hook_secret": secret}


def _cards() -> Iterator[dict[str, Any]]:
    """One card for each state that a program can meet, and a forged one."""
    for state, verdict in VERDICTS.items():
        card = Card.objects.filter(state=state, credential__isnull=False,
                                   area__code__range=(FIRST_AREA, LAST_AREA)).first()
        if card is None:
            continue
        text = qr.to_text(bytes(card.credential or b""), settings.PUBLIC_URL)
        told = {"name": verdict, "text": text, "code": verdict, "passes": verdict == "valid"}
        yield told | ({"area": card.area_id} if verdict == "valid" else {})
        if verdict == "valid":
            data = bytes(card.credential or b"")
            forged = qr.to_text(data[:-1] + bytes((data[-1] ^ 1,)), settings.PUBLIC_URL)
            yield {"name": "forged", "text": forged, "code": "signature-wrong", "passes": False}


def _only_a_demo() -> None:
    """A sandbox is never a real register."""
    if not settings.DEMO:
        raise Refusal("not-a-sandbox")
