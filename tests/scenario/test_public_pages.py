"""What a passer-by sees: a scanned card in one word, the visitors' home, the files for verifiers without a network."""

import html
import re
import time
import tomllib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from builders import NOON, make_area, make_officer
from codes import code_of, digits_of, finished
from visits import Visitor
from zhengka.areas.models import Area
from zhengka.areas.services import load as load_areas
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.config.env import PROJECT
from zhengka.core import fields
from zhengka.core.pace import CHECKS
from zhengka.formats import qr, statuslist
from zhengka.formats.issuers import KeySet
from zhengka.gates.models import Check
from zhengka.production import faces
from zhengka.production.services.gathering import face_texts, subject_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    CHECKS.forget()


def words_of(page):
    """The one word of the answer, and its tone."""
    text = page.content.decode()
    return (re.search(r'id="verdict">([^<]+)<', text)[1], re.search(r"zk-check--(\w+)", text)[1])


@pytest.mark.parametrize("state, word, tone", [
    ("active", "Valid", "good"), ("suspended", "Reported lost", "bad"), ("issued", "Not activated yet", "bad"),
    ("ready", "Not activated yet", "bad"), ("cancelled", "Cancelled", "bad")])
def test_a_scanned_card_is_told_in_one_word(state, word, tone):
    page = Visitor().get(f"/V/{digits_of(finished(state))}")
    assert page.status_code == 200 and words_of(page) == (word, tone)


def test_small_letters_and_capitals_open_the_same_page():
    digits = digits_of(finished())
    assert words_of(Visitor().get(f"/v/{digits}")) == words_of(Visitor().get(f"/V/{digits}"))


def test_the_address_in_the_code_is_the_address_of_the_page():
    card = finished()
    assert Visitor().get("/" + code_of(card).split("/", 3)[3]).status_code == 200


def test_the_page_shows_the_face_with_name_and_number_in_part():
    card = finished(name="阿依古丽·买买提")
    page = Visitor().get(f"/V/{digits_of(card)}").content.decode()
    number = fields.open_(card.certificate.number, "certificate.number")
    assert "阿***" in page and "阿依" not in page
    assert number not in page and number[:4] in page and number[-4:] in page
    assert "Physical, grade 2" in page and "2036-11-20" in page and "岳麓区" in page


def units_of_each_kind() -> list[tuple[str, str]]:
    """(ending of the name, code) of one issuing unit of the pilot for each ending."""
    rows = tomllib.loads((PROJECT / "data/areas/hunan-2018.toml").read_text())["area"]
    endings = ("管理区", "开发区", "高新区", "度假区", "原种场", "市", "县", "区")
    kinds = {next(ending for ending in endings if row["name"].endswith(ending)): row["code"]
             for row in rows if row["issuing"]}
    return sorted(kinds.items())


@pytest.mark.parametrize("kind, code", units_of_each_kind())
def test_the_page_names_the_issuing_office_as_the_face_of_the_card_does(kind, code):
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    unit = Area.objects.get(code=int(code) * 10**6)
    card = finished(area=unit)
    layout = faces.layout_for(card.profile)
    face = face_texts(subject_of(card), layout)["issuer"].replace("\u200b", "")
    page = Visitor()
    url = f"/V/{digits_of(card)}"
    assert f"<dd>{face}</dd>" in page.get(url, headers={"accept-language": "zh-hans"}).content.decode()
    english = html.unescape(page.get(url).content.decode())
    assert f"Disabled Persons' Federation of {unit.name_en}" in english
    assert (unit.parent.name_en in english) is (unit.parent.name in face)


def test_nobody_keeps_the_page_and_no_other_site_hears_of_it():
    page = Visitor().get(f"/V/{digits_of(finished())}")
    assert page["Cache-Control"] == "no-store" and page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"] and not page.cookies
    assert "default-src 'self'" in page["Content-Security-Policy"]


def test_a_lost_card_is_refused_at_once_and_accepted_again_when_it_is_found():
    card = finished()
    visitor, clerk = Visitor(), Visitor(make_officer("clerk"))
    url = f"/V/{digits_of(card)}"
    assert words_of(visitor.get(url))[0] == "Valid"
    clerk.act(f"/staff/cards/{card.pk}/report_lost", sure="1")
    assert words_of(visitor.get(url))[0] == "Reported lost"
    clerk.act(f"/staff/cards/{card.pk}/report_found")
    assert words_of(visitor.get(url))[0] == "Valid"


@pytest.mark.parametrize("digits", ["123", "0", "x", "9" * 600])
def test_a_foreign_code_has_a_page_of_its_own_that_warns(digits):
    page = Visitor().get(f"/V/{digits}")
    assert page.status_code == 200 and words_of(page) == ("Not a card&#x27;s code", "bad")
    assert "pay nothing" in page.content.decode()


def test_a_changed_digit_makes_the_code_not_genuine():
    digits = digits_of(finished())
    page = Visitor().get(f"/V/{digits[:-1]}{(int(digits[-1]) + 1) % 10}")
    assert words_of(page) == ("Not genuine", "bad") and "Compare with the card" not in page.content.decode()


def test_an_officer_of_another_unit_who_scans_a_card_sees_what_everybody_sees():
    card = finished()
    officer = make_officer("clerk", area=make_area(430702, name="武陵区"))
    assert words_of(Visitor(officer).get(f"/V/{digits_of(card)}")) == ("Valid", "good")


def test_a_check_is_counted_without_a_person():
    Visitor().get(f"/V/{digits_of(finished())}")
    counted = Check.objects.get()
    assert (counted.channel, counted.verdict, counted.area) == ("page", "valid", 430104000000)


def test_who_asks_too_often_is_told_so_in_words_and_when_to_come_back():
    for _ in range(CHECKS.burst):
        CHECKS.take("203.0.113.5", now=time.monotonic() + 3600)
    page = Visitor(REMOTE_ADDR="203.0.113.5").get("/V/123")
    assert page.status_code == 429 and int(page["Retry-After"]) >= 1
    assert "Too many requests" in page.content.decode() and page["Cache-Control"] == "no-store"


def test_typed_digits_and_a_pasted_address_lead_to_the_card():
    card = finished()
    for text in (code_of(card), digits_of(card), f" {code_of(card).lower()} "):
        answer = Visitor().post("/check", {"code": text})
        assert (answer.status_code, answer.url) == (302, f"/v/{digits_of(card)}")


def test_a_photo_of_the_code_leads_to_the_card():
    card = finished()
    photo = SimpleUploadedFile("photo.png", qr.png(code_of(card)), content_type="image/png")
    assert Visitor().post("/check", {"photo": photo}).url == f"/v/{digits_of(card)}"


@pytest.mark.parametrize("photo, said", [
    (b"not a picture", "must be a JPEG or PNG"), (qr.png("https://elsewhere.example/"), "not the code of a disability"),
    (qr.png(qr.to_text(b"a payload", "https://elsewhere.example")), "an address that is not ours"),
    (b"", "empty")])
def test_a_photo_that_shows_no_card_is_refused_in_words(photo, said):
    page = Visitor().post("/check", {"photo": SimpleUploadedFile("p.png", photo)})
    assert page.status_code == 400 and said in page.content.decode()


def test_text_that_is_no_code_is_refused_at_its_field():
    page = Visitor().post("/check", {"code": "王建国"})
    assert page.status_code == 400 and "There is a problem" in page.content.decode()


def test_a_gate_fetches_the_bundle_once_and_asks_then_only_whether_it_changed():
    card = finished("suspended")
    cards.publish_status_lists(at=NOON)
    visitor = Visitor()
    keys, file = visitor.get("/bundle/keys.json"), visitor.get(f"/bundle/status-{card.status_list}.bin")
    known = statuslist.parse(file.content, keys=KeySet.from_json(keys.content), at=NOON)
    assert known.status(card.status_index).name == "SUSPENDED"
    assert file["Last-Modified"] and "max-age=60" in file["Cache-Control"]
    again = visitor.get(f"/bundle/status-{card.status_list}.bin", headers={"If-None-Match": file["ETag"]})
    assert again.status_code == 304 and not again.content
    Card.objects.filter(pk=card.pk).update(state="active", active_until=card.valid_until)
    cards.publish_status_lists(at=NOON)
    assert visitor.get(f"/bundle/status-{card.status_list}.bin", headers={
        "If-None-Match": file["ETag"]}).status_code == 200


def test_a_list_that_is_none_is_not_found():
    assert Visitor().get("/bundle/status-77.bin").status_code == 404
    assert Visitor().get("/bundle/keys.json").status_code == 404


def test_the_site_tells_its_watchman_that_it_lives():
    answer = Visitor().get("/healthz")
    assert answer.json() == {"status": "ok"} and answer["Cache-Control"] == "no-store"
