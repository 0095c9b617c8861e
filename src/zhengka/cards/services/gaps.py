"""Numbers that no card gets any more (跳号)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from zhengka.cards.models import Gap
from zhengka.cards.services.ordering import NUMBERS_LOCK
from zhengka.core.actors import Actor
from zhengka.core.events import begin

DRAWN: Final = {"serial": "cards_serial_numbers", "place": "cards_status_places"}
"""What a card gets once for ever → the sequence from which it is drawn."""


@transaction.atomic
def leave_out(count: int, *, by: Actor, request_id: UUID, at: datetime) -> Gap:
    """Never give the next `count` serials and places in status lists: an old backup came back, and does not know the
    cards that took them since. A serial given twice would be two cards with the same keys.
    """
    told: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERS_LOCK])  # whoever draws now would draw from the gap
        for name, sequence in DRAWN.items():
            cursor.execute("SELECT nextval(%s)", [sequence])
            first = cursor.fetchone()[0]
            cursor.execute("SELECT setval(%s, %s)", [sequence, first + count - 1])
            told |= {f"first_{name}": first, f"last_{name}": first + count - 1}
    return begin(Gap(**told, at=at), "leave_out", by=by, request_id=request_id, at=at, **told)
