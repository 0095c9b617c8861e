"""A client gets its access from two persons, and its secrets from the first of them; a secret is shown once."""

import base64
import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import begin, perform
from zhengka.core.models import province_of
from zhengka.partners.models import Partner, Secret
from zhengka.partners.rules import OVERLAP
from zhengka.partners.tokens import secret_mark

ACTIONS = ("permit", "decline", "stop", "shut_out")


class About(NamedTuple):
    """What is told of a new client."""

    operator: str
    name: str
    scopes: tuple[str, ...]


class Shown(NamedTuple):
    """A client with a secret that nobody can read again."""

    partner: Partner
    secret: str


@transaction.atomic
def ask(area: Area, about: About, *, by: Actor, request_id: UUID, at: datetime) -> Partner:
    """Ask that a client of an operator gets access (申请接入); it waits for the security administrator.

    `Refusal`: `not-permitted`, `not-found`. Raises `Replayed` for a repeat.
    """
    if not by.may("partner.manage"):
        raise Refusal("not-permitted", permission="partner.manage")
    if not by.sees(area.code):
        raise Refusal("not-found")
    client_id = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
    row = Partner(province=province_of(area.code), area=area, operator=about.operator, name=about.name,
                  client_id=client_id, scopes=list(about.scopes), asked_by=by.person, asked_at=at)
    return begin(row, "ask", "partner.manage", by=by, request_id=request_id, at=at, operator=about.operator,
                 scopes=" ".join(about.scopes))


@transaction.atomic
def change(partner: Partner, action: str, *, by: Actor, request_id: UUID, at: datetime) -> Partner:
    """Permit, decline, stop or shut out a client (准许, 不准, 停止, 封禁).

    What is stopped is out at its next request, whatever tokens it holds, and is told nothing any more.
    `Refusal`: `same-person` where who asked would permit, and those of `perform`.
    """
    if action not in ACTIONS:
        raise Refusal("step-not-open", action=action)
    row = perform(partner, action, {"permitted_by": by.person} if action == "permit" else {}, by=by,
                  request_id=request_id, at=at)
    if row.state == "stopped":
        Secret.objects.filter(partner=row).filter(Q(ends_at=None) | Q(ends_at__gt=at)).update(ends_at=at)
    return row


@transaction.atomic
def new_secret(partner: Partner, *, by: Actor, request_id: UUID, at: datetime) -> Shown:
    """A secret for a permitted client (换发密钥), shown in this answer alone. The one before goes on for `OVERLAP`; one
    that was still going on beside it ends now.
    """
    row = perform(partner, "new_secret", {"secrets_made": _locked_count(partner) + 1}, by=by, request_id=request_id,
                  at=at)
    text = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    Secret.objects.filter(partner=row, ends_at__gt=at).update(ends_at=at)
    Secret.objects.filter(partner=row, ends_at=None).update(ends_at=at + OVERLAP)
    Secret.objects.create(partner=row, area=row.area_id, number=row.secrets_made, made_at=at,
                          digest=secret_mark(row.client_id, text, settings.INDEX_KEY))
    return Shown(row, text)


@transaction.atomic
def end_secret(partner: Partner, *, by: Actor, request_id: UUID, at: datetime) -> Partner:
    """End the older secret at once (作废旧密钥), and with it every token that was given for it."""
    row = perform(partner, "end_secret", by=by, request_id=request_id, at=at)
    if not Secret.objects.filter(partner=row, ends_at__gt=at).update(ends_at=at):
        raise Refusal("secret-not-there")
    return row


def _locked_count(partner: Partner) -> int:
    return Partner.objects.select_for_update(of=("self",)).get(pk=partner.pk).secrets_made
