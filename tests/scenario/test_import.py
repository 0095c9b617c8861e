"""Second-generation records come in: every row ends as created, merged, unchanged or refused with a named reason."""

import csv
import io
from pathlib import Path

import pytest
import python_calamine
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from typer.testing import CliRunner

import builders
from builders import NOON
from importing import HEADER, counts, digest_of_tables, file_of, imported, received, refused_file, row
from visits import Visitor
from zhengka.areas import services as areas
from zhengka.areas.models import Area
from zhengka.cli.app import app
from zhengka.core import fields, files
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed, begin, perform
from zhengka.core.models import Event
from zhengka.exchange import sample
from zhengka.registry import queries, services
from zhengka.registry.models import Certificate, Holder, Import

pytestmark = pytest.mark.django_db(transaction=True)  # persons are looked up on a connection beside


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, sample.Truth]:
    out = tmp_path_factory.mktemp("sample")
    truth = sample.generate(out, scale=0.01, seed=7, units=sample.pilot_units(settings.DATA),
                            on_progress=lambda done, total: None)
    return out, truth


@pytest.fixture
def clerk() -> Actor:
    areas.load(settings.DATA / "areas" / "hunan-2018.toml")
    return builders.make_actor(area=Area.objects.get(code=430000_000000))


def test_the_sample_ends_exactly_as_its_truth_says_and_a_second_time_changes_nothing(made, clerk):
    out, truth = made
    for name, expected in truth.files.items():
        record = imported(out / name, clerk, unit=int(name[:6]))
        assert record.state == "done", (name, record.problem, record.problem_facts)
        assert (record.rows, *counts(record)) == (
            expected.rows, expected.created, expected.merged, expected.unchanged, expected.refused.total()), name
        for fault, number in expected.refused.items():
            codes = sample.FAULTS[fault].codes
            assert sum(record.reasons.get(code, 0) for code in codes) == number, (name, fault, record.reasons)
    assert Holder.objects.count() == truth.total.created
    before = digest_of_tables()
    for name, expected in truth.files.items():
        again = imported(out / name, clerk, unit=int(name[:6]))
        refused = expected.refused.total()
        assert counts(again) == (0, 0, expected.rows - refused, refused)
    assert digest_of_tables() == before


def test_a_refused_row_comes_back_with_its_reason_and_once_corrected_is_created(clerk, tmp_path):
    wrong = row(2).replace("肢体,2", "肢体,3")
    record = imported(file_of(tmp_path, row(1), wrong, encoding="gb18030"), clerk)
    assert counts(record) == (1, 0, 0, 1)
    assert record.reasons == {"grade-mismatch": 1}
    back = refused_file(record, clerk).decode("gb18030")
    header, told = list(csv.reader(io.StringIO(back)))
    assert header[-2:] == ["拒收原因", "原因代码"]
    assert told[:-2] == wrong.split(",")
    assert told[-2:] == ["残疾等级与残疾人证号第20位不一致", "grade-mismatch"]
    corrected = tmp_path / "corrected.csv"
    corrected.write_bytes(back.replace("肢体,3", "肢体,2").encode("gb18030"))
    assert counts(imported(corrected, clerk)) == (1, 0, 0, 0)


def test_what_stands_behind_the_last_heading_comes_back_too_and_is_refused_again(clerk, tmp_path):
    record = imported(file_of(tmp_path, row(1), row(2) + ",尾, 巴"), clerk)
    assert record.reasons == {"row-cells": 1}
    back = tmp_path / "back.csv"
    back.write_bytes(refused_file(record, clerk))
    _header, told = list(csv.reader(back.open(encoding="utf-8", newline="")))
    assert told == [*row(2).split(","), "本行单元格比表头多（可能有多余的逗号）", "row-cells", "尾  巴"]
    again = imported(back, clerk)
    assert again.reasons == {"row-cells": 1} and counts(again) == (0, 0, 0, 1)
    assert refused_file(again, clerk) == back.read_bytes(), "the reason stands there once"
    back.write_bytes(back.read_bytes().replace(",尾  巴".encode(), b""))
    assert counts(imported(back, clerk)) == (1, 0, 0, 0)


@pytest.mark.parametrize("quote", ["", '"'])
def test_however_far_behind_the_last_heading_a_cell_stands_it_is_seen(clerk, tmp_path, quote):
    record = imported(file_of(tmp_path, row(1), row(2) + "," * 9 + f"{quote}远{quote}"), clerk)
    assert record.reasons == {"row-cells": 1} and counts(record) == (1, 0, 0, 1)
    told = list(csv.reader(io.StringIO(refused_file(record, clerk).decode())))[1]
    assert told[-1] == "远"


def test_refused_rows_of_a_workbook_come_back_as_a_workbook(made, clerk):
    out, truth = made
    name = next(name for name, one in truth.files.items() if name.endswith("xlsx") and one.refused.total() > 1)
    record = imported(out / name, clerk, unit=int(name[:6]))
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(refused_file(record, clerk)))
    rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == record.refused + 1
    assert rows[0][-2:] == ["拒收原因", "原因代码"]
    assert sorted(line[-1] for line in rows[1:]) == sorted(
        code for code, number in record.reasons.items() for _ in range(number))


@pytest.mark.parametrize("cell", ["=1+1", "+86", "@SUM(A1)", "-2", "＝1", "=cmd|' /C calc'!A0"])
def test_a_cell_that_looks_like_a_formula_stays_text_on_its_way_out_and_in(clerk, tmp_path, cell):
    wrong = row(1, address=cell).replace("肢体,2", "肢体,3")
    record = imported(file_of(tmp_path, wrong), clerk)
    back = refused_file(record, clerk).decode()
    told = next(csv.reader(io.StringIO(back.splitlines()[1])))
    assert told[8] == f"'{cell}", "no spreadsheet takes this for a formula"
    again = tmp_path / "again.csv"
    again.write_text(back.replace("肢体,3", "肢体,2"))
    imported(again, clerk)
    full = services.read_in_full(Holder.objects.get(), by=clerk, request_id=builders.request_id(), purpose="核对")
    assert full.address == cell


def test_a_later_row_fills_what_was_empty_and_never_overwrites(clerk, tmp_path):
    imported(file_of(tmp_path, row(1, phone="", address="云溪镇1号")), clerk)
    record = imported(file_of(tmp_path, row(1, phone="15400000002", address="鹤塘镇2号")), clerk, unit=430102)
    assert counts(record) == (0, 1, 0, 0)
    holder = Holder.objects.get()
    full = services.read_in_full(holder, by=clerk, request_id=builders.request_id(), purpose="核对")
    assert (full.phone, full.address) == ("15400000002", "云溪镇1号")
    assert holder.area_id == 430104_000000, "the person stays with the first unit"
    event = Event.objects.get(action="merge")
    assert event.facts["row"] == 2
    assert "鹤塘镇" not in str(event.facts), "what came is kept sealed"


@pytest.mark.parametrize(("later", "valid", "other"), [
    ({"suffix": "B1"}, "B1", ""), ({"suffix": "B"}, "B1", ""), ({"grade": 1, "issued": "2015-01-01"}, "", ""),
    ({"grade": 1, "issued": "2010-01-01"}, "", "old"), ({"grade": 1}, "", "old")])
def test_a_newer_number_takes_the_place_of_the_valid_one_and_an_older_one_is_kept(
        clerk, tmp_path, later, valid, other):
    imported(file_of(tmp_path, row(1)), clerk)
    imported(file_of(tmp_path, row(1, **later)), clerk)
    first, second = Certificate.objects.order_by("id")
    newer, older = (first, second) if other else (second, first)
    assert (newer.state, older.state) == ("valid", "replaced")
    steps = Event.objects.filter(subject="certificate", subject_id=older.pk).order_by("version")
    assert [step.action for step in steps] == ["issue", "replace"]
    assert older.version == 2
    number = fields.open_(bytes(newer.number), "certificate.number")
    assert number.endswith(valid)
    for certificate in (first, second):
        text = fields.open_(bytes(certificate.number), "certificate.number")
        assert queries.find(text.lower(), actor=clerk) == [Holder.objects.get()], "every number finds the person"


def test_three_rows_of_one_person_in_one_file_are_one_person(clerk, tmp_path):
    record = imported(file_of(tmp_path, row(1), row(1, suffix="B1"), row(1), row(1, suffix="B2"), row(1, suffix="B1")),
                      clerk)
    assert counts(record) == (1, 2, 2, 0)
    assert sorted(Certificate.objects.values_list("state", "replacement")) == [
        ("replaced", 0), ("replaced", 1), ("valid", 2)]
    assert Holder.objects.get().version == 3


def test_a_row_of_a_person_whose_record_is_closed_is_refused(clerk, tmp_path):
    imported(file_of(tmp_path, row(1)), clerk)
    approver = builders.make_actor("approver", area=Area.objects.get(code=430000_000000))
    with transaction.atomic():
        perform(Holder.objects.get(), "close", by=approver, request_id=builders.request_id())
    record = imported(file_of(tmp_path, row(1, suffix="B1"), row(2)), clerk)
    assert (counts(record), record.reasons) == ((1, 0, 0, 1), {"person-closed": 1})


def test_a_person_with_an_old_number_of_fifteen_digits_is_the_same_person(clerk, tmp_path):
    imported(file_of(tmp_path, row(1)), clerk)
    full = builders.make_id_number(number=1)
    old = row(1, suffix="B1").replace(f",{full},", f",{full[:6]}{full[8:17]},")
    assert counts(imported(file_of(tmp_path, old), clerk)) == (0, 1, 0, 0)


def test_a_file_of_a_city_sends_each_row_to_the_unit_it_names(clerk, tmp_path):
    rows = [f"{row(1)},芙蓉区", f"{row(2)},430104", f"{row(3)},武陵区", f"{row(4)},"]
    path = file_of(tmp_path, *rows, header=f"{HEADER},区域")
    record = imported(path, clerk, unit=430100)
    assert record.reasons == {"unit-unknown": 1, "unit-empty": 1}
    assert sorted(Holder.objects.values_list("area_id", flat=True)) == [430102_000000, 430104_000000]


def test_events_of_an_import_are_those_of_the_single_way(clerk, tmp_path):
    record = imported(file_of(tmp_path, row(1), row(1, suffix="B1")), clerk)
    source = Holder.objects.get()
    old, new = Certificate.objects.order_by("id")
    single = _one_by_one(source, old, new, clerk, record)
    bulk = list(Event.objects.filter(subject__in=("holder", "certificate")).exclude(
        pk__in=[event["id"] for event in single]).order_by("subject", "subject_id", "version").values())
    single.sort(key=lambda event: (event["subject"], event["subject_id"], event["version"]))
    assert len(bulk) == len(single) == 5
    for one, other in zip(bulk, single, strict=True):
        for own in ("id", "subject_id", "request_id"):
            one.pop(own), other.pop(own)
        one["facts"].pop("came", None)
        assert one == other


def _one_by_one(source: Holder, old: Certificate, new: Certificate, clerk: Actor, record: Import) -> list[dict]:
    """The same story by `begin` and `perform`."""
    last = max(Event.objects.values_list("id", flat=True))
    copy = Holder.objects.get(pk=source.pk)
    copy.pk, copy.id_index, copy._state.adding = None, b"fresh", True
    first, second = {"import": record.pk, "row": 2}, {"import": record.pk, "row": 3}
    with transaction.atomic():
        begin(copy, "register", by=clerk, request_id=builders.request_id(), at=NOON, **first)
        one, two = Certificate.objects.get(pk=old.pk), Certificate.objects.get(pk=new.pk)
        for certificate in (one, two):
            certificate.pk, certificate.holder = None, copy
            certificate.number_index = f"fresh{certificate.replacement}".encode()
        begin(one, "issue", by=clerk, request_id=builders.request_id(), at=NOON, **first)
        perform(copy, "merge", by=clerk, request_id=builders.request_id(), at=NOON, **second)
        perform(one, "replace", by=clerk, request_id=builders.request_id(), at=NOON, **second)
        begin(two, "issue", by=clerk, request_id=builders.request_id(), at=NOON, **second)
    return list(Event.objects.filter(id__gt=last).values())


def test_an_upload_is_kept_sealed_and_one_request_receives_it_once(clerk, tmp_path):
    path, request = file_of(tmp_path, row(1)), builders.request_id()
    area = Area.objects.get(code=430104_000000)
    record = services.receive_import(path.name, path, area, by=clerk, request_id=request, at=NOON)
    kept = files.get(record.upload)
    assert builders.make_id_number(number=1).encode() not in kept
    with pytest.raises(Replayed):
        services.receive_import(path.name, path, area, by=clerk, request_id=request, at=NOON)
    assert Import.objects.count() == 1


def test_an_upload_that_is_refused_or_came_before_is_not_kept_beside_the_first(clerk, tmp_path, settings):
    settings.FILES = tmp_path / "files"
    path, area, key = file_of(tmp_path, row(1)), Area.objects.get(code=430104_000000), builders.request_id()

    def kept() -> list[str]:
        return [file.name for file in settings.FILES.rglob("*") if file.is_file()]

    def receive(request_id) -> Import:
        return services.receive_import(path.name, path, area, by=clerk, request_id=request_id, at=NOON)
    record = receive(key)
    with pytest.raises(Replayed):
        receive(key)
    assert kept() == [record.upload]
    services.take_import(record.pk, at=NOON)
    other = builders.request_id()
    with transaction.atomic():
        perform(builders.make_holder(), "merge", by=clerk, request_id=other)
    with pytest.raises(Refusal, match="request-id-reused"):
        receive(other)
    assert kept() == [], "an upload that was taken is not needed any more"


def test_an_import_taken_twice_is_taken_once(clerk, tmp_path):
    record = received(file_of(tmp_path, row(1)), clerk)
    first = services.take_import(record.pk, at=NOON)
    before = digest_of_tables()
    second = services.take_import(record.pk, at=NOON)
    assert digest_of_tables() == before
    assert (first.version, first.created) == (second.version, second.created) == (2, 1)


@pytest.mark.parametrize(("header", "code"), [
    ("姓名,身份证号,性别", "columns-missing"), ("甲,乙,丙", "header-missing")])
def test_a_file_without_the_columns_is_refused_whole_and_changes_nothing(clerk, tmp_path, header, code):
    before = digest_of_tables()
    record = imported(file_of(tmp_path, "张三,43,男", header=header), clerk)
    assert (record.state, record.problem, record.upload) == ("refused", code, "")
    assert digest_of_tables() == before
    assert services.take_import(record.pk, at=NOON).version == record.version


def test_a_file_without_columns_is_told_which_are_missing_and_which_were_found(clerk, tmp_path):
    record = imported(file_of(tmp_path, "张三,43,男", header="姓名（必填）,身份证号,性别,张三"), clerk)
    assert record.problem_facts == {"missing": "残疾人证号 / 残疾类别, 残疾人证号 / 残疾等级, 发证日期 / 有效期至",
                                    "found": "姓名（必填）, 身份证号, 性别"}, "what is no heading is nobody's business"
    page = Visitor(builders.make_officer(area=record.area)).get(
        reverse("staff:import", args=[record.pk])).content.decode()
    assert "Missing: 残疾人证号 / 残疾类别" in page and "Found: 姓名（必填）, 身份证号, 性别" in page


def test_the_command_too_says_which_columns_are_missing(clerk, tmp_path):
    path, officer = file_of(tmp_path, "张三,43", header="姓名,身份证号"), builders.make_officer()
    done = CliRunner().invoke(app, ["import", str(path), "--unit", "430104", "--as", officer.username])
    assert "missing=残疾人证号 / 残疾类别" in str(done.exception) and "found=姓名, 身份证号" in str(done.exception)


@pytest.mark.parametrize(("name", "code"), [
    ("记事.xlsx", "file-not-a-spreadsheet"), ("记事.XLS", "file-not-a-spreadsheet"), ("记事.csv", "header-missing")])
def test_a_text_under_the_name_of_a_workbook_is_told_that_it_is_no_spreadsheet(clerk, tmp_path, name, code):
    record = imported(file_of(tmp_path, "请各单位按时报送", name=name, header="关于报送数据的通知"), clerk)
    assert (record.state, record.problem) == ("refused", code)


def test_rows_in_a_text_under_the_name_of_a_workbook_are_taken(clerk, tmp_path):
    assert counts(imported(file_of(tmp_path, row(1), name="名册.xls"), clerk)) == (1, 0, 0, 0)


def test_only_who_may_import_and_only_into_their_area(clerk, tmp_path):
    path = file_of(tmp_path, row(1))
    with pytest.raises(Refusal, match="not-permitted"):
        received(path, builders.make_actor("reviewer", area=Area.objects.get(code=430104_000000)))
    with pytest.raises(Refusal, match="not-found"):
        received(path, builders.make_actor(area=Area.objects.get(code=430102_000000)))


def test_the_file_of_refused_rows_is_given_out_with_an_event(clerk, tmp_path):
    record = imported(file_of(tmp_path, row(1).replace("肢体,2", "肢体,3")), clerk)
    name, _ = services.fetch_refused(record, by=clerk, request_id=builders.request_id(), at=NOON)
    assert name == "file-拒收.csv"
    assert Event.objects.filter(subject="import", action="fetch", person=clerk.person).count() == 1
    with pytest.raises(Refusal, match="not-found"):
        services.fetch_refused(imported(file_of(tmp_path, row(2)), clerk), by=clerk,
                               request_id=builders.request_id(), at=NOON)


@pytest.mark.parametrize("change", [
    "UPDATE registry_holder SET area = 1", "UPDATE registry_certificate SET area = 1", "DELETE FROM areas_area",
    "DELETE FROM registry_import", "DELETE FROM registry_holder", "UPDATE registry_certificate SET holder_id = 1",
    "INSERT area", "INSERT holder_id"])
def test_the_database_itself_refuses_a_reference_to_nothing(clerk, tmp_path, change):
    imported(file_of(tmp_path, row(1)), clerk)
    change = _insert(change.split()[1]) if change.startswith("INSERT") else change
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_among_neighbours_too_a_certificate_of_nobody_is_refused(clerk, tmp_path, missing):
    """Certificates whose holders' numbers follow one another are counted, not looked up."""
    imported(file_of(tmp_path, *map(row, range(1, 5))), clerk)
    columns = [field.column for field in Certificate._meta.concrete_fields]
    lowest = Holder.objects.earliest("id").pk
    values = {"id": "id + 1000", "state": "'replaced'",
              "holder_id": f"CASE holder_id WHEN {lowest + missing} THEN {lowest + 4} ELSE holder_id END",
              "number_index": "number_index || 'x'::bytea"}
    change = (f"INSERT INTO registry_certificate ({', '.join(columns)}) "
              f"SELECT {', '.join(values.get(name, name) for name in columns)} FROM registry_certificate")
    with transaction.atomic(), connection.cursor() as cursor:
        if missing == 4:  # nobody is missing
            cursor.execute(change)
        else:
            with pytest.raises(IntegrityError, match=f"holder {lowest + 4} does not exist"):
                cursor.execute(change)


def _insert(wrong: str) -> str:
    """A second certificate whose reference of this name leads nowhere."""
    names = [field.column for field in Certificate._meta.concrete_fields]
    values = {"id": "7", wrong: "1", "number_index": "'elsewhere'::bytea", "state": "'replaced'"}
    return (f"INSERT INTO registry_certificate ({', '.join(names)}) "
            f"SELECT {', '.join(values.get(name, name) for name in names)} FROM registry_certificate")
