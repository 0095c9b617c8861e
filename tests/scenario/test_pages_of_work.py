"""The main job on the officers' pages, told step by step without a browser."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from builders import (
    NOON,
    make_area,
    make_card,
    make_case,
    make_certificate,
    make_holder,
    make_id_number,
    make_officer,
    request_id,
    with_numbers,
)
from papers_brought import put_portrait
from portraits import make_photo
from stories import applies
from visits import Visitor
from worker import work
from zhengka.accounts.workflow import DELEGATION, OFFICER
from zhengka.bulk.models import Act
from zhengka.cards.workflow import CARD, LIST_HOLD, STOP
from zhengka.cases import book
from zhengka.cases.models import Case
from zhengka.core import fields
from zhengka.core.models import Event
from zhengka.devices.workflow import DEVICE
from zhengka.gates.workflow import STATEMENT
from zhengka.keys import services as keys
from zhengka.keys.workflow import CEREMONY
from zhengka.papers.models import Portrait
from zhengka.production.workflow import BATCH
from zhengka.registry import photos
from zhengka.registry import services as registry
from zhengka.registry.models import Holder, Import
from zhengka.web.staff.home import WAITING

pytestmark = pytest.mark.django_db
EXCHANGE = book.table("measures-2017", "exchange", minor=False)
HEADER = "姓名,身份证号,残疾人证号,残疾类别,残疾等级,发证日期,有效期至"


def test_the_worklist_names_only_states_and_permissions_that_exist():
    tables = {"cases": EXCHANGE, "cards": CARD, "batches": BATCH, "permits": OFFICER,
              "delegations": DELEGATION, "ceremonies": CEREMONY, "devices": DEVICE, "stops": STOP,
              "holds": LIST_HOLD, "settlements": STATEMENT}
    for permission, kind, state, _label in WAITING:
        assert permission in {step.permission for step in tables[kind].steps if step.source == state}


# -- searching -----------------------------------------------------------------------------------------------------


def test_a_number_that_is_searched_for_is_in_no_address_and_not_in_clear_in_the_session():
    number = make_id_number()
    holder = make_holder(id_number=number)
    visitor = Visitor(make_officer("clerk"))
    answer = visitor.post(reverse("staff:holders"), {"q": number})
    assert answer.url == reverse("staff:holder", args=[holder.pk])
    assert number not in str(dict(visitor.session.items()))
    assert number not in visitor.get(answer.url).content.decode()


def test_a_search_by_initials_lists_everybody_and_stays_when_one_comes_back():
    make_holder(name="田野")
    make_holder(name="田原")
    visitor = Visitor(make_officer("clerk"))
    assert visitor.post(reverse("staff:holders"), {"q": "ty"}).url == reverse("staff:holders")
    page = visitor.get(reverse("staff:holders")).content.decode()
    assert "田野" in page and "田原" in page and "2 shown" in page


def test_reading_in_full_needs_a_purpose_and_leaves_an_event():
    number = make_id_number()
    holder = make_holder(id_number=number)
    visitor, url = Visitor(make_officer("reviewer")), reverse("staff:holder-in-full", args=[holder.pk])
    refused = visitor.act(url, purpose="").content.decode()
    assert number not in refused and "There is a problem" in refused and "Fill this in" in refused
    assert number in visitor.act(url, purpose="desk").content.decode()
    event = Event.objects.get(subject="holder", subject_id=holder.pk, action="read_in_full")
    assert event.facts == {"purpose": "desk"}
    assert "The holder is at the desk" in visitor.get(reverse("staff:holder", args=[holder.pk])).content.decode()


# -- importing -----------------------------------------------------------------------------------------------------


def send(visitor: Visitor, text: str, **more: str):
    area = make_area()
    return visitor.act(reverse("staff:import-new"), area=area.code,
                       file=SimpleUploadedFile("二代证.csv", text.encode()), **more)


def row(number: str, name: str = "张三") -> str:
    return f"{name},{number},{number}42,肢体,二级,2015-05-01,2025-05-01"


def test_a_file_is_received_taken_and_counted_and_its_refused_rows_come_back():
    visitor, good = Visitor(make_officer("clerk")), make_id_number()
    bad = good[:-1] + ("0" if good[-1] != "0" else "1")
    answer = send(visitor, "\n".join([HEADER, row(good), row(bad, "李四")]))
    assert answer.status_code == 302
    record = Import.objects.get()
    assert "every 1s" in visitor.get(answer.url).content.decode()
    registry.take_import(record.pk, at=NOON)
    record.refresh_from_db()
    assert (record.state, record.created, record.refused) == ("done", 1, 1)
    assert visitor.get(reverse("staff:import-progress", args=[record.pk])).headers["HX-Refresh"] == "true"
    assert "Download the refused rows" in visitor.get(answer.url).content.decode()
    key, url = str(request_id()), reverse("staff:import-refused", args=[record.pk])
    file = visitor.post(url, {"request_id": key})
    assert "李四" in file.content.decode("utf-8-sig") and "attachment" in file.headers["Content-Disposition"]
    assert visitor.post(url, {"request_id": key}).status_code == 302
    assert Event.objects.filter(subject="import", action="fetch").count() == 1


def test_a_file_that_is_cut_short_is_refused_at_the_field_and_nothing_is_kept():
    visitor = Visitor(make_officer("clerk"))
    answer = visitor.act(reverse("staff:import-new"), area=make_area().code,
                         file=SimpleUploadedFile("a.xlsx", b"PK\x03\x04 cut short"))
    assert answer.status_code == 200 and "govuk-error-message" in answer.content.decode()
    assert not Import.objects.exists()


def test_an_import_form_sent_twice_makes_one_import():
    visitor, key = Visitor(make_officer("clerk")), str(request_id())
    text = "\n".join([HEADER, row(make_id_number())])
    answers = {send(visitor, text, request_id=key).url for _ in range(2)}
    assert len(answers) == 1 and Import.objects.count() == 1


def test_a_pack_of_photos_is_received_given_out_by_a_worker_and_counted():
    number = make_id_number()
    holder, pack = make_holder(id_number=number), io.BytesIO()
    with zipfile.ZipFile(pack, "w") as archive:
        archive.writestr(f"{number}.jpg", make_photo(1))
        archive.writestr("holiday.jpg", make_photo(2))
    visitor = Visitor(make_officer("clerk"))
    answer = visitor.act(reverse("staff:import-photos"), area=make_area().code,
                         file=SimpleUploadedFile("photos.zip", pack.getvalue()))
    assert "every 1s" in visitor.get(answer.url).content.decode() and not Holder.objects.get(pk=holder.pk).photo
    work()
    said = visitor.get(answer.url).content.decode()
    assert figure(said, "Photos kept") == figure(said, "Left alone") == "1" and "Not named by an ID number" in said
    assert Holder.objects.get(pk=holder.pk).photo


def test_a_pack_that_is_none_is_refused_at_the_field_and_nothing_is_kept():
    visitor = Visitor(make_officer("clerk"))
    answer = visitor.act(reverse("staff:import-photos"), area=make_area().code,
                         file=SimpleUploadedFile("photos.zip", b"PK no archive"))
    assert answer.status_code == 200 and "govuk-error-message" in answer.content.decode()
    assert not Act.objects.exists()


def figure(page: str, label: str) -> str:
    """The figure of a page's tile."""
    return re.search(rf"{label}</span>\s*<span class=\"zk-tile__value\">([\d,]+)", page)[1]


# -- the exchange --------------------------------------------------------------------------------------------------


def test_the_exchange_is_opened_after_a_page_that_says_for_how_many():
    for _ in range(3):
        make_certificate(make_holder())
    visitor, url, unit = Visitor(make_officer("clerk")), reverse("staff:exchange"), str(make_area().code)
    asked = visitor.act(url, where=unit).content.decode()
    assert "Open 3 cases?" in asked and not Case.objects.exists()
    answer = visitor.act(url, where=unit, sure="1")
    assert not Case.objects.exists()
    work()
    assert figure(visitor.get(answer.url).content.decode(), "Cases opened") == "3"
    again = visitor.act(url, where=unit, sure="1")
    work()
    assert figure(visitor.get(again.url).content.decode(), "Cases opened") == "0"


def test_a_case_goes_from_clerk_to_reviewer_to_approver():
    case = make_case(state="notified")
    url = reverse("staff:case-step", args=[case.pk])
    for role, action in (("clerk", "confirm"), ("reviewer", "review"), ("approver", "approve")):
        visitor = Visitor(make_officer(role))
        assert visitor.act(url, action=action).status_code == 302
        assert visitor.get(reverse("staff:case", args=[case.pk])).status_code == 200
    case.refresh_from_db()
    assert case.state == "ordered" and case.card.state == "ordered"


def test_the_page_of_a_case_names_a_missing_photo_once_and_says_clause_and_policy_in_the_language_of_the_page():
    case = make_case(state="confirmed")
    url = reverse("staff:case", args=[case.pk])
    english = Visitor(make_officer("reviewer")).get(url).content.decode()
    chinese = Visitor(make_officer("reviewer")).get(url, headers={"accept-language": "zh-hans"}).content.decode()
    assert "A photo: without one" not in english and english.count("article 9(1): two-inch") == 1
    assert "办法第九条（一）" in chinese and "article 9(1)" not in chinese
    assert "Measures for the Administration" in english and "《中华人民共和国残疾人证管理办法》(2017)" in chinese


def test_who_decides_a_case_sees_whose_it_is():
    case, visitor = make_case(state="confirmed"), Visitor(make_officer("reviewer"))
    url, of_record = reverse("staff:case", args=[case.pk]), reverse("staff:holder-photo", args=[case.holder_id])
    assert of_record not in visitor.get(url).content.decode()
    case.holder.photo = photos.keep(make_photo(1))
    case.holder.save()
    assert of_record in visitor.get(url).content.decode() and visitor.get(of_record).status_code == 200
    assert "staff/holders" not in Visitor(make_officer("assessor")).get(url).content.decode()
    application = applies().case
    taken = put_portrait_of(application)
    shown = reverse("staff:portrait-picture", args=[taken.pk])
    page = reverse("staff:case", args=[application.pk])
    assert shown in visitor.get(page).content.decode() and visitor.get(shown)["Content-Type"] == "image/jpeg"


def put_portrait_of(case: Case) -> Portrait:
    """A kept portrait of an application."""
    portrait = put_portrait(make_holder(), state="kept")
    Portrait.objects.filter(pk=portrait.pk).update(subject="case", subject_id=case.pk)
    return portrait


def test_a_card_is_found_by_its_serial_as_it_is_printed():
    keys.ensure(make_area().code, "SM", at=NOON)
    (card,) = with_numbers(make_card(state="active"))
    (theirs,) = with_numbers(make_card(make_holder(area=make_area(430702, name="武陵区")), state="active"))
    visitor, url = Visitor(make_officer("clerk")), reverse("staff:holders")
    printed = " ".join(card.serial[at:at + 4] for at in range(0, 16, 4))
    for typed in (card.serial, printed):
        assert visitor.post(url, {"q": typed}).url == reverse("staff:card", args=[card.pk])
    assert visitor.post(url, {"q": theirs.serial}).url == url, "another office's card is nobody's"


def test_the_reviewer_s_second_account_cannot_approve_and_the_page_says_why():
    case = make_case(state="reviewed", reviewer="staff-9")
    visitor = Visitor(make_officer("approver", person="staff-9"))
    page = visitor.get(reverse("staff:case", args=[case.pk])).content.decode()
    assert "Another person does this: Approve" in page and 'value="approve"' not in page
    assert visitor.act(reverse("staff:case-step", args=[case.pk]), action="approve").status_code == 409
    case.refresh_from_db()
    assert case.state == "reviewed"


def test_a_case_is_sent_back_with_a_reason_only():
    case = make_case(state="confirmed")
    visitor, url = Visitor(make_officer("reviewer")), reverse("staff:case-step", args=[case.pk])
    assert "Fill this in" in visitor.act(url, action="send_back", reason="").content.decode()
    visitor.act(url, action="send_back", reason="照片与本人不符")
    case.refresh_from_db()
    assert case.state == "notified"
    assert "照片与本人不符" in visitor.get(reverse("staff:case", args=[case.pk])).content.decode()


def test_a_step_that_a_colleague_took_meanwhile_is_a_page_with_words_and_code():
    case = make_case(state="confirmed")
    answer = Visitor(make_officer("clerk")).act(reverse("staff:case-step", args=[case.pk]), action="confirm")
    page = answer.content.decode()
    assert answer.status_code == 409 and "step-not-open" in page and "What to do next" in page


@pytest.mark.parametrize("everything", [True, False])
def test_bulk_acts_say_first_how_many_and_then_what_became_of_them(everything):
    chosen = [make_case(state="reviewed", reviewer="other").pk for _ in range(3)]
    own = make_case(state="reviewed", reviewer="staff-9").pk
    visitor, url = Visitor(make_officer("approver", person="staff-9")), reverse("staff:cases-bulk")
    picked = {"all": "1"} if everything else {"chosen": [*chosen, own]}
    assert "Approve 4 cases?" in visitor.act(url, action="approve", **picked).content.decode()
    assert Case.objects.filter(state="reviewed").count() == 4
    key = str(request_id())
    for _ in range(2):
        answer = visitor.act(url, action="approve", sure="1", request_id=key, **picked)
        work()
        said = visitor.get(answer.url).content.decode()
        if everything:
            assert figure(said, "Approved, card ordered") == "3" and figure(said, "Left alone") == "1"
            assert "Two different persons must do this" in said
        else:
            assert "3 cases are done" in said and "1 left alone: Two different persons must do this" in said
    assert Case.objects.filter(pk__in=chosen, state="ordered").count() == 3


@pytest.mark.parametrize("nonsense", ["²", "9" * 30, "-1", "x", ""])
def test_what_can_be_no_row_is_left_out_of_a_bulk_act(nonsense):
    case = make_case(state="reviewed", reviewer="other")
    visitor, picked = Visitor(make_officer("approver")), {"action": "approve", "chosen": [case.pk, nonsense]}
    assert "Approve 1 case?" in visitor.act(reverse("staff:cases-bulk"), **picked).content.decode()
    answer = visitor.act(reverse("staff:cases-bulk"), sure="1", **picked)
    assert "1 case is done" in visitor.get(answer.url).content.decode()
    desk = Visitor(make_officer("clerk"))
    answer = desk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=nonsense)
    assert "No card was ticked" in desk.get(answer.url).content.decode()


@pytest.mark.parametrize("after", ["²-1", f"{'9' * 30}-1", "1", "1-2-3", "1-²", ""])
def test_an_address_that_names_no_place_shows_the_first_page(after):
    case = make_case(state="reviewed")
    page = Visitor(make_officer("approver")).get(reverse("staff:cases"), {"state": "reviewed", "after": after})
    assert reverse("staff:case", args=[case.pk]) in page.content.decode()


def test_a_page_that_fails_tells_a_reference_number_and_nothing_else(settings, monkeypatch):
    holder = make_holder()
    Holder.objects.filter(pk=holder.pk).update(id_number=fields.close("x", "another.field"))
    visitor = Visitor(make_officer("clerk"))
    visitor.raise_request_exception = False
    answer = visitor.get(reverse("staff:holder", args=[holder.pk]))
    page = answer.content.decode()
    assert answer.status_code == 500 and "zk-reference" in page and "Traceback" not in page and "SealBroken" not in page
