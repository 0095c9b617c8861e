"""A package on its way and back: whose certificate holds, who has it, what was taken, when nothing of it is left."""

import datetime as dt
import hashlib
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from typer.testing import CliRunner

import batches
import builders
from builders import NOON
from visits import Visitor
from worker import tried
from zhengka.cards.models import Card
from zhengka.cli.app import app
from zhengka.core import files
from zhengka.core.actors import SYSTEM
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.formats import legacy, parts, receipts, x509
from zhengka.formats.keyfile import read_public
from zhengka.formats.receipts import PackageReceipt
from zhengka.formats.results import ResultReader, ResultWriter
from zhengka.formats.suites import SM
from zhengka.production import queries, services
from zhengka.production.models import Batch, Erasure, Item, Maker
from zhengka.production.services import erasing, staging
from zhengka_maker import home as homes

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def prepared(area, maker, cards: int = 2) -> Batch:
    for _ in range(cards):
        batches.make_ordered(area=area)
    return batches.prepare(batches.open_batch(area, maker))


def receipt_of(batch: Batch, home, /, **change: object) -> bytes:
    """The card maker's receipt of a batch's package."""
    told = PackageReceipt(batch.number, bytes.fromhex(batch.manifest_digest), batch.prepared, 0, NOON)
    return receipts.sign_package(told._replace(**change), homes.private_key(home))


def acknowledge(batch: Batch, text: bytes, **more: object) -> Batch:
    asked = {"by": batches.producer(batch.area), "request_id": builders.request_id(), "at": NOON} | more
    return services.acknowledge(batch, text, **asked)


# -- certificates of card makers ---------------------------------------------------------------------------------------
def test_a_maker_whose_certificate_has_not_begun_or_has_ended_gets_no_cards_and_gives_none(area, maker, home):
    batch = batches.send(prepared(area, maker))
    results = batches.make_cards(batch, home)
    batches.make_ordered(area=area)
    for first, days, code in ((NOON + 2 * DAY, 100, "maker-not-yet"), (NOON - 2 * DAY, 2, "maker-expired")):
        Maker.objects.update(certificate=None, valid_from=None, valid_until=None)
        batches.certified(maker, home, first=first, days=days)
        now = Maker.objects.get(pk=maker.pk)
        batch = Batch.get(batch.pk)
        with pytest.raises(Refusal, match=code):
            batches.open_batch(area, now)
        with pytest.raises(Refusal, match=code):
            batches.receive(batch, results)
        with pytest.raises(Refusal, match=code):
            acknowledge(batch, receipt_of(batch, home))
    Maker.objects.update(certificate=None, valid_from=None, valid_until=None)
    batches.certified(maker, home)
    assert batches.receive(Batch.get(batch.pk), results).good == 2


def test_a_certificate_that_ends_while_a_batch_is_prepared_keeps_it_from_being_sent(area, maker, home):
    batches.certified(maker, home, days=1, first=NOON - DAY / 2)
    batch = prepared(area, Maker.objects.get(pk=maker.pk))
    Maker.objects.update(valid_until=NOON)
    with pytest.raises(Refusal, match="maker-expired"):
        batches.send(batch)
    batches.certified(maker, home)
    assert batches.send(Batch.get(batch.pk)).state == "sent"


def test_a_batch_of_a_maker_that_ended_is_not_prepared(area, maker, home):
    batches.make_ordered(area=area)
    batch = batches.open_batch(area, maker)
    batches.certified(maker, home, first=NOON - 9 * DAY, days=9)
    with pytest.raises(Refusal, match="maker-expired"):
        batches.prepare(Batch.get(batch.pk))


def test_a_revoked_maker_never_comes_back(area, maker, home):
    batch = batches.send(prepared(area, maker))
    results = batches.make_cards(batch, home)
    for who in ("producer", "system"):
        with pytest.raises(Refusal, match="not-permitted"):
            services.revoke_maker(maker, by=builders.make_actor(who), at=NOON)
    officer = builders.make_actor("security")
    revoked = services.revoke_maker(maker, by=officer, at=NOON)
    again = services.revoke_maker(maker, by=builders.make_actor("security"), at=NOON + DAY)
    assert (again.revoked_at, again.revoked_by) == (revoked.revoked_at, officer.person)
    with pytest.raises(Refusal, match="maker-revoked"):
        batches.receive(Batch.get(batch.pk), results)
    with pytest.raises(Refusal, match="maker-revoked"):
        batches.certified(maker, home)


def test_a_certificate_of_the_same_key_prolongs_and_never_shortens(maker, home):
    long = batches.certified(maker, home, days=50)
    assert batches.certified(maker, home, days=10).valid_until == long.valid_until
    assert batches.certified(maker, home, days=90).valid_until > long.valid_until
    with pytest.raises(ValueError, match="another key"):
        own = x509.read_own((home / homes.CERTIFICATE).read_bytes())
        services.enrol_maker(maker.name, SM.generate().public, by=SYSTEM, certificate=own)


def test_a_site_for_the_public_gives_cards_to_no_maker_without_a_certificate(area, maker, home, settings):
    batch = batches.send(prepared(area, maker))
    settings.BEHIND_FRONT, settings.DEMO = True, False
    with pytest.raises(Refusal, match="maker-without-certificate"):
        acknowledge(batch, receipt_of(batch, home))
    batches.certified(maker, home)
    assert acknowledge(Batch.get(batch.pk), receipt_of(batch, home)).acknowledged_at == NOON


def test_the_database_keeps_half_a_certificate_out(maker):
    for broken in ({"valid_until": NOON}, {"certificate": b"x"}, {"revoked_at": NOON}, {"text_form": "utf-8"},
                   {"certificate": b"x", "valid_from": NOON, "valid_until": NOON}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Maker.objects.filter(pk=maker.pk).update(**broken)


# -- the package acknowledged ------------------------------------------------------------------------------------------
def test_a_maker_says_that_it_has_the_package_and_the_batch_tells_it(area, maker, home):
    batch = batches.send(prepared(area, maker))
    out = home / "receipt"
    batches.maker_program("receipt", str(batches.package_path(batch)), "--home", str(home), "--out", str(out))
    key = builders.request_id()
    batch = acknowledge(batch, out.read_bytes(), request_id=key)
    assert (batch.state, batch.acknowledged_at) == ("sent", NOON)
    told = Event.objects.get(subject="batch", subject_id=batch.pk, action="acknowledge").facts
    assert (told["cards"], told["parts"], told["package"]) == (2, 0, batch.manifest_digest)
    with pytest.raises(Replayed):
        acknowledge(batch, out.read_bytes(), request_id=key)
    with pytest.raises(Refusal, match="batch-acknowledged"):
        acknowledge(batch, out.read_bytes())


@pytest.mark.parametrize("change", [{"batch": "430104-20200101-01"}, {"package": bytes(32)}, {"cards": 1}])
def test_a_receipt_of_another_package_is_none_of_this_batch(area, maker, home, change):
    batch = batches.send(prepared(area, maker))
    with pytest.raises(Refusal, match="receipt-of-another-batch"):
        acknowledge(batch, receipt_of(batch, home, **change))
    assert Batch.get(batch.pk).acknowledged_at is None


def test_a_receipt_that_is_not_the_makers_or_comes_too_early_or_from_elsewhere_is_refused(area, maker, home):
    batch = prepared(area, maker)
    text = receipt_of(batch, home)
    with pytest.raises(Refusal, match="step-not-open"):
        acknowledge(batch, text)
    batch = batches.send(batch)
    for broken in (text[:-5], b"", text.replace(b'"cards":2', b'"cards":3'),
                   receipts.sign_package(receipts.read_package(text, read_public(home / homes.PUBLIC)), SM.generate())):
        with pytest.raises(Refusal, match="receipt-broken"):
            acknowledge(batch, broken)
    with pytest.raises(Refusal, match="not-permitted"):
        acknowledge(batch, text, by=builders.make_actor("clerk", area=area))
    with pytest.raises(Refusal, match="not-found"):
        acknowledge(batch, text, by=batches.producer(builders.make_area(430102)))


def test_a_package_that_nobody_acknowledges_is_late_after_three_working_days(area, maker, home):
    batch = batches.send(prepared(area, maker))  # on a Friday
    assert batch.acknowledge_by == dt.date(2026, 11, 25)
    actor = batches.producer(area)
    assert list(queries.unacknowledged(actor, on=dt.date(2026, 11, 25))) == []
    assert list(queries.unacknowledged(actor, on=dt.date(2026, 11, 26))) == [batch]
    assert list(queries.unacknowledged(batches.producer(builders.make_area(430102)), on=dt.date(2027, 1, 1))) == []
    acknowledge(batch, receipt_of(batch, home))
    assert list(queries.unacknowledged(actor, on=dt.date(2026, 11, 26))) == []


def test_the_database_keeps_no_receipt_of_what_was_not_sent(area, maker):
    batch = prepared(area, maker)
    with pytest.raises(IntegrityError, match="batch_acknowledged_once_sent"):
        Batch.objects.filter(pk=batch.pk).update(acknowledged_at=NOON)


# -- results receipted -------------------------------------------------------------------------------------------------
def test_the_maker_gets_our_receipt_of_its_results(area, maker, home):
    batch = batches.send(prepared(area, maker, 6))
    with pytest.raises(Refusal, match="no-results"):
        services.write_receipt(batch.pk, at=NOON)
    results = batches.make_cards(batch, home, plant=("power-cut",))
    batch = batches.receive(batch, results)
    assert ProcrastinateJob.objects.filter(task_name="production.write_receipt", args__batch_id=batch.pk).exists()
    tried("production.write_receipt", batch_id=batch.pk)
    text = Batch.get(batch.pk).receipt
    assert services.write_receipt(batch.pk, at=NOON + DAY) == text
    told = receipts.read_results(text.encode(), queries.batch_public_key(area.code, "SM", at=NOON))
    assert (told.result, told.good, told.suspect, told.cards) == (batch.result_id, 5, 1, 6)
    assert told.digest.hex() == batch.result_digest and told.at == NOON
    (home / "ours").write_text(text)
    assert "5 good" in batches.maker_program("believe", str(home / "ours"), "--home", str(home))


# -- in parts ----------------------------------------------------------------------------------------------------------
def test_a_package_lies_there_with_the_signed_list_of_its_parts_and_travels_in_them(area, maker, home, tmp_path):
    batch = prepared(area, maker, 12)
    issuer = queries.batch_public_key(area.code, "SM", at=NOON)
    plan = parts.read(services.list_of(batch), issuer)
    assert (plan.batch, plan.package.hex(), plan.file) == (batch.number, batch.manifest_digest, batch.package)
    assert plan.part == 16 << 20
    name, data = services.part(batch, 1)
    assert (name, data) == (f"{batch.package}.0001", batches.package_path(batch).read_bytes())
    for number in (0, 2):
        with pytest.raises(Refusal, match="not-found"):
            services.part(batch, number)
    signer = services.batch_signer(batch, at=NOON)
    plan = services.split(batch, tmp_path, 1 << 16, signer)
    assert len(plan.digests) > 3
    got, listed = home / "got.zkp", tmp_path / f"{batch.package}.parts"
    batches.maker_program("fetch", str(listed), str(tmp_path), "--home", str(home), "--out", str(got))
    out = home / "receipt of parts"
    batches.maker_program("receipt", str(got), "--home", str(home), "--out", str(out), "--listed", str(listed))
    batch = acknowledge(batches.send(batch), out.read_bytes())
    told = Event.objects.get(subject="batch", subject_id=batch.pk, action="acknowledge").facts
    assert told["parts"] == len(plan.digests)


def test_a_part_of_a_package_that_was_damaged_here_is_given_to_nobody(area, maker):
    batch = prepared(area, maker)
    path = batches.package_path(batch)
    whole = path.read_bytes()
    path.write_bytes(whole[:900] + bytes([whole[900] ^ 1]) + whole[901:])
    with pytest.raises(Refusal, match="package-damaged"):
        services.part(batch, 1)


def test_parts_that_are_right_stay_and_a_size_out_of_bounds_is_refused(area, maker, tmp_path):
    batch = prepared(area, maker)
    signer = services.batch_signer(batch, at=NOON)
    plan = services.split(batch, tmp_path, 1 << 16, signer)
    first, second = (tmp_path / plan.name(number) for number in (1, 2))
    kept = first.stat().st_mtime_ns
    second.write_bytes(b"half")
    services.split(batch, tmp_path, 1 << 16, signer)
    assert first.stat().st_mtime_ns == kept and second.stat().st_size == plan.span(2)[1]
    for size in (0, 1 << 40):
        with pytest.raises(Refusal, match="part-size-wrong"):
            services.split(batch, tmp_path, size, signer)


# -- erased on its day -------------------------------------------------------------------------------------------------
@pytest.fixture
def closed(area, maker, home):
    batch = batches.send(prepared(area, maker))
    batch = batches.receive(batch, batches.make_cards(batch, home))
    return services.close_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)


def lies_here(batch: Batch) -> list:
    package = staging.packages() / batch.package
    return [package, staging.parts_of(package), files.place(batch.proof)]


def test_what_was_made_for_a_batch_goes_on_its_day_with_proof_and_not_before(closed):
    assert closed.erase_on == NOON.date() + 30 * DAY
    lies = lies_here(closed)
    services.erase_due(at=NOON + 29 * DAY)
    assert all(path.exists() for path in lies)
    known = {path.name: (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in lies}
    assert services.erase_due(at=NOON + 30 * DAY) == 1
    assert not any(path.exists() for path in lies)
    assert {row.name: (row.size, row.digest) for row in Erasure.objects.all()} == known
    assert set(Erasure.objects.values_list("what", "rule", "due_on")) == {
        (what, "production-standard", closed.erase_on) for what in ("package", "parts", "proof")}
    after = Batch.get(closed.pk)
    assert (after.package, after.proof, after.erased_at) == ("", "", NOON + 30 * DAY)
    assert after.manifest_digest == closed.manifest_digest
    with pytest.raises(Refusal, match="not-found"):
        queries.proof_sheet(after)
    assert services.erase_due(at=NOON + 31 * DAY) == 0 and Erasure.objects.count() == 3


def test_a_run_that_was_stopped_between_proof_and_file_goes_on(closed, monkeypatch):
    lies, stop = lies_here(closed), type(lies_here(closed)[0]).unlink

    def stopped(path, **_more):
        if path.exists():
            raise KeyboardInterrupt(path)

    for left in range(3):
        monkeypatch.setattr(type(lies[0]), "unlink", stopped)
        with pytest.raises(KeyboardInterrupt):
            erasing.erase_due(at=NOON + 40 * DAY)
        monkeypatch.setattr(type(lies[0]), "unlink", stop)
        assert Erasure.objects.count() == left + 1 and lies[left].exists()
        assert Batch.get(closed.pk).erased_at is None
        lies[left].unlink()  # as if it had been stopped after it
    digests = list(Erasure.objects.order_by("pk").values_list("digest", flat=True))
    assert erasing.erase_due(at=NOON + 41 * DAY) == 1
    assert list(Erasure.objects.order_by("pk").values_list("digest", flat=True)) == digests and all(digests)


def test_a_batch_that_is_given_up_goes_the_same_day_with_proof_of_each_piece(area, maker):
    batch, by = prepared(area, maker), batches.producer(area)
    lies = lies_here(batch)
    known = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in lies}
    batch = services.give_up_batch(batch, by=by, request_id=builders.request_id(), at=NOON)
    assert (batch.erase_on, batch.erased_at) == (NOON.date(), None) and all(path.exists() for path in lies)
    assert ProcrastinateJob.objects.filter(task_name="production.erase_batch", args__batch_id=batch.pk).exists()
    staging.sweep(at=dt.datetime.now(dt.UTC) + 9 * DAY)
    assert lies[0].exists(), "nothing of it goes without proof, however late the worker comes"
    assert services.erase_due(at=NOON + DAY) == 1, "the night does what no worker came to do"
    services.erase_batch(batch.pk, at=NOON + DAY)
    assert not any(path.exists() for path in lies)
    assert dict(Erasure.objects.filter(batch=batch).values_list("name", "digest")) == known
    assert (Batch.get(batch.pk).proof, Batch.get(batch.pk).erased_at) == ("", NOON + DAY)


def test_members_of_a_batch_that_is_cancelled_half_made_go_with_proof_and_their_key_at_once(area, maker):
    batches.make_ordered(area=area)
    batch, by = batches.open_batch(area, maker), batches.producer(area)
    batch = services.prepare_batch(batch, by=by, request_id=builders.request_id(), at=NOON)
    services.prepare_chunk(batch.chunks.get().pk, at=NOON)
    waits = staging.folder(batch)
    size = sum(path.stat().st_size for path in waits.rglob("*") if path.is_file())
    batch = services.cancel_batch(batch, by=by, request_id=builders.request_id(), at=NOON)
    proof = Erasure.objects.get(batch=batch)
    assert (proof.what, proof.name, proof.size, batch.content_key) == ("members", waits.name, size, None)
    assert size and len(proof.digest) == 64 and waits.is_dir(), "first the proof and the key, then the files"
    services.erase_batch(batch.pk, at=NOON)
    assert not waits.exists() and Batch.get(batch.pk).erased_at == NOON and Erasure.objects.count() == 1


def test_a_received_batch_that_nobody_closes_has_its_day_and_is_on_the_worklist(area, maker, home):
    batch = batches.send(prepared(area, maker))
    batch = batches.receive(batch, batches.make_cards(batch, home))
    assert batch.erase_on == NOON.date() + 30 * DAY
    assert "Batches received and not closed" in Visitor(
        builders.make_officer("producer", area=area)).get(reverse("staff:home")).content.decode()
    lies = lies_here(batch)
    assert services.erase_due(at=NOON + 30 * DAY) == 1 and not any(path.exists() for path in lies)
    closed = services.close_batch(Batch.get(batch.pk), by=batches.producer(area), request_id=builders.request_id(),
                                  at=NOON + 40 * DAY)
    assert (closed.state, closed.erase_on) == ("closed", NOON.date() + 30 * DAY), "what is gone has no other day"
    for state in ("received", "closed"):
        with pytest.raises(IntegrityError, match="batch_ended_has_its_day"), transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(state=state, erase_on=None, erased_at=None)


def test_a_file_that_was_gone_already_is_told_so(closed):
    lies_here(closed)[0].unlink()
    assert erasing.erase_due(at=NOON + 40 * DAY) == 1
    assert Erasure.objects.get(what="package").digest == "" and Erasure.objects.get(what="proof").digest


def test_proof_is_never_changed_or_removed_and_seen_in_its_own_area_alone(closed, as_web):
    erasing.erase_due(at=NOON + 40 * DAY)
    for statement in ("UPDATE production_erasure SET digest = ''", "DELETE FROM production_erasure"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    as_web(430102 * 10**6, 430103 * 10**6 - 1)
    assert not Erasure.objects.exists()


def test_the_database_keeps_a_batch_from_saying_that_all_is_gone_while_it_names_a_file(closed):
    with pytest.raises(IntegrityError, match="batch_erased_whole"):
        Batch.objects.filter(pk=closed.pk).update(erased_at=NOON)


def test_the_nightly_sweep_leaves_the_lists_of_parts_of_packages_that_are_needed(own_store, tmp_path, area):
    batch = prepared(area, batches.make_maker(tmp_path / "maker", area))  # no other test's packages are swept
    package = batches.package_path(batch)
    listed, lost = staging.parts_of(package), package.with_name("430104-1.zkp.parts")
    lost.write_bytes(b"x")
    for path in (listed, lost, package):
        os.utime(path, (0, 0))
    staging.sweep(at=NOON + 99 * DAY)
    assert listed.exists() and package.exists() and not lost.exists()


# -- the text form of older programs -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("code", "made"), [("gbk", 2), ("gb18030", 3)])
def test_a_maker_of_older_programs_finds_its_text_in_the_sealed_package_and_no_other_name(
        area, maker, home, tmp_path, code, made):
    services.use_text_form(maker, code, by=builders.make_actor("security"))
    names = ["买买提·艾山", "田野", "㐀田"]  # U+3400 is in no GBK
    for name, kind in zip(names, (4, 1, 4), strict=True):
        batches.make_ordered(area=area, name=name, category=kind)
    batch = batches.prepare(batches.open_batch(area, Maker.objects.get(pk=maker.pk)))
    assert (batch.prepared, batch.held) == (made, 3 - made)
    if batch.held:
        assert Item.objects.get(outcome="held").reason == "name-not-in-gbk 㐀"
    raw = batches.package_path(batch).read_bytes()
    assert "田野".encode("gbk") not in raw and b"cards.txt" not in raw, "sealed like all else"
    told = batches.maker_program("text", str(batches.package_path(batch)), "--home", str(home), "--out", str(tmp_path))
    with Path(told.strip()).open("rb") as file:
        rows = list(legacy.read(file))
    assert {row.name for row, _ in rows} == set(names[:made]) and len({row.task for row, _ in rows}) == 2
    assert {row.serial for row, _ in rows} == set(
        Card.objects.filter(state="prepared").values_list("serial", flat=True))
    batch = batches.send(batch)
    assert batches.receive(batch, batches.make_cards(batch, home)).good == made


def test_only_the_security_administrator_says_who_gets_the_text_form(maker):
    for role in ("producer", "system", "clerk"):
        with pytest.raises(Refusal, match="not-permitted"):
            services.use_text_form(maker, "gbk", by=builders.make_actor(role))
    with pytest.raises(ValueError, match="text form"):
        services.use_text_form(maker, "utf-8", by=SYSTEM)


# -- pages -------------------------------------------------------------------------------------------------------------
def test_parts_and_receipts_go_through_the_pages_by_their_rights_and_are_written_down(area, maker, home):
    batch = prepared(area, maker)
    sender = Visitor(builders.make_officer("producer", area=area))
    page = reverse("staff:batch", args=[batch.pk])
    assert "The package in parts" in sender.get(page).content.decode()
    listed = sender.act(reverse("staff:batch-part-list", args=[batch.pk]))
    assert parts.read(listed.content, queries.batch_public_key(area.code, "SM", at=NOON)).batch == batch.number
    got = sender.act(reverse("staff:batch-part", args=[batch.pk]), part="1")
    assert got.content == batches.package_path(batch).read_bytes() and ".zkp.0001" in got.headers["Content-Disposition"]
    assert Event.objects.filter(subject="batch", subject_id=batch.pk, action="take_package").count() == 2
    assert sender.act(reverse("staff:batch-part", args=[batch.pk]), part="one").status_code == 400
    for name in ("batch-part-list", "batch-part", "batch-acknowledge"):
        clerk = Visitor(builders.make_officer("clerk", area=area))
        assert clerk.act(reverse(f"staff:{name}", args=[batch.pk]), part="1").status_code == 403
    batch = batches.send(batch)
    file = SimpleUploadedFile("r", receipt_of(batch, home))
    assert sender.act(reverse("staff:batch-acknowledge", args=[batch.pk]), receipt=file).status_code == 302
    shown = sender.get(page).content.decode()
    assert Batch.get(batch.pk).acknowledged_at and "Receipt of the card maker" not in shown
    assert "The card maker has the package" in shown
    assert sender.get(reverse("staff:batch-receipt", args=[batch.pk])).status_code == 404
    batches.receive(batch, batches.make_cards(batch, home))
    services.write_receipt(batch.pk, at=NOON)
    ours = sender.get(reverse("staff:batch-receipt", args=[batch.pk]))
    assert receipts.read_results(ours.content, queries.batch_public_key(area.code, "SM", at=NOON)).good == 2


def test_the_page_says_what_is_late_and_when_all_is_erased(area, maker, home):
    batch = batches.send(prepared(area, maker))
    officer = Visitor(builders.make_officer("producer", area=area))
    page = reverse("staff:batch", args=[batch.pk])
    Batch.objects.filter(pk=batch.pk).update(acknowledge_by=dt.date(2020, 1, 1))
    assert "has not acknowledged the package" in officer.get(page).content.decode()
    assert "Packages not acknowledged in time" in officer.get(reverse("staff:batches")).content.decode()
    batch = batches.receive(batch, batches.make_cards(batch, home))
    services.close_batch(batch, by=batches.producer(area), request_id=builders.request_id(), at=NOON)
    assert "2026-12-20" in officer.get(page).content.decode()
    services.erase_due(at=NOON + 30 * DAY)
    shown = officer.get(page).content.decode()
    assert "Erased production data" in shown and "production-standard" in shown


# -- results that are not this batch's ---------------------------------------------------------------------------------
def test_results_twice_late_out_of_order_and_of_another_batch_are_refused_by_name(area, maker, home):
    first = batches.send(prepared(area, maker))
    second = batches.send(prepared(area, maker, 3))
    of_first, of_second = batches.make_cards(first, home), batches.make_cards(second, home)
    with pytest.raises(Refusal, match="results-of-another-batch"):
        batches.receive(first, of_second)
    assert batches.receive(second, of_second).good == 3, "out of order is no fault"
    assert batches.receive(first, of_first).good == 2
    with pytest.raises(Refusal, match="result-replayed"):
        batches.receive(Batch.get(first.pk), of_first)
    other = batches.rewritten(of_first, home, lambda cards: cards[:1])  # the same results told otherwise
    with pytest.raises(Refusal, match="result-replayed"):
        batches.receive(Batch.get(first.pk), other)
    late = home / "late"
    reader = ResultReader(of_first, homes.private_key(home).public)
    with ResultWriter(late, reader.info._replace(result=builders.request_id()), homes.private_key(home)) as writer:
        for card in reader.cards():
            writer.add(card)
    with pytest.raises(Refusal, match="step-not-open"):
        batches.receive(Batch.get(first.pk), late)
    ready = services.close_batch(Batch.get(first.pk), by=batches.producer(area), request_id=builders.request_id(),
                                 at=NOON)
    with pytest.raises(Refusal, match="step-not-open"):
        batches.receive(ready, late)
    for name, cut in (("half", of_first.read_bytes()[:-40]), ("none", b""), ("no lines", b"\xff" * 5000)):
        (home / name).write_bytes(cut)
        with pytest.raises(Refusal, match="results-broken"):
            batches.receive(ready, home / name)
    assert Card.objects.filter(state="ready").count() == 5


# -- commands ----------------------------------------------------------------------------------------------------------
def said(*words: object) -> str:
    """What a command prints; its refusal is raised."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_a_batch_travels_by_commands_alone(area, maker, home, tmp_path):
    batch = prepared(area, maker)
    one, other = (builders.make_officer("producer", area=area).username for _ in range(2))
    out = tmp_path / "outbox"
    assert "1 parts" in said("batch", "package", batch.number, "--out", out, "--as", one)
    with pytest.raises(Refusal, match="part-size-wrong"):
        said("batch", "package", batch.number, "--out", out, "--part-mib", "0.01", "--as", one)
    listed, got = out / f"{batch.package}.parts", tmp_path / "got"
    batches.maker_program("fetch", str(listed), str(out), "--home", str(home), "--out", str(got))
    batches.maker_program("receipt", str(got), "--home", str(home), "--out", str(tmp_path / "r"))
    batch = batches.send(batch)
    with pytest.raises(Refusal, match="receipt-broken"):
        said("batch", "acknowledge", batch.number, listed, "--as", other)
    assert "acknowledged" in said("batch", "acknowledge", batch.number, tmp_path / "r", "--as", other)
    with pytest.raises(Refusal, match="no-results"):
        said("batch", "receipt", batch.number, "--out", tmp_path / "ours", "--as", other)
    batches.receive(batch, batches.make_cards(batch, home))
    assert "2 good" in said("batch", "receipt", batch.number, "--out", tmp_path / "ours", "--as", other)
    assert "2 good" in batches.maker_program("believe", str(tmp_path / "ours"), "--home", str(home))


def test_a_maker_is_enrolled_by_its_certificate_prolonged_and_revoked_by_commands(area, tmp_path):
    security = builders.make_officer("security").username
    batches.maker_program("init", str(tmp_path / "m"), "--name", "印刷厂")
    told = said("maker", "enrol", "印刷厂", tmp_path / "m" / homes.CERTIFICATE, "--as", security)
    assert "until 20" in told and Maker.objects.get().valid_until
    said("maker", "enrol", "印刷厂", tmp_path / "m" / homes.PUBLIC, "--as", security)
    (tmp_path / "no").write_text("-----BEGIN CERTIFICATE-----\nx")
    with pytest.raises(Refusal, match="certificate-broken"):
        said("maker", "enrol", "印刷厂", tmp_path / "no", "--as", security)
    for code, kept in (("gbk", "gbk"), ("none", "")):
        said("maker", "text-form", "印刷厂", code, "--as", security)
        assert Maker.objects.get().text_form == kept
    said("maker", "revoke", "印刷厂", "--as", security)
    assert Maker.objects.get().revoked_by
    with pytest.raises(Refusal, match="not-found"):
        said("maker", "revoke", "nobody", "--as", security)
