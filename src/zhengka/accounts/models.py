"""Officers (工作人员): an account of a person, with one role in one area; who stands in for whom (代班) and whose
right is lent to whom (委托), on which days; and the names that were tried in vain.
"""

from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from zhengka.accounts.roles import LENDABLE, ROLES
from zhengka.accounts.workflow import COVER, DELEGATION, OFFICER
from zhengka.areas.models import Area
from zhengka.core.models import ProvinceRow, Stateful, state_check

MOST_DAYS = 90
"""For so many days, both ends counted, an officer may be covered or a right be lent [ours]."""


class Officers(BaseUserManager["Officer"]):
    """Finds officers by user name."""

    def get_by_natural_key(self, username: str | None) -> "Officer":
        """The officer who logs in as `username`."""
        return self.get(username=username)


class Officer(Stateful, AbstractBaseUser):
    """An account. `person` stands for the human being behind it, so that two accounts are not two persons (I6).

    A right has two persons behind it: who asked for the role and who permitted it. `wanted` waits for the second.
    Offices below see an account, for its officer may take the next step of a case; so its password lies apart.
    """

    password = None  # type: ignore[assignment]
    workflow = OFFICER
    state = models.TextField(default=OFFICER.initial)
    username = models.TextField()
    name = models.TextField()
    person = models.TextField(help_text="reference of the person, the same for every account of one person")
    role = models.TextField(choices=[(role, zh) for role, (zh, _) in ROLES.items()])
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area")
    asked_by = models.TextField(blank=True, help_text="person who asked for the role")
    permitted_by = models.TextField(blank=True, help_text="person who permitted the role")
    wanted = models.TextField(blank=True, help_text="role that waits to be permitted")
    wanted_by = models.TextField(blank=True, help_text="person who asked for the role that waits")
    installed = models.BooleanField(default=False, help_text="role given by the operator's command, before there were "
                                                             "officers who could ask and permit")
    first_password = models.BooleanField(default=False, help_text="somebody else chose the password: nothing is open "
                                                                  "until it is changed")
    generation = models.PositiveIntegerField(default=0, help_text="of sessions: those of an earlier one have ended")

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = Officers()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["username"], name="officer_username_once"),
            models.CheckConstraint(condition=Q(role__in=sorted(ROLES)), name="officer_role_known"),
            models.CheckConstraint(condition=Q(wanted__in=["", *sorted(ROLES)]), name="officer_wanted_known"),
            models.CheckConstraint(
                condition=Q(wanted="", wanted_by="") & ~Q(state="pending")
                | ~Q(wanted="") & ~Q(wanted_by="") & ~Q(state="inactive"), name="officer_waits_for_a_role"),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(installed=True)
                | ~Q(asked_by="") & ~Q(permitted_by="") & ~Q(asked_by=F("permitted_by")),
                name="officer_role_by_two_persons"),
            models.CheckConstraint(
                condition=~Q(person=F("asked_by")) & ~Q(person=F("permitted_by")) & ~Q(person=F("wanted_by")),
                name="officer_role_by_others"),
            state_check(OFFICER),
        ]

    def __str__(self) -> str:
        """The officer's name."""
        return self.name

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """True while the account may be used."""
        return self.state == "active"

    def check_password(self, raw_password: str) -> bool:  # type: ignore[override]
        """True where this is the account's password."""
        return check_password(raw_password, self.secret.hash)

    def get_session_auth_hash(self) -> str:
        """What a session must know of the account to live on: it ends with the password, and with the account."""
        known = f"{self.generation} {self.secret.hash}"
        return salted_hmac("zhengka.accounts.session", known, algorithm="sha256").hexdigest()


class Password(models.Model):
    """What an account's password is checked by (口令): a slow salted hash, seen within the account's own area alone."""

    officer = models.OneToOneField(Officer, on_delete=models.CASCADE, primary_key=True, related_name="secret")
    hash = models.TextField()

    def __str__(self) -> str:
        """Whose, and nothing of it."""
        return f"password of account {self.pk}"


class TriedName(models.Model):
    """A login name that was tried in vain, whether there is such an officer or not: a keyed index, not the name."""

    name = models.BinaryField(primary_key=True, help_text="keyed blind index of the name as it was typed")
    failures = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(db_index=True)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """How often, not which name."""
        return f"{self.failures} wrong tries"


class StandIn(ProvinceRow, Stateful):
    """Somebody does another one's work from a day to a day, both included, in one office.

    `person` and `deputy_person` are persons, not accounts (I6): nobody stands in for themselves. That the rows of an
    officer do not overlap is a constraint of the migration (`…_days_apart`).
    """

    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    person = models.TextField()
    deputy = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    deputy_person = models.TextField()
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Key and days."""
        return f"{self.kind()} {self.pk}: {self.first_day} – {self.last_day}"


def stand_in_checks(name: str) -> list[models.CheckConstraint]:
    """What holds of the days and of the two persons, in the database itself."""
    return [
        models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name=f"{name}_days_ordered"),
        models.CheckConstraint(condition=Q(last_day__lt=F("first_day") + timedelta(days=MOST_DAYS)),
                               name=f"{name}_days_bounded"),
        models.CheckConstraint(condition=~Q(person=F("deputy_person")) & ~Q(officer=F("deputy")),
                               name=f"{name}_by_another"),
    ]


class Cover(StandIn):
    """An absent officer's cases are on the deputy's worklist, too (代班). No right is lent: both have the same role."""

    workflow = COVER

    class Meta:
        constraints: ClassVar = [*stand_in_checks("cover"), state_check(COVER)]


class Delegation(StandIn):
    """The right of a role, lent by its holder to an officer who has another one (委托), once a third person permits."""

    workflow = DELEGATION
    role = models.TextField(help_text="the role that is lent; it holds while the officer has it")
    permitted_by = models.TextField(blank=True, help_text="person who permitted it")

    class Meta:
        constraints: ClassVar = [
            *stand_in_checks("delegation"), state_check(DELEGATION),
            models.CheckConstraint(condition=Q(role__in=sorted(LENDABLE)), name="delegation_role_lendable"),
            models.CheckConstraint(condition=~Q(state="lent") | ~Q(permitted_by=""), name="delegation_by_two_persons"),
            models.CheckConstraint(condition=~Q(permitted_by=F("person")) & ~Q(permitted_by=F("deputy_person")),
                                   name="delegation_by_a_third"),
        ]
