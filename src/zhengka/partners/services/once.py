"""One request, one effect (幂等, I17): the same key with the same body gets the same answer, whoever asks at once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.partners.models import Answered, Partner
from zhengka.partners.rules import KEY

SEALED = "partner.answer"


@transaction.atomic
def answer_once(partner: Partner, key: str, asked: Mapping[str, Any], do: Callable[[], Mapping[str, Any]], *,
                at: datetime) -> dict[str, Any]:
    """What `do` answers, or what it answered when this client asked the same under this key before.

    The row of the key is written in the transaction of the effect: of two that come at once the second waits for the
    first and then reads its answer; where the first was refused, nothing stands under the key and the second is carried
    out. `Refusal`: `idempotency-key-missing`, `idempotency-key-reused` for another body.
    """
    if not KEY.fullmatch(key):
        raise Refusal("idempotency-key-missing")
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).digest()
    Answered.objects.bulk_create([Answered(partner=partner, area=partner.area_id, key=key, digest=digest, at=at)],
                                 ignore_conflicts=True)
    row = Answered.objects.select_for_update().get(partner=partner, key=key)
    if bytes(row.digest) != digest:
        raise Refusal("idempotency-key-reused")
    if row.answer is None:
        row.answer = fields.close(json.dumps(do(), ensure_ascii=False), SEALED)
        row.save(update_fields=["answer"])
    answer: dict[str, Any] = json.loads(fields.open_(bytes(row.answer), SEALED))
    return answer
