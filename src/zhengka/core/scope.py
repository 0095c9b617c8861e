"""Who sees which rows, in one place: a range of area codes, held a second time by PostgreSQL itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ROLE = "zhengka_web"
"""The database role of the web: it owns no table, changes no event, and is bound by row-level security."""

POLICY = """
area BETWEEN nullif(current_setting('app.lo', true), '')::bigint
         AND nullif(current_setting('app.hi', true), '')::bigint
"""
"""No scope set means no rows: a comparison with NULL is never true."""

SHARED = f"({POLICY}) OR ({POLICY.replace('area', 'shared_with', 1)})"
"""A row of one's own area, or one that its office shares with this one: what belongs to a case received elsewhere."""


def enter(connection: Any, lo: int, hi: int) -> None:
    """Bind the rest of the present transaction to the web role and to areas `lo` to `hi`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        cursor.execute("SELECT set_config('app.lo', %s, true), set_config('app.hi', %s, true)", [str(lo), str(hi)])


def see_all(connection: Any) -> None:
    """Let the platform itself see every area for the rest of the present transaction, under its own role.

    A server's login role is bound by the policies like everybody: what it does not see it takes for absent.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.lo', '0', true), set_config('app.hi', '999999999999', true)")


def of_the_platform(settings: dict[str, Any]) -> None:
    """Let every connection that this process opens from now on see every area: workers and the command line.

    `settings`: Django's description of the database. The site never calls this: without a scope it sees nothing.
    """
    options = settings.setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} -c app.lo=0 -c app.hi=999999999999"


@contextmanager
def seeing_all(connection: Any) -> Iterator[None]:
    """Let one narrow act of the platform look beyond the area of the one who asks, within the present transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.lo', true), current_setting('app.hi', true)")
        before = [value or "" for value in cursor.fetchone()]
    see_all(connection)
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.lo', %s, true), set_config('app.hi', %s, true)", before)


def leave(connection: Any) -> None:
    """Return to the login role for the rest of the transaction (tests and maintenance)."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def protect(table: str, *, nobodys: bool = False) -> str:
    """SQL that puts a table under row-level security by its area column, its owner included.

    `nobodys`: a row without an area belongs to no office, and everybody may see and add one.
    """
    policy = f"{POLICY} OR area IS NULL" if nobodys else POLICY
    return (f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; "
            f"CREATE POLICY scope ON {table} USING ({policy}) WITH CHECK ({policy})")


def share(table: str) -> str:
    """SQL after which a protected table shows a row to the office in its column `shared_with`, too."""
    return f"ALTER POLICY scope ON {table} USING ({SHARED}) WITH CHECK ({SHARED})"


def allow(rights: str, on: str) -> str:
    """SQL after which the web's role has these rights, and no others, on tables or (`SEQUENCE …`) on sequences.

    `rights`: what its pages need, such as `SELECT, INSERT`. On what no migration names, the role has none.
    """
    return f"REVOKE ALL ON {on} FROM {ROLE}; GRANT {rights} ON {on} TO {ROLE}"
