"""What a holder has is frozen and thawed together (冻结、解冻): paper and card of an exchange are of one right."""

from collections.abc import Collection

from zhengka.bulk.services import Asked
from zhengka.cards import services as cards
from zhengka.cases.services.moving import part
from zhengka.core.errors import Refusal
from zhengka.registry import services as registry
from zhengka.registry.models import IN_FORCE, Certificate


def stop(holder_id: int, reason: str, asked: Asked) -> None:
    """Freeze every certificate of a holder that holds, and let gates refuse the card. One that is being made is made,
    and nobody hands it over before the thaw: whoever would is refused (`certificate-not-valid`).
    """
    for one in Certificate.objects.filter(holder=holder_id, state="valid").order_by("pk"):
        registry.freeze(one, reason, **vars(part(asked, f"certificate {one.pk}")))
    cards.freeze_all(holder_id, **vars(part(asked, "cards")))


def hold_again(holder_id: int, ended: Collection[str], asked: Asked) -> list[Certificate]:
    """Let what is frozen for one of these reasons hold again, as if it had never been frozen; what is frozen for
    another one stays so, and is returned. The card follows once nothing is frozen any more: paper and card are of one
    right.

    `Refusal`: `certificate-missing` where the holder has none in force, `certificate-not-valid` where all that is
    frozen is so for another reason, `step-not-open` where nothing is frozen.
    """
    rows = list(Certificate.objects.filter(holder=holder_id, state__in=IN_FORCE).order_by("pk"))
    if not rows:
        raise Refusal("certificate-missing")
    frozen = [row for row in rows if row.state == "frozen"]
    covered = [row for row in frozen if row.frozen_for in ended]
    for one in covered or frozen or rows[-1:]:
        registry.unfreeze(one, ended, **vars(part(asked, f"certificate {one.pk}")))
    stay = [row for row in frozen if row not in covered]
    if not stay:
        cards.unfreeze_all(holder_id, **vars(part(asked, "cards")))
    return stay
