"""A visitor of the site in tests: Django's client, whose requests leave the test's own transaction as they found it."""

from typing import Any
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from zhengka.accounts.models import Officer
from zhengka.core.scope import leave


class Visitor(Client):
    """A browser without script. A request sets the role of the transaction that it runs in: undone after each one."""

    def __init__(self, officer: Officer | None = None, **extra: Any) -> None:
        """Log in `officer`, without the password's slow check."""
        super().__init__(raise_request_exception=True, headers={"accept-language": "en"}, **extra)
        if officer:
            self.force_login(officer)

    def request(self, **request: Any) -> Any:
        """Send one request."""
        try:
            return super().request(**request)
        finally:
            leave(connection)

    def act(self, path: str, **data: Any) -> Any:
        """Send a form with a request id of its own."""
        return self.post(path, {"request_id": str(uuid4()), **data})


def routes(prefix: str = "") -> list[tuple[str, URLPattern]]:
    """Every route of the site: (name with its namespace, pattern)."""
    return _walk(get_resolver(), "", prefix)


def _walk(resolver: URLResolver, namespace: str, prefix: str) -> list[tuple[str, URLPattern]]:
    found = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            found += _walk(entry, inner, prefix)
        elif f"{namespace}{entry.name}".startswith(prefix):
            found.append((f"{namespace}{entry.name}", entry))
    return found
