"""A loss travels (I12): refused online in the same transaction, in the signed list, at a gate; by real parts."""

import datetime as dt
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from typer.testing import CliRunner

import builders
from blocking import block_many, many_active, report
from builders import NOON
from visits import Visitor
from zhengka.cards import reach, services, tasks
from zhengka.cards.models import Card, ListHold, ListReceipt, LossTold
from zhengka.cards.queries import gate_state, publications
from zhengka.cards.services import bundles
from zhengka.cli.app import app
from zhengka.cli.fetching import Server
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.formats import bundle
from zhengka.formats.issuers import KeySet
from zhengka.formats.statuslist import Status
from zhengka.web.staff.words import event_word

WORKER = f"""
import os, sys
sys.path[:0] = [{str(django_settings.PROJECT_ROOT / "src")!r}]
os.environ["DJANGO_SETTINGS_MODULE"] = "zhengka.config.settings"
import django
from pathlib import Path
from django.conf import settings
settings.DATABASES["default"]["NAME"], settings.HOME, settings.FILES = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
settings.KEY_FILE = sys.argv[4]
django.setup()
from django.db import connection
from zhengka.core.scope import of_the_platform
of_the_platform(connection.settings_dict)
from zhengka.core import queue
queue.work()
"""
SECOND = dt.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME, settings.FILES = tmp_path / "home", tmp_path / "files"


@pytest.fixture
def worker(empty_queue, settings):
    """A worker of its own process, as `zhengka worker` is one."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"]),
                                str(settings.HOME), str(settings.FILES), str(settings.KEY_FILE)])
    yield
    process.terminate()
    process.wait()


def period():
    now = timezone.now()
    return {"since": now - dt.timedelta(days=3650), "until": now + dt.timedelta(days=3650)}


@pytest.mark.django_db(transaction=True)
def test_a_loss_is_refused_online_at_once_and_at_a_connected_gate_within_the_promise(worker, live_server):
    card, *others = many_active(5)
    server, at = Server(f"{live_server.url}/bundle"), timezone.now()
    keys = KeySet.from_json(server.fetch("keys.json"))
    held = bundle.take(server.fetch, trusted=keys, at=at)
    assert held.lists[card.status_list].status(card.status_index) is Status.VALID
    for one in (card, *others[:3]):
        began = timezone.now()
        report(services.report_lost, one, at=began)
        assert gate_state(Card.objects.get(pk=one.pk), began) == "suspended"
        while held.lists[one.status_list].status(one.status_index) is Status.VALID:
            assert timezone.now() - began < reach.IN_FORCE, "a gate with a network was not told in time"
            time.sleep(0.2)
            held = bundle.take(server.fetch, trusted=keys, at=timezone.now(), held=held)
            had = {held.lists[one.status_list].number: held.lists[one.status_list].version}
            services.take_receipts("changsha-metro", had, in_force=False, at=timezone.now(), gate=7)
            services.take_receipts("changsha-metro", had, in_force=True, at=timezone.now(), gate=7)
    told = reach.published(SYSTEM, **period())
    [metro] = reach.reached(SYSTEM, **period())
    assert told.measured == 4 and told.worst <= reach.PUBLISHED
    assert (metro.gates, metro.in_force.measured) == (1, 4) and metro.in_force.worst <= reach.IN_FORCE
    assert metro.seen.worst <= metro.in_force.worst
    print(f"\npublished: {told}\nseen: {metro.seen}\nin force: {metro.in_force}")


@pytest.mark.django_db
def test_the_refusal_online_is_the_report_itself_and_falls_with_it():
    [card, *_] = many_active(2)
    with pytest.raises(RuntimeError), transaction.atomic():
        report(services.report_lost, card)
        assert gate_state(Card.objects.get(pk=card.pk), NOON) == "suspended"
        raise RuntimeError
    assert gate_state(Card.objects.get(pk=card.pk), NOON) == "valid"


def lost(card, reported, written):
    report(services.report_lost, card, at=reported)
    services.publish_status_lists(at=reported, number=card.status_list, clock=lambda: written)
    return publications().get(list_number=card.status_list)


@pytest.mark.django_db
def test_delays_are_measured_from_the_report_to_the_first_version_that_tells_it_whoever_says_more_later():
    cards = many_active(4)
    for number, card in enumerate(cards[:3]):
        reported = NOON + number * 60 * SECOND
        version = lost(card, reported, reported + (number + 1) * SECOND).number
        for gate in (1, 2):
            services.take_receipts("bus", {card.status_list: version}, in_force=False, gate=gate,
                                   at=reported + (10 * gate + number) * SECOND)
        services.take_receipts("bus", {card.status_list: version}, in_force=True, gate=1, at=reported + 20 * SECOND)
    told = reach.published(SYSTEM, **period())
    assert (told.measured, told.median, told.worst) == (3, 2 * SECOND, 3 * SECOND)
    [bus] = reach.reached(SYSTEM, **period())
    assert (bus.operator, bus.gates, bus.seen.measured, bus.seen.median, bus.seen.worst) == (
        "bus", 2, 6, 12 * SECOND, 22 * SECOND)
    assert (bus.in_force.measured, bus.in_force.worst) == (3, 20 * SECOND)
    services.report_found(Card.get(cards[0].pk), by=builders.make_actor(), request_id=builders.request_id(), at=NOON)
    services.publish_status_lists(at=NOON + 300 * SECOND)
    assert reach.published(SYSTEM, **period()).measured == 3
    abroad = builders.make_actor(area=builders.make_area(430102))
    assert reach.published(abroad, **period()) is None and reach.reached(abroad, **period()) == []


@pytest.mark.django_db
def test_the_first_receipt_counts_and_a_repeat_changes_nothing():
    [card, *_] = many_active(2)
    version = {card.status_list: publications().get().number}
    for second, in_force in ((5, False), (9, False), (10, True), (30, True), (40, False)):
        services.take_receipts("metro", version, in_force=in_force, at=NOON + second * SECOND)
    receipt = ListReceipt.objects.get()
    assert (receipt.seen_at, receipt.in_force_at) == (NOON + 5 * SECOND, NOON + 10 * SECOND)
    services.take_receipts("metro", version, in_force=True, at=NOON + 50 * SECOND, gate=3)
    receipt = ListReceipt.objects.get(gate=3)
    assert receipt.seen_at == receipt.in_force_at == NOON + 50 * SECOND
    with pytest.raises(Refusal) as no, transaction.atomic():
        services.take_receipts("metro", {card.status_list: 5}, in_force=True, at=NOON)
    assert no.value.code == "receipt-unknown"
    services.take_receipts("metro", {}, in_force=True, at=NOON)


@pytest.mark.django_db
def test_a_loss_in_a_mass_that_was_held_back_is_not_measured_and_old_receipts_are_forgotten():
    cards = many_active()
    block_many(cards)
    services.publish_status_lists(at=NOON + 60 * SECOND)
    assert not LossTold.objects.exists() and ListHold.objects.get().cards == len(cards)
    LossTold.objects.create(area=0, list_number=1, number=1, reported_at=NOON, written_at=NOON)
    services.take_receipts("metro", {cards[0].status_list: publications().get().number}, in_force=True, at=NOON)
    tasks.forget_receipts(timestamp=int((NOON + dt.timedelta(days=30)).timestamp()))
    assert ListReceipt.objects.count() == LossTold.objects.count() == 1
    tasks.forget_receipts(timestamp=int((NOON + dt.timedelta(days=31)).timestamp()))
    assert ListReceipt.objects.count() == LossTold.objects.count() == 0


@pytest.mark.django_db
def test_officers_see_what_waits_and_release_it_as_two_and_how_fast_losses_travel():
    cards = many_active()
    block_many(cards)
    services.publish_status_lists(at=timezone.now())
    hold = ListHold.objects.get()
    approver, leader, clerk = (Visitor(builders.make_officer(role)) for role in ("approver", "leader", "clerk"))
    url = reverse("staff:hold", args=[hold.pk])
    assert f"{hold.cards}" in approver.get(reverse("staff:holds")).content.decode()
    shown = approver.get(url).content.decode()
    assert str(event_word("card", "report_lost")) in shown
    assert "Ask to release them" in shown and "Release them</button>" not in shown
    assert "Ask to release" not in clerk.get(url).content.decode()
    asked = reverse("staff:hold-why", args=[hold.pk, "ask_release"])
    assert f'value="{hold.cards}"' in approver.get(asked).content.decode()
    approver.act(asked, why="已核实", seen=str(hold.cards))
    assert "You asked that they are released" in approver.get(url).content.decode()
    release = reverse("staff:hold-release", args=[hold.pk, hold.cards])
    assert approver.act(release).status_code == 409
    assert leader.act(reverse("staff:hold-why", args=[hold.pk, "keep_held"]), why="等一等", seen="0").status_code == 302
    approver.act(asked, why="已核实", seen=str(hold.cards))
    assert leader.act(reverse("staff:hold-release", args=[hold.pk, hold.cards - 1])).status_code == 409
    assert leader.act(release).status_code == 302
    hold.refresh_from_db()
    assert hold.state == "released"
    assert leader.get(reverse("staff:hold-why", args=[hold.pk, "destroy"])).status_code == 404
    page = clerk.get(reverse("staff:lists-delays")).content.decode()
    assert "In the signed list" in page and "60 s" in page


@pytest.mark.django_db
def test_the_command_line_does_the_same(tmp_path, live_server):
    cards = many_active()
    names = [builders.make_officer(role).username for role in ("approver", "leader")]
    block_many(cards)
    services.publish_status_lists(at=timezone.now())
    hold = ListHold.objects.get()

    def run(*words):
        done = CliRunner().invoke(app, ["lists", *words])
        return done.exception.code if isinstance(done.exception, Refusal) else done.output

    assert f"{hold.pk} held area" in run("held", "--as", names[1])
    told = ["--seen", str(hold.cards), "--as"]
    assert "asked" in run("ask-release", str(hold.pk), "--why", "已核实", *told, names[0])
    assert run("release", str(hold.pk), *told, names[0]) == "same-person"
    assert "held" in run("keep-held", str(hold.pk), "--why", "等一等", "--as", names[1])
    run("ask-release", str(hold.pk), "--why", "已核实", *told, names[0])
    assert "released" in run("release", str(hold.pk), *told, names[1])
    services.publish_status_lists(at=timezone.now())
    assert "nothing measured" in run("delays", "--as", names[1])
    LossTold.objects.create(area=cards[0].area_id, list_number=1, number=1, reported_at=timezone.now(),
                            written_at=timezone.now() + SECOND)
    (tmp_path / "keys.json").write_bytes((bundles.folder() / "keys.json").read_bytes())
    start = ["--to", str(tmp_path / "gate"), "--keys", str(tmp_path / "keys.json")]
    assert "1 lists" in run("fetch", f"{live_server.url}/bundle", *start)
    assert run("fetch", f"{live_server.url}/nowhere", *start) == "bundle-refused"
    assert run("fetch", "http://127.0.0.1:9/bundle", *start) == "bundle-unreachable"
    assert run("fetch", "file:///etc", *start) == "bundle-address"
    assert (tmp_path / "gate" / "manifest.bin").exists()
