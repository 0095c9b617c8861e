"""Plain functions for tests of the annual activation: policies of every kind, and a region that has one of them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

import builders
from lettering import SECRET
from visits import Visitor
from zhengka.cards import rules
from zhengka.cards.activation import Activation
from zhengka.cards.models import Card
from zhengka.core import signed
from zhengka.core.dated import parse, read

DATA = Path(__file__).parents[1] / "data"
SHIPPED = {policy.code: policy.activation
           for policy in (rules.load(read(path)) for path in sorted((DATA / "policies").glob("*.toml")))}

ALL = ("counter", "home-visit", "video", "portal", "data-match", "use")
REST = (1, 0, 0, ALL, ("rides", "subsidies"), "test")
KINDS = SHIPPED | {
    "spring": Activation("window", *REST)._replace(first=(3, 1), last=(6, 30), grace_days=10),
    "over new year": Activation("window", *REST)._replace(first=(12, 1), last=(1, 31), opens_days_before=20),
    "two years": Activation("window", *REST)._replace(first=(2, 1), last=(2, 29), years=2),
    "issue": Activation("month", *REST)._replace(of="issue", opens_days_before=30),
    "birth": Activation("month", *REST)._replace(of="birth", grace_days=45),
    "three years": Activation("rolling", *REST)._replace(years=3, opens_days_before=200),
    "rides go on": Activation("rolling", *REST)._replace(stops=("subsidies",)),
}
"""Name → policy: what ships, and the corners of each kind."""


def text_of(rule: Activation, *, area: str = "430104") -> str:
    """The file of a card policy with this activation, for an area of six digits."""
    more = {"rolling": "", "month": f'of = "{rule.of}"\n', "window": (
        f'window = {{ first = "{rule.first[0]:02d}-{rule.first[1]:02d}", '
        f'last = "{rule.last[0]:02d}-{rule.last[1]:02d}" }}\n')}[rule.kind]
    return (f'format = 1\ncode = "test-{area}"\narea = "{area}"\nvalid_from = 2018-01-01\n'
            '[card]\nprofile = "disability-placeholder"\n[validity]\nyears = 10\n[activation]\n'
            f'kind = "{rule.kind}"\nyears = {rule.years}\nopens_days_before = {rule.opens_days_before}\n'
            f'grace_days = {rule.grace_days}\nchannels = {list(rule.channels)}\nstops = {list(rule.stops)}\n'
            f'source = "{rule.source}"\n{more}')


def load(text: str) -> Activation:
    """The activation of a file's text."""
    return rules.load(parse(text.encode(), "region.toml")).activation


def region(settings, folder: Path, **areas: Activation) -> None:
    """From now on these areas (`a430104=…`, six digits) have these policies, and the nation has what ships."""
    home = folder / "data"
    (home / "policies").mkdir(parents=True, exist_ok=True)
    (home / "policies" / "standard.toml").write_bytes((DATA / "policies" / "standard.toml").read_bytes())
    for name, rule in areas.items():
        (home / "policies" / f"{name}.toml").write_text(text_of(rule, area=name[1:]))
    for each in DATA.iterdir():
        if each.name != "policies" and not (home / each.name).exists():
            (home / each.name).symlink_to(each)
    settings.DATA = home


HOLDERS = """
INSERT INTO registry_holder SELECT (json_populate_record(h, json_build_object(
    'id', h.id + 1000000 + g, 'id_index', '\\x' || md5(g::text)))).*
FROM registry_holder h, generate_series(1, %(n)s) g WHERE h.id = %(holder)s
"""
CARDS = """
INSERT INTO cards_card SELECT (json_populate_record(c, json_build_object(
    'id', c.id + 1000000 + g, 'holder_id', c.holder_id + 1000000 + g, 'active_until', c.active_until + g %% 365))).*
FROM cards_card c, generate_series(1, %(n)s) g WHERE c.id = %(card)s
"""


def fill(cards: int) -> None:
    """So many more active cards, whose terms end on the days of one year, and what the planner must know of them."""
    card = make_active(builders.NOON.date())
    with connection.cursor() as cursor:
        for statement in (HOLDERS, CARDS):
            cursor.execute(statement, {"n": cards, "holder": card.holder_id, "card": card.pk})
        cursor.execute("ANALYZE cards_card")


def make_active(ends: dt.date, *, area=None, issued_on: dt.date | None = None, born_on: dt.date | None = None,
                state: str = "active") -> Card:
    """A card of a holder of its own whose term ends on a day."""
    card = builders.make_card(builders.make_holder(area=area), state=state, active_until=ends)
    if born_on:
        card.holder.birth_date = born_on
        card.holder.save()
    if issued_on:
        Card.objects.filter(pk=card.pk).update(issued_on=issued_on, valid_until=issued_on.replace(
            year=issued_on.year + 10, day=min(issued_on.day, 28)))
    return Card.get(card.pk)


def post_activation(serial: str, reference: str, *, secret: str = SECRET, at: dt.datetime | None = None) -> Any:
    """The answer to a portal that asks for a card's next term, signed now or as of another time."""
    body = json.dumps({"serial": serial, "reference": reference}).encode()
    stamp = (at or timezone.now()).astimezone(dt.UTC).strftime(signed.TIME)
    return Visitor().post("/api/v1/activations", body, content_type="application/json", headers={
        "X-Zhengka-Time": stamp, "X-Zhengka-Signature": signed.signature(secret, stamp, body)})
