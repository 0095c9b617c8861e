"""Pages of keys and ceremonies: one leads, each custodian acts at their own login, and nobody else sees anything."""

import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pypdf import PdfReader

from builders import NOON, make_officer, request_id
from ceremonies import MASTER, Hall, components, use_store
from visits import Visitor
from zhengka.accounts.roles import ROLES
from zhengka.core.models import Event
from zhengka.formats import keyfile, shares
from zhengka.formats.suites import SUITES
from zhengka.keys import rules, services, sheet
from zhengka.keys.models import KEPT, KINDS, Ceremony, Key
from zhengka.web.staff.ceremony_forms import FORMS
from zhengka.web.staff.keys import KEPT_WORDS
from zhengka.web.staff.words import CEREMONY_WORDS, KEY_LEVEL_WORDS, KEY_SLOT_WORDS, SUBJECT_WORDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def hall(settings, tmp_path):
    use_store("file", settings, tmp_path)
    return Hall()


def text(answer):
    return answer.content.decode()


def opened(hall, url="staff:ceremony-generate", args=(), **data):
    """A ceremony opened by its form, with the platform's first part done by the worker."""
    form = {"officers": [one.pk for one in hall.custodians]} | data
    answer = Visitor(hall.leader).act(reverse(url, args=args), **form)
    assert answer.status_code == 302, text(answer)
    return services.carry_on(Ceremony.objects.latest("pk").pk, at=Ceremony.objects.latest("pk").opened_at)


def shown(visitor, row):
    """The component on the page that answers a custodian."""
    page = text(visitor.act(reverse("staff:ceremony-component", args=[row.pk])))
    value = "".join(re.findall(r"<span>([0-9A-F]{4})</span>", page))
    [check] = re.findall(r'<span class="zk-number" translate="no">([0-9A-F ]+)</span></p>', page)
    return value, check


def test_every_code_of_the_room_has_its_words():
    assert set(CEREMONY_WORDS) == set(FORMS) == set(KINDS) and set(KEPT_WORDS) == set(KEPT)
    assert set(KEY_SLOT_WORDS) == set(rules.CARD_KEYS) and set(KEY_LEVEL_WORDS) == set(rules.LEVELS)
    assert {"key", "key-ceremony"} <= set(SUBJECT_WORDS)


def test_business_roles_see_nothing_of_keys(hall):
    row = hall.hold("generate")
    pages = [reverse("staff:keys"), reverse("staff:key", args=[row.key.pk]), reverse("staff:ceremonies"),
             reverse("staff:ceremony", args=[row.pk]), reverse("staff:ceremony-generate")]
    for role in set(ROLES) - {"security", "custodian"}:
        visitor = Visitor(make_officer(role, area=hall.area))
        assert [visitor.get(page).status_code for page in pages] == [403] * len(pages), role
    stranger = Visitor(make_officer("custodian", area=hall.area))
    assert [stranger.get(page).status_code for page in pages] == [403, 403, 200, 404, 403]
    assert row.label not in text(stranger.get(pages[2]))


def test_a_key_is_generated_through_the_pages_by_four_people(hall):
    row = opened(hall, what="card_master/application", suite="SM")
    leader = Visitor(hall.leader)
    for number, custodian in enumerate(hall.custodians):
        visitor = Visitor(custodian)
        assert "Key ceremonies that wait for you" in text(visitor.get(reverse("staff:home")))
        value, check = shown(visitor, row)
        for page in (visitor.get(reverse("staff:ceremony", args=[row.pk])),
                     leader.get(reverse("staff:ceremony", args=[row.pk]))):
            assert value not in text(page).replace("</span> <span>", "")
        wrong = visitor.act(reverse("staff:ceremony-part", args=[row.pk]), component="F" * 32, check_value=check)
        assert "do not belong together" in text(wrong) and "F" * 32 not in text(wrong)
        done = visitor.act(reverse("staff:ceremony-part", args=[row.pk]), component=sheet.groups(value),
                           check_value=check)
        assert done.status_code == 302, number
    row = services.carry_on(row.pk, at=row.opened_at)
    page = text(leader.get(reverse("staff:ceremony", args=[row.pk])))
    assert row.state == "done" and row.check_value in page and "Transcript signed" in page
    assert all(one.name in text(leader.get(reverse("staff:key", args=[row.key.pk]))) for one in hall.custodians)
    tree = text(leader.get(reverse("staff:keys")))
    assert row.check_value in tree and "Application control" in tree and "In use" in tree
    assert leader.get(reverse("staff:ceremony-transcript", args=[row.pk])).content.decode() == row.transcript


def test_a_custodian_s_sheet_is_a_pdf_of_their_own_component_with_a_receipt_that_has_none(hall):
    row = opened(hall, what="card_master/application", suite="SM")
    visitor = Visitor(hall.custodians[0])
    answer = visitor.act(reverse("staff:ceremony-sheet", args=[row.pk]))
    value, check = shown(visitor, row)
    assert answer["Content-Type"] == "application/pdf" and answer["Cache-Control"] == "no-store"
    said = "".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)
    flat = re.sub(r"\s", "", said)
    assert flat.count(value) == 1 and flat.count(check.replace(" ", "")) >= 2
    assert hall.custodians[0].name in said and value not in flat.split("回执")[1]
    assert Visitor(hall.leader).act(reverse("staff:ceremony-sheet", args=[row.pk])).status_code == 403
    assert Visitor(make_officer("custodian", area=hall.area)).act(
        reverse("staff:ceremony-sheet", args=[row.pk])).status_code == 404
    acts = Event.objects.filter(subject="key-ceremony", subject_id=row.pk).values_list("action", flat=True)
    assert list(acts.order_by("version")) == ["open", "gather", "print", "show"]


def test_a_key_is_brought_in_through_the_pages(hall):
    row = opened(hall, "staff:ceremony-import", what="card_master/control", suite="SM",
                 check_value=shares.check_value(MASTER, SUITES["SM"]))
    for custodian, one in zip(hall.custodians, components(MASTER), strict=True):
        assert Visitor(custodian).act(reverse("staff:ceremony-part", args=[row.pk]), number=one.number,
                                      component=one.value, check_value=one.check_value).status_code == 302
    row = services.carry_on(row.pk, at=row.opened_at)
    assert row.state == "done" and row.key.check_value == row.check_value


def test_a_key_leaves_is_rotated_retired_and_destroyed_through_the_pages(hall, tmp_path):
    key = hall.hold("generate", exportable=True).key
    keyfile.write_public(tmp_path / "their.json", SUITES["SM"].generate().public)
    leader = Visitor(hall.leader)
    not_a_key = leader.act(reverse("staff:key-export", args=[key.pk]), officers=[hall.custodians[0].pk],
                           transport=SimpleUploadedFile("their.json", b"{}"))
    assert "no public key file" in text(not_a_key)
    row = opened(hall, "staff:key-export", [key.pk], transport=SimpleUploadedFile(
        "their.json", (tmp_path / "their.json").read_bytes()))
    their = SUITES["SM"].public_key(bytes(row.transport)).key_id.hex()
    seen = text(Visitor(hall.custodians[0]).get(reverse("staff:ceremony", args=[row.pk])))
    assert their in seen, "who agrees sees who receives"
    agree(hall, row)
    assert len(leader.get(reverse("staff:ceremony-wrapped", args=[row.pk])).content) > 16
    hall.hold("rotate", key)
    assert leader.act(reverse("staff:key-retire", args=[key.pk])).status_code == 200, "asked a second time"
    assert leader.act(reverse("staff:key-retire", args=[key.pk]), sure="1").status_code == 302
    page = text(leader.get(reverse("staff:key", args=[key.pk])))
    assert "Destroy a key" in page and "Rotate a key" not in page
    row = agree(hall, opened(hall, "staff:key-destroy", [key.pk]))
    assert Key.get(key.pk).state == "destroyed" and "shred" in text(leader.get(
        reverse("staff:ceremony", args=[row.pk])))


def test_a_signing_key_is_revoked_through_the_pages_and_says_so(hall):
    services.ensure(hall.area.code, "SM", at=NOON)
    key, master = Key.objects.get(purpose="credential"), Key.objects.filter(purpose="card_master").first()
    leader = Visitor(hall.leader)
    assert "Revoke a key" in text(leader.get(reverse("staff:key", args=[key.pk])))
    assert "Revoke a key" not in text(leader.get(reverse("staff:key", args=[master.pk])))
    row = agree(hall, opened(hall, "staff:key-revoke", [key.pk]))
    assert row.state == "done" and Key.get(key.pk).revoked_at is not None
    page = text(leader.get(reverse("staff:key", args=[key.pk])))
    assert "Revoked at" in page and "Revoke a key" not in page
    assert re.search(r"zk-heading__state\">\s*<strong[^>]*>Revoked<", page), "not only in the list of facts"


def agree(hall, row):
    """Two custodians look and agree."""
    for custodian in hall.custodians[:2]:
        visitor, url = Visitor(custodian), reverse("staff:ceremony-part", args=[row.pk])
        assert "Fill this in" in text(visitor.act(url))
        assert visitor.act(url, agrees="on").status_code == 302
    row = services.carry_on(row.pk, at=row.opened_at)
    assert row.state == "done"
    return row


def test_a_refusal_is_said_on_the_form_and_a_cancelled_ceremony_says_so(hall):
    leader = Visitor(hall.leader)
    row = opened(hall, what="card_master/application", suite="SM")
    again = leader.act(reverse("staff:ceremony-generate"), what="card_master/application", suite="SM",
                       officers=[one.pk for one in hall.custodians])
    assert "A ceremony over this key is under way" in text(again)
    assert "Fill this in" in text(leader.act(reverse("staff:ceremony-cancel", args=[row.pk])))
    leader.act(reverse("staff:ceremony-cancel", args=[row.pk]), reason="wrong day")
    page = text(leader.get(reverse("staff:ceremony", args=[row.pk])))
    assert "Ceremony cancelled" in page and "wrong day" in page
    assert Visitor(hall.custodians[0]).act(reverse("staff:ceremony-component", args=[row.pk])).status_code == 409


def test_what_the_store_could_not_do_is_said_and_asked_for_again(hall):
    row = opened(hall, what="card_master/application", suite="SM")
    for custodian in hall.custodians:
        hall.part(row, custodian)
    services.give_up(row.pk)
    leader = Visitor(hall.leader)
    assert "does not do what it is asked" in text(leader.get(reverse("staff:ceremony", args=[row.pk])))
    assert leader.act(reverse("staff:ceremony-again", args=[row.pk])).status_code == 302
    assert "Renew this page" in text(leader.get(reverse("staff:ceremony", args=[row.pk])))
    services.carry_on(row.pk, at=row.opened_at)
    answer = leader.get(reverse("staff:ceremony-progress", args=[row.pk]))
    assert answer.headers["HX-Refresh"] == "true"
    assert leader.act(reverse("staff:ceremony-again", args=[row.pk]), request_id=str(request_id())).status_code == 409
