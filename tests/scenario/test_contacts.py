"""What people say at the counter of how they are reached goes into their record, and letters to whom they must go."""

import base64
import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import builders
from builders import NOON, make_actor, make_area, make_id_number, make_officer, request_id
from stories import LEG, Story, applies, brings, card_holder, person
from visits import Visitor
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.cases import services
from zhengka.cases.models import Case
from zhengka.cases.services import Brought, Guardian, Present
from zhengka.cases.services.opening import sealed
from zhengka.core import fields
from zhengka.core.models import Event
from zhengka.letters import contents
from zhengka.letters.models import Letter
from zhengka.registry import services as registry
from zhengka.registry.models import Certificate, Holder
from zhengka.registry.services import Contacts

pytestmark = pytest.mark.django_db
AWAY = {"phone": "13900000077", "address": "解放路 3 号"}


def number_of(holder: Holder) -> str:
    return fields.open_(bytes(holder.id_number), "holder.id_number")


def guarded(category: int = 5, components=(), guardian: tuple[str, str] = ("石山", "13800000009")) -> Holder:
    """A grown-up holder of a category, whose record names a guardian."""
    holder, certificate = card_holder()
    Certificate.objects.filter(pk=certificate.pk).update(category=category, components=list(components))
    registry.name_guardian(holder, *guardian, by=make_actor(area=holder.area), request_id=request_id(), at=NOON)
    return Holder.get(holder.pk)


def says(holder: Holder) -> tuple[str, str, tuple[str, str], tuple[str, ...]]:
    """Phone, address, guardian and wishes, as the record has them."""
    holder = Holder.get(holder.pk)
    return (*registry.reached(holder), registry.guardian_of(holder)[::2], registry.wishes_of([holder])[0])


def stood(event: Event, name: str = "was") -> dict[str, str]:
    return json.loads(fields.open_(base64.b64decode(event.facts[name]), "event.was"))


def to_whom(**about) -> set[tuple[str, str]]:
    """Name and way of everybody to whom letters went."""
    return {(contents.recipient(letter).name, letter.channel) for letter in Letter.objects.filter(**about)}


# ---- to the guardian of an adult -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("category", "components", "to_guardian"), [
    (5, (), True), (6, (), True), (7, ((3, 2), (6, 3)), True), (7, ((3, 2), (4, 3)), False), (4, (), False)])
def test_letters_about_an_adult_go_to_the_guardian_for_an_intellectual_or_mental_disability(
        category, components, to_guardian):
    holder = guarded(category, components)
    [to] = registry.written_to_many([holder])
    assert to.name == (f"石山（{holder.name}的监护人）" if to_guardian else holder.name)
    story = brings("damage", holder)
    story.take("accept")
    assert {name for name, _ in to_whom(subject="case")} == {to.name}


def test_a_guardian_without_a_phone_is_written_to_on_paper_at_the_address_of_the_person():
    holder = guarded(guardian=("石山", ""))
    Holder.objects.filter(pk=holder.pk).update(phone=fields.close("13900000001", "holder.phone"),
                                               address=fields.close("麓山路 1 号", "holder.address"))
    brings("damage", Holder.get(holder.pk)).take("accept")
    [letter] = Letter.objects.filter(subject="case")
    assert letter.channel == "print" and contents.recipient(letter).address == "麓山路 1 号"


def test_the_card_that_lies_ready_is_told_to_the_guardian_and_no_holder_costs_a_query():
    holders = [guarded() for _ in range(3)]
    with CaptureQueriesContext(connection) as one:
        registry.written_to_many(holders[:1])
    with CaptureQueriesContext(connection) as three:
        reached = registry.written_to_many(holders)
    assert len(one) == len(three) == 1 and {to.name[:2] for to in reached} == {"石山"}
    card = builders.make_card(holder=builders.make_holder(area=holders[0].area))
    Certificate.objects.filter(pk=card.certificate_id).update(category=6)
    registry.name_guardian(card.holder, "石川", "13800000008", by=make_actor(area=card.holder.area),
                           request_id=request_id(), at=NOON)
    cards.tell_ready([card.pk], at=NOON)
    assert to_whom(template="card-ready") == {(f"石川（{card.holder.name}的监护人）", "sms")}


def test_whose_intellectual_disability_was_cancelled_is_written_to_by_the_guardian_and_who_is_graded_anew_is_not():
    holder, other = guarded(), guarded()
    Card.objects.update(state="cancelled")
    Certificate.objects.filter(holder=holder).update(state="cancelled")
    assert registry.written_to_many([holder])[0].name.startswith("石山")
    Certificate.objects.filter(holder=other).update(state="replaced")
    builders.make_certificate(other, category=4, generation=3)
    assert registry.written_to_many([other])[0].name == other.name


def test_an_adult_who_applies_for_a_mental_disability_is_written_to_by_the_guardian_from_the_first_letter_on():
    story = applies(person(guardian_name="石山", guardian_phone="13800000009"), wanted=6)
    story.take("accept")
    assert to_whom(subject="case") == {("石山（石榴的监护人）", "sms")}


# ---- at the counter of another office --------------------------------------------------------------------------------


def away():
    return make_area(420106, name="武昌区")


def asks(holder: Holder, guardian: Guardian = Guardian(), kind: str = "loss", wishes: str = "paper") -> Story:
    present = Present(holder.name, number_of(holder), AWAY["phone"], AWAY["address"], guardian, wishes)
    return Story(services.open_elsewhere(kind, present, by=make_actor(area=away()), at=NOON, request_id=request_id()))


def done(story: Story) -> None:
    story.take("accept", by=make_actor(area=away()))
    story.take("review", "approve")


def test_the_counter_of_another_province_asks_how_letters_are_wished_and_obeys():
    holder, _ = card_holder()
    clerk = Visitor(make_officer(area=away()))
    url = "/staff/cases/elsewhere/loss"
    assert 'name="wishes"' in clerk.get(url).content.decode()
    clerk.act(url, present_name=holder.name, present_id=number_of(holder), phone=AWAY["phone"],
              address=AWAY["address"], wishes=["large", "en"])
    story = Story(Case.objects.get(), at=timezone.now())
    story.take("accept", by=make_actor(area=away()))
    sheet = Letter.objects.get(subject="case", channel="print")
    assert contents.recipient(sheet).large and sheet.language == "en"


@pytest.mark.parametrize("together", [False, True])
def test_what_was_said_elsewhere_is_in_the_record_once_it_is_granted_and_what_stood_there_lies_sealed(together):
    holder = guarded(guardian=("石大", "13800000001"))
    Holder.objects.filter(pk=holder.pk).update(phone=fields.close("13900000001", "holder.phone"))
    story = asks(holder, Guardian("石山", make_id_number(), "13800000009"))
    story.take("accept", by=make_actor(area=away()))
    assert says(holder)[0] == "13900000001", "not before it is granted"
    story.take("review")
    if together:
        done = services.approve_many([story.case.pk], by=story.by("approver"), request_id=request_id(), at=NOON)
        assert (done.moved, done.left) == (1, {})
    else:
        story.take("approve")
    assert says(holder) == (AWAY["phone"], AWAY["address"], ("石山", "13800000009"), ("paper",))
    event = Event.objects.get(subject="holder", action="reach")
    assert "139" not in str(event.facts)
    was = stood(event)
    assert was["phone"] == "13900000001" and json.loads(was["guardian"])["name"] == "石大"


def test_what_was_not_said_elsewhere_stays_in_the_record():
    holder = guarded(4)
    Holder.objects.filter(pk=holder.pk).update(phone=fields.close("13900000001", "holder.phone"))
    present = Present(holder.name, number_of(holder))
    done(Story(services.open_elsewhere("loss", present, by=make_actor(area=away()), at=NOON, request_id=request_id())))
    assert says(holder)[0] == "13900000001" and says(holder)[2] == ("石山", "13800000009")
    assert not Event.objects.filter(subject="holder", action="reach").exists()


def test_a_guardian_who_is_named_in_a_case_from_elsewhere_is_in_the_record_at_its_end():
    holder = guarded(guardian=("石大", ""))
    story = asks(holder)
    services.name_guardian(story.case, Guardian("石水", make_id_number(), "13800000007"), request_id=request_id(),
                           by=make_actor(area=away()), at=NOON)
    story.case = Case.get(story.case.pk)
    assert says(holder)[2] == ("石大", "")
    done(story)
    assert says(holder)[2] == ("石水", "13800000007")


def test_where_a_case_from_elsewhere_was_told_of_no_guardian_the_record_is_asked():
    holder = guarded()
    story = asks(holder)
    known = services.told(story.case)
    for name in ("guardian_name", "guardian_id", "guardian_phone"):
        del known["met"][name]
    Case.objects.filter(pk=story.case.pk).update(told=sealed(known))
    case = Case.get(story.case.pk)
    assert services.guardian_told(case) is None and services.guardian_of(case).name == "石山"


# ---- who comes, or comes back ----------------------------------------------------------------------------------------


def test_what_is_said_where_a_move_arrives_is_in_the_record_that_has_come():
    holder, _ = card_holder()
    Holder.objects.filter(pk=holder.pk).update(phone=fields.close("13900000001", "holder.phone"))
    leaves = brings("transfer_out_nation", holder, moved="2026-11-01", to=0)
    leaves.take("request", "review", "approve")
    services.move_on(leaves.case.pk, at=NOON)
    there = make_area(110101)
    who = person(name=holder.name, id_number=number_of(holder), phone="", address="长安街 1 号", wishes="braille")
    story = Story(services.apply_arrival(
        who, Brought(f"{who.id_number}42", dt.date(2021, 5, 1), dt.date(2031, 5, 1)), there,
        by=make_actor(area=there), at=NOON, request_id=request_id()))
    story.take("accept", "review", "approve")
    services.move_on(story.case.pk, at=NOON)
    assert Certificate.objects.get().area_id == there.pk
    assert says(holder) == ("13900000001", "长安街 1 号", ("", ""), ("braille",)), "a phone is not lost by an empty one"


def test_an_arrival_that_the_old_office_named_brings_nothing_back_that_was_changed_meanwhile():
    holder, _ = card_holder()
    leaves = brings("transfer_out_nation", holder, moved="2026-11-01", to=make_area(110101).pk)
    leaves.take("request", "review", "approve")
    services.move_on(leaves.case.pk, at=NOON)
    registry.wish(holder, ["large"], by=make_actor(area=holder.area), request_id=request_id(), at=NOON)
    story = Story(Case.get(leaves.case.pk).counterpart)
    story.take("accept", "review", "approve")
    services.move_on(story.case.pk, at=NOON)
    assert says(holder)[3] == ("large",) and Holder.get(holder.pk).area_id == 110101000000


def test_who_brings_a_certificate_from_outside_is_asked_how_letters_are_wished():
    clerk = make_officer("clerk")
    assert 'name="wishes"' in Visitor(clerk).get("/staff/cases/arrival").content.decode()
    who = person(wishes="large")
    story = Story(services.apply_arrival(
        who, Brought(f"{who.id_number}42", dt.date(2021, 5, 1), dt.date(2031, 5, 1)), make_area(), by=make_actor(),
        at=NOON, request_id=request_id()))
    story.take("accept", "review", "approve")
    assert says(Holder.objects.get())[3] == ("large",)


def comes_back(said, *, area=None) -> tuple[Holder, Event]:
    """Somebody applies again a year after they gave their certificate back; the record had all there is to have."""
    holder, _ = card_holder()
    first = Contacts("13900000001", "麓山路 1 号", "石大", "13800000001", "paper braille")
    registry.keep_contacts({holder.pk: first}, by=make_actor("approver", area=holder.area), request_id=request_id(),
                           at=NOON)
    gone = brings("cancellation", Holder.get(holder.pk), reason="own-wish")
    gone.take("accept", "verify", "review", "approve")
    who = person(name=holder.name, id_number=number_of(holder), **said)
    story = applies(who, area=area, at=NOON.replace(year=2027, month=12))
    story.take("accept", "book")
    story.assess(LEG)
    story.notice()
    story.take("review", "approve")
    return holder, Event.objects.filter(subject="holder", subject_id=holder.pk).latest("version")


NEWS = {"phone": "13900000002", "address": "枫林路 2 号", "guardian_name": "石山", "guardian_phone": "13800000009",
        "wishes": "large"}
OLD = {"phone": "13900000001", "address": "麓山路 1 号"}


@pytest.mark.parametrize("area", [None, 430102], ids=["here", "elsewhere"])
def test_who_applies_again_is_reached_as_they_say_now_and_what_stood_there_lies_sealed(area):
    holder, last = comes_back(NEWS, area=area and make_area(area))
    assert says(holder) == ("13900000002", "枫林路 2 号", ("石山", "13800000009"), ("large",))
    was = stood(last, "was_reached" if area else "was")
    assert was["phone"] == "13900000001" and was["wishes"] == "paper braille" and "石大" in was["guardian"]
    assert last.action == ("move" if area else "reach") and "139" not in str(last.facts)


@pytest.mark.parametrize("area", [None, 430102], ids=["here", "elsewhere"])
def test_who_applies_again_and_says_no_phone_keeps_the_one_that_is_known(area):
    holder, _ = comes_back({"phone": "", "address": "", "guardian_name": "", "wishes": ""},
                           area=area and make_area(area))
    assert says(holder) == ("13900000001", "麓山路 1 号", ("石大", "13800000001"), ("paper", "braille"))


# ---- after a wrong death ---------------------------------------------------------------------------------------------


def test_a_guardian_can_be_named_while_a_record_is_closed_in_error_and_is_in_it_once_it_opens_again():
    holder = guarded(guardian=("石大", ""))
    died = brings("cancellation", holder, reason="death")
    died.take("accept", "verify", "review", "approve")
    assert Holder.get(holder.pk).state == "closed"
    story = brings("restoration", Holder.get(holder.pk))
    services.name_guardian(story.case, Guardian("石山", make_id_number(), "13800000009"), by=story.by("clerk"),
                           request_id=request_id(), at=NOON)
    story.case = Case.get(story.case.pk)
    assert services.guardian_of(story.case).name == "石山" and says(holder)[2] == ("石大", "")
    story.take("accept")
    assert {name for name, _ in to_whom(subject="case", subject_id=story.case.pk)} == {f"石山（{holder.name}的监护人）"}
    for action in ("verify", "review", "approve"):
        if action in story.case.table.actions:
            story.take(action)
    assert Holder.get(holder.pk).state == "registered" and says(holder)[2] == ("石山", "13800000009")


def test_what_many_people_said_is_kept_by_one_statement_and_a_repeat_keeps_nothing_twice():
    area = make_area()
    few, many = ([builders.make_holder(area=area) for _ in range(number)] for number in (1, 5))
    told = {"by": make_actor("approver", area=area), "at": NOON}

    def keeps(holders: list[Holder]) -> int:
        said = {holder.pk: Contacts(phone=f"1390000{holder.pk % 10_000:04}", wishes="large") for holder in holders}
        with CaptureQueriesContext(connection) as asked:
            registry.keep_contacts(said, request_id=request_id(), **told)
        return len(asked)

    assert keeps(few) == keeps(many)
    assert [says(holder)[0] for holder in many] == [f"1390000{holder.pk % 10_000:04}" for holder in many]
    assert Event.objects.filter(action="reach").count() == 6
    keeps(many)
    assert Event.objects.filter(action="reach").count() == 6


def test_nothing_is_kept_in_a_record_that_is_closed_or_another_office_s():
    closed, other = builders.make_holder(), builders.make_holder(area=make_area(430702))
    Holder.objects.filter(pk=closed.pk).update(state="closed")
    registry.keep_contacts({closed.pk: Contacts(phone="13900000001"), other.pk: Contacts(phone="13900000001")},
                           by=make_actor("approver"), request_id=request_id(), at=NOON)
    assert says(closed)[0] == says(other)[0] == "" and not Event.objects.filter(action="reach").exists()
