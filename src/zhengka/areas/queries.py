"""What is asked about areas."""

from django.db.models import QuerySet

from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal

OFFICE_WORDS = ("残疾人联合会", "残联")


def area(code: int, *, actor: Actor) -> Area:
    """The area with this 12-digit code; `Refusal("not-found")` outside the actor's range."""
    found = Area.objects.filter(code=code, code__gte=actor.lo, code__lte=actor.hi).first()
    if found is None:
        raise Refusal("not-found")
    return found


def issuing_units(lo: int, hi: int) -> QuerySet[Area]:
    """The issuing units (发证单位) with codes from `lo` to `hi`, with their parents, in the order of their codes."""
    return Area.objects.filter(issuing=True, code__gte=lo, code__lte=hi).select_related("parent").order_by("code")


def unit_words(lo: int, hi: int) -> dict[str, int]:
    """Every way in which a file may name an issuing unit between `lo` and `hi` → its 12-digit code.

    Six and twelve digits; the name alone, after its city, and with the office's own ending. A name that two units
    share names neither.
    """
    words: dict[str, int] = {}
    for unit in issuing_units(lo, hi):
        names = [unit.name] + ([unit.parent.name + unit.name] if unit.parent else [])
        for word in [unit.unit6, str(unit.code), *names, *(name + end for name in names for end in OFFICE_WORDS)]:
            words[word] = 0 if word in words else unit.code
    return {word: code for word, code in words.items() if code}
