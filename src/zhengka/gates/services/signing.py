"""What the platform itself says is signed after the transaction that said it: a counter that could be rolled back
counts nothing (I9). A voucher is good online at once, and at a cut-off gate some seconds later.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from zhengka.formats import issuers
from zhengka.formats import voucher as vouchers
from zhengka.formats.voucher import Voucher as Promise
from zhengka.gates import account
from zhengka.gates.models import Statement, Visit, Voucher
from zhengka.gates.rules import province
from zhengka.keys import services as keys

SUITE: Final = "INTL"
"""A gate is a phone: its browser checks P-256 by itself, and SM2 only by a program of ours."""
TOGETHER: Final = 1_000
STATEMENT: Final = account.CONTENT_TYPE


def sign_voucher(voucher_id: int, *, at: datetime) -> None:
    """Give a voucher that the platform issued its signed form; a repeat leaves what is there."""
    row = Voucher.objects.filter(pk=voucher_id, payload=None).first()
    if row is None:
        return
    signer = keys.voucher_signer(row.area, SUITE, at=at)
    promise = Promise(bytes(row.code), row.operator, row.venue, row.service, row.rule, row.gives, row.companions,
                      row.begins, row.ends)
    payload = vouchers.encode(promise, suite=SUITE, key_id=signer.key_id, sign=signer.sign)
    still = Voucher.objects.filter(pk=row.pk, payload=None, companions=row.companions)  # or a later task signs it anew
    still.update(payload=payload)


def sign_own_events(*, at: datetime) -> int:
    """Sign what the platform wrote into logs of gates; how many events."""
    signed = 0
    while rows := list(Visit.objects.filter(signature=None).order_by("area", "pk")[:TOGETHER]):
        mine = [row for row in rows if province(row.area) == province(rows[0].area)]
        signer = keys.voucher_signer(mine[0].area, SUITE, at=at)
        signatures = signer.sign_many([row.text.encode() for row in mine])
        with transaction.atomic():
            for row, signature in zip(mine, signatures, strict=True):
                Visit.objects.filter(pk=row.pk, signature=None).update(signature=signature, key_id=signer.key_id)
        signed += len(mine)
    return signed


def sign_statement(statement_id: int, *, at: datetime) -> None:
    """Sign a statement that was sent, over its head word for word; a repeat leaves what is there."""
    row = Statement.objects.filter(pk=statement_id, signature=None).exclude(head="").first()
    if row is None:
        return
    signer = keys.voucher_signer(row.area, SUITE, at=at)
    signed = issuers.sig_structure(SUITE, signer.key_id, STATEMENT, row.head.encode())
    Statement.objects.filter(pk=row.pk, signature=None).update(signature=signer.sign(signed), key_id=signer.key_id)
