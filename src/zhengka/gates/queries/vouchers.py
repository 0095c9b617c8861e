"""What may be read of vouchers, and how much of a rule's quota a person of a month has used."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.formats import voucher as codes
from zhengka.formats.judging import Used
from zhengka.formats.verdict import CHINA
from zhengka.gates.models import Visit, Voucher


def vouchers(*, actor: Actor) -> QuerySet[Voucher]:
    """The vouchers of the actor's area, the newest first."""
    return Voucher.objects.filter(area__range=(actor.lo, actor.hi)).select_related("gate").order_by("-pk")


def voucher(pk: int, *, actor: Actor) -> Voucher:
    """A voucher of the actor's area; `Refusal("not-found")`."""
    for row in vouchers(actor=actor).filter(pk=pk):
        return row
    raise Refusal("not-found")


def by_code(code: bytes) -> Voucher:
    """The voucher with this code, within what the present scope sees; `Refusal("voucher-unknown")`."""
    for row in Voucher.objects.filter(code=code).select_related("gate"):
        return row
    raise Refusal("voucher-unknown")


def text_of(row: Voucher) -> str:
    """The text of an open voucher's QR code, as gates without a network read it; empty where the platform did not sign
    it, or not yet: what a gate issued is on the holder's phone or slip alone.
    """
    payload = bytes(row.payload or b"") if row.state == "issued" else b""
    return codes.to_text(payload, settings.PUBLIC_URL) if payload else ""


def used(operator: str, subject: bytes, *, at: datetime) -> dict[str, Used]:
    """How often each rule was given to this pseudonym today and in its month (China's days): services, and vouchers
    that were issued and not cancelled. What was redeemed is not counted a second time. A rule without any is left out.
    """
    day = at.astimezone(CHINA).date()
    today = datetime.combine(day, time(), CHINA)
    first = datetime.combine(day.replace(day=1), time(), CHINA)
    found = Visit.objects.filter(Q(kind="visit") | Q(kind="issue"), subject=subject, operator=operator,
                                 at__gte=first, at__lt=today + timedelta(days=1))
    rows = found.exclude(kind="issue", voucher__in=_cancelled(subject)).values_list("rule").order_by().annotate(
        day=Count("digest", distinct=True, filter=Q(at__gte=today)), month=Count("digest", distinct=True))
    return {rule: Used(of_day, of_month) for rule, of_day, of_month in rows}


def _cancelled(subject: bytes) -> QuerySet[Voucher]:
    return Voucher.objects.filter(subject=subject, state="cancelled").values("code")  # type: ignore[return-value]
