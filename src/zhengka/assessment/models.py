"""Designated institutions, licences, days of assessments, appointments and assessments (残疾评定).

The room knows a case by its id alone and a person by the blind index of the ID number (16 bytes): cases stand above.
An institution serves its area: what lies in it sees it, and the offices below find its days (`last`).
"""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import ExpressionWrapper, F, Func, Q, Value

from zhengka.accounts.models import Officer
from zhengka.areas.models import Area
from zhengka.assessment.workflow import (
    APPOINTMENT,
    ASSESSMENT,
    CONFLICT,
    INSTITUTION,
    LICENCE,
    PLACES,
    RELATIONS,
    SESSION,
)
from zhengka.core.models import ProvinceRow, Shared, Stateful, state_check
from zhengka.formats.certnumber import CATEGORIES, GRADES
from zhengka.formats.verdict import CHINA


def categories_field(what: str) -> "ArrayField[list[int], list[int]]":
    """Which categories (1 to 7, without repeats, in order) a row stands for."""
    return ArrayField(models.PositiveSmallIntegerField(), help_text=what)


def categories_check(name: str) -> models.CheckConstraint:
    """At least one category, and none that does not exist."""
    return models.CheckConstraint(condition=Q(categories__contained_by=sorted(CATEGORIES), categories__len__gte=1),
                                  name=f"{name}_categories_known")


class Institution(ProvinceRow, Stateful):
    """A hospital or other institution that a province designated to assess (指定评定机构, 办法 art. 6)."""

    workflow = INSTITUTION
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    last = models.BigIntegerField(help_text="highest 12-digit code of the area that it serves")
    name = models.TextField()
    address = models.TextField(help_text="of the institution: public")
    categories = categories_field("what it may assess; 7 where it may put parts together")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, help_text="last day; null: until it is ended")
    document = models.TextField(help_text="the joint document of health office and 残联 that designates it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area", "name"], name="institution_once"),
            models.CheckConstraint(condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                                   name="institution_dates_ordered"),
            models.CheckConstraint(condition=~Q(document=""), name="institution_document_told"),
            categories_check("institution"),
            state_check(INSTITUTION),
        ]

    def __str__(self) -> str:
        """The institution's name."""
        return self.name


class Licence(ProvinceRow, Stateful):
    """What one doctor (评定医生) may assess at one institution. `person_index` is the doctor's own blind index, so that
    nobody assesses themselves.
    """

    workflow = LICENCE
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="licences", db_index=False)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    person = models.TextField(help_text="the person behind the account")
    person_index = models.BinaryField(help_text="blind index of the doctor's own ID number, 16 bytes")
    categories = categories_field("what the doctor may assess there")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "officer"], condition=Q(state="licensed"),
                                    name="licence_one_in_force"),
            models.CheckConstraint(condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                                   name="licence_dates_ordered"),
            categories_check("licence"),
            state_check(LICENCE),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"licence {self.pk}"


END = Func(Value("Asia/Shanghai"), ExpressionWrapper(F("day") + F("ends"), models.DateTimeField()), function="timezone",
           output_field=models.DateTimeField())
"""The moment at which a day of assessments ends, in the database's own words."""


class Session(ProvinceRow, Stateful):
    """A day of assessments (评定日) of an institution's team. `taken` is kept by a trigger over the appointments, and
    never exceeds `capacity`. None is opened, and none booked, that has ended.
    """

    workflow = SESSION
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    last = models.BigIntegerField(help_text="highest 12-digit code of the area that it serves")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="sessions", db_index=False)
    place_kind = models.TextField(choices=[(kind, zh) for kind, (zh, _) in PLACES.items()])
    place = models.TextField(help_text="where to go; of home visits, where the team sets out")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    day = models.DateField()
    starts = models.TimeField()
    ends = models.TimeField()
    categories = categories_field("what is assessed on this day")
    capacity = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(place_kind__in=sorted(PLACES)), name="session_kind_known"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="session_times_ordered"),
            models.CheckConstraint(condition=Q(opened_at__lt=END), name="session_opened_before_its_end"),
            models.CheckConstraint(condition=Q(taken__lte=F("capacity"), capacity__gte=1), name="session_has_room"),
            models.CheckConstraint(condition=Q(latitude__isnull=True, longitude__isnull=True)
                                   | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                                   name="session_point_whole"),
            categories_check("session"),
            state_check(SESSION),
        ]
        indexes: ClassVar = [models.Index(fields=["day", "area"], name="session_by_day"),
                             models.Index(fields=["institution", "day"], name="session_of_institution")]

    def is_over(self, at: datetime) -> bool:
        """Whether the day has ended at a moment, by the clock of China."""
        return at >= datetime.combine(self.day, self.ends, CHINA)

    def __str__(self) -> str:
        """Key and day."""
        return f"session {self.pk} of {self.day}"


class Appointment(Shared, ProvinceRow, Stateful):
    """A case has a place on a day (预约评定). `person` is sealed: name, birth date, phone, address, coordinates."""

    workflow = APPOINTMENT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="appointments")
    case_id = models.BigIntegerField()
    category = models.PositiveSmallIntegerField(help_text="what the applicant applied for")
    person_index = models.BinaryField(help_text="blind index of the applicant's ID number, 16 bytes")
    guardian_index = models.BinaryField(null=True, help_text="of the guardian's (监护人), where a case names one: "
                                                             "who, as a doctor, does not assess their ward")
    person = models.BinaryField(help_text="sealed as appointment.person, JSON")
    dispute = models.BooleanField(default=False, help_text="an earlier assessment is disputed (异议复评)")
    booked_at = models.DateTimeField()
    drafts = models.BinaryField(
        null=True, help_text="sealed as appointment.drafts, JSON: person of a doctor → the form as filled in")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case_id"], condition=Q(state="booked"),
                                    name="appointment_one_open_per_case"),
            models.CheckConstraint(condition=Q(category__in=sorted(CATEGORIES)), name="appointment_category_known"),
            models.CheckConstraint(condition=Q(drafts__isnull=True) | Q(state="booked"),
                                   name="appointment_draft_of_a_booked_one"),
            state_check(APPOINTMENT),
        ]
        indexes: ClassVar = [models.Index(fields=["case_id"], name="appointment_of_case")]

    def __str__(self) -> str:
        """Key only."""
        return f"appointment {self.pk}"


class Assessment(Shared, ProvinceRow, Stateful):
    """A form that was filled in and signed (评定表), and what it concluded. `grade` null: none is certified.

    Answers and the whole conclusion are sealed; category and grade stand in clear as on a certificate. It names who
    signed where: the office that it is shared with sees no institution and no licence of the other one.
    """

    workflow = ASSESSMENT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="assessment")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+", db_index=False)
    institution_name = models.TextField(help_text="of the institution, when it was signed")
    case_id = models.BigIntegerField()
    person_index = models.BinaryField(help_text="blind index of the applicant's ID number, 16 bytes")
    dispute = models.BooleanField()
    category = models.PositiveSmallIntegerField()
    grade = models.PositiveSmallIntegerField(null=True)
    answers = models.BinaryField(help_text="sealed as assessment.answers, JSON")
    conclusion = models.BinaryField(help_text="sealed as assessment.conclusion, JSON")
    first = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="+", db_index=False)
    first_person = models.TextField()
    first_name = models.TextField(help_text="of the doctor who signed first")
    signed_at = models.DateTimeField()
    second = models.ForeignKey(Licence, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    second_person = models.TextField(blank=True)
    second_name = models.TextField(blank=True)
    second_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(category__in=sorted(CATEGORIES)), name="assessment_category_known"),
            models.CheckConstraint(condition=Q(grade__isnull=True) | Q(grade__in=sorted(GRADES)),
                                   name="assessment_grade_known"),
            models.CheckConstraint(condition=~Q(first_person="") & ~Q(first_person=F("second_person")),
                                   name="assessment_by_two_persons"),
            models.CheckConstraint(
                condition=Q(state="signed", second__isnull=True, second_person="", second_at__isnull=True)
                | ~Q(state="signed") & ~Q(second_person="") & Q(second__isnull=False, second_at__isnull=False),
                name="assessment_second_signed"),
            state_check(ASSESSMENT),
        ]
        indexes: ClassVar = [models.Index(fields=["case_id"], name="assessment_of_case"),
                             models.Index(fields=["person_index"], name="assessment_of_person"),
                             models.Index(fields=["area", "signed_at"], name="assessment_by_time")]

    def __str__(self) -> str:
        """Key only."""
        return f"assessment {self.pk}"


class Conflict(ProvinceRow, Stateful):
    """A doctor does not assess a person (回避): a relative, a guardian, or another interest."""

    workflow = CONFLICT
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    assessor_person = models.TextField()
    person_index = models.BinaryField(help_text="blind index of the other's ID number, 16 bytes")
    relation = models.TextField(choices=[(code, zh) for code, (zh, _) in RELATIONS.items()])
    declared_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person_index", "assessor_person"], name="conflict_once"),
            models.CheckConstraint(condition=Q(relation__in=sorted(RELATIONS)), name="conflict_relation_known"),
            state_check(CONFLICT),
        ]

    def __str__(self) -> str:
        """Key only."""
        return f"conflict {self.pk}"
