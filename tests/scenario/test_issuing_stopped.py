"""The switch that stops issuing (停发): one person throws it, two lift it; meanwhile nothing is made or handed out."""

import threading
import time

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

import batches
import builders
from builders import NOON
from custody_rooms import SIGNED
from visits import Visitor
from worker import tried
from zhengka.areas.models import Area
from zhengka.areas.services import add_nation
from zhengka.cards import queries
from zhengka.cards import services as cards
from zhengka.cards.models import Card, Stop
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.scope import enter, leave
from zhengka.production import services
from zhengka.production.models import Batch
from zhengka.production.services import chunks

pytestmark = pytest.mark.django_db


def asked(area: Area, role: str = "producer") -> dict:
    return {"by": builders.make_actor(role, area=area), "request_id": builders.request_id(), "at": NOON}


def stopped(area: Area) -> Stop:
    return cards.stop_issuing(area, "密钥疑似泄露", **asked(area, "leader"))


def lifted(stop: Stop) -> Stop:
    stop = cards.ask_lift(stop, "已查明", **asked(stop.area, "leader"))
    return cards.lift(stop, **asked(stop.area, "approver"))


def refused(do) -> bool:
    with pytest.raises(Refusal) as no, transaction.atomic():
        do()
    return no.value.code == "issuing-stopped"


def test_while_issuing_is_stopped_nothing_is_made_sent_or_handed_out_and_all_of_it_goes_on_after(area, maker, home):
    batches.make_ordered(area=area)
    prepared = batches.prepare(batches.open_batch(area, maker))
    batches.make_ordered(area=area)
    opened = batches.open_batch(area, maker)
    batches.make_ordered(area=area)
    ready = builders.make_card(builders.make_holder(area=area), state="ready")
    cards.publish_status_lists(at=NOON)
    acts = [lambda: batches.open_batch(area, maker), lambda: services.prepare_batch(opened, **asked(area)),
            lambda: services.send_batch(prepared, **asked(area)),
            lambda: services.take_package(prepared, **asked(area)),
            lambda: services.hand_over(ready, **asked(area, "clerk")),
            lambda: services.hand_over_many([ready.pk], **asked(area, "clerk")),
            lambda: services.initialise_blank(None, None, area, "SM", by=SYSTEM, at=NOON)]
    stop = stopped(area)
    assert all(refused(do) for do in acts)
    assert set(Batch.objects.values_list("state", flat=True)) == {"prepared", "open"}
    lifted(stop)
    assert batches.send(prepared).state == "sent"
    assert services.hand_over(ready, **asked(area, "clerk")).state == "issued"
    services.prepare_batch(opened, **asked(area))


def test_losses_ends_and_the_accounts_of_what_is_made_go_on(area, maker, home):
    batches.make_ordered(area=area)
    batch = batches.send(batches.prepare(batches.open_batch(area, maker)))
    lost = builders.make_card(builders.make_holder(area=area), state="active")
    stopped(area)
    assert batches.receive(batch, batches.make_cards(batch, home)).good == 1
    assert cards.report_lost(lost, **asked(area, "clerk")).state == "suspended"
    held = batches.make_ordered(area=area)
    assert services.hold(held, "停发期间", **asked(area)).state == "held"


def test_a_stop_of_a_province_or_the_nation_holds_for_all_below_it_and_one_of_a_neighbour_does_not(area, maker):
    batches.make_ordered(area=area)
    other = builders.make_area(430105, name="开福区")
    lifted(stopped(other))
    stop = stopped(other)
    assert batches.open_batch(area, maker, limit=1).ordered == 1
    batches.make_ordered(area=area)
    whole = cards.stop_issuing(add_nation(), "全国停发", by=SYSTEM, request_id=builders.request_id(), at=NOON)
    assert refused(lambda: batches.open_batch(area, maker))
    with pytest.raises(Refusal, match="not-found"):
        cards.ask_lift(whole, "x", **asked(area, "leader"))
    province = area.parent.parent
    assert {row.area_id for row in queries.stops(builders.make_actor(area=area))} == {0}
    assert {row.area_id for row in queries.stops(builders.make_actor(area=province))} == {0, other.code}
    assert stop.state == "standing"


def test_it_takes_one_person_with_a_reason_to_stop_and_two_to_go_on(area):
    with pytest.raises(Refusal, match="reason-missing"):
        cards.stop_issuing(area, " ", **asked(area, "leader"))
    with pytest.raises(Refusal, match="not-permitted"):
        cards.stop_issuing(area, "x", **asked(area, "clerk"))
    with pytest.raises(Refusal, match="not-found"):
        cards.stop_issuing(area.parent, "x", **asked(area, "leader"))
    told = asked(area, "leader")
    stop = cards.stop_issuing(area, "密钥疑似泄露", **told)
    with pytest.raises(Replayed):
        cards.stop_issuing(area, "密钥疑似泄露", **told)
    with pytest.raises(Refusal, match="issuing-stopped"):
        stopped(area)
    stop = cards.ask_lift(stop, "已查明", **(told | {"request_id": builders.request_id()}))
    with pytest.raises(Refusal, match="same-person"):
        cards.lift(stop, **(told | {"request_id": builders.request_id()}))
    stop = cards.keep_stopped(stop, "未查明", **asked(area, "approver"))
    assert stop.state == "standing" and lifted(stop).state == "lifted"
    assert [row.facts.get("reason") for row in Event.objects.filter(subject="issuing-stop").order_by("version")] == [
        "密钥疑似泄露", "已查明", "未查明", "已查明", None]
    with pytest.raises(IntegrityError, match="stop_lifted_by_two"), transaction.atomic():
        Stop.objects.update(lifted_person=stop.lift_person)


def test_a_worker_stops_between_two_parts_and_its_batch_is_resumed_after(area, maker, monkeypatch):
    monkeypatch.setattr("zhengka.production.services.batches.MOST_CARDS", 2)
    for _ in range(4):
        batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    services.prepare_batch(batch, **asked(area))
    first, second = batch.chunks.order_by("number")
    tried("production.prepare_chunk", chunk_id=first.pk)
    stop = stopped(area)
    tried("production.prepare_chunk", chunk_id=second.pk)
    batch = Batch.get(batch.pk)
    assert batch.state == "paused" and batches.states(batch) == {"prepared": 2, "batched": 2}
    assert Event.objects.get(subject="batch", action="pause").facts["reason"] == "issuing-stopped"
    assert refused(lambda: services.resume_batch(batch, **asked(area)))
    lifted(stop)
    services.resume_batch(batch, **asked(area))
    assert services.run_chunks_here(batch, at=NOON, processes=1).prepared == 4


def test_a_part_that_was_begun_before_the_stop_is_not_committed_after_it(area, maker, monkeypatch):
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    services.prepare_batch(batch, **asked(area))
    write = chunks._write

    def meanwhile(*told):
        stopped(area)
        return write(*told)

    monkeypatch.setattr(chunks, "_write", meanwhile)
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    assert Batch.get(batch.pk).state == "paused" and batches.states(batch) == {"batched": 1}


@pytest.mark.parametrize(("source", "target"), [("ordered", "batched"), ("batched", "prepared"), ("prepared", "sent"),
                                                ("ready", "issued")])
def test_the_database_itself_moves_no_card_on_while_issuing_is_stopped(area, source, target):
    card = builders.make_card(builders.make_holder(area=area), state=source)
    stop = stopped(area)
    with pytest.raises(IntegrityError, match="issuing is stopped"), transaction.atomic():
        Card.objects.filter(pk=card.pk).update(state=target)
    Card.objects.filter(pk=card.pk).update(hold_reason="x")
    lifted(stop)
    assert Card.objects.filter(pk=card.pk).update(state=target) == 1


def test_the_web_of_an_office_sees_the_stop_above_it_and_writes_none_there(area):
    stopped(area.parent.parent)
    card = builders.make_card(builders.make_holder(area=area), state="ready")
    with transaction.atomic():
        enter(connection, area.code, area.last)
        assert Stop.objects.count() == 1
        with pytest.raises(IntegrityError, match="issuing is stopped"), transaction.atomic():
            Card.objects.filter(pk=card.pk).update(state="issued")
        assert Stop.objects.get().area_id == 430000000000
        leave(connection)
    with transaction.atomic():
        enter(connection, 440000000000, 449999999999)
        assert not Stop.objects.exists()
        leave(connection)


@pytest.mark.django_db(transaction=True)
def test_the_switch_waits_for_what_is_at_its_end_and_nothing_slips_by_after(home):
    area = builders.make_area()
    maker = batches.make_maker(home, area)
    batches.make_ordered(area=area)
    began, order = threading.Event(), []

    def opens() -> None:
        with transaction.atomic():
            batches.open_batch(area, maker)
            began.set()
            time.sleep(0.5)
            order.append("opened")
        connection.close()

    thread = threading.Thread(target=opens)
    thread.start()
    began.wait()
    stopped(area)
    order.append("stopped")
    thread.join()
    assert order == ["opened", "stopped"]
    batches.make_ordered(area=area)
    assert refused(lambda: batches.open_batch(area, maker))


def test_pages_stop_and_lift_and_every_page_says_that_issuing_is_stopped(area):
    leader, approver, clerk = (Visitor(builders.make_officer(role, area=area)) for role in (
        "leader", "approver", "clerk"))
    leader.act(reverse("staff:stop-new"), area=area.code, why="密钥疑似泄露")
    stop = Stop.objects.get()
    assert "密钥疑似泄露" in clerk.get(reverse("staff:home")).content.decode()
    card = builders.make_card(builders.make_holder(area=area), state="ready")
    answer = clerk.act(reverse("staff:cards-bulk", args=["hand-over"]), card=[card.pk], **SIGNED)
    assert answer.status_code == 409 and "handed out here" in answer.content.decode()
    assert clerk.act(reverse("staff:stop-why", args=[stop.pk, "ask_lift"]), why="x").status_code == 403
    leader.act(reverse("staff:stop-why", args=[stop.pk, "ask_lift"]), why="已查明")
    assert "Another person looks at it" in leader.get(reverse("staff:stop", args=[stop.pk])).content.decode()
    assert leader.act(reverse("staff:stop-lift", args=[stop.pk])).status_code == 409
    assert "Stops of issuing to be lifted" in approver.get(reverse("staff:home")).content.decode()
    assert approver.act(reverse("staff:stop-lift", args=[stop.pk])).status_code == 302
    assert "密钥疑似泄露" not in clerk.get(reverse("staff:home")).content.decode()
