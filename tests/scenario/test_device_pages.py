"""Pages of devices and modules, and what a page's script is told, without a browser."""

import json

import pytest
from django.urls import reverse

from builders import NOON, make_actor, make_area, make_card, make_holder, make_officer, with_numbers
from reading_desk import make_batch, make_counter, make_reader, pair
from visits import Visitor
from zhengka.cards.models import ChipOrder
from zhengka.devices import services
from zhengka.devices.models import Device, Psam, Reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(db):
    return make_area()


def visitor(role: str, area) -> Visitor:
    return Visitor(make_officer(role, area=area))


def send(page: Visitor, path: str, **told) -> tuple[int, dict]:
    answer = page.post(path, json.dumps(told), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_the_system_administrator_enters_a_device_and_stops_it_and_others_may_not(area, tmp_path):
    system, clerk = visitor("system", area), visitor("clerk", area)
    form = {"sort": "reader", "name": "一号窗口", "area": area.pk, "place": "一楼", "keeper": "周敏", "number": ""}
    assert clerk.act(reverse("staff:device-new"), **form).status_code == 403
    assert system.act(reverse("staff:device-new"), **form).status_code == 302
    again = system.act(reverse("staff:device-new"), **form)
    assert again.status_code == 200 and "device of this name already" in again.content.decode()
    row = pair(Device.objects.get(), tmp_path / "reader", make_actor("clerk", area=area))
    assert clerk.act(reverse("staff:device-change", args=[row.pk, "stop"])).status_code == 403
    system.act(reverse("staff:device-change", args=[row.pk, "stop"]))
    assert Device.objects.get().state == "stopped"
    asked = system.act(reverse("staff:device-change", args=[row.pk, "lose"]))
    assert asked.status_code == 200 and Device.objects.get().state == "stopped", "one is asked first"
    system.act(reverse("staff:device-change", args=[row.pk, "lose"]), sure="1")
    assert Device.objects.get().state == "lost"


def test_only_the_page_that_shows_the_code_and_the_pages_of_the_reader_may_reach_loopback(area):
    row, clerk, audit = make_reader(area), visitor("clerk", area), visitor("security", area)
    policies = {
        "reader": clerk.get(reverse("staff:reader")), "device": clerk.get(reverse("staff:device", args=[row.pk])),
        "code": clerk.act(reverse("staff:device-code", args=[row.pk])), "devices": clerk.get(reverse("staff:devices")),
        "other role": audit.get(reverse("staff:device", args=[row.pk])), "home": clerk.get(reverse("staff:home"))}
    reach = {name for name, page in policies.items()
             if "ws://127.0.0.1" in page.headers["Content-Security-Policy"]}
    assert reach == {"reader", "device", "code"}
    shown = policies["code"].content.decode()
    code = Device.objects.get().code
    assert f"{code[:4]} {code[4:]}" in shown and code not in policies["device"].content.decode()


def test_a_module_is_issued_tied_bound_and_taken_back_on_its_pages(area, tmp_path):
    make_counter(tmp_path / "other", area)  # with the keys of the province
    reader = make_reader(area, "二号窗口")
    security = visitor("security", area)
    security.act(reverse("staff:module-new"), area=area.pk, form="software", suite="SM")
    module = Psam.objects.get(state="issued")
    security.act(reverse("staff:module-change", args=[module.pk, "initialise"]))
    security.act(reverse("staff:module-bind", args=[module.pk]), reader=reader.pk)
    module.refresh_from_db()
    assert (module.state, module.reader_id) == ("bound", reader.pk)
    page = security.get(reverse("staff:module", args=[module.pk])).content.decode()
    assert module.check_value in page and "二号窗口" in page
    assert "周敏" in page and "Not used yet" in page, "who looks after it, and how its reader is"
    asked = security.act(reverse("staff:module-change", args=[module.pk, "recall"]))
    assert asked.status_code == 200
    security.act(reverse("staff:module-change", args=[module.pk, "recall"]), sure="1")
    assert Psam.objects.get(pk=module.pk).state == "recalled"
    assert visitor("clerk", area).get(reverse("staff:modules")).status_code == 403


def test_the_script_is_told_every_no_in_words_and_a_no_of_the_reader_ends_the_reading(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    clerk = visitor("clerk", area)
    status, said = send(clerk, reverse("staff:reader-begin"), key="00" * 8, purpose="identify", card=None)
    assert (status, said["no"]) == (403, "device-unknown") and "Pair it" in said["words"]
    key = bytes(counter.reader.key_id).hex()
    status, said = send(clerk, reverse("staff:reader-begin"), key=key, purpose="identify", card=None)
    assert status == 200 and len(said["commands"]) == 1 and said["number"] == 0
    other = visitor("clerk", area)
    assert send(other, said["step"], no="card-removed")[0] == 404, "a reading is of the officer who began it"
    assert send(clerk, said["step"], no="two-cards") == (200, {
        "outcome": "two-cards", "words": "Cards lie on two readers. Take one away."})
    assert send(clerk, said["step"], no="two-cards")[1]["no"] == "reading-over"
    assert Reading.objects.get().outcome == "two-cards"
    status, said = send(clerk, reverse("staff:reader-begin"), key=key, purpose="identify", card=None)
    assert send(clerk, said["step"], no="good")[1]["outcome"] == "garbled", "no reader says of itself that all is well"
    for nonsense in ({}, {"key": "zz", "purpose": "identify"}, {"key": key, "purpose": "renew"},
                     {"key": key, "purpose": "write"}, {"key": 7},
                     {"key": key, "purpose": "write", "card": 1e999}):
        status, said = send(clerk, reverse("staff:reader-begin"), **nonsense)
        assert status in (400, 409) and said["words"]
    assert clerk.post(reverse("staff:reader-begin"), "[1", content_type="application/json").status_code == 400


def test_a_reader_of_another_area_serves_nobody_here(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    stranger = visitor("clerk", make_area(430702, name="武陵区"))
    key = bytes(counter.reader.key_id).hex()
    assert send(stranger, reverse("staff:reader-begin"), key=key, purpose="identify")[1]["no"] == "device-unknown"
    assert "一号窗口" not in stranger.get(reverse("staff:devices")).content.decode()


def test_a_device_page_counts_how_readings_ended(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    for _ in range(3):
        reading = services.begin_reading(counter.reader, "identify", by=counter.clerk, at=NOON)
        services.end_reading(reading, "card-removed", at=NOON)
    page = visitor("clerk", area).get(reverse("staff:device", args=[counter.reader.pk])).content.decode()
    assert "taken away too early" in page


def test_a_cards_page_says_what_its_chip_was_told_and_an_officer_asks_for_more_there(area, tmp_path):
    make_counter(tmp_path / "reader", area)
    [card] = with_numbers(make_card(make_holder(area=area), state="active"))
    clerk, path = visitor("clerk", area), reverse("staff:card", args=[card.pk])
    page = clerk.get(path).content.decode()
    assert 'data-reader-go="write"' in page and "Write the term to the chip" in page, "the term is due"
    asked = clerk.act(reverse("staff:card-chip", args=[card.pk, "update"]))
    assert (asked.status_code, asked.headers["Location"]) == (302, f"{path}?chip=write")
    page = clerk.get(f"{path}?chip=write").content.decode()
    assert 'data-auto="write"' in page and "Write the new data to the chip" in page
    assert "To be written to the chip" in page
    assert "Ask for new data" not in page and "Ask for new files and keys" in page
    clerk.act(reverse("staff:card-chip", args=[card.pk, "upgrade"]))
    assert sorted(ChipOrder.objects.values_list("what", "state")) == [("update", "ordered"), ("upgrade", "ordered")]
    assert "Load new files and keys into the chip" in clerk.get(path).content.decode(), "files before their data"
    assert clerk.act(reverse("staff:card-chip", args=[card.pk, "block"])).status_code == 409
    approver = visitor("approver", area)
    assert approver.act(reverse("staff:card-chip", args=[card.pk, "update"])).status_code == 403
    assert "Ask for new" not in approver.get(path).content.decode()


def test_a_card_without_a_chip_says_nothing_of_one(area):
    card = make_card(make_holder(area=area), state="ordered")
    page = visitor("clerk", area).get(reverse("staff:card", args=[card.pk])).content.decode()
    assert "The chip" not in page and "data-reader" not in page


def test_a_package_is_a_print_job_that_only_a_printer_at_work_gets_and_how_it_ended_is_on_its_page(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    batch = make_batch(counter)
    system, producer = visitor("system", area), visitor("producer", area)
    form = {"sort": "printer", "name": "cards", "area": area.pk, "place": "一楼", "keeper": "周敏", "number": ""}
    take = reverse("staff:batch-download", args=[batch.pk, "take_package"])
    assert producer.act(take, printer="cards").status_code == 403, "it is not entered"
    system.act(reverse("staff:device-new"), **form)
    row = Device.objects.get(sort="printer")
    system.act(reverse("staff:device-change", args=[row.pk, "start"]))
    assert producer.act(take, printer="cards").status_code == 200
    system.act(reverse("staff:device-change", args=[row.pk, "stop"]))
    stopped = producer.act(take, printer="cards")
    assert stopped.status_code == 403 and "nothing is printed there" in stopped.content.decode()
    assert producer.act(take).status_code == 200, "a card maker's download is no print job"
    system.act(reverse("staff:device-change", args=[row.pk, "start"]))
    key = bytes(counter.reader.key_id).hex()
    status, _ = send(producer, reverse("staff:reader-printed"), key=key, printer="cards", printed="not-printed")
    assert status == 200 and Device.objects.get(pk=row.pk).health == "not-printed"
    assert "did not take its last job" in system.get(reverse("staff:device", args=[row.pk])).content.decode()
    for wrong in ({"printed": "well"}, {"key": "zz"}, {"printer": "none"}):
        told = {"key": key, "printer": "cards", "printed": "printed"} | wrong
        assert send(producer, reverse("staff:reader-printed"), **told)[0] in (400, 403)


def test_a_reader_is_unpaired_on_its_page_after_a_second_question_and_pairs_anew(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    system, clerk = visitor("system", area), visitor("clerk", area)
    path, page = (reverse("staff:device-change", args=[counter.reader.pk, "unpair"]),
                  reverse("staff:device", args=[counter.reader.pk]))
    assert clerk.act(path, sure="1").status_code == 403
    assert "Unpair" in system.get(page).content.decode() and "Unpair" not in clerk.get(page).content.decode()
    assert "set up anew" in system.act(path).content.decode() and Device.objects.get().state == "active"
    system.act(path, sure="1")
    assert Device.objects.get().state == "registered" and "Show a code" in clerk.get(page).content.decode()
