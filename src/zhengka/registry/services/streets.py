"""In which street or township (街道、乡镇) a holder lives, found in the address: for lists and rounds by street.

The address is sealed; of it only this code stands in the record in clear, as the office of every case does.
"""

from collections.abc import Mapping

from django.db import connection, transaction

from zhengka.areas.models import Area
from zhengka.core import fields
from zhengka.registry.models import Holder

PLACED = """
WITH asked AS (SELECT id FROM registry_holder WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE)
UPDATE registry_holder h SET street = nullif(n.street, 0)
FROM asked JOIN unnest(%(ids)s::bigint[], %(streets)s::bigint[]) n (id, street) USING (id) WHERE h.id = asked.id
"""


def street_of(address: str, streets: Mapping[str, int]) -> int | None:
    """The street that an address names: the longest of the names (name → 12-digit code) that stands in it."""
    found = max((name for name in streets if name in address), key=len, default=None)
    return streets[found] if found else None


@transaction.atomic
def place_in_streets(unit: Area) -> int:
    """Find the street of every holder of a unit again, and say how many records now say another one than before.

    A repeat changes nothing. What is written follows from the record, so there is no event of it.
    """
    streets = dict(Area.objects.filter(level="street", parent=unit).values_list("name", "code"))
    rows = list(Holder.objects.filter(area=unit).values_list("pk", "address", "street"))
    told = [(pk, bytes(address), street) for pk, address, street in rows if address]
    opened = fields.open_many([address for _, address, _ in told], "holder.address")
    new = {pk: street_of(address, streets) for (pk, *_), address in zip(told, opened, strict=True)}
    changed = {pk: new.get(pk) for pk, _, street in rows if new.get(pk) != street}
    with connection.cursor() as cursor:
        cursor.execute(PLACED, {"ids": list(changed), "streets": [street or 0 for street in changed.values()]})
    return len(changed)


def place_all() -> int:
    """The same for every unit of which streets are kept, one transaction for each."""
    units = Area.objects.filter(pk__in=Area.objects.filter(level="street").values("parent"), issuing=True)
    return sum(place_in_streets(unit) for unit in units.order_by("code"))
