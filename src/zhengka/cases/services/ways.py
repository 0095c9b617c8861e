"""The policies' tables, written where the database itself reads them (I7)."""

from zhengka.cases import book
from zhengka.cases.models import Way
from zhengka.cases.workflow import by_death


def load_ways() -> int:
    """Write every step of every shipped policy into the database's own table of ways; how many there are. The end by
    death is among them, from wherever a case may stand.

    None is ever taken away: a case that began under a policy ends under it.
    """
    ways = {(policy.code, kind, minor, step.source, step.target)
            for policy in book.shipped() for kind in policy.procedures for minor in (False, True)
            for table in [book.table(policy.code, kind, minor=minor)]
            for step in (*table.steps, *map(by_death, table.states - table.final))}
    Way.objects.bulk_create([Way(policy=code, kind_of_case=kind, minor=minor, source=source, target=target)
                             for code, kind, minor, source, target in sorted(ways)], ignore_conflicts=True)
    return len(ways)
