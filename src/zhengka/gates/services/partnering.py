"""What an operator's own program asks with a network (合作接口): only of its own places, its own gates and vouchers.

A voucher or gate of another operator is as if there were none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import WHOLE_NATION, Actor
from zhengka.core.errors import Refusal
from zhengka.formats import voucher as vouchers
from zhengka.formats.presenting import Answer, Place, Scanned
from zhengka.formats.voucher import BadVoucher
from zhengka.gates import queries
from zhengka.gates.models import Dispute, Post, Voucher
from zhengka.gates.services import counting, settling
from zhengka.gates.services import vouchers as services
from zhengka.gates.services.presenting import present_online
from zhengka.gates.services.vouchers import Wanted
from zhengka.gates.workflow import MAKE, MANAGE

SHORT: Final = 40
"""A shorter text is the characters of a voucher, a longer one that of its QR code."""


@dataclass(frozen=True)
class Given:
    """A voucher that was issued, and the answer on the card for which it was."""

    answer: Answer
    voucher: Voucher


class Contested(NamedTuple):
    """What an operator holds to be wrong: the name of a statement, the digest of one of its events, and why."""

    statement: str
    event: bytes
    why: str


def present_for(text: str, place: Place, *, at: datetime) -> Answer:
    """What a scanned card gives at a place of the operator, its quota looked up (核验); counted without data of a
    person.

    `Refusal("operator-unknown")`.
    """
    shown = Scanned(text)
    found = present_online(shown, place, at=at)
    rule = found.answer.rule
    if found.answer.ok and rule and (rule.day or rule.month):
        found = present_online(shown, place, at=at, used=queries.used(place.operator, found.answer.subject, at=at))
    counting.count(found.answer.code, found.card, at=at)
    return found.answer


@transaction.atomic
def issue_for(operator: str, text: str, gate: int, service: str, *, request_id: UUID, at: datetime) -> Given:
    """Issue a voucher by a card that was scanned at a gate of the operator (发放凭证).

    `Refusal`: `gate-unknown`, `gate-shut-out`, `post-unknown`, `card-not-accepted` with the answer's code,
    `voucher-not-given` where the rule gives none, `quota-used`.
    """
    post = post_of(operator, gate)
    answer = present_for(text, Place(operator, post.venue, service), at=at)
    if not answer.ok or answer.rule is None:
        raise Refusal("card-not-accepted", verdict=answer.code)
    rule = answer.rule
    if not {"qr", "slip"} & set(rule.vouchers):
        raise Refusal("voucher-not-given", rule=rule.id)
    wanted = Wanted(service, rule.id, answer.benefit, at, at + timedelta(minutes=rule.minutes), answer.companions,
                    answer.subject, quota=(rule.day, rule.month))
    return Given(answer, services.issue(wanted, post, request_id=request_id, at=at))


@transaction.atomic
def redeem_for(operator: str, code: str, gate: int, *, request_id: UUID, at: datetime) -> Voucher:
    """Redeem a voucher at a gate of the operator (核销). `Refusal`: as `redeem`, and those of `post_of`."""
    return services.redeem(own_code(operator, code), post_of(operator, gate), request_id=request_id, at=at)


@transaction.atomic
def cancel_for(operator: str, code: str, why: str, client: str, *, request_id: UUID, at: datetime) -> Voucher:
    """Cancel a voucher of the operator that was not used (作废). `Refusal`: as `cancel`, `voucher-unknown`."""
    row = look_up_for(operator, code)
    return services.cancel(row, why, by=_program(operator, client), request_id=request_id, at=at)


@transaction.atomic
def transfer_for(operator: str, code: str, begins: datetime, client: str, *, request_id: UUID, at: datetime) -> Voucher:
    """Give a voucher that begins at another time and is good as long for one of the operator (改期). Returns the new
    one. `Refusal`: as `transfer`, `voucher-unknown`.
    """
    row = look_up_for(operator, code)
    return services.transfer(row, begins, begins + (row.ends - row.begins), by=_program(operator, client),
                             request_id=request_id, at=at)


@transaction.atomic
def companion_for(operator: str, code: str, client: str, *, request_id: UUID, at: datetime) -> Voucher:
    """Give a companion a voucher beside one of the operator (陪同凭证). `Refusal`: as `companion`,
    `voucher-unknown`.
    """
    return services.companion(look_up_for(operator, code), by=_program(operator, client), request_id=request_id, at=at)


def look_up_for(operator: str, code: str) -> Voucher:
    """A voucher of the operator as it is now; `Refusal("voucher-unknown")`."""
    return queries.by_code(own_code(operator, code))


@transaction.atomic
def dispute_for(operator: str, wrong: Contested, client: str, *, request_id: UUID, at: datetime) -> Dispute:
    """Enter that an event of a statement which was sent to the operator is wrong (提出争议).

    `Refusal`: as `dispute`, `not-found` alike for another operator's statement, a draft, and none.
    """
    row = queries.sent_statement(operator, wrong.statement)
    by = Actor(None, operator, f"client {client}", frozenset({MAKE}), row.area, row.area)
    for visit in queries.events(row).filter(digest=wrong.event):
        return settling.dispute(row, visit, wrong.why, by=by, request_id=request_id, at=at)
    raise Refusal("not-found")


def own_code(operator: str, typed: str) -> bytes:
    """The code in a voucher's 16 characters or its QR's text, if it is of a voucher of this operator.

    `Refusal("voucher-unknown")`, alike for another operator's and for none.
    """
    try:
        code = (vouchers.from_base32(typed) if len(typed) < SHORT
                else vouchers.decode(vouchers.from_text(typed)).voucher.code)
    except BadVoucher:
        raise Refusal("voucher-unknown") from None
    if queries.by_code(code).operator != operator:
        raise Refusal("voucher-unknown")
    return code


def post_of(operator: str, gate: int) -> Post:
    """Where a gate stands, if that is at a place of the operator. `Refusal`: `gate-unknown`, alike for another
    operator's and for none; `gate-shut-out`.
    """
    row = Post.objects.filter(gate_id=gate, operator=operator, state="standing").select_related("gate").first()
    if row is None:
        raise Refusal("gate-unknown")
    if row.gate.state not in ("registered", "active"):
        raise Refusal("gate-shut-out", gate=row.gate.name, state=row.gate.state)
    return row


def _program(operator: str, client: str) -> Actor:
    return Actor(None, operator, f"client {client}", frozenset({MANAGE}), *WHOLE_NATION)
