"""Who arrives with the certificate of another office: one that is not on the platform, or that let them go unknown
where to.
"""

import datetime as dt
from dataclasses import replace

import pytest
from django.urls import reverse

import builders
from builders import NOON
from stories import Story, brings, card_holder, person
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.cards.models import Card
from zhengka.cases import between, services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Person

pytestmark = pytest.mark.django_db
DAYS = {"issued_on": dt.date(2021, 5, 1), "valid_until": dt.date(2031, 5, 1)}


def there() -> Area:
    return builders.make_area(110101, name="东城区")


def as_they_stand(holder: Holder) -> Person:
    """A holder with the ID card in hand, at the counter of another office."""
    return person(name=holder.name, id_number=fields.open_(bytes(holder.id_number), "holder.id_number"),
                  phone="13900000077")


def let_go(*steps: str, to: int = 0) -> tuple[Holder, Story]:
    """A departure on which the old office has decided, without knowing where to."""
    holder, _ = card_holder()
    away = brings("transfer_out_nation", holder, moved="2026-11-01", to=to)
    away.take(*(steps or ("request", "review", "approve")))
    services.move_on(away.case.pk, at=NOON)
    return holder, away


def arrives(who: Person, area: Area, *, number: str = "", key=None) -> Case:
    """The arrival is opened at the counter of an office."""
    return services.apply_arrival(
        who, services.Brought(number or who.id_number + "42", **DAYS), area, by=builders.make_actor(area=area),
        request_id=key or builders.request_id(), at=NOON)


def test_an_office_where_somebody_arrives_takes_up_the_departure_that_did_not_know_where_to(as_web):
    holder, _away = let_go()
    to, clerk = there(), builders.make_actor(area=there())
    who = as_they_stand(holder)
    as_web(to.code, to.last)
    case = services.apply_arrival(who, services.Brought(who.id_number + "42", **DAYS), to, by=clerk,
                                  request_id=builders.request_id(), at=NOON)
    assert (case.kind_of_case, case.holder_id, between.other_side(case).state) == (
        "transfer_in_nation", holder.pk, "approved")


def test_both_sides_say_who_took_the_departure_up_and_the_move_goes_to_its_end():
    holder, away = let_go()
    here = Story(arrives(as_they_stand(holder), there()))
    away.case = Case.get(away.case.pk)
    told = Event.objects.get(subject="case", subject_id=away.case.pk, action="name_office")
    assert (away.case.counterpart, services.told(away.case)["to"]) == (here.case, there().pk)
    assert (told.facts["office"], told.area) == ("东城区", holder.area_id)
    assert services.told(here.case)["from"] == holder.area_id
    here.take("accept", "review", "approve")
    services.move_on(here.case.pk, at=NOON)
    assert (Case.get(away.case.pk).state, Case.get(here.case.pk).state) == ("arrived", "ordered")
    assert {Holder.get(holder.pk).area_id, Certificate.objects.get().area_id, Card.objects.get(
        state="active").area_id} == {there().pk}


def test_a_repeat_opens_no_second_arrival():
    holder, _away = let_go()
    key = builders.request_id()
    case = arrives(as_they_stand(holder), there(), key=key)
    with pytest.raises(Replayed) as again:
        arrives(as_they_stand(holder), there(), key=key)
    assert again.value.event.subject_id == case.pk


@pytest.mark.parametrize("known", [True, False])
def test_the_same_request_with_another_arrival_is_refused_and_a_true_repeat_is_one_case(known):
    holder, _away = let_go() if known else (None, None)
    who, key = as_they_stand(holder) if holder else person(), builders.request_id()
    told = {"area": there(), "by": builders.make_actor(area=there()), "request_id": key, "at": NOON}
    brought = services.Brought(who.id_number + "42", **DAYS)
    case = services.apply_arrival(who, brought, **told)
    with pytest.raises(Replayed):
        services.apply_arrival(who, brought, **told)
    others = [(person(), None, {}), (replace(who, phone="13911111111"), brought, {}),
              (who, replace(brought, valid_until=dt.date(2030, 5, 1)), {}),
              (who, replace(brought, number=who.id_number + "43"), {}), (who, brought, {"area": builders.make_area()})]
    for other, paper, more in others:
        with pytest.raises(Refusal, match="request-id-reused"):
            services.apply_arrival(other, paper or services.Brought(other.id_number + "42", **DAYS), **told | more)
    assert list(Case.objects.filter(kind_of_case="transfer_in_nation")) == [case]


@pytest.mark.parametrize("steps", [("request",), ("request", "review")])
def test_an_office_that_has_not_let_its_holder_go_is_asked_first(steps):
    holder, away = let_go(*steps)
    with pytest.raises(Refusal, match="departure-missing"):
        arrives(as_they_stand(holder), there())
    assert Case.get(away.case.pk).counterpart is None


@pytest.mark.parametrize("wrong", ["name", "grade", "named"])
def test_only_the_right_person_with_the_right_certificate_is_taken_up_where_nobody_was_named(wrong):
    holder, _away = let_go(to=builders.make_area(110102).pk if wrong == "named" else 0)
    who = as_they_stand(holder)
    if wrong == "name":
        who = replace(who, name="别人")
    with pytest.raises(Refusal, match="departure-missing" if wrong == "named" else "elsewhere-unfit"):
        arrives(who, there(), number=who.id_number + "43" if wrong == "grade" else "")


def test_who_belongs_to_the_office_does_not_arrive_there():
    holder, _ = card_holder()
    with pytest.raises(Refusal, match="certificate-opened"):
        arrives(as_they_stand(holder), holder.area)
    holder, _away = let_go()
    with pytest.raises(Refusal, match="move-nowhere"):
        arrives(as_they_stand(holder), holder.area)


# ---- at the counter -------------------------------------------------------------------------------------------------


def at_the_counter(area: Area, who: Person, **typed: str):
    """A clerk types an arrival, and sends it."""
    clerk = Visitor(builders.make_officer("clerk", area=area))
    said = {"name": who.name, "id_number": who.id_number, "number": who.id_number + "42", "issued_on": "2021-05-01",
            "valid_until": "20310501", "unit": str(area.code), "phone": "", "guardian_name": "", **typed}
    return clerk.act(reverse("staff:case-arrival"), **said)


def test_a_clerk_types_the_arrival_of_somebody_whose_office_is_not_on_the_platform():
    answer = at_the_counter(builders.make_area(), person())
    case = Case.objects.get()
    assert answer.status_code == 302 and answer["Location"] == reverse("staff:case", args=[case.pk])
    assert (case.kind_of_case, services.told(case)["term"]) == ("transfer_in_nation", ["2021-05-01", "2031-05-01"])


@pytest.mark.parametrize(("typed", "said"), [
    ({"number": "1"}, "The certificate number is not right"),
    ({"valid_until": "2026-01-01"}, "The certificate that was brought has run out"),
    ({"issued_on": "2027-01-01"}, "The days of the certificate cannot be right"),
    ({"id_number": ""}, "required")])
def test_what_is_wrong_with_an_arrival_stands_at_its_field(typed, said):
    answer = at_the_counter(builders.make_area(), person(), **typed)
    assert answer.status_code == 200 and said in answer.content.decode() and not Case.objects.exists()


def test_an_arrival_is_found_from_the_list_of_cases_and_its_form_asks_no_kind_of_disability():
    clerk = Visitor(builders.make_officer("clerk", area=builders.make_area()))
    assert reverse("staff:case-arrival") in clerk.get(reverse("staff:cases")).content.decode()
    form = clerk.get(reverse("staff:case-arrival")).content.decode()
    assert 'name="number"' in form and 'name="wanted"' not in form


def test_a_departure_that_does_not_know_where_to_says_how_it_goes_on():
    _holder, away = let_go()
    page = Visitor(builders.make_officer("clerk", area=away.case.area)).get(
        reverse("staff:case", args=[away.case.pk])).content.decode()
    assert "the office where the holder arrives opens its side" in page


def test_a_second_clerk_reads_on_the_page_which_day_is_to_be_confirmed_and_confirms_it_there():
    _holder, away = let_go("request")
    url = reverse("staff:case", args=[away.case.pk])
    clerk = Visitor(builders.make_officer("clerk", area=away.case.area))
    page = clerk.get(url).content.decode()
    assert "2026-11-01" in page and "waits until another person confirms the day of the move" in page
    answer = clerk.act(reverse("staff:case-step", args=[away.case.pk]), action="confirm_move")
    assert answer.status_code == 302 and Case.get(away.case.pk).witness_person
    page = clerk.get(url).content.decode()
    assert 'value="confirm_move"' not in page and "waits until another person" not in page
