"""Officers (工作人员): an account of a person, with one role in one area."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from zhengka.accounts.roles import ROLES
from zhengka.accounts.workflow import OFFICER
from zhengka.areas.models import Area
from zhengka.core.models import Stateful, state_check


class Officers(BaseUserManager["Officer"]):
    """Finds officers by user name."""

    def get_by_natural_key(self, username: str | None) -> "Officer":
        """The officer who logs in as `username`."""
        return self.get(username=username)


class Officer(Stateful, AbstractBaseUser):
    """An account. `person` stands for the human being behind it, so that two accounts are not two persons (I6)."""

    workflow = OFFICER
    state = models.TextField(default=OFFICER.initial)
    username = models.TextField()
    name = models.TextField()
    person = models.TextField(help_text="reference of the person, the same for every account of one person")
    role = models.TextField(choices=[(role, zh) for role, (zh, _) in ROLES.items()])
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area")
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = Officers()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["username"], name="officer_username_once"),
            models.CheckConstraint(condition=models.Q(role__in=sorted(ROLES)), name="officer_role_known"),
            state_check(OFFICER),
        ]

    def __str__(self) -> str:
        """The officer's name."""
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """True while the account may be used."""
        return self.state == OFFICER.initial
