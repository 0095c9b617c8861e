"""Receipts both ways (收包回执, 回盘回执): the card maker's of a package, ours of results."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, perform, replayed
from zhengka.formats import receipts
from zhengka.formats.receipts import ResultsReceipt
from zhengka.formats.statement import StatementBroken
from zhengka.production.models import Batch
from zhengka.production.services import makers
from zhengka.production.services.finishing import batch_signer


@transaction.atomic
def acknowledge(batch: Batch, text: bytes, *, by: Actor, request_id: UUID, at: datetime) -> Batch:
    """Take the card maker's signed receipt of a batch's package (收包回执): it has it whole.

    `Refusal`: `receipt-broken`, `receipt-of-another-batch`, `batch-acknowledged`, those of `makers.trusted` and of
    `perform`.
    """
    if event := replayed(request_id, Batch.kind(), batch.pk):
        raise Replayed(event)
    makers.trusted(batch.maker, at=at)
    try:
        told = receipts.read_package(text, makers.key_of(batch.maker))
    except StatementBroken as broken:
        raise Refusal("receipt-broken", why=broken.code, field=broken.field) from None
    if (told.batch, told.package.hex(), told.cards) != (batch.number, batch.manifest_digest, batch.prepared):
        raise Refusal("receipt-of-another-batch", batch=told.batch, cards=told.cards)
    return perform(batch, "acknowledge", {"acknowledged_at": at}, by=by, request_id=request_id, at=at,
                   package=batch.manifest_digest, cards=told.cards, parts=told.parts, had_at=told.at.isoformat())


def write_receipt(batch_id: int, *, at: datetime) -> str:
    """Our signed receipt of the results that a batch got (回盘回执), written once; called outside every transaction,
    since it signs. `Refusal("no-results")` before they were taken.
    """
    batch = Batch.objects.get(pk=batch_id)
    if batch.result_id is None or batch.received_at is None or not batch.result_digest:
        raise Refusal("no-results", batch=batch.number)
    if not batch.receipt:
        told = ResultsReceipt(batch.number, bytes.fromhex(batch.manifest_digest), batch.result_id,
                              bytes.fromhex(batch.result_digest), batch.good, batch.spoiled, batch.suspect,
                              batch.received_at)
        text = receipts.sign_results(told, batch_signer(batch, at=at)).decode()
        Batch.objects.filter(pk=batch_id, receipt="").update(receipt=text)
        batch.refresh_from_db()
    return batch.receipt
