"""The database is emptied behind a test that commits: Django truncates every table there is, each with new files that
are synced, and writes the permissions of all models anew, while a test fills twenty tables of some two hundred.
"""

from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}
"""What migrations filled and no test changes."""


def begin() -> None:
    """Empty it so from now on; for a server that lets only its superuser past triggers, as Django does."""
    flush = TransactionTestCase._fixture_teardown

    def emptied(test: TransactionTestCase) -> None:
        (empty if _is_superuser() else flush)(test)

    TransactionTestCase._fixture_teardown = emptied  # type: ignore[method-assign]


def empty(_test: Any = None) -> None:
    """Delete the rows of every table that has any, past all triggers as TRUNCATE does."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        cursor.execute(" UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in {*tables} - KEPT))
        filled = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica;"
                       + "".join(f"DELETE FROM {name};" for name in filled))


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        return bool(cursor.fetchone()[0])
