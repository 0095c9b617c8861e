"""Cases (办理): the only rows that start a change for a person."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import book
from zhengka.cases.workflow import ARRIVALS, DECIDED, DEPARTURES, DISPUTES, KINDS, STATES, UNHEARD
from zhengka.core.actors import Actor
from zhengka.core.models import Event, ProvinceRow, Stateful, states_check
from zhengka.core.workflow import Workflow
from zhengka.formats.certnumber import CATEGORIES
from zhengka.registry.models import Certificate, Holder

NO_LIMIT = date(9999, 12, 31)
"""Stands for the day of a case without a limit, behind all others."""

UNRECORDED = Q(holder__isnull=True) | Q(Q(kind_of_case__in=ARRIVALS) & ~Q(state="ordered"))
"""Cases of whose person the office has no record: until an arrival (迁入) is over the record is the old office's, and
it stays there where the arrival came to nothing."""


class Case(ProvinceRow, Stateful):
    """One case of a person, of one of the kinds in `cases.workflow.KINDS`, under the policy of the day it was opened.

    `holder` and `certificate` are null until a new application (申领), or an arrival from elsewhere, is approved; also
    of the dispute of whoever was refused.
    `reviewer_person` and the like are persons, not accounts (I6). `ended_at` is set by the step into a state from
    which none leads on. `assignee` (经办人) organises work and is no permission: every officer who may take a step may
    take it, whoever has the case. `front`: the office that received it (受理机构), a street of the area or the county
    where the person lives, where that is another one; it sees the case and takes the steps that the policy gives it.
    """

    kind_of_case = models.TextField(choices=[(name, name) for name in KINDS], default="exchange")
    policy = models.TextField(default="measures-2017", help_text="code of the case policy under which it was opened")
    minor = models.BooleanField(default=False, help_text="under 18 when it was opened: never in public notice")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    front = models.ForeignKey(Area, null=True, on_delete=models.PROTECT, db_column="shared_with", db_index=False,
                              related_name="+", help_text="the office that received it, where another one decides")
    name = models.TextField(help_text="of the person, when the case was opened")
    person_index = models.BinaryField(help_text="blind index of the ID number, 16 bytes")
    told = models.BinaryField(null=True, help_text="what was applied for, sealed as case.told: JSON")
    holder = models.ForeignKey(Holder, null=True, on_delete=models.PROTECT, related_name="cases")
    certificate = models.ForeignKey(Certificate, null=True, on_delete=models.PROTECT, db_index=False)
    card = models.ForeignKey(Card, null=True, on_delete=models.PROTECT)
    counterpart = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="counterpart_of",
                                       help_text="of a departure (迁出): the arrival (迁入) at the other office")
    disputes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="disputed_by",
                                 db_index=False, help_text="of a dispute: the case whose decision is disputed")
    assignee = models.ForeignKey(Officer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                                 help_text="officer who sees to the case; null: whoever comes to it")
    phase = models.PositiveSmallIntegerField(null=True, help_text="phase of the programme under which it was opened")
    reason = models.TextField(blank=True, help_text="code: why a certificate ends, or a case was brought")
    found = models.JSONField(null=True, help_text="conclusion of the assessment: category, grade, components; {}: none")
    assessor_person = models.TextField(blank=True)
    reviewer_person = models.TextField(blank=True)
    approver_person = models.TextField(blank=True)
    witness_person = models.TextField(blank=True, default="", db_default="",
                                      help_text="of a departure: who confirmed the day of the move")
    due_on = models.DateField(null=True, help_text="last day for the step that leads on, where the policy sets a limit")
    notice_from = models.DateField(null=True, help_text="day on which the public notice (公示) was put up")
    notice_ends = models.DateField(null=True, help_text="its last day")
    heads_for = models.ForeignKey(Area, null=True, on_delete=models.PROTECT, db_column="heads_for", db_index=False,
                                  related_name="+", help_text="of a departure: the office where the person moves, "
                                                              "where it is known; that office sees when it is due")
    freezes_on = models.DateField(null=True, help_text="last day before a certificate left behind is frozen")
    lapses_on = models.DateField(null=True, help_text="last day before it is cancelled")
    opened_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_index", "kind_of_case"], condition=Q(ended_at__isnull=True),
                                    name="case_open_once"),
            models.UniqueConstraint(fields=["person_index"], name="case_departs_once", condition=Q(
                ended_at__isnull=True, kind_of_case__in=DEPARTURES)),
            models.CheckConstraint(condition=Q(approver_person="") | ~Q(approver_person=F("reviewer_person")),
                                   name="case_two_persons"),
            models.CheckConstraint(condition=~Q(state__in=sorted(DECIDED))
                                   | (~Q(reviewer_person="") & ~Q(approver_person="")), name="case_decided_by_two"),
            models.CheckConstraint(condition=~Q(state__in=["frozen", "lapsed"]) | ~Q(witness_person="")
                                   | ~Q(approver_person=""), name="case_left_behind_by_two"),
            models.CheckConstraint(condition=~Q(state="ordered") | Q(card__isnull=False), name="case_ordered_has_card"),
            models.CheckConstraint(condition=Q(kind_of_case__in=("new", "transfer_in_nation", *DISPUTES))
                                   | Q(holder__isnull=False), name="case_has_holder"),
            models.CheckConstraint(condition=Q(disputes__isnull=True) | Q(kind_of_case__in=DISPUTES),
                                   name="case_dispute_disputes"),
            models.UniqueConstraint(fields=["disputes"], name="case_disputed_once", condition=Q(
                disputes__isnull=False) & ~Q(state__in=UNHEARD)),
            models.CheckConstraint(condition=~Q(minor=True) | Q(notice_from__isnull=True),
                                   name="case_minor_not_publicised"),
            models.CheckConstraint(condition=Q(notice_from__isnull=True) | Q(notice_ends__gt=F("notice_from")),
                                   name="case_notice_ordered"),
            models.CheckConstraint(condition=Q(kind_of_case__in=sorted(KINDS)), name="case_kind_known"),
            models.CheckConstraint(condition=~Q(front=F("area")), name="case_front_is_another"),
            models.CheckConstraint(condition=Q(heads_for__isnull=True) | Q(kind_of_case__in=DEPARTURES)
                                   & ~Q(heads_for=F("area")), name="case_heads_elsewhere"),
            states_check("case", STATES),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "area", "id"], name="case_by_state_area"),
            models.Index(F("area"), F("state"), F("kind_of_case"), F("policy"), F("minor"),
                         IsNull(F("front"), False),
                         Coalesce("due_on", Value(NO_LIMIT)), F("id"),
                         condition=Q(ended_at__isnull=True), name="case_by_due_day"),
            models.Index(F("assignee"), F("state"), Coalesce("due_on", Value(NO_LIMIT)), F("id"),
                         condition=Q(ended_at__isnull=True, assignee__isnull=False), name="case_by_assignee"),
            models.Index(fields=["assignee"], condition=Q(assignee__isnull=False), name="case_of_assignee"),
            models.Index(fields=["area", "ended_at"], condition=Q(ended_at__isnull=False), name="case_ended_by_area"),
            models.Index(F("front"), Coalesce("due_on", Value(NO_LIMIT)), F("id"), name="case_front_by_due_day",
                         condition=Q(ended_at__isnull=True, front__isnull=False)),
            models.Index(fields=["front", "ended_at"], name="case_front_ended",
                         condition=Q(ended_at__isnull=False, front__isnull=False)),
            models.Index(fields=["area", "name", "id"], condition=UNRECORDED, name="case_by_applicant"),
            models.Index(fields=["front", "name", "id"], condition=Q(front__isnull=False), name="case_front_by_name"),
            models.Index(fields=["person_index"], condition=UNRECORDED | Q(front__isnull=False), name="case_by_person"),
            models.Index(fields=["heads_for", "id"], name="case_heads_for", condition=Q(
                heads_for__isnull=False, counterpart__isnull=True, ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"case {self.pk}"

    @classmethod
    def kind(cls) -> str:
        """The subject's name in events."""
        return "case"

    @property
    def shared_with(self) -> int | None:
        """The 12-digit code of the front office; what belongs to the case carries it, too."""
        return self.front_id

    @property
    def reporter_person(self) -> str:
        """The person who brought the case in."""
        return Event.objects.filter(subject="case", subject_id=self.pk, version=1).values_list(
            "person", flat=True).first() or ""

    @property
    def checker_person(self) -> str:
        """The person who checked the papers last (初审); empty where no policy asks for it."""
        return Event.objects.filter(subject="case", subject_id=self.pk, action="precheck").order_by(
            "-version").values_list("person", flat=True).first() or ""

    @property
    def place(self) -> Area:
        """The issuing unit where the person is assessed and publicised: that of the front office where it is one."""
        return self.front if self.front is not None and self.front.issuing else self.area

    @property
    def table(self) -> Workflow:
        """The steps that its policy has for its kind, and for a minor."""
        return book.table(self.policy, self.kind_of_case, minor=self.minor)


def seen_by(actor: Actor) -> Q:
    """The cases of an actor's area, and those that were received there."""
    return Q(area__gte=actor.lo, area__lte=actor.hi) | Q(front__gte=actor.lo, front__lte=actor.hi)


class Recall(models.Model):
    """Somebody may or should be assessed again from a day on (重新评定): what the last assessment concluded, beside
    the sealed conclusion, so that lists and reminders find it by its day. Who need never be has no row.

    `services.note_again` keeps it, with each signature; it goes with the person to another office.
    """

    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    person_index = models.BinaryField(help_text="blind index of the ID number, 16 bytes")
    holder = models.ForeignKey(Holder, null=True, on_delete=models.PROTECT, db_index=False, related_name="+",
                               help_text="null: somebody without a record, such as a child that was too young")
    name = models.TextField(help_text="of the person, when they were assessed")
    case_id = models.BigIntegerField(help_text="case of that assessment; it may be another office's")
    category = models.PositiveSmallIntegerField(help_text="what was assessed")
    met = models.BooleanField(help_text="a grade was certified")
    again_on = models.DateField(help_text="first day")
    told_on = models.DateField(null=True, help_text="day on which the person was reminded of it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_index"], name="recall_once"),
            models.CheckConstraint(condition=Q(category__in=sorted(CATEGORIES)), name="recall_category_known")]
        indexes: ClassVar = [
            models.Index(fields=["area", "again_on", "id"], name="recall_by_day"),
            models.Index(fields=["holder"], name="recall_of_holder", condition=Q(holder__isnull=False)),
            models.Index(fields=["again_on", "id"], name="recall_to_tell", condition=Q(told_on__isnull=True))]

    def __str__(self) -> str:
        """Key and day."""
        return f"recall {self.pk} from {self.again_on}"


class Tally(models.Model):
    """So many cases more, or fewer, of one office, line (`book.Line`) and day: the sum of `number` is how many.

    Triggers add rows here with every statement that adds, changes or removes cases (0019_lines), so a count costs
    offices and days, not cases. No row is ever changed: who moves a case waits for nobody. `services.add_up` puts
    those of one key together.
    """

    area = models.BigIntegerField(help_text="12-digit code of the issuing office")
    policy = models.TextField()
    kind_of_case = models.TextField()
    minor = models.BooleanField()
    fronted = models.BooleanField(help_text="received by another office")
    state = models.TextField()
    ended = models.BooleanField()
    day = models.DateField(help_text="of an open case the last day for its step, of an ended one its end")
    number = models.IntegerField(help_text="so many cases more, or fewer")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(number=0), name="tally_counts")]
        indexes: ClassVar = [models.Index(fields=["area", "ended", "day"], name="tally_by_area")]

    def __str__(self) -> str:
        """Office, state and number."""
        return f"{self.area} {self.state}: {self.number:+d}"


class Way(models.Model):
    """One step that a policy allows, as the database's own copy: a trigger lets a case change its state by no other
    (I7). Written from `data/cases` by `services.load_ways`.
    """

    policy = models.TextField()
    kind_of_case = models.TextField()
    minor = models.BooleanField()
    source = models.TextField()
    target = models.TextField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(
            fields=["policy", "kind_of_case", "minor", "source", "target"], name="way_once")]

    def __str__(self) -> str:
        """From where to where."""
        return f"{self.policy} {self.kind_of_case}: {self.source} → {self.target}"
