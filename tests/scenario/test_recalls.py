"""Another assessment, where doctors wrote when: listed at the person's office, told in time, opened from the list."""

import datetime as dt
import json
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

import assessing
import builders
from builders import NOON
from stories import Story, applies, brings, person
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.assessment.models import Appointment, Assessment
from zhengka.cards.models import Card
from zhengka.cases import book, policies, recalls, rules, services
from zhengka.cases.models import Case, Recall
from zhengka.cases.queries import Place
from zhengka.core import fields
from zhengka.core.dated import FileRefused, parse
from zhengka.core.scope import enter
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
IN_TWO_YEARS = {**assessing.SPEECH, "again": "2", "again_reason": "treatment"}
NEVER = {**assessing.SPEECH, "again": "never", "again_reason": "final"}


def signs(story: Story, answers: dict, *, born: str = "") -> Case:
    """A day is booked for the case, and a doctor signs the form there."""
    institution = assessing.make_institution(story.case.area)
    session = assessing.make_session(institution, day=story.at.date(), at=story.at)
    story.case = services.book_day(story.case, session, by=story.by("clerk"), request_id=builders.request_id(),
                                   at=story.at, reason="复查")
    place = Appointment.objects.get(case_id=story.case.pk, state="booked")
    services.sign(place, answers, by=assessing.make_assessor(institution), request_id=builders.request_id(),
                  at=story.at)
    story.case = Case.get(story.case.pk)
    return story.case


def certified(answers: dict = IN_TWO_YEARS, *, area: Area | None = None, phone: str = "13900000001") -> Holder:
    """Somebody who applied, was assessed with these answers, and has a certificate since."""
    story = applies(person(phone=phone), wanted=3, area=area)
    story.take("accept")
    signs(story, answers)
    story.notice()
    holder = story.take("review", "approve").holder
    Card.objects.filter(holder=holder).update(state="active", active_until=TODAY + dt.timedelta(3000))
    return holder


def listed(area: Area, group: str = "due", on: dt.date = TODAY, **place) -> list[recalls.Due]:
    return recalls.listed(builders.make_actor(area=area), group, on, **place)


def due_day() -> dt.date:
    return Recall.objects.get().again_on


def test_the_day_that_a_doctor_writes_is_kept_beside_the_sealed_conclusion_and_goes_onto_the_record():
    story = applies(wanted=3)
    story.take("accept")
    signs(story, IN_TWO_YEARS)
    kept = Recall.objects.get()
    assert (kept.again_on, kept.holder, kept.met, kept.category) == (TODAY.replace(year=2028), None, True, 3)
    story.notice()
    case = story.take("review", "approve")
    kept.refresh_from_db()
    assert (kept.holder, kept.area_id, kept.case_id) == (case.holder, case.area_id, case.pk)


def test_never_again_never_appears_and_takes_an_earlier_day_away():
    holder = certified()
    assert Recall.objects.count() == 1
    change = brings("change", holder, at=NOON.replace(year=2028, month=12))
    change.take("accept")
    signs(change, NEVER)
    assert not Recall.objects.exists()
    certified(NEVER)
    certified(assessing.SPEECH)
    assert not Recall.objects.exists() and services.remind_again(at=NOON.replace(year=2060)) == 0


def test_what_a_second_doctor_did_not_share_counts_for_nothing():
    holder = certified()
    first, story = due_day(), brings("change", holder, at=NOON.replace(year=2028, month=12))
    story.take("accept")
    signs(story, {**IN_TWO_YEARS, "again": "5"})
    assert due_day() != first
    last = Assessment.objects.latest("pk")
    services.second(last, agrees=False, by=assessing.make_assessor(last.institution), reason="再看",
                    request_id=builders.request_id(), at=story.at)
    assert due_day() == first


def test_the_list_has_whose_day_has_come_or_comes_soon_the_earliest_first_at_their_office_alone():
    holder = certified()
    day = due_day()
    for on, group in ((day, "due"), (day + dt.timedelta(900), "due"), (day - dt.timedelta(1), "30"),
                      (day - dt.timedelta(30), "30"), (day - dt.timedelta(31), "90"), (day - dt.timedelta(90), "90")):
        shown = {name: [one.recall.holder for one in listed(holder.area, name, on)] for name in recalls.GROUPS}
        assert shown == {name: [holder] * (name == group) for name in recalls.GROUPS}, on
        counted = recalls.counted(builders.make_actor(area=holder.area), on)
        assert counted == {holder.area_id: tuple(int(name == group) for name in recalls.GROUPS)}
    assert not listed(builders.make_area(430102), "due", day) and not listed(holder.area, "90", day - dt.timedelta(91))
    assert [one.recall.holder for one in listed(holder.area.parent, "due", day)] == [holder]


def test_a_page_goes_on_behind_its_last_person():
    area = builders.make_area()
    everybody = [certified() for _ in range(3)]
    Recall.objects.filter(holder=everybody[0]).update(again_on=TODAY - dt.timedelta(1))
    Recall.objects.exclude(holder=everybody[0]).update(again_on=TODAY)
    first = listed(area, limit=2)
    assert [one.recall.holder for one in first] == everybody[:2]
    last = first[-1].recall
    rest = listed(area, after=Place(last.again_on, last.pk), limit=2)
    assert [one.recall.holder for one in rest] == everybody[2:]


def test_who_has_an_open_case_that_assesses_them_or_no_certificate_any_more_or_has_died_is_not_called():
    holder = certified()
    day, area = due_day(), holder.area
    damage = brings("damage", holder)
    assert listed(area, "due", day), "no doctor sees who brings a damaged card"
    damage.take("withdraw")
    change = brings("change", holder)
    assert not listed(area, "due", day)
    change.take("withdraw")
    assert listed(area, "due", day)[0].kind == "change"
    for state in ("cancelled", "frozen"):
        Certificate.objects.filter(holder=holder).update(state=state, frozen_for="under-inquiry")
        assert not listed(area, "due", day)
    Certificate.objects.filter(holder=holder).update(state="valid", frozen_for="")
    death = brings("cancellation", holder, reason="death")
    death.take("accept", "verify", "review", "approve")
    assert not listed(area, "due", day) and services.remind_again(at=NOON.replace(year=2028)) == 0
    services.undo(death.case, "本人接听电话", by=death.by("clerk"), request_id=builders.request_id(), at=death.at)
    assert [one.recall.holder for one in listed(area, "due", day)] == [holder]


def test_who_moves_takes_the_day_along():
    holder = certified()
    to = builders.make_area(430102)
    story = brings("transfer_out_city", holder, to=to.pk, at=NOON + dt.timedelta(30))
    story.take("request", "review", "approve")
    services.move_on(story.case.pk, at=story.at)
    arrival = Story(Case.get(story.case.pk).counterpart, at=story.at)
    arrival.take("accept", "review", "approve")
    services.move_on(story.case.pk, at=story.at)
    assert Holder.get(holder.pk).area_id == to.pk
    assert [one.recall.holder for one in listed(to, "due", due_day())] == [holder]
    assert not listed(story.case.area, "due", due_day())


def test_whose_number_is_corrected_keeps_the_day():
    holder = certified()
    story = brings("correction", holder, id_number=builders.make_id_number())
    story.take("accept", "review", "approve")
    kept = Recall.objects.get()
    assert bytes(kept.person_index) == bytes(Holder.get(holder.pk).id_index) and kept.holder == holder


def child(phone: str = "13900000001") -> Story:
    """A child of two years, too young for an assessment of speech, and the phone of the father."""
    born = builders.make_id_number(born=dt.date(2024, 6, 1))
    story = applies(person(id_number=born, guardian_name="石山", guardian_phone=phone), wanted=3)
    story.take("accept")
    signs(story, assessing.SPEECH)
    return story


def test_who_was_too_young_may_apply_once_old_enough_and_is_listed_without_a_record():
    story = child()
    assert not listed(story.case.area, "due", dt.date(2027, 6, 2)), "the case still runs"
    story.take("fail")
    [one] = listed(story.case.area, "due", dt.date(2027, 6, 2))
    assert (one.kind, one.recall.name, one.recall.holder, one.recall.met) == ("new", "石榴", None, False)
    assert one.recall.again_on == dt.date(2027, 6, 2), "three years are full on the day after the birthday"


@pytest.mark.parametrize(("found", "certified_as"), [([[1, 3], [4, 3]], 4), (None, 7), (None, 3)])
def test_who_has_visual_among_several_is_reminded_in_braille_beside_paper(found, certified_as):
    holder = certified(phone="")
    Case.objects.filter(pk=Recall.objects.get().case_id).update(found={"category": 7, "grade": 3, "components": found}
                                                                if found else {})
    Certificate.objects.filter(holder=holder).update(
        category=certified_as, components=[[1, 2], [3, 2]] if certified_as == 7 else [])
    services.remind_again(at=dt.datetime.combine(due_day(), dt.time(9), tzinfo=NOON.tzinfo))
    told = sorted(Letter.objects.filter(template="assessment-again").values_list("channel", flat=True))
    assert told == (["print"] if certified_as == 3 else ["braille", "print"])


def test_each_is_told_once_so_many_days_before_as_the_policy_says():
    holder, story = certified(), child()
    story.take("fail")
    grown = dt.date(2027, 6, 2)
    due = Recall.objects.get(holder=holder).again_on
    at = [dt.datetime.combine(day, dt.time(9), tzinfo=NOON.tzinfo) for day in (
        grown - dt.timedelta(61), grown - dt.timedelta(60), grown - dt.timedelta(60), grown,
        due - dt.timedelta(61), due - dt.timedelta(60), due)]
    assert [services.remind_again(at=each) for each in at] == [0, 1, 0, 0, 0, 1, 0]
    told = Letter.objects.filter(template__in=("apply-again", "assessment-again")).order_by("pk")
    assert [(one.template, one.subject, one.channel, one.occasion) for one in told] == [
        ("apply-again", "case", "sms", "20270602"), ("assessment-again", "holder", "sms", f"{due:%Y%m%d}")]
    assert "从2027年6月2日起您可以再申请" in contents.words(told[0]).paragraphs[0]
    assert Recall.objects.get(holder=holder).told_on == due - dt.timedelta(60)


def test_another_day_is_told_of_anew_and_one_long_past_is_left_to_the_list():
    holder = certified()
    Recall.objects.update(again_on=TODAY - dt.timedelta(4))
    assert services.remind_again(at=NOON) == 0
    Recall.objects.update(again_on=TODAY - dt.timedelta(3))
    assert services.remind_again(at=NOON) == 1
    change = brings("change", holder)
    change.take("accept")
    signs(change, IN_TWO_YEARS)
    assert Recall.objects.get().told_on is None


def test_a_region_says_how_early_and_the_narrowest_one_counts(monkeypatch):
    policy = book.policy("measures-2017")
    near = policy._replace(code="near", lo=430100_000000, hi=430199_999999, reminds_before=7)
    silent = policy._replace(code="silent", lo=430104_000000, hi=430104_999999, reminds_before=None)
    monkeypatch.setattr(book, "shipped", lambda: (policy, near, silent))
    assert (book.reminded_before(430104_000000, TODAY), book.reminded_before(420106_000000, TODAY)) == (7, 60)
    assert book.longest_reminder() == 60 and rules.reminds_before((silent,), 430104_000000, TODAY) == 0
    certified()
    day = due_day()
    assert [services.remind_again(at=dt.datetime.combine(day - dt.timedelta(before), dt.time(9), tzinfo=NOON.tzinfo))
            for before in (60, 8, 7)] == [0, 0, 1]


@pytest.mark.parametrize(("text", "fault"), [
    ('reminds_days_before = 366\nclause = "x"', "value-out-of-range"), ('reminds_days_before = 60', "field-missing"),
    ('reminds_days_before = 60\nclause = " "', "source-missing"), ('clause = "x"', "field-missing")])
def test_a_file_that_says_it_wrongly_is_refused(text, fault, settings):
    shipped = (settings.DATA / "cases/measures-2017.toml").read_text()
    wrong = shipped.replace(shipped[shipped.index("reminds_days_before"):shipped.index("\n[steps]\n")], f"{text}\n")
    with pytest.raises(FileRefused) as refused:
        policies.policy_of(parse(wrong.encode(), "test.toml"))
    assert refused.value.code == fault


def test_the_database_keeps_one_day_of_a_person_and_shows_it_to_their_office_alone():
    holder = certified()
    kept = Recall.objects.get()
    with pytest.raises(IntegrityError, match="recall_once"), transaction.atomic():
        Recall.objects.create(area=holder.area, person_index=bytes(kept.person_index), name="x", case_id=1, category=3,
                              met=True, again_on=TODAY)
    for area, sees in ((holder.area, 1), (builders.make_area(430102), 0)):
        with transaction.atomic():
            enter(connection, area.code, area.last)
            assert Recall.objects.count() == sees
            connection.cursor().execute("RESET ROLE")


def test_a_conclusion_from_before_is_opened_by_the_migration_and_one_that_no_key_opens_is_left_out():
    migration = import_module("zhengka.cases.migrations.0010_recalls")
    row = (b"", b"i" * 16, 1, 430104_000000, None, "石榴")

    def sealed(on: str | None) -> bytes:
        again = {"on": on, "reason": "x"}
        return fields.close(json.dumps({"again": again, "category": 3, "grade": None}), "assessment.conclusion")
    rows = [(sealed("2028-11-20"), *row[1:]), (sealed(None), *row[1:]), (b"\x01" * 60, *row[1:])]
    assert [(found["again_on"], found["met"], found["name"]) for found in migration._due(rows)] == [
        ("2028-11-20", False, "石榴")]


def test_a_page_of_a_province_reads_offices_and_not_persons():
    holder = certified()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        told = {"first": TODAY, "last": TODAY, "day": dt.date.min, "pk": 0, "lo": holder.area.code,
                "hi": holder.area.last, "limit": 51, "assessed": list(recalls.ASSESSED)}
        cursor.execute("EXPLAIN " + recalls.OF_GROUP, told)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "recall_by_day" in plan and "Seq Scan on cases_recall" not in plan


def test_the_page_names_the_day_the_office_and_the_case_to_open_and_never_says_more():
    holder, story = certified(), child()
    story.take("fail")
    Recall.objects.update(again_on=timezone.localdate())
    clerk = Visitor(builders.make_officer("clerk", area=holder.area))
    html = clerk.get(reverse("staff:recalls")).content.decode()
    assert reverse("staff:case-brought", args=[holder.pk, "change"]) in html and holder.name in html
    assert reverse("staff:case-new") in html and "no certificate" in html and "Due now" in html
    reviewer = Visitor(builders.make_officer("reviewer", area=holder.area))
    assert reverse("staff:case-brought", args=[holder.pk, "change"]) not in reviewer.get(
        reverse("staff:recalls")).content.decode()
    stranger = Visitor(builders.make_officer("clerk", area=builders.make_area(430102)))
    assert holder.name not in stranger.get(reverse("staff:recalls")).content.decode()
    assert "Nobody is to be assessed again" in stranger.get(reverse("staff:recalls") + "?group=30").content.decode()
    city = Visitor(builders.make_officer("clerk", area=holder.area.parent))
    assert holder.name in city.get(reverse("staff:recalls") + "?group=nonsense&after=nonsense").content.decode()
