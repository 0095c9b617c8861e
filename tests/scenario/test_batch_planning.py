"""Batches as they are planned and steered: chosen by street, phase and urgency, cards held in them, paused and ended
while workers are at them, and every card is accounted for."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.urls import reverse

import batches
import builders
from builders import NOON
from visits import Visitor
from worker import tried, work
from zhengka.areas.services import add_street
from zhengka.bulk.models import Act
from zhengka.cards import services as card_services
from zhengka.cards.models import Card
from zhengka.core import fields
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats.package import PackageReader
from zhengka.production import services
from zhengka.production.models import Batch, Chunk, Item, Maker
from zhengka.production.services import batches as batch_services
from zhengka.production.services import chunks, finishing, holding, phases
from zhengka.programme.models import Programme, Target
from zhengka.registry import services as registry
from zhengka.registry.models import Holder
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of five cards instead of a thousand."""
    monkeypatch.setattr(batch_services, "MOST_CARDS", 5)


def asked(area=None, role: str = "producer") -> dict:
    return {"by": builders.make_actor(role, area=area or builders.make_area()), "request_id": builders.request_id(),
            "at": NOON}


def ordered(area, number: int) -> list[Card]:
    return [builders.make_card(builders.make_holder(area=area), state="ordered") for _ in range(number)]


def lives(card: Card, address: str) -> None:
    Holder.objects.filter(pk=card.holder_id).update(address=fields.close(address, "holder.address"))


def adds_up(batch: Batch) -> None:
    """Every card of the batch is in one place, and none that was prepared comes back."""
    batch.refresh_from_db()
    outcomes = list(Item.objects.filter(batch=batch).values_list("outcome", flat=True))
    assert len(outcomes) == batch.ordered and "waiting" not in outcomes
    on_its_way = ("ordered", "batched", "held", "prepared")
    for holder in Holder.objects.filter(cards__items__batch=batch):
        assert holder.cards.filter(state__in=on_its_way).count() == 1, "each holder has one card on its way"


# -- which cards ------------------------------------------------------------------------------------------------------

def test_urgent_cards_come_first_in_a_batch_and_alone_where_that_is_asked(area, maker):
    plain, lost, child, wanted, last = ordered(area, 5)
    Card.objects.filter(pk=lost.pk).update(reason="loss")
    Holder.objects.filter(pk=child.holder_id).update(birth_date=TODAY.replace(year=TODAY.year - 18))
    holding.hurry(wanted, "周五的助残日活动", **asked(area))
    told = services.entering([area.code], batches.PROFILE, services.EVERY, on=TODAY)
    assert (told.cards, told.urgent) == (5, 3)
    only = services.Only(urgent=True)
    assert services.entering([area.code], batches.PROFILE, only, on=TODAY).cards == 3
    first = batches.open_batch(area, maker, limit=4)
    order = list(first.items.order_by("position").values_list("card", flat=True))
    assert order == [lost.pk, child.pk, wanted.pk, plain.pk]
    with pytest.raises(Refusal, match="batch-empty"):
        batches.open_batch(area, maker, urgent=True)
    assert batches.open_batch(area, maker).items.get().card_id == last.pk


def test_a_holder_is_a_minor_through_the_eighteenth_birthday_and_no_longer(area):
    card, = ordered(area, 1)
    born = dt.date(2008, 2, 29)
    Holder.objects.filter(pk=card.holder_id).update(birth_date=born)
    counted = [services.entering([area.code], batches.PROFILE, services.EVERY, on=day).urgent
               for day in (dt.date(2026, 2, 28), dt.date(2026, 3, 1))]
    assert counted == [1, 0]


def test_the_reason_why_a_card_is_urgent_is_in_its_history_and_it_can_wait_in_its_turn_again(area):
    card, = ordered(area, 1)
    with pytest.raises(Refusal, match="reason-missing"):
        holding.hurry(card, "  ", **asked(area))
    card = holding.hurry(card, "出国看病", **asked(area))
    assert card.urgent == "出国看病" and Event.objects.get(action="hurry").facts["reason"] == "出国看病"
    assert holding.unhurry(card, **asked(area)).urgent == ""
    with pytest.raises(Refusal, match="not-permitted"):
        holding.hurry(card, "x", **asked(area, "clerk"))


def test_a_batch_of_one_street_takes_the_holders_whose_address_names_it(area, maker):
    near, far, nowhere = ordered(area, 3)
    one, two = add_street(area, 1, "橘子洲街道"), add_street(area, 2, "橘子洲街道西区")
    lives(near, "湖南省长沙市岳麓区橘子洲街道1号")
    lives(far, "长沙市岳麓区橘子洲街道西区2号")
    assert registry.place_in_streets(area) == 2 and registry.place_in_streets(area) == 0
    assert [Holder.objects.get(pk=card.holder_id).street for card in (near, far, nowhere)] == [one.code, two.code, None]
    batch = batches.open_batch(area, maker, street=one.code)
    assert [item.card_id for item in batch.items.all()] == [near.pk]
    lives(near, "长沙市岳麓区望月湖街道")
    registry.place_all()
    assert Holder.objects.get(pk=near.holder_id).street is None, "who moved away is found again"


def test_a_phase_is_one_batch_for_each_of_its_units_that_has_cards(area, maker):
    other, bare = builders.make_area(430105, name="开福区"), builders.make_area(430103, name="天心区")
    ordered(area, 2)
    ordered(other, 3)
    told = asked(builders.make_area())
    told["by"] = _of_the_city()
    act = services.ask_phase([other, bare, area], batches.PROFILE, maker, **told)
    assert not Batch.objects.exists()
    work()
    found = Batch.objects.order_by("area")
    assert [(batch.area_id, batch.ordered) for batch in found] == [(area.code, 2), (other.code, 3)]
    act = Act.objects.get(pk=act.pk)
    assert (act.state, act.total, act.moved, act.left_alone) == ("done", 2, 2, 0)
    ordered(area, 1)
    with pytest.raises(Replayed):
        services.ask_phase([other, area], batches.PROFILE, maker, **told)
    with pytest.raises(Refusal, match="batch-empty"):
        services.ask_phase([bare], batches.PROFILE, maker, **(told | {"request_id": builders.request_id()}))


def test_a_stop_between_two_units_of_a_phase_is_in_force_at_the_next_one(area, maker, monkeypatch):
    other = builders.make_area(430105, name="开福区")
    ordered(area, 1)
    ordered(other, 1)
    told = asked(area) | {"by": _of_the_city()}
    act = services.ask_phase([area, other], batches.PROFILE, maker, **told)

    def opened(unit, *args, **more):
        batch = batch_services.open_batch(unit, *args, **more)
        card_services.stop_issuing(area.parent, "密钥疑似泄露", by=builders.make_actor("leader", area=area.parent),
                                   request_id=builders.request_id(), at=NOON)
        return batch

    monkeypatch.setattr(phases, "open_batch", opened)
    work()
    act = Act.objects.get(pk=act.pk)
    assert (act.state, act.moved, act.reasons) == ("done", 1, {"issuing-stopped": 1})
    assert [batch.area_id for batch in Batch.objects.all()] == [area.code]


def _of_the_city():
    return builders.make_actor("producer", area=builders.make_area().parent)


def test_the_page_counts_the_cards_before_the_batch_is_opened_by_unit_phase_and_street(area, maker):
    other = builders.make_area(430105, name="开福区")
    card, *_ = ordered(area, 2) + ordered(other, 3)
    lives(card, "岳麓区岳麓街道3号")
    street = add_street(area, 3, "岳麓街道")
    registry.place_in_streets(area)
    programme = Programme.objects.create(code="p", title="p", title_en="p", counted_on=TODAY, budget_fen=0)
    for unit in (area, other):
        Target.objects.create(programme=programme, area=unit, holders=10, phase=1)
    visitor = Visitor(builders.make_officer("producer", area=area.parent))
    page = visitor.get(reverse("staff:batch-new")).content.decode()
    assert "Phase one" in page and "· 5" in page and "岳麓街道" in page
    told = {"group": f"phase1|{batches.PROFILE}", "maker": maker.pk}
    counted = visitor.act(reverse("staff:batch-new"), look="1", **told)
    assert counted.status_code == 200 and not Batch.objects.exists()
    assert counted.context["counted"]["tiles"][0].value == 5 and len(counted.context["counted"]["table"].rows) == 2
    unit = {"group": f"{area.code}|{batches.PROFILE}", "street": street.code, "maker": maker.pk}
    assert visitor.act(reverse("staff:batch-new"), look="1", **unit).context["counted"]["tiles"][0].value == 1
    wrong = visitor.act(reverse("staff:batch-new"), **(unit | {"group": f"{other.code}|{batches.PROFILE}"}))
    assert wrong.status_code == 200 and "not in the unit" in wrong.content.decode()
    assert visitor.act(reverse("staff:batch-new"), **unit).status_code == 302
    page = visitor.get(visitor.act(reverse("staff:batch-new"), **told)["Location"]).content.decode()
    assert "Open the batches of a phase" in page
    work()
    assert sorted(Batch.objects.values_list("ordered", flat=True)) == [1, 1, 3]


# -- one card held ----------------------------------------------------------------------------------------------------

def test_a_card_held_before_and_in_a_batch_is_left_out_and_who_held_it_and_why_is_told(area, maker, home):
    early, late, plain = (batches.make_ordered(area=area) for _ in range(3))
    who = asked(area)
    holding.hold(early, "本人要求 缓办", **who)
    batch = batches.open_batch(area, maker)
    assert batch.ordered == 2
    holding.hold(late, "照片待换", **asked(area))
    with pytest.raises(Replayed):
        holding.hold(early, "again", **who)
    batch = batches.prepare(batch)
    assert (batch.state, batch.prepared, batch.held) == ("prepared", 1, 1)
    assert Item.objects.get(outcome="held").reason == "by-officer 照片待换"
    event = Event.objects.get(subject="card", subject_id=early.pk, action="hold")
    assert (event.person, event.facts["reason"]) == (who["by"].person, "by-officer 本人要求 缓办")
    with pytest.raises(Refusal, match="step-not-open"):
        holding.hold(plain, "zu spät", **asked(area))
    services.release(late, **asked(area))
    late.refresh_from_db()
    assert (late.state, late.hold_reason) == ("ordered", "")
    with PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home)) as package:
        assert package.cards == 1


def test_a_card_that_is_held_while_a_worker_is_at_it_is_not_made_by_that_worker(area, maker, monkeypatch):
    cards = [batches.make_ordered(area=area) for _ in range(3)]
    batch = batches.open_batch(area, maker)
    services.prepare_batch(batch, **asked(area))
    write = chunks._write

    def meanwhile(*told):
        monkeypatch.setattr(chunks, "_write", write)
        holding.hold(cards[1], "资料有误", **asked(area))
        return write(*told)

    monkeypatch.setattr(chunks, "_write", meanwhile)
    with pytest.raises(Refusal, match="lease-lost"):
        services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    assert not Card.objects.filter(state="prepared").exists()
    tried("production.prepare_chunk", chunk_id=batch.chunks.get().pk)
    batch = services.finish_batch(batch, at=NOON)
    assert (batch.prepared, batch.held) == (2, 1) and Card.objects.get(pk=cards[1].pk).state == "held"


def test_pages_hold_hurry_and_release_a_card(area):
    card, = ordered(area, 1)
    visitor = Visitor(builders.make_officer("producer", area=area))
    page = reverse("staff:card", args=[card.pk])
    assert "Hold this card" in visitor.get(page).content.decode()
    visitor.act(reverse("staff:card-why", args=[card.pk, "hurry"]), why="演出")
    assert "演出" in visitor.get(page).content.decode()
    visitor.act(reverse("staff:card-unhurry", args=[card.pk]))
    visitor.act(reverse("staff:card-why", args=[card.pk, "hold"]), why="迁出中")
    text = visitor.get(page).content.decode()
    assert "An officer held it" in text and "迁出中" in text
    visitor.act(reverse("staff:card-release", args=[card.pk]))
    card.refresh_from_db()
    assert (card.state, card.urgent, card.hold_reason) == ("ordered", "", "")


# -- paused, resumed, ended -------------------------------------------------------------------------------------------

def begun(area, maker, cards: int) -> Batch:
    for number in range(cards):
        batches.make_ordered(area=area, photo=None if number % 10 == 9 else b"draw")
    batch = batches.open_batch(area, maker)
    return services.prepare_batch(batch, **asked(area))


def test_of_a_paused_batch_no_worker_takes_a_part_until_it_is_resumed(area, maker, small_chunks):
    batch = begun(area, maker, 12)
    first, second, _ = batch.chunks.order_by("number")
    services.prepare_chunk(first.pk, at=NOON)
    batch = services.pause_batch(batch, **asked(area))
    services.prepare_chunk(second.pk, at=NOON)
    assert not chunks.prepare_next(batch.pk, silent_for=0, at=NOON)
    assert services.run_chunks_here(batch, at=NOON, processes=1).state == "paused"
    assert list(batch.chunks.values_list("state", flat=True)).count("done") == 1
    services.stall_for_chunk(second.pk, at=NOON)
    assert services.finish_batch(batch, at=NOON).state == "paused"
    batch = services.resume_batch(batch, **asked(area))
    batch = services.run_chunks_here(batch, at=NOON, processes=1)
    assert (batch.state, batch.prepared, batch.held) == ("prepared", 11, 1)


def test_a_worker_that_is_at_a_part_of_a_batch_when_it_is_paused_commits_nothing(area, maker, monkeypatch):
    batch = begun(area, maker, 3)
    write = chunks._write

    def meanwhile(*told):
        services.pause_batch(batch, **asked(area))
        return write(*told)

    monkeypatch.setattr(chunks, "_write", meanwhile)
    with pytest.raises(Refusal, match="lease-lost"):
        services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    assert Batch.get(batch.pk).state == "paused" and batches.states(batch) == {"batched": 3}


def test_a_batch_that_is_paused_while_its_package_is_sealed_is_sealed_once_it_is_resumed(area, maker, monkeypatch):
    batch = begun(area, maker, 3)
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    draw = finishing._proof

    def meanwhile(*told):
        services.pause_batch(batch, **asked(area))
        return draw(*told)

    with monkeypatch.context() as patch:
        patch.setattr(finishing, "_proof", meanwhile)
        assert services.finish_batch(batch, at=NOON).state == "paused"
    services.resume_batch(batch, **asked(area))
    assert services.finish_batch(batch, at=NOON).state == "prepared"
    assert batches.package_path(Batch.get(batch.pk)).exists()


def test_a_prepared_batch_that_is_paused_is_not_sent_until_it_is_resumed(area, maker):
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    batch = services.pause_batch(batch, **asked(area))
    card_services.publish_status_lists(at=NOON)
    with pytest.raises(Refusal, match="step-not-open"):
        services.send_batch(batch, **asked(area))
    with pytest.raises(Refusal, match="step-not-open"):
        services.take_package(batch, **asked(area))
    batch = services.resume_batch(batch, **asked(area))
    assert batches.send(batch).state == "sent"


def test_a_batch_of_which_nothing_is_made_is_cancelled_and_its_cards_wait_again_under_no_number(area, maker):
    batch = begun(area, maker, 3)
    folder = services.staging.folder(batch)
    services.pause_batch(batch, **asked(area))
    batch = services.cancel_batch(batch, **asked(area))
    assert batches.states(batch) == {"ordered": 3} and not Card.objects.exclude(serial=None).exists()
    adds_up(batch)
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    assert batches.states(batch) == {"ordered": 3} and not folder.exists()


def test_a_batch_that_is_cancelled_half_made_accounts_for_every_card(area, maker, small_chunks):
    batch = begun(area, maker, 12)
    services.prepare_chunk(batch.chunks.order_by("number")[0].pk, at=NOON)
    batch = services.cancel_batch(batch, **asked(area))
    assert batch.content_key is None and batches.states(batch) == {"spoiled": 5, "ordered": 7}
    assert Card.objects.filter(state="ordered").count() == 12
    assert Card.objects.filter(replaces__isnull=False).count() == 5
    adds_up(batch)
    told = Event.objects.get(subject="batch", action="cancel").facts
    assert (told["waiting"], told["prepared"]) == (7, 5)


def test_cancelling_a_batch_of_which_every_card_is_held_removes_no_other_package(area, maker):
    batches.make_ordered(area=area)
    kept = batches.prepare(batches.open_batch(area, maker))
    batches.make_ordered(area=area, photo=None)
    held = batches.prepare(batches.open_batch(area, maker))
    services.cancel_batch(held, **asked(area))
    assert batches.package_path(kept).exists() and services.staging.packages().is_dir()


def test_pages_pause_resume_and_cancel_a_batch(area, maker):
    batch = begun(area, maker, 2)
    visitor = Visitor(builders.make_officer("producer", area=area))

    def step(action: str, **more: str) -> str:
        visitor.act(reverse("staff:batch-step", args=[batch.pk, action]), **more)
        return Batch.get(batch.pk).state
    assert [step("pause"), step("resume"), step("pause")] == ["paused", "preparing", "paused"]
    page = visitor.get(reverse("staff:batch", args=[batch.pk])).content.decode()
    assert "Resume" in page and "Paused" in page
    assert step("cancel") == "paused" and step("cancel", sure="1") == "cancelled"


# -- at the same moment -----------------------------------------------------------------------------------------------

@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["pause", "cancel", "hold"])
def test_at_the_moment_at_which_a_worker_commits_every_card_is_made_whole_or_not_at_all(home, monkeypatch, act):
    area = builders.make_area()
    batch = begun(area, batches.make_maker(home, area), 4)
    card, told = Card.objects.order_by("pk")[0], asked(area)
    ready, go, failed = threading.Event(), threading.Event(), []
    committed = chunks.commit

    def slowly(*args, **kwargs):
        ready.set()
        go.wait()
        return committed(*args, **kwargs)

    def other() -> None:
        try:
            services.prepare_chunk(batch.chunks.get().pk, at=NOON)
        except Refusal as refused:
            failed.append(refused.code)
        finally:
            connection.close()

    monkeypatch.setattr(chunks, "commit", slowly)
    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    go.set()
    did = {"pause": lambda: services.pause_batch(batch, **told), "cancel": lambda: services.cancel_batch(batch, **told),
           "hold": lambda: holding.hold(card, "看一看", **told)}[act]
    refused = ""
    try:
        with transaction.atomic():
            did()
    except Refusal as no:
        refused = no.code
    thread.join()
    monkeypatch.setattr(chunks, "commit", committed)
    won = Chunk.objects.get().state == "done" if act != "cancel" else not failed
    assert bool(failed) != won, "the worker committed all, or was told that it lost"
    states = batches.states(batch)
    if act == "cancel":
        assert states == ({"spoiled": 4} if won else {"ordered": 4})
        adds_up(batch)
    elif act == "hold":
        assert (states == {"prepared": 4}) == bool(refused) == won
        assert refused or states == {"batched": 3, "held": 1}
    else:
        assert states == ({"prepared": 4} if won else {"batched": 4}) and Batch.get(batch.pk).state == "paused"
    assert Maker.objects.count() == 1
