"""Parcels of finished cards (包裹), where each card is, what is amiss, how cards were handed over, old booklets."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.core.models import ProvinceRow, Shared, Stateful, StreamName, state_check, states_check
from zhengka.core.workflow import Workflow
from zhengka.custody.workflow import (
    ABSENT,
    BOOKLET,
    CUSTODY,
    CUSTODY_CASE,
    ON_A_LIST,
    OUTCOMES,
    PARCEL,
    PLACES,
    PROOFS,
    PULPING,
    RELATIONS,
    SORTS,
    TAKEN_IN,
    WAYS,
    WHY_NOT,
    WHY_TYPED,
)
from zhengka.production.models import Batch
from zhengka.registry.models import Certificate


class Parcel(ProvinceRow, Shared, Stateful):
    """A sealed parcel (包裹) of finished cards on its way from the plant, or from an office, to another office.

    `area` is the office that issues the cards; `shared_with` the destination, or another office where it turned up.
    """

    workflow = PARCEL
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="parcels", db_constraint=False,
                              help_text="empty: packed at an office, of cards that lay there")
    number = models.TextField(help_text="on its label, unique in the nation")
    seal = models.TextField(help_text="number of the seal that was put on")
    target = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", db_index=False)
    stops = ArrayField(models.BigIntegerField(), help_text="12-digit codes of the offices on its way, the last is its "
                                                           "destination")
    passed = models.PositiveSmallIntegerField(default=0, help_text="how many of its stops it has reached")
    quantity = models.PositiveIntegerField()
    packed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number"], name="parcel_number_once"),
            models.UniqueConstraint(fields=["seal"], name="parcel_seal_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="parcel_of_something"),
            models.CheckConstraint(condition=Q(stops__len__gte=F("passed")) & Q(stops__len__gt=0),
                                   name="parcel_on_its_way"),
            models.CheckConstraint(condition=~Q(number="") & ~Q(seal=""), name="parcel_labelled"),
            state_check(PARCEL),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "state", "-id"], name="parcel_by_area"),
            models.Index(fields=["shared_with", "state", "-id"], condition=Q(shared_with__isnull=False),
                         name="parcel_by_other"),
        ]

    def __str__(self) -> str:
        """Its number."""
        return self.number


class OfParcel(Shared):
    """What belongs to a parcel is seen where the parcel is."""

    area = models.BigIntegerField(editable=False, help_text="12-digit code of the parcel's office")

    class Meta:
        abstract = True


class Listed(OfParcel):
    """A line of the list in a parcel (装箱清单): never changed but by what became of it when the parcel was opened."""

    id = models.BigAutoField(primary_key=True)
    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="lines", db_index=False)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+")
    serial = models.TextField(help_text="for those who do not see the card's row")
    outcome = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parcel", "card"], name="listed_once"),
            models.CheckConstraint(condition=Q(outcome__in=("", *OUTCOMES)), name="listed_outcome_known"),
        ]

    def __str__(self) -> str:
        """Parcel and serial."""
        return f"parcel {self.parcel_id}: {self.serial}"


class Stay(OfParcel):
    """Who has a parcel from when to when: at most one stay of a parcel is open, and no two overlap."""

    id = models.BigAutoField(primary_key=True)
    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="stays", db_index=False)
    place = models.TextField(choices=[(place, place) for place in PLACES])
    office = models.BigIntegerField(null=True, help_text="12-digit code of the office that has it, or to which it goes")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    due = models.DateField(help_text="last day on which it may still be there")
    person = models.TextField(help_text="who scanned it there")
    seal = models.TextField(blank=True, help_text="the seal as it was read there")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parcel"], condition=Q(until=None), name="stay_open_once"),
            models.CheckConstraint(condition=Q(place__in=PLACES), name="stay_place_known"),
            models.CheckConstraint(condition=Q(place="plant", office=None)
                                   | ~Q(place="plant") & Q(office__isnull=False), name="stay_somewhere"),
        ]
        indexes: ClassVar = [models.Index(fields=["due"], condition=Q(until=None), name="stay_open_by_due")]

    def __str__(self) -> str:
        """Place and office."""
        return f"{self.place} {self.office or ''}"


class Keeping(ProvinceRow, Shared, Stateful):
    """Where one finished card is kept (保管): one row for each card, so that it is in one place."""

    workflow = CUSTODY
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    card = models.OneToOneField(Card, on_delete=models.PROTECT, related_name="keeping")
    serial = models.TextField()
    parcel = models.ForeignKey(Parcel, null=True, on_delete=models.PROTECT, related_name="keepings",
                               help_text="in which it is, or came")
    office = models.BigIntegerField(null=True, help_text="12-digit code of the office where it lies, or lay last")
    since = models.DateTimeField(help_text="since when it is there")
    waits_since = models.DateTimeField(null=True, help_text="since when it waits for its holder (待领)")
    stage = models.PositiveSmallIntegerField(default=0, help_text="days of the last reminder")
    counted_at = models.DateTimeField(null=True, help_text="when it was last seen there as the cards were counted")

    class Meta:
        constraints: ClassVar = [
            state_check(CUSTODY),
            models.CheckConstraint(condition=~Q(state="packed") | Q(parcel__isnull=False, office=None),
                                   name="custody_packed_in_a_parcel"),
            models.CheckConstraint(condition=~Q(state__in=("waiting", "returned")) | Q(office__isnull=False),
                                   name="custody_lies_at_an_office"),
            models.CheckConstraint(condition=~Q(state="waiting") | Q(waits_since__isnull=False),
                                   name="custody_waits_since"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "state", "waits_since"], name="custody_by_area"),
            models.Index(fields=["serial"], name="custody_by_serial"),
        ]

    @property
    def table(self) -> Workflow:
        """The steps; a card that came without a parcel begins where it lies."""
        return TAKEN_IN if not self.state and self.parcel_id is None else CUSTODY

    def __str__(self) -> str:
        """Key only."""
        return f"custody {self.pk}"


class Trouble(ProvinceRow, Shared, Stateful):
    """Something amiss with a parcel or a card (异常): an alarm that is a case, and comes once (`alarm`)."""

    workflow = CUSTODY_CASE
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    sort = models.TextField(choices=list(SORTS.items()))
    alarm = models.TextField(help_text="what it is the alarm of: the same is raised once")
    parcel = models.ForeignKey(Parcel, null=True, on_delete=models.PROTECT, related_name="troubles")
    other = models.ForeignKey(Parcel, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
                              help_text="the parcel whose list names the card")
    card = models.ForeignKey(Card, null=True, on_delete=models.PROTECT, related_name="+")
    serial = models.TextField(blank=True)
    office = models.BigIntegerField(null=True, help_text="12-digit code of the office where it was noticed")
    detail = models.TextField(blank=True, help_text="the seal that was read, the day on which it was due")
    at = models.DateTimeField()
    reason = models.TextField(blank=True, help_text="how it was cleared up")
    person = models.TextField(blank=True, help_text="who proposed that it is a loss")
    confirmed_by = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            state_check(CUSTODY_CASE),
            models.UniqueConstraint(fields=["alarm"], name="custody_case_alarm_once"),
            models.CheckConstraint(condition=Q(sort__in=sorted(SORTS)), name="custody_case_sort_known"),
            models.CheckConstraint(condition=~Q(state__in=("settled", "lost", "proposed")) | ~Q(reason=""),
                                   name="custody_case_says_how"),
            models.CheckConstraint(condition=~Q(state="lost") | ~Q(person="") & ~Q(confirmed_by="")
                                   & ~Q(confirmed_by=F("person")), name="custody_case_lost_by_two"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "state", "-id"], name="custody_case_by_area"),
        ]

    def __str__(self) -> str:
        """What it is about."""
        return f"{self.sort} {self.serial or self.parcel_id}"


class Receipt(models.Model):
    """How a card was handed over, and by what that is proved (领取凭证): never changed, never removed."""

    id = models.BigAutoField(primary_key=True)
    area = models.BigIntegerField(help_text="12-digit code of the card's office")
    card = models.OneToOneField(Card, on_delete=models.PROTECT, related_name="receipt")
    way = models.TextField(choices=list(WAYS.items()))
    proof = models.TextField(choices=list(PROOFS.items()))
    agent = models.BinaryField(default=b"", help_text="sealed: name of who came in the holder's place")
    agent_digits = models.TextField(blank=True, help_text="last four characters of the agent's ID number")
    relation = models.TextField(blank=True)
    mandate = models.TextField(blank=True, help_text="number or date of the written mandate (委托书)")
    reading = models.BigIntegerField(null=True, help_text="row id of the reading of the card's chip; it is kept half a "
                                                          "year, this for good")
    matched = models.BooleanField(default=False, help_text="the officer compared the photo with who was there")
    signature = StreamName(blank=True, help_text="sealed picture of the signature")
    typed = models.BinaryField(default=b"", help_text="sealed: the name that was typed in its place")
    why_typed = models.TextField(blank=True, help_text="why nobody signed: of `workflow.WHY_TYPED`")
    list_number = models.TextField(blank=True, help_text="of the list that holders signed by hand (签领单)")
    list_day = models.DateField(null=True, help_text="on which it was signed")
    person = models.TextField(help_text="who handed it over")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(way__in=sorted(WAYS)), name="receipt_way_known"),
            models.CheckConstraint(condition=Q(proof__in=sorted(PROOFS)), name="receipt_proof_known"),
            models.CheckConstraint(
                condition=Q(way="agent", relation__in=sorted(RELATIONS), agent_digits__regex="^[0-9]{3}[0-9X]$")
                & ~Q(agent=b"") & ~Q(mandate="")
                | ~Q(way="agent") & Q(agent=b"", agent_digits="", relation="", mandate=""),
                name="receipt_names_the_agent"),
            models.CheckConstraint(
                condition=Q(proof="chip", matched=True, reading__isnull=False, signature="", typed=b"")
                & ~Q(way="agent")
                | Q(proof="chip", way="agent", matched=False, reading__isnull=False, typed=b"") & ~Q(signature="")
                | Q(proof="signature", matched=False, typed=b"") & ~Q(signature="")
                | Q(proof="typed", matched=False, signature="", why_typed__in=sorted(WHY_TYPED)) & ~Q(typed=b"")
                | Q(proof="list", way__in=ON_A_LIST, matched=False, reading=None, signature="", typed=b""),
                name="receipt_is_proved"),
            models.CheckConstraint(
                condition=Q(proof="list", list_day__isnull=False) & ~Q(list_number="")
                | ~Q(proof="list") & Q(list_day=None, list_number=""), name="receipt_names_the_list"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "-id"], name="receipt_by_area")]

    def __str__(self) -> str:
        """Key only."""
        return f"receipt of card {self.card_id}"


class Booklet(ProvinceRow, Stateful):
    """The paper booklet of an old certificate (旧证): taken back against the new card, or why not; then destroyed."""

    workflow = BOOKLET
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    certificate = models.OneToOneField(Certificate, on_delete=models.PROTECT, related_name="booklet")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="+", help_text="against which it came back")
    why_not = models.TextField(blank=True, help_text="why it was not taken back then")
    pulping = models.ForeignKey("Pulping", null=True, on_delete=models.PROTECT, related_name="booklets")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            states_check(BOOKLET.name, BOOKLET.states | ABSENT.states),
            models.CheckConstraint(condition=Q(why_not__in=("", *WHY_NOT)), name="booklet_why_known"),
            models.CheckConstraint(condition=~Q(state__in=("missing", "absent")) | ~Q(why_not=""),
                                   name="booklet_absent_why"),
            models.CheckConstraint(condition=Q(state__in=("listed", "destroyed"), pulping__isnull=False)
                                   | Q(state__in=("held", "missing", "absent"), pulping=None),
                                   name="booklet_listed_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "state", "id"], name="booklet_by_area")]

    @property
    def table(self) -> Workflow:
        """The steps; one that is not there has to be brought first."""
        return ABSENT if self.state == "absent" or (not self.state and self.why_not) else BOOKLET

    def __str__(self) -> str:
        """Key only."""
        return f"booklet {self.pk}"


class Pulping(ProvinceRow, Stateful):
    """A counted batch of old booklets that two persons destroy (旧证销毁)."""

    workflow = PULPING
    area = models.ForeignKey(Area, on_delete=models.PROTECT, db_column="area", db_index=False)
    quantity = models.PositiveIntegerField(help_text="booklets on the list, as the first person counted them")
    counted = models.PositiveIntegerField(null=True, help_text="as the second person counted them")
    person = models.TextField(help_text="who proposed it")
    confirmed_by = models.TextField(blank=True)
    how = models.TextField(help_text="shredded, pulped, burned …")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            state_check(PULPING),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="pulping_of_something"),
            models.CheckConstraint(condition=~Q(state="destroyed") | Q(counted=F("quantity")) & ~Q(confirmed_by="")
                                   & ~Q(confirmed_by=F("person")), name="pulping_counted_by_two"),
        ]
        indexes: ClassVar = [models.Index(fields=["area", "-id"], name="pulping_by_area")]

    def __str__(self) -> str:
        """How many."""
        return f"{self.quantity} booklets"
