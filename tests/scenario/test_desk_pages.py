"""The pages of cards, batches, status lists and the plan, as officers use them."""

import html
import re
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
from builders import NOON, make_area, make_card, make_holder, make_officer, request_id
from codes import code_of, digits_of, finished
from custody_rooms import SIGNED
from desk import make_desk
from visits import Visitor
from worker import work
from zhengka.areas.models import Area
from zhengka.areas.services import load as load_areas
from zhengka.cards import services as cards
from zhengka.cards.models import Card
from zhengka.config.env import PROJECT
from zhengka.core import fields
from zhengka.core.models import Event
from zhengka.custody.models import Receipt
from zhengka.formats import qr
from zhengka.production.models import Batch
from zhengka.programme.services import load as load_programme

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path, tmp_path / "files"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path


def page(visitor, name, *args, **query):
    answer = visitor.get(reverse(f"staff:{name}", args=args), query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def state_of(card):
    return Card.get(card.pk).state


# -- cards ---------------------------------------------------------------------------------------------------------


def test_cards_are_listed_by_state_with_their_holders():
    ready = make_card(make_holder(name="王待领"), state="ready")
    make_card(make_holder(name="李在用"), state="active")
    clerk = Visitor(make_officer("clerk"))
    assert "王待领" in page(clerk, "cards") and "李在用" not in page(clerk, "cards")
    assert "李在用" in page(clerk, "cards", state="active")
    assert reverse("staff:card", args=[ready.pk]) in page(clerk, "cards")


def test_cards_that_are_ticked_are_handed_over_and_activated_together():
    ticked = [make_card(make_holder(), state="ready") for _ in range(3)]
    left = make_card(make_holder(), state="ready")
    clerk = Visitor(make_officer("clerk"))
    url, chosen = reverse("staff:cards-bulk", args=["hand-over"]), [card.pk for card in ticked]
    asked = clerk.act(url, card=chosen).content.decode()
    assert "Hand over 3 cards?" in asked and all(f'value="{pk}"' in asked for pk in chosen)
    for told in ({}, {"number": " "}, {"day": "2999-01-01"}, {"day": "morgen"}, {"way": "agent"}):
        assert "There is a problem" in clerk.act(url, card=chosen, **(SIGNED | told if told else {"sure": "1"})
                                                 ).content.decode()
    assert [state_of(card) for card in ticked] == ["ready"] * 3, "it is asked on which list they signed"
    clerk.act(url, card=chosen, **SIGNED)
    assert [state_of(card) for card in ticked] == ["issued"] * 3 and state_of(left) == "ready"
    assert set(Receipt.objects.values_list("card", "proof", "way", "list_number")) == {
        (pk, "list", "home", SIGNED["number"]) for pk in chosen}
    assert f"{SIGNED['number']} · {SIGNED['day']}" in page(clerk, "card", chosen[0])
    clerk.act(reverse("staff:cards-bulk", args=["activate"]), card=[card.pk for card in ticked])
    assert [state_of(card) for card in ticked] == ["active"] * 3


def test_the_page_says_how_many_moved_and_how_many_somebody_moved_before():
    ready, gone = (make_card(make_holder(), state=state) for state in ("ready", "issued"))
    clerk = Visitor(make_officer("clerk"))
    clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[ready.pk, gone.pk, "nonsense"],
              **SIGNED)
    said = page(clerk, "cards")
    assert "Hand over: 1 card" in said and "1 card stayed as it was" in said


def test_another_unit_s_card_among_the_ticked_ones_stays_as_it_is():
    theirs = make_card(make_holder(area=make_area(430702, name="武陵区")), state="ready")
    Visitor(make_officer("clerk")).act(reverse("staff:cards-bulk", args=["hand-over"]), card=[theirs.pk], **SIGNED)
    assert state_of(theirs) == "ready"


def test_a_card_s_page_offers_what_its_state_and_the_role_allow():
    card = finished("active")
    clerk, reviewer = page(Visitor(make_officer("clerk")), "card", card.pk), page(
        Visitor(make_officer("reviewer")), "card", card.pk)
    assert "Report lost" in clerk and "Report found" not in clerk
    assert "Report lost" not in reviewer
    assert ">Activate<" not in clerk, "the next year is far away"


def test_a_card_s_page_shows_never_its_code_and_never_the_whole_number():
    card = finished("active")
    shown = page(Visitor(make_officer("clerk")), "card", card.pk)
    number = fields.open_(card.certificate.number, "certificate.number")
    assert number not in shown and card.serial in shown and "Its code opens nothing" in shown
    modules = re.search(r' d="([^"]+)"', qr.svg(code_of(card)))[1]
    assert modules not in shown and digits_of(card) not in shown


def test_the_preview_hides_the_number_and_gives_no_code_that_opens_anything():
    card = finished("active")
    number = fields.open_(card.certificate.number, "certificate.number")
    sides = "".join(batches.queries.preview(card))
    assert number not in sides and "样" in sides


def test_the_same_form_sent_twice_reports_a_card_lost_once():
    card, key = finished("active"), str(request_id())
    clerk, url = Visitor(make_officer("clerk")), reverse("staff:card-step", args=[card.pk, "report_lost"])
    assert "Report this card lost?" in clerk.post(url, {"request_id": key}).content.decode()
    assert state_of(card) == "active", "it is asked a second time"
    for _ in range(2):
        answer = clerk.post(url, {"request_id": key, "sure": "1"})
        assert answer.status_code == 302
    assert Event.objects.filter(subject="card", subject_id=card.pk, action="report_lost").count() == 1


def test_a_step_that_is_not_open_is_refused_in_words():
    card = finished("ready")
    answer = Visitor(make_officer("clerk")).act(reverse("staff:card-step", args=[card.pk, "report_lost"]))
    assert answer.status_code == 409 and "not open in the present state" in answer.content.decode()
    assert Visitor(make_officer("clerk")).act(
        reverse("staff:card-step", args=[card.pk, "destroy"])).status_code == 409


# -- batches -------------------------------------------------------------------------------------------------------


def test_a_batch_is_opened_prepared_sent_and_received_by_its_pages(tmp_path):
    area = make_area()
    home = tmp_path / "maker"
    maker = batches.make_maker(home, area)
    card = batches.make_ordered(area=area)
    batches.make_ordered(area=area, name="赵无照", photo=None)
    producer = Visitor(make_officer("producer", area=area))
    assert "2" in page(producer, "batches")
    group = f"{area.code}|{batches.PROFILE}"
    producer.act(reverse("staff:batch-new"), group=group, maker=maker.pk)
    batch = Batch.objects.get()
    producer.act(reverse("staff:batch-step", args=[batch.pk, "prepare"]))
    assert "Cards are being prepared" in page(producer, "batch", batch.pk)
    batch = batches.services.run_chunks_here(Batch.get(batch.pk), at=NOON, processes=1)
    shown = page(producer, "batch", batch.pk)
    assert "赵无照" in shown and "There is no photo" in shown and "Release" in shown
    sheet = producer.act(reverse("staff:batch-download", args=[batch.pk, "take_proof"]))
    package = producer.act(reverse("staff:batch-download", args=[batch.pk, "take_package"]))
    assert sheet.content.startswith(b"%PDF") and b"".join(package.streaming_content)
    taken = Event.objects.filter(subject="batch", subject_id=batch.pk, action__startswith="take_")
    assert {event.action for event in taken} == {"take_proof", "take_package"}
    cards.publish_status_lists(at=NOON)
    other, send = Visitor(make_officer("producer", area=area)), reverse("staff:batch-step", args=[batch.pk, "send"])
    assert "Send it without 1 held card?" in other.act(send).content.decode()
    assert Batch.get(batch.pk).state == "prepared"
    other.act(send, sure="1")
    results = batches.make_cards(Batch.get(batch.pk), home)
    producer.act(reverse("staff:batch-results", args=[batch.pk]),
                 file=SimpleUploadedFile("results.jsonl", results.read_bytes()))
    shown = page(producer, "batch", batch.pk)
    assert "done whole or not at all" in shown and "Results file" not in shown
    work()
    batch = Batch.get(batch.pk)
    assert (batch.state, batch.good, batch.held) == ("received", 1, 1) and state_of(card) == "ready"
    producer.act(reverse("staff:batch-step", args=[batch.pk, "close"]))
    assert Batch.get(batch.pk).state == "closed"


def test_what_was_found_in_the_results_is_named_and_a_held_card_is_released(tmp_path):
    desk = make_desk(tmp_path / "maker")
    producer = Visitor(make_officer("producer", area=desk.area))
    shown = page(producer, "batch", desk.received.pk)
    assert "The chip reads back something else" in shown and "The card was not ordered" in shown
    held = desk.cards["held"]
    producer.act(reverse("staff:batch-release", args=[desk.prepared.pk, held.pk]))
    assert state_of(held) == "ordered" and "Released" in page(producer, "batch", desk.prepared.pk)


def test_results_that_are_no_results_are_refused_and_change_nothing(tmp_path):
    area = make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    producer = Visitor(make_officer("producer", area=area))
    url = reverse("staff:batch-results", args=[batch.pk])
    refused = producer.act(url, file=SimpleUploadedFile("x.jsonl", b"{}"))
    assert refused.status_code in (400, 409, 422) and Batch.get(batch.pk).state == "sent"
    assert producer.act(url).status_code == 400
    results = batches.make_cards(batch, tmp_path / "maker").read_bytes()
    changed = results.replace(b'"good"', b'"spoiled"', 1)
    assert producer.act(url, file=SimpleUploadedFile("x.jsonl", changed)).status_code == 302
    work()
    shown = page(producer, "batch", batch.pk)
    assert "damaged or not signed by this card maker" in shown and "Nothing was changed" in shown
    assert "Results file" in shown and Batch.get(batch.pk).state == "sent"
    producer.act(url, file=SimpleUploadedFile("x.jsonl", results))
    work()
    assert Batch.get(batch.pk).state == "received" and "damaged" not in page(producer, "batch", batch.pk)
    again = producer.act(url, file=SimpleUploadedFile("x.jsonl", results))
    assert again.status_code == 409 and "were received before" in again.content.decode()


def test_opening_a_batch_leads_to_it_also_when_the_form_is_sent_twice(tmp_path):
    area = make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    for _ in range(2):
        batches.make_ordered(area=area)
    producer, key = Visitor(make_officer("producer", area=area)), str(request_id())
    form = {"group": f"{area.code}|{batches.PROFILE}", "maker": maker.pk, "request_id": key, "limit": "1"}
    first, second = (producer.post(reverse("staff:batch-new"), form) for _ in range(2))
    assert first.url == second.url == reverse("staff:batch", args=[Batch.objects.get().pk])


def test_a_batch_that_could_not_be_prepared_says_so_and_offers_to_try_again(tmp_path):
    area = make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    producer = Visitor(make_officer("producer", area=area))
    producer.act(reverse("staff:batch-step", args=[batch.pk, "prepare"]))
    assert "Try again" not in page(producer, "batch", batch.pk)
    batches.services.stall(batch.pk, at=NOON)
    shown = page(producer, "batch", batch.pk)
    assert "Preparation failed" in shown and "could not be prepared" in shown and "Try again" in shown
    assert "Batches whose preparation failed" in producer.get(reverse("staff:home")).content.decode()
    assert producer.get(reverse("staff:batch-progress", args=[batch.pk]))["HX-Refresh"] == "true"
    producer.act(reverse("staff:batch-step", args=[batch.pk, "retry"]))
    assert Batch.get(batch.pk).state == "preparing" and "could not be prepared" not in page(
        producer, "batch", batch.pk)


def test_a_batch_is_not_sent_from_its_page_before_gates_know_of_its_cards(tmp_path):
    desk = make_desk(tmp_path / "maker")
    producer = Visitor(make_officer("producer", area=desk.area))
    answer = producer.act(reverse("staff:batch-step", args=[desk.prepared.pk, "send"]), sure="1")
    assert answer.status_code == 409 and "Gates were not told" in answer.content.decode()
    assert Batch.get(desk.prepared.pk).state == "prepared"


def test_the_progress_of_a_batch_is_a_bar_that_asks_to_load_the_page_when_it_is_over(tmp_path):
    area = make_area()
    maker = batches.make_maker(tmp_path / "maker", area)
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    producer = Visitor(make_officer("producer", area=area))
    producer.act(reverse("staff:batch-step", args=[batch.pk, "prepare"]))
    url = reverse("staff:batch-progress", args=[batch.pk])
    running = producer.get(url)
    assert b"hx-get" in running.content and "HX-Refresh" not in running
    batches.services.run_chunks_here(Batch.get(batch.pk), at=NOON, processes=1)
    assert producer.get(url)["HX-Refresh"] == "true"


# -- status lists and plan -----------------------------------------------------------------------------------------


def test_the_status_lists_tell_their_version_age_and_blocked_cards():
    card = finished("suspended")
    cards.publish_status_lists(at=NOON)
    shown = page(Visitor(make_officer("clerk")), "lists")
    assert f"/bundle/status-{card.status_list}.bin" in shown and "Publish now" in shown
    assert "Publish now" not in page(Visitor(make_officer("reviewer")), "lists")


def test_publish_now_asks_the_worker_once_however_often_it_is_pressed():
    clerk = Visitor(make_officer("clerk"))
    before = ProcrastinateJob.objects.count()
    for _ in range(2):
        assert clerk.act(reverse("staff:lists-publish")).status_code == 302
    assert ProcrastinateJob.objects.filter(task_name="cards.publish_status_lists").count() == before + 1


@pytest.fixture
def pilot():
    load_areas(PROJECT / "data/areas/hunan-2018.toml")
    load_programme(PROJECT / "data/programmes/hunan-2018.toml")
    return SimpleNamespace(province=Area.objects.get(code=430000 * 10**6), yuelu=Area.objects.get(code=430104 * 10**6))


def test_the_plan_of_the_pilot_adds_up_on_its_page(pilot):
    shown = page(Visitor(make_officer("leader", area=pilot.province)), "plan")
    for figure in ("298,485", "86,682", "125,867", "165,611", "7,007", "542.25", "25 issuing units"):
        assert figure in shown


def test_facts_stand_beside_the_plan(pilot):
    make_card(make_holder(area=pilot.yuelu), state="active")
    leader = Visitor(make_officer("leader", area=pilot.province))
    row = page(leader, "plan").split("Yuelu")[1].split("</tr>")[0]
    assert "8,321" in row and row.count('">1</td>') == 4  # registered, made, handed over, in use
    assert "Show against the plan" in page(leader, "plan") and "Show against those" in page(leader, "plan", of="plan")


def test_a_unit_s_officer_sees_the_plan_of_her_unit_only(pilot):
    shown = page(Visitor(make_officer("clerk", area=pilot.yuelu)), "plan")
    assert "8,321" in shown and "298,485" not in shown and "Kaifu" not in shown


def test_without_a_programme_the_page_says_what_to_do():
    assert "No programme is loaded" in page(Visitor(make_officer("leader")), "plan")
