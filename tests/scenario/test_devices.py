"""Devices and security modules: entered, paired by hand, stopped from afar; no word of a stopped one is believed."""

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, transaction

from builders import NOON, make_actor, make_area, request_id
from reading_desk import ORIGIN, make_counter, make_module, make_reader, pair
from zhengka.cards import services as cards
from zhengka.core.dated import FileRefused
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.core.models import Event
from zhengka.devices import queries, retention, services
from zhengka.devices.models import Device, Psam, Reading
from zhengka.formats.reading import sign_pairing
from zhengka.formats.suites import SM
from zhengka_reader import home as homes
from zhengka_reader.desk import Desk

pytestmark = pytest.mark.django_db


def refused(code: str):
    return pytest.raises(Refusal, match=rf"\[{code}\]")


@pytest.fixture
def area(db):
    return make_area()


@pytest.fixture
def clerk(area):
    return make_actor("clerk", area=area)


def told(row: Device, clerk, key, *, code: str = "", nonce: bytes = b"", origin: str = ORIGIN):
    """A pairing as a reader with this key says it."""
    code, nonce = code or row.code, nonce or bytes(row.nonce)
    signed = services.Paired("SM", key.public.point, code, sign_pairing(key, nonce, code, origin))
    return services.pair(row, signed, ORIGIN, by=clerk, request_id=request_id(), at=NOON)


def test_a_reader_is_entered_by_one_officer_and_paired_by_another_at_its_pc(area, clerk, tmp_path):
    row = make_reader(area)
    assert (row.state, row.public) == ("registered", None)
    row = pair(row, tmp_path / "reader", clerk)
    assert row.state == "active" and bytes(row.key_id) == homes.private_key(tmp_path / "reader").public.key_id
    assert row.code == "" and homes.origins(tmp_path / "reader") == [ORIGIN]
    actions = Event.objects.filter(subject="device", subject_id=row.pk).order_by("version").values_list("action")
    assert [action for (action,) in actions] == ["register", "pair"]
    with refused("not-permitted"):
        services.register(area, services.About("reader", "二号窗口", "—", "—"), by=clerk, request_id=request_id(),
                          at=NOON)


def test_a_repeat_of_the_form_enters_nothing_twice_and_a_name_serves_once_in_an_office(area):
    by, key, about = make_actor("system", area=area), request_id(), services.About("printer", "打印机", "—", "—")
    services.register(area, about, by=by, request_id=key, at=NOON)
    with pytest.raises(Replayed):
        services.register(area, about, by=by, request_id=key, at=NOON)
    with refused("device-name-taken"):
        services.register(area, about, by=by, request_id=request_id(), at=NOON)


def test_who_did_not_carry_the_code_pairs_nothing(area, clerk):
    row, key = services.new_code(make_reader(area), by=clerk, at=NOON), SM.generate()
    for wrong in ({"code": "00000000" if row.code != "00000000" else "11111111"}, {"nonce": bytes(16)},
                  {"origin": "https://elsewhere.example"}):
        with refused("pairing-failed"):
            told(row, clerk, key, **wrong)
    late = services.Paired("SM", key.public.point, row.code, sign_pairing(key, bytes(row.nonce), row.code, ORIGIN))
    with refused("pairing-failed"):
        services.pair(row, late, ORIGIN, by=clerk, request_id=request_id(), at=NOON + 2 * services.CODE_LIVES)
    old = row
    row = services.new_code(row, by=clerk, at=NOON)
    with refused("pairing-failed"):
        told(old, clerk, key)
    assert told(row, clerk, key).state == "active"


def test_two_readers_never_have_one_key(area, clerk):
    key = SM.generate()
    for name in ("一号窗口", "二号窗口"):
        row = services.new_code(make_reader(area, name), by=clerk, at=NOON)
        if name == "一号窗口":
            told(row, clerk, key)
    with refused("device-key-taken"):
        told(row, clerk, key)


def test_the_reader_gives_its_key_to_no_page_without_the_code_and_three_wrong_ones_end_it(tmp_path):
    homes.init(tmp_path, "SM")
    desk = Desk(tmp_path, "https://evil.example")
    ask = {"do": "pair", "code": "12345678", "nonce": "00" * 16}
    assert desk.answer(ask)["no"] == "code-wrong", "nobody typed one in"
    homes.expect(tmp_path, "87654321")
    for _ in range(3):
        assert desk.answer(ask)["no"] == "code-wrong"
    assert desk.answer({**ask, "code": "87654321"})["no"] == "code-wrong"
    assert desk.answer({"do": "list"})["no"] == "not-paired" and homes.origins(tmp_path) == []


def test_a_stopped_reader_begins_nothing_and_what_it_says_of_a_reading_is_not_believed(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    talk = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON)
    system = make_actor("system", area=area)
    services.change(counter.reader, "stop", by=system, request_id=request_id(), at=NOON)
    said = cards.carried(talk.reading, {}, by=counter.clerk, at=NOON)
    assert (said.reading.outcome, said.commands, said.card) == ("reader-stopped", (), None)
    reader = Device.objects.get(pk=counter.reader.pk)
    with refused("device-stopped"):
        cards.put_on(reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON)
    services.change(reader, "start", by=system, request_id=request_id(), at=NOON)
    assert cards.put_on(Device.objects.get(pk=reader.pk), "identify", by=counter.clerk, request_id=request_id(),
                        at=NOON).commands


def test_a_reader_that_was_never_paired_is_not_put_to_work_by_a_button(area):
    row, system = make_reader(area), make_actor("system", area=area)
    with refused("device-unpaired"):
        services.change(row, "start", by=system, request_id=request_id(), at=NOON)
    with pytest.raises(IntegrityError, match="device_signs_by_its_key"), transaction.atomic():
        Device.objects.filter(pk=row.pk).update(state="active")


# --- modules ---

def test_a_module_is_tied_to_keys_by_their_check_values_and_answers_for_one_reader(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    assert counter.module.state == "bound" and counter.module.check_value.count("=") == 2
    security, other = make_actor("security", area=area), make_module(area)
    with refused("device-has-module"):
        services.bind(other, counter.reader, by=security, request_id=request_id(), at=NOON)
    with pytest.raises(IntegrityError, match="psam_one_for_a_reader"), transaction.atomic():
        Psam.objects.filter(pk=other.pk).update(state="bound", reader=counter.reader)
    with refused("device-has-module"):
        services.change(counter.reader, "retire", by=make_actor("system", area=area), request_id=request_id(), at=NOON)
    free = services.unbind(counter.module, by=security, request_id=request_id(), at=NOON)
    assert services.bind(other, counter.reader, by=security, request_id=request_id(), at=NOON).reader_id
    assert services.recall(free, by=security, request_id=request_id(), at=NOON).state == "recalled"


def test_a_use_is_counted_once_for_each_reading_and_never_backwards(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    first, second = (cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(),
                                  at=NOON).reading for _ in range(2))
    for reading in (first, first, second):
        services.count_use(reading, "SM", at=NOON)
    assert Psam.objects.get(pk=counter.module.pk).uses == 2
    with pytest.raises(IntegrityError, match="counted backwards"), transaction.atomic():
        Psam.objects.filter(pk=counter.module.pk).update(uses=1)


def test_the_key_store_answers_for_no_module_of_another_suite(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    Psam.objects.filter(pk=counter.module.pk).update(suite="INTL")
    reading = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON).reading
    with refused("psam-missing"):
        services.count_use(reading, "SM", at=NOON)
    assert Psam.objects.get(pk=counter.module.pk).uses == 0


def test_what_the_key_store_answers_beside_a_module_of_chip_is_counted_apart_from_the_chip_s_own(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    Psam.objects.filter(pk=counter.module.pk).update(form="chip")
    reading = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON).reading
    for _ in range(2):
        services.count_use(reading, "SM", at=NOON)
    module = Psam.objects.get(pk=counter.module.pk)
    assert (module.uses, module.stored) == (0, 1)


@pytest.mark.parametrize("end", [services.recall, services.lose_module])
def test_a_module_that_was_taken_back_or_lost_never_answers_again(area, tmp_path, end):
    counter = make_counter(tmp_path / "reader", area)
    reading = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON).reading
    ended = end(counter.module, by=make_actor("security", area=area), request_id=request_id(), at=NOON)
    with refused("psam-missing"):
        services.count_use(reading, "SM", at=NOON)
    assert ended.reader_id is None
    with refused("step-not-open"):
        services.bind(ended, counter.reader, by=make_actor("security", area=area), request_id=request_id(), at=NOON)


# --- walls ---

def test_devices_modules_and_readings_of_another_area_are_neither_seen_nor_written(tmp_path, as_web):
    mine = make_counter(tmp_path / "mine", make_area())
    other = make_counter(tmp_path / "other", make_area(430702, name="武陵区"))
    cards.put_on(mine.reader, "identify", by=mine.clerk, request_id=request_id(), at=NOON)
    cards.put_on(other.reader, "identify", by=other.clerk, request_id=request_id(), at=NOON)
    for lookup in (lambda: queries.device(mine.reader.pk, actor=other.clerk),
                   lambda: queries.module(mine.module.pk, actor=other.clerk),
                   lambda: queries.reading(Reading.objects.get(reader=mine.reader).pk, actor=other.clerk)):
        with refused("not-found"):
            lookup()
    with refused("device-unknown"):
        queries.by_key(bytes(mine.reader.key_id), actor=other.clerk)
    as_web(mine.area.code, mine.area.last)
    assert {model: set(model.objects.values_list("area", flat=True)) for model in (Device, Psam, Reading)} == {
        model: {mine.area.code} for model in (Device, Psam, Reading)}
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Device.objects.create(id=1, province=43, area=other.area, sort="gate", name="门", place="—", keeper="—",
                              registered_at=NOON, state="registered")


def test_a_reading_that_ended_is_never_changed_even_by_hand(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    reading = cards.put_on(counter.reader, "identify", by=counter.clerk, request_id=request_id(), at=NOON).reading
    services.end_reading(reading, "card-removed", at=NOON)
    with refused("reading-over"):
        services.end_reading(reading, "good", at=NOON, subject_id=1)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE devices_reading SET uid = '' WHERE id = %s", [reading.pk])


def test_a_reading_goes_on_the_night_on_which_its_time_is_over_and_none_goes_sooner(area, clerk, tmp_path):
    reader = pair(make_reader(area), tmp_path / "reader", clerk)
    ages = (10, 190, 191, 400)
    rows = {age: services.begin_reading(reader, "identify", by=clerk, at=NOON - dt.timedelta(days=age)) for age in ages}
    services.end_reading(rows[400], "no-card", at=NOON - dt.timedelta(days=400))
    assert services.forget_readings(at=NOON) == 2
    assert set(Reading.objects.values_list("pk", flat=True)) == {rows[10].pk, rows[190].pk}
    assert services.forget_readings(at=NOON) == 0, "a repeat finds nothing"
    assert services.forget_readings(at=NOON + dt.timedelta(days=1)) == 1, "the clock alone lets the next one go"


def test_a_file_that_keeps_readings_shorter_than_the_law_or_without_a_source_is_refused(tmp_path):
    told = (Path(settings.DATA) / "retention" / "readings.toml").read_text()
    for old, new, code in (("days = 191", "days = 183", "value-out-of-range"),
                           ('source = "网络安全法 2016 text art. 21(3); 个保法 art. 19; [ours] a week over"',
                            'source = " "', "source-missing"),
                           ("days = 191", "days = 191\nmonths = 6", "field-unknown")):
        assert old in told
        (tmp_path / "one.toml").write_text(told.replace(old, new))
        with pytest.raises(FileRefused) as refusal:
            retention.load(tmp_path)
        assert refusal.value.code == code


def test_where_no_file_speaks_of_an_office_its_readings_stay(tmp_path):
    told = (Path(settings.DATA) / "retention" / "readings.toml").read_text()
    (tmp_path / "one.toml").write_text(told.replace('area = "000000"', 'area = "330200"'))
    files = retention.load(tmp_path)
    assert retention.days(files, 330203_000000, NOON.date()) == 191
    assert retention.days(files, 430104_000000, NOON.date()) is None


# --- a PC that was set up anew, and printers ---

def test_a_reader_whose_pc_was_set_up_anew_is_unpaired_by_an_administrator_and_paired_by_a_new_code(
        area, clerk, tmp_path):
    counter = make_counter(tmp_path / "before", area)
    system = make_actor("system", area=area)
    with refused("step-not-open"):
        services.new_code(counter.reader, by=counter.clerk, at=NOON)
    with refused("not-permitted"):
        services.change(counter.reader, "unpair", by=clerk, request_id=request_id(), at=NOON)
    old = bytes(counter.reader.key_id)
    row = services.change(counter.reader, "unpair", by=system, request_id=request_id(), at=NOON)
    row = Device.objects.get(pk=row.pk)
    assert (row.state, row.public, row.key_id, row.suite) == ("registered", None, None, "")
    with refused("device-unknown"):
        cards.reader_of(old, by=clerk)
    with refused("device-unpaired"):
        services.change(row, "start", by=system, request_id=request_id(), at=NOON)
    row = pair(row, tmp_path / "after", clerk)
    assert row.state == "active" and bytes(row.key_id) != old
    assert Psam.objects.get(reader=row).pk == counter.module.pk, "its module stays with it"


def test_a_reader_that_was_stopped_from_afar_is_not_put_to_work_by_a_code(area, clerk, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    system = make_actor("system", area=area)
    row = services.change(counter.reader, "stop", by=system, request_id=request_id(), at=NOON)
    with refused("step-not-open"):
        services.new_code(row, by=clerk, at=NOON)
    row = services.change(row, "unpair", by=system, request_id=request_id(), at=NOON)
    assert pair(row, tmp_path / "after", clerk).state == "active"


def make_printer(area, name: str = "cards") -> Device:
    system = make_actor("system", area=area)
    row = services.register(area, services.About("printer", name, "一楼", "周敏"), by=system, request_id=request_id(),
                            at=NOON)
    return services.change(row, "start", by=system, request_id=request_id(), at=NOON)


def test_a_printer_is_known_by_its_queue_and_one_that_is_stopped_or_another_offices_gets_no_job(area, tmp_path):
    counter = make_counter(tmp_path / "reader", area)
    make_printer(make_area(430702, name="武陵区"), "elsewhere")
    row = make_printer(area)
    with refused("printer-unknown"):
        queries.printer("elsewhere", beside=counter.reader)
    with refused("printer-unknown"):
        queries.printer(counter.reader.name, beside=counter.reader)
    assert queries.printer("cards", beside=counter.reader) == row
    services.change(row, "stop", by=make_actor("system", area=area), request_id=request_id(), at=NOON)
    with refused("printer-stopped"):
        queries.printer("cards", beside=counter.reader)
    with refused("step-not-open"):
        services.change(row, "unpair", by=make_actor("system", area=area), request_id=request_id(), at=NOON)


def test_how_its_last_job_ended_is_how_a_printer_is(area, clerk, tmp_path):
    counter, row = make_counter(tmp_path / "reader", area), make_printer(area)
    for ended, well in (("printed", True), ("not-printed", False)):
        services.note_job(counter.reader, "cards", ended, by=clerk, at=NOON)
        row.refresh_from_db()
        assert (row.health, row.seen_at, queries.looks_well(row, at=NOON)) == (ended, NOON, well)
    for by in (make_actor("approver", area=area), make_actor("clerk", area=make_area(430702, name="武陵区"))):
        with pytest.raises(Refusal):
            services.note_job(counter.reader, "cards", "printed", by=by, at=NOON)
    with pytest.raises(ValueError, match="cannot end"):
        services.note_job(counter.reader, "cards", "on fire", by=clerk, at=NOON)
