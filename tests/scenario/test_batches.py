"""Batches: from ordered cards to a package that only its maker opens, and cards that are held instead of failing it."""

import base64
import io
import subprocess
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

import batches
import builders
from builders import NOON
from ceremonies import Hall
from visits import Visitor
from zhengka.accounts.models import Officer
from zhengka.cards import queries as card_queries
from zhengka.cards import services as card_services
from zhengka.cards.models import Card
from zhengka.core import files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.core.queue import task_names
from zhengka.formats import credential, qr, statuslist
from zhengka.formats.issuers import CREDENTIAL, KeySet, check_signature
from zhengka.formats.package import PackageBroken, PackageReader
from zhengka.formats.suites import INTL, SM
from zhengka.keys import queries as key_queries
from zhengka.keys import services as keys
from zhengka.keys.models import Key
from zhengka.keys.store import Usage
from zhengka.production import queries, services
from zhengka.production.faces import layout_for
from zhengka.production.models import Batch, Item
from zhengka.production.services import gathering, making
from zhengka.registry import photos
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db


def reader(batch: Batch, home) -> PackageReader:
    return PackageReader(batches.package_path(batch), homes.private_key(home), homes.issuer_key(home))


def test_a_whole_batch_goes_from_order_to_ready_cards(area, maker, home):
    for _ in range(33):
        batches.make_ordered(area=area)
    rare = [batches.make_ordered(area=area, name=name) for name in ("𠮷田", "㛃㛃", "䶮䶮")]
    red = batches.make_ordered(area=area, name="阿依古丽·买买提", category=7, grade=1, components=[[1, 2], [4, 1]])
    held = {
        batches.make_ordered(area=area, photo=None).pk: "photo-missing",
        batches.make_ordered(area=area, photo=batches.make_photo()[:500]).pk: "photo-unreadable",
        batches.make_ordered(area=area, name="ལྷ").pk: "glyph-missing U+0F63 U+0FB7"}
    batch = batches.prepare(batches.open_batch(area, maker))
    assert (batch.state, batch.ordered, batch.prepared, batch.held) == ("prepared", 40, 37, 3)
    assert {card.pk: card.hold_reason for card in Card.objects.filter(state="held")} == held
    assert {item.card_id: item.reason for item in queries.held(batch)} == held
    assert not Card.objects.filter(pk__in=held).exclude(serial=None).exists(), "a held card takes no serial"

    batch = batches.send(batch)
    assert batches.states(batch) == {"sent": 37, "held": 3}
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert (batch.state, batch.good, batch.spoiled, batch.suspect) == ("received", 37, 0, 0)
    assert batches.events_of(rare[0]) == ["batch", "prepare", "send", "accept"]
    for card in (*rare, red):
        card.refresh_from_db()
        assert card.state == "ready" and len(bytes(card.uid)) == 7 and card.atr


def test_the_package_holds_each_card_once_with_its_face(area, maker, home):
    cards = [batches.make_ordered(area=area) for _ in range(3)]
    batch = batches.prepare(batches.open_batch(area, maker))
    with reader(batch, home) as package:
        scripts, pdf = package.members
        orders = list(package.orders(scripts))
        shown = package.plain(pdf)
    by_serial = {card.serial: card for card in Card.objects.all()}
    assert sorted(order.serial for order in orders) == sorted(by_serial) and len(cards) == 3
    for order in orders:
        page = str(order.face["page"])
        png = subprocess.run(["pdftoppm", "-r", "300", "-f", page, "-l", page, "-png", "-"], input=shown,
                             capture_output=True, check=True).stdout
        [text] = qr.read_image(png)
        assert qr.from_text(text) == bytes(by_serial[order.serial].credential)


def test_a_credential_is_signed_by_the_key_of_the_province_and_says_what_the_card_says(area, maker):
    batches.make_ordered(area=area)
    batches.prepare(batches.open_batch(area, maker))
    card = Card.objects.get()
    sealed = credential.decode(bytes(card.credential))
    key = key_queries.key_set().trusted(sealed.key_id, suite="SM", purpose=CREDENTIAL, at=NOON)
    check_signature(key, sealed.signed, sealed.signature)
    told = sealed.credential
    assert (told.token, told.issued, told.expires) == (bytes(card.token), card.issued_on, card.valid_until)
    assert (told.status_list, told.status_index) == (card.status_list, card.status_index)


def test_a_multiple_disability_with_sight_is_made_on_the_red_card(area, maker, home):
    batches.make_ordered(area=area, category=7, grade=1, components=[[1, 2], [4, 1]])
    batch = batches.prepare(batches.open_batch(area, maker))
    with reader(batch, home) as package:
        assert b"/Separation /Braille" in package.plain(package.members[1])


def test_the_package_opens_with_the_makers_key_only(area, maker, home):
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    with pytest.raises((PackageBroken, ValueError)):
        PackageReader(batches.package_path(batch), SM.generate(), homes.issuer_key(home))
    with reader(batch, home) as package:
        assert package.cards == 1
    assert Batch.objects.get().content_key is None, "once the package is there, we cannot open it ourselves"


def keys_of(channel):
    return channel.enc, channel.mac, channel.dek


def test_the_package_brings_the_masters_of_the_loading_channel_to_its_maker(area, maker, home):
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    with reader(batch, home) as package:
        assert package.channel == keys.channel_keys(area.code, "SM", at=NOON)
        assert len({*keys_of(package.channel), package.kek}) == 4


def test_no_card_key_and_no_private_key_is_in_package_database_or_log(area, maker, home, caplog):
    caplog.set_level("DEBUG")
    for _ in range(3):
        batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    content_key = services.staging.fields.open_(bytes(batch.content_key), "batch.content_key")
    batch = batches.prepare(batch)
    serials = list(Card.objects.values_list("serial", flat=True))
    drawn = keys.card_keys(area.unit6, "SM", keys.CARD_SLOTS, serials, at=NOON)
    secrets = [key for column in drawn.values.values() for key in column] + [
        keys.blank_card_key(area.code, "SM", at=NOON), bytes.fromhex(content_key),
        *keys_of(keys.channel_keys(area.code, "SM", at=NOON)),
        *(keys.store()._key(label).secret() for label in keys.store().labels()
          if keys.store().describe(label).usage is Usage.SIGN)]
    with reader(batch, home) as package:
        opened = b"".join(package.plain(member) for member in package.members)
    seen = [batches.package_path(batch).read_bytes(), opened, dump().encode(), caplog.text.encode()]
    for secret in secrets:
        for form in (secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)):
            assert not any(form in place for place in seen)


def test_names_and_numbers_are_in_no_log_and_no_event(area, maker, caplog):
    caplog.set_level("DEBUG")
    card = batches.make_ordered(area=area, name="独一无二")
    batches.prepare(batches.open_batch(area, maker))
    told = caplog.text + "".join(str(event.facts) for event in Event.objects.all())
    assert "独一无二" not in told and services.gathering.subject_of(card).number not in told
    assert "独一无二" not in repr(services.gathering.subject_of(card))


def test_a_released_card_goes_into_the_next_batch(area, maker):
    card = batches.make_ordered(area=area, photo=None)
    first = batches.prepare(batches.open_batch(area, maker))
    card.holder.photo = photos.keep(batches.make_photo())
    card.holder.save()
    card = services.release(Card.get(card.pk), by=batches.producer(area), request_id=builders.request_id(), at=NOON)
    assert (card.state, card.hold_reason) == ("ordered", "")
    second = batches.prepare(batches.open_batch(area, maker))
    assert (first.prepared, second.prepared, second.number) == (0, 1, "430104-20261120-02")
    assert [item.outcome for item in Item.objects.filter(card=card).order_by("pk")] == ["held", "prepared"]


def test_a_batch_of_held_cards_is_not_sent_but_taken_back(area, maker):
    batches.make_ordered(area=area, photo=None)
    batch = batches.prepare(batches.open_batch(area, maker))
    assert (batch.state, batch.package, batch.held) == ("prepared", "", 1)
    with pytest.raises(Refusal, match="batch-all-held"):
        batches.send(batch)
    batch = services.cancel_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)
    assert batch.state == "cancelled" and batches.states(batch) == {"held": 1}


def test_a_cancelled_batch_gives_its_cards_back(area, maker):
    card = batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    services.cancel_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)
    card.refresh_from_db()
    assert card.state == "ordered" and batches.events_of(card) == ["batch", "hold", "release"]
    assert batches.open_batch(area, maker).ordered == 1


def test_a_batch_whose_cards_have_numbers_cannot_be_cancelled(area, maker):
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    with pytest.raises(Refusal, match="batch-has-cards"):
        services.cancel_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)


def test_a_batch_takes_the_cards_of_its_own_office_and_no_more_than_asked(area, maker):
    elsewhere = batches.make_ordered(area=builders.make_area(430102, name="芙蓉区"))
    for _ in range(5):
        batches.make_ordered(area=area)
    assert batches.open_batch(area, maker, limit=3).ordered == 3
    assert batches.open_batch(area, maker).ordered == 2
    elsewhere.refresh_from_db()
    assert elsewhere.state == "ordered"
    with pytest.raises(Refusal, match="batch-empty"):
        batches.open_batch(area, maker)


def test_opening_twice_with_one_request_opens_one_batch(area, maker):
    batches.make_ordered(area=area)
    request, by = builders.request_id(), batches.producer(area)
    services.open_batch(area, batches.PROFILE, maker, by=by, request_id=request, at=NOON)
    with pytest.raises(Replayed):
        services.open_batch(area, batches.PROFILE, maker, by=by, request_id=request, at=NOON)
    assert Batch.objects.count() == 1


def test_who_may_make_a_batch_and_where(area, maker):
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    stranger = batches.producer(builders.make_area(430102))
    asked = {"request_id": builders.request_id(), "at": NOON}
    with pytest.raises(Refusal, match="not-permitted"):
        services.open_batch(area, batches.PROFILE, maker, by=builders.make_actor("clerk", area=area), **asked)
    for refused in (lambda: services.open_batch(area, batches.PROFILE, maker, by=stranger, **asked),
                    lambda: services.prepare_batch(batch, by=stranger, **asked),
                    lambda: queries.batch(batch.pk, actor=stranger)):
        with pytest.raises(Refusal, match="not-found"):
            refused()
    assert list(queries.batches(stranger)) == [] and Officer.objects.exists()


def test_a_maker_is_known_by_one_key_and_works_in_its_own_suite(area, maker):
    with pytest.raises(Refusal, match="not-permitted"):
        services.enrol_maker("new", SM.generate().public, by=batches.producer(area))
    with pytest.raises(Refusal, match="maker-key-differs"):
        services.enrol_maker(maker.name, SM.generate().public, by=SYSTEM)
    batches.make_ordered(area=area)
    with pytest.raises(Refusal, match="maker-suite-differs"):
        batches.open_batch(area, services.enrol_maker("abroad", INTL.generate().public, by=SYSTEM))


def test_an_address_too_long_for_the_code_is_refused_before_anything_is_made(area, maker, settings):
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    settings.PUBLIC_URL = "https://a-very-long-name-of-a-scan-page.example.org"
    with pytest.raises(Refusal, match="public-url-unfit"):
        batches.prepare(batch)


def test_a_site_for_the_public_makes_no_card_of_masters_that_no_ceremony_made(
        own_store, area, maker, home, settings):
    batches.make_ordered(area=area)
    batches.make_ordered(area=area)
    settings.BEHIND_FRONT = True
    with pytest.raises(Refusal, match="key-without-ceremony"):
        batches.open_batch(area, maker)
    settings.DEMO = True
    assert batches.open_batch(area, maker, limit=1).ordered == 1, "a demo is a trial"
    settings.DEMO, hall = False, Hall()
    for label in key_queries.without_ceremony(area.code, "SM", keys.CARD_SLOTS, at=NOON):
        assert hall.hold("rotate", Key.objects.get(label=label)).state == "done"
    with pytest.raises(Refusal, match="maker-without-certificate"):
        batches.open_batch(area, maker)
    assert batches.open_batch(area, batches.certified(maker, home)).ordered == 1


@pytest.mark.parametrize("step", ["prepare", "retry"])
def test_a_site_that_turned_to_the_public_takes_no_master_of_a_trial_for_a_batch_that_was_open_before(
        area, maker, settings, step):
    batches.make_ordered(area=area)
    batch, asked = batches.open_batch(area, maker), {"by": batches.producer(area), "at": NOON}
    if step == "retry":
        services.prepare_batch(batch, request_id=builders.request_id(), **asked)
        services.stall(batch.pk, at=NOON)
    settings.BEHIND_FRONT = True
    act = services.prepare_batch if step == "prepare" else services.retry_batch
    with pytest.raises(Refusal, match="key-without-ceremony"):
        act(Batch.get(batch.pk), request_id=builders.request_id(), **asked)
    assert Batch.get(batch.pk).state == {"prepare": "open", "retry": "stalled"}[step]


def test_a_card_that_does_not_fit_on_the_chip_is_held_and_the_others_go_on(area, maker):
    long = batches.make_ordered(area=area, name="麦" * 31)  # 62 bytes of GB 18030, the file has room for 60
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    assert (batch.prepared, batch.held) == (1, 1)
    assert Card.get(long.pk).hold_reason == "chip-refused name wrong-length"
    assert Key.objects.get(purpose="credential").signatures == 1, "nothing is signed for the card that was refused"


def test_nothing_is_signed_for_cards_that_the_linter_refuses(area, maker):
    batches.make_ordered(area=area)
    batch = services.prepare_batch(batches.open_batch(area, maker), by=batches.producer(area),
                                   request_id=builders.request_id(), at=NOON)
    subjects = gathering.gather(batch.chunks.get())
    numbered = card_services.allot([subject.card for subject in subjects], at=NOON)
    small = card_queries.profile(batch.profile)._replace(capacity=200)
    tools = making.Tools(small, layout_for(batch.profile), area.code, NOON)
    assert making.make_cards(tools, subjects, numbered) == ([], {
        subjects[0].item: f"chip-refused {small.id} too-big-for-the-chip"})
    assert Key.objects.get(purpose="credential").signatures == 0


def test_a_certificate_that_is_not_valid_any_more_holds_its_card(area, maker):
    card = batches.make_ordered(area=area)
    type(card.certificate).objects.filter(pk=card.certificate_id).update(state="cancelled")
    batch = batches.prepare(batches.open_batch(area, maker))
    assert (batch.held, Card.get(card.pk).hold_reason) == (1, "certificate-not-valid")


def test_the_proof_sheet_is_sealed_and_opens_as_a_document(area, maker):
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    with pytest.raises(Refusal, match="not-found"):
        queries.proof_sheet(batch)
    batch = batches.prepare(batch)
    assert b"%PDF" not in files.get(batch.proof)[:64]
    told = subprocess.run(["pdftotext", "-", "-"], input=queries.proof_sheet(batch), capture_output=True, check=True)
    assert f"制卡批次校样 {batch.number}" in told.stdout.decode()
    shown = subprocess.run(["pdftoppm", "-r", "300", "-png", "-"], input=queries.proof_sheet(batch),
                           capture_output=True, check=True).stdout
    assert not any(bytes(Card.objects.get().credential) in text.encode() for text in qr.read_image(shown))
    assert Image.open(io.BytesIO(shown)).size[0] > 2000


def test_a_card_can_be_looked_at_before_it_is_made(area):
    shown = queries.preview(batches.make_ordered(area=area, name="𠮷田", photo=None))
    assert "𠮷田" in shown.front and "样张" in shown.front and not Card.objects.exclude(serial=None).exists()


def test_progress_and_what_waits_are_told(area, maker):
    for _ in range(2):
        batches.make_ordered(area=area)
    producer = batches.producer(area)
    assert queries.waiting(producer) == {area.code: 2}
    batch = batches.open_batch(area, maker)
    assert queries.waiting(producer) == {}
    assert (queries.progress(batch).percent, queries.progress(batch).of_cards) == (0, 2)
    assert queries.preparing(producer) == (0, 0)
    batch = batches.prepare(batch)
    assert (queries.progress(batch).percent, queries.progress(batch).cards) == (100, 2)
    assert queries.preparing(producer) == (2, 2)
    assert queries.batch_by_number(batch.number, actor=producer).pk == batch.pk
    assert maker in queries.makers()


def test_the_workers_know_their_tasks():
    assert {"production.prepare_chunk", "production.finish_batch"} <= set(task_names())


def dump() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables, rows = [row[0] for row in cursor.fetchall()], []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def test_gates_hear_of_the_cards_of_a_batch_before_its_package_may_leave(area, maker):
    card = batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    card.refresh_from_db()
    asked = ProcrastinateJob.objects.filter(task_name="cards.publish_status_lists", args__number=card.status_list)
    assert (batch.state, asked.filter(status="todo").count()) == ("prepared", 1)
    app.tasks["cards.publish_status_lists"].func(**asked.get().args)
    public = card_services.status.folder()
    trusted = KeySet.from_json((public / "keys.json").read_text())
    told = statuslist.parse((public / f"status-{card.status_list}.bin").read_bytes(), keys=trusted, at=timezone.now())
    assert told.status(card.status_index) is statuslist.Status.INACTIVE, "stolen on its way, it opens no gate"


def test_no_batch_is_sent_before_gates_were_told_of_each_of_its_cards(area, maker):
    batches.make_ordered(area=area)
    batch = batches.prepare(batches.open_batch(area, maker))
    asked = {"by": batches.producer(area), "request_id": builders.request_id(), "at": NOON}
    with pytest.raises(Refusal, match="lists-not-published"):
        services.send_batch(batch, **asked)
    card_services.publish_status_lists(at=NOON)
    batches.make_ordered(area=area)
    later = batches.prepare(batches.open_batch(area, maker))
    with pytest.raises(Refusal, match="lists-not-published"):
        services.send_batch(later, **asked)
    assert services.send_batch(batch, **asked).state == "sent", "the list knows these, though not the others"
    assert Batch.get(later.pk).state == "prepared"


# -- released by two persons -------------------------------------------------------------------------------------------
@pytest.fixture
def prepared(area, maker):
    """A batch that gates know of, and who had it prepared."""
    batches.make_ordered(area=area)
    preparer = builders.make_actor("producer", area=area, person="staff-1")
    batch = services.prepare_batch(batches.open_batch(area, maker), by=preparer, request_id=builders.request_id(),
                                   at=NOON)
    batch = services.run_chunks_here(batch, at=NOON, processes=1)
    card_services.publish_status_lists(at=NOON)
    return batch


def test_who_had_a_batch_prepared_does_not_send_it_nor_by_another_account_and_a_colleague_does(area, prepared):
    for _ in range(2):
        same = builders.make_actor("producer", area=area, person="staff-1")
        with pytest.raises(Refusal, match="same-person"):
            services.send_batch(prepared, by=same, request_id=builders.request_id(), at=NOON)
    assert batches.states(prepared) == {"prepared": 1}
    batch = services.send_batch(prepared, by=builders.make_actor("producer", area=area, person="staff-2"),
                                request_id=builders.request_id(), at=NOON)
    assert (batch.state, batch.prepared_person, batch.sent_person) == ("sent", "staff-1", "staff-2")


@pytest.mark.parametrize("change", [
    {"state": "sent"}, {"state": "sent", "sent_person": "staff-1"}, {"sent_person": "staff-2"}])
def test_the_database_itself_lets_no_batch_be_sent_by_one_person(prepared, change):
    with pytest.raises(IntegrityError, match="batch_sent_by_two"), transaction.atomic():
        Batch.objects.filter(pk=prepared.pk).update(**change)


def test_the_page_of_a_batch_tells_who_prepared_it_that_another_one_sends_it(area, prepared):
    send = reverse("staff:batch-step", args=[prepared.pk, "send"])
    page = reverse("staff:batch", args=[prepared.pk])
    first, second = (Visitor(builders.make_officer("producer", area=area, person=f"staff-{n}")) for n in (1, 2))
    told = first.get(page).content.decode()
    assert "another person sends it" in told and send not in told
    told = second.get(page).content.decode()
    assert "another person sends it" not in told and send in told


def test_of_batches_from_before_the_migration_tells_who_prepared_and_sent_them_and_keeps_one_name_where_they_were_one(
        area, prepared):
    migration = import_module("zhengka.production.migrations.0007_sent_by_two")
    services.send_batch(prepared, by=builders.make_actor("producer", area=area, person="staff-2"),
                        request_id=builders.request_id(), at=NOON)

    def told(*statements: str) -> tuple[str, str]:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return Batch.objects.values_list("prepared_person", "sent_person").get(pk=prepared.pk)

    told("SET CONSTRAINTS ALL IMMEDIATE", "ALTER TABLE production_batch DROP CONSTRAINT batch_sent_by_two",
         "UPDATE production_batch SET prepared_person = '', sent_person = ''")
    assert told(migration.KNOWN, migration.BEFORE) == ("staff-1", "staff-2")
    assert told("UPDATE production_batch SET prepared_person = sent_person", migration.BEFORE) == ("", "staff-2")
