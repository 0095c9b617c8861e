"""Whose session it is: looked up by the platform itself, for the area is that of the account (`accounts_officer`)."""

from django.contrib.auth.backends import BaseBackend
from django.db import connection, transaction

from zhengka.accounts.models import Officer
from zhengka.core.scope import seeing_all


class Sessions(BaseBackend):
    """Finds the officer of a session. Passwords are looked at by `accounts.services.authenticate` alone."""

    def get_user(self, user_id: int) -> Officer | None:
        """The officer whose session names this account; None where it is not in use."""
        with transaction.atomic(), seeing_all(connection):
            officer = Officer.objects.select_related("area", "secret").filter(pk=user_id).first()
        return officer if officer and officer.is_active else None
