"""The policies' tables, written where the database itself reads them (I7)."""

from zhengka.cases import book
from zhengka.cases.models import Way


def load_ways() -> int:
    """Write every step of every shipped policy into the database's own table of ways; how many there are.

    None is ever taken away: a case that began under a policy ends under it.
    """
    ways = {(policy.code, kind, minor, step.source, step.target)
            for policy in book.shipped() for kind in policy.procedures for minor in (False, True)
            for step in book.table(policy.code, kind, minor=minor).steps}
    Way.objects.bulk_create([Way(policy=code, kind_of_case=kind, minor=minor, source=source, target=target)
                             for code, kind, minor, source, target in sorted(ways)], ignore_conflicts=True)
    return len(ways)
