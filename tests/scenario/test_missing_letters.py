"""No letter is lost from sight: what could not be written stands on a list until it is told, and who was not invited is
invited later.
"""

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import builders
from builders import NOON, make_officer, request_id
from lettering import make_letter, message
from stories import applies, person
from visits import Visitor
from zhengka.bulk.models import Act
from zhengka.cards import services as cards
from zhengka.cases import queries, services
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.letters import services as letters
from zhengka.letters.models import Letter, Unwritten
from zhengka.letters.rules import Recipient

pytestmark = pytest.mark.django_db

LATER = NOON.replace(hour=NOON.hour + 1)
NOBODY = Recipient("\u202e", "13900000001", "麓山路 1 号")
MISSING = "/staff/letters/?state=missing"


def left(case: Case, kind: str = "case-done", at=NOON, to: Recipient = NOBODY, channel: str = "print") -> None:
    """Try to write a letter about a case; to `NOBODY` none can be."""
    letters.write_many([message(kind, channel, subject=case, area=case.area, recipient=to, occasion=f"v{at.hour}")],
                       by=builders.make_actor(area=case.area), request_id=request_id(), at=at)


def page(path: str, role: str = "clerk", area=None) -> str:
    return Visitor(make_officer(role, area=area)).get(path).content.decode()


def waiting(*, phone: str = ""):
    """A holder who waits for the opening of the exchange."""
    found = builders.make_holder(name="田野")
    set_phone(found, phone)
    builders.make_certificate(found)
    return found


def set_phone(holder, phone: str) -> None:
    holder.phone, holder.address = fields.close(phone, "holder.phone") if phone else None, None
    holder.save()


def opened(by=None) -> int:
    area = builders.make_area()
    return services.open_exchange(area, 1, by=by or builders.make_actor(area=area), request_id=request_id(), at=NOON)


def again(at=LATER):
    return services.invite_again(by=builders.make_actor(), request_id=request_id(), at=at)


def invited(holder) -> int:
    return Letter.objects.filter(subject="case", subject_id=Case.objects.get(holder=holder).pk).count()


def uninvited() -> int:
    return queries.uninvited([builders.make_area()], actor=builders.make_actor())


def test_what_could_not_be_written_is_counted_and_listed_with_whom_it_concerns_why_and_what_to_do():
    case = builders.make_case()
    assert "Could not be written" not in page("/staff/letters/")
    left(case)
    assert "Could not be written" in page("/staff/letters/")
    listed = page(MISSING)
    assert f'href="{reverse("staff:case", args=[case.pk])}"' in listed and "Case settled" in listed
    assert "the name: A text is empty, too long" in listed and "Write it shorter, in one line" in listed
    elsewhere = builders.make_area(430702, name="武陵区")
    assert str(case.pk) not in page(MISSING, area=elsewhere)


@pytest.mark.parametrize("write", [
    lambda case: left(case, at=LATER, to=Recipient("王明", "13900000001", "麓山路 1 号")),
    lambda case: letters.write(message("case-done", subject=case, area=case.area), by=builders.make_actor(),
                               request_id=request_id(), at=LATER)])
def test_a_later_letter_of_the_same_kind_about_the_same_case_settles_it_on_every_page(write):
    case, other = builders.make_case(), builders.make_case()
    for each in (case, other):
        left(each)
    left(case, "decision-refused")
    about = f"/staff/cases/{case.pk}"
    write(case)
    assert str(case.pk) in page(MISSING) and page(MISSING).count("Case settled") == 1, "the other case's only"
    assert "Case settled</strong>" not in page(about) and "Application refused</strong>" in page(about)
    assert set(Unwritten.objects.filter(settled_at=None).values_list("template", "subject_id")) == {
        ("case-done", other.pk), ("decision-refused", case.pk)}


def test_a_letter_on_paper_without_an_address_is_missing_and_waits_for_no_envelope():
    story = applies(person(phone="", address=""))
    story.take("return_papers")
    assert not Letter.objects.filter(subject_id=story.case.pk).exists()
    assert [(each.channel, each.reason) for each in Unwritten.objects.filter(subject_id=story.case.pk)] == [
        ("print", "letter-no-way")]


@pytest.mark.parametrize(("said", "code"), [
    ({"phone": "abc"}, "phone-wrong"), ({"guardian_name": "石山", "guardian_phone": "12"}, "guardian-phone-wrong")])
def test_what_is_no_phone_number_is_refused(said, code):
    with pytest.raises(Refusal, match=code):
        applies(person(**said))


def test_a_phone_number_with_spaces_gets_messages_and_a_landline_paper():
    applies(person(phone="139 0000 0001")).take("accept")
    applies(person(phone="0731-88888888")).take("accept")
    assert sorted(Letter.objects.values_list("channel", flat=True)) == ["print", "sms"]


def test_a_message_of_the_same_moment_settles_no_sheet_of_paper_that_is_missing():
    case = builders.make_case()
    left(case)
    left(case, to=Recipient("王明", "13900000001"), channel="sms")
    assert Unwritten.objects.get().settled_at is None and "Could not be written" in page("/staff/letters/")


def test_the_list_is_read_page_by_page():
    for _ in range(52):
        left(builders.make_case())
    first = page(MISSING)
    assert first.count("Case settled") == 50 and "rel=\"next\"" in first
    assert page(f"{MISSING}&after={Unwritten.objects.order_by('-pk')[49].pk}").count("Case settled") == 2


def test_an_act_on_many_says_how_many_letters_could_not_be_written_and_why():
    cases = [builders.make_case(state="reviewed", reviewer="Li") for _ in range(3)]
    for case in cases[:2]:
        case.holder.name = "\u202e"
        case.holder.save()
    approver = make_officer("approver")
    visitor = Visitor(approver)
    visitor.act(reverse("staff:cases-bulk"), action="approve", sure="1", chosen=[case.pk for case in cases])
    assert "2 letters could not be written" in visitor.get(reverse("staff:cases")).content.decode()


def test_the_opening_of_the_exchange_says_how_many_were_not_written_to():
    waiting(phone="13900000001")
    silent = waiting()
    area = builders.make_area()
    act = services.ask_exchange([(area, 1)], by=builders.make_actor(area=area), request_id=request_id(), at=NOON)
    act = services.carry_out_exchange(act.pk, clock=lambda: NOON)
    assert (act.moved, act.unwritten) == (2, {"letter-no-way": 1})
    shown = page(f"/staff/acts/{act.pk}")
    assert "Letters that could not be written" in shown and "The person cannot be reached in this way" in shown
    listed = page(MISSING)
    assert str(Case.objects.get(holder=silent).pk) in listed and "Add a phone number or an address" in listed


def test_who_can_be_reached_by_now_is_invited_once_and_the_others_stay_on_the_list():
    found, silent, written = waiting(), waiting(), waiting(phone="13900000001")
    assert opened() == 3 and uninvited() == 2
    set_phone(found, "13900000002")
    done = again()
    assert (done.moved, done.left) == (1, {"letter-no-way": 1}) and uninvited() == 1
    assert [invited(each) for each in (found, silent, written)] == [1, 0, 1]
    done = again(LATER.replace(minute=1))
    assert (done.moved, done.left) == (0, {"letter-no-way": 1}) and Letter.objects.count() == 2, "nobody twice"


def test_an_exchange_that_was_opened_without_letters_is_made_known_later():
    first = waiting(phone="13900000001")
    by = builders.make_actor()
    silent = type(by)(by.id, by.name, by.person, by.permissions - {"letter.send"}, by.lo, by.hi)
    assert opened(silent) == 1 and uninvited() == 1 and invited(first) == 0
    assert "It was done without letters" in page(MISSING)
    assert again().moved == 1 and uninvited() == 0 and invited(first) == 1
    with pytest.raises(Refusal, match="not-permitted"):
        services.invite_again(by=silent, request_id=request_id(), at=NOON)


@pytest.mark.parametrize("many", [True, False])
def test_whoever_came_without_a_letter_is_asked_no_more(many):
    came = waiting()
    assert opened() == 1 and uninvited() == 1
    case, told = Case.objects.get(holder=came), {"by": builders.make_actor(), "request_id": request_id(), "at": LATER}
    if many:
        services.confirm_many([case.pk], **told)
    else:
        services.take(case, "confirm", **told)
    assert Case.get(case.pk).state == "confirmed" and uninvited() == 0 and str(case.pk) not in page(MISSING)


def test_a_worker_invites_in_groups_and_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setattr("zhengka.cases.services.inviting.GROUP", 2)
    holders = [waiting() for _ in range(5)]
    opened()
    for each in holders[:4]:
        set_phone(each, "13900000001")
    visitor = Visitor(make_officer("clerk"))
    shown = visitor.get(reverse("staff:exchange")).content.decode()
    assert "5 holders who wait" in shown and "Invite those not yet written to" in shown
    key = str(request_id())
    for _ in range(2):
        visitor.post(reverse("staff:exchange-invite"), {"request_id": key})
    act = Act.objects.get(task="cases.invite_again")
    assert act.total == 5
    for _ in range(2):
        act = services.carry_out_invitations(act.pk, clock=lambda: LATER)
    assert (act.state, act.moved, act.reasons, act.groups) == ("done", 4, {"letter-no-way": 1}, 3)
    assert [invited(each) for each in holders] == [1, 1, 1, 1, 0]


def test_the_count_of_those_not_invited_reads_no_case_and_no_other_missing_letter():
    waiting()
    opened()
    area = builders.make_area().code
    Unwritten.objects.bulk_create(Unwritten(
        area=area, subject="card", subject_id=number, template="card-ready", occasion="once", channel="print",
        reason="letter-no-way", at=NOON) for number in range(3000))
    with CaptureQueriesContext(connection) as asked:
        assert uninvited() == 1
    (statement,) = [one["sql"] for one in asked if "letters_unwritten" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE letters_unwritten")
        cursor.execute("EXPLAIN " + statement)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "unwritten_by_kind" in plan and "cases_case" not in statement


def test_where_all_are_open_the_page_says_so_and_leads_on():
    waiting(phone="13900000001")
    visitor, unit = Visitor(make_officer("clerk")), str(builders.make_area().code)
    asked = visitor.act(reverse("staff:exchange"), where=unit).content.decode()
    assert "Open 1 case?" in asked and "Yes, open them" in asked
    opened()
    done = visitor.act(reverse("staff:exchange"), where=unit).content.decode()
    assert "The exchange is open for all of them" in done and "?step=confirm" in done
    assert "Open 0" not in done and "Yes, open them" not in done


def test_the_nightly_reminders_say_how_many_letters_are_missing(caplog):
    caplog.set_level(logging.INFO, "zhengka.cards")
    cards.remind(at=NOON)
    assert "letters that could not be written: none" in caplog.text


@pytest.mark.parametrize(("outbox", "url", "word"), [
    ("", "", "Kept here, not sent"), ("there", "", "Put into the folder")])
def test_a_letter_that_was_only_put_away_is_not_called_sent(settings, tmp_path, outbox, url, word):
    settings.OUTBOX, settings.SMS_URL = str(tmp_path) if outbox else "", url
    letter = letters.send(make_letter().pk, at=NOON)
    assert letter.state == "sent"
    for path in ("/staff/letters/", f"/staff/letters/{letter.pk}/", "/staff/letters/?state=sent"):
        shown = page(path)
        assert word in shown and ">Sent<" not in shown, path


def test_a_letter_on_paper_is_called_printed():
    letter = make_letter("card-ready", "print")
    letters.print_many("print", by=builders.make_actor(), request_id=request_id(), at=NOON)
    assert "Printed" in page("/staff/letters/?state=sent&sender=office")
    assert "Card ready" not in page("/staff/letters/?state=sent&sender=provider") and letter.pk
