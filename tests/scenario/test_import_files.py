"""Files that are not what they seem: refused by name at the door or whole, nothing changed, memory bounded."""

import io
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from django.conf import settings

import builders
from importing import HEADER, counts, digest_of_tables, file_of, imported, received, row
from zhengka.areas.models import Area
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.registry.imports import reading, shape
from zhengka.registry.imports.envelope import Envelope
from zhengka.registry.models import Import

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> Actor:
    builders.make_area()
    return builders.make_actor(area=Area.objects.get(code=430000_000000))


def workbook(path: Path, *rows: str, titles: int = 0, header: str = HEADER) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at in range(titles):
            sheet.merge_range(at, 0, at, 9, f"标题{at}")
        for at, line in enumerate([header, *rows], titles):
            for place, cell in enumerate(line.split(",")):
                sheet.write(at, place, cell)
    return path


def rezipped(source: Path, target: Path, change) -> Path:
    """The workbook with each member's bytes changed by `change(name, bytes)`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
    return target


def refused_at_the_door(path: Path, clerk: Actor, code: str) -> None:
    with pytest.raises(Refusal, match=rf"\[{code}\]"):
        received(path, clerk)
    assert not Import.objects.exists()


@pytest.mark.parametrize(("content", "code"), [
    (b"", "file-empty"), (b" \r\n ", "file-empty"),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), "file-not-a-spreadsheet"), (b"%PDF-1.4\n1 0 obj", "file-not-a-spreadsheet"),
    (b"<html><table><tr><td>1</td></tr></table>", "file-not-a-spreadsheet"),
    ("\ufeff<?xml version='1.0'?><Workbook/>".encode(), "file-not-a-spreadsheet"),
    ("姓名,身份证号\r\n".encode() + b"\x00\x01", "file-not-a-spreadsheet"),
    (b"\xff\xfe\x00a", "file-not-a-spreadsheet"),
    (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512), "file-old-excel"),
    (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "file-encrypted"),
    (b"PK\x03\x04" + bytes(60), "file-truncated"),
    ("姓名,身份证号\r\n张三".encode()[:-1], "file-truncated")])
def test_what_is_no_spreadsheet_is_named_whatever_its_file_name_says(clerk, tmp_path, content, code):
    path = tmp_path / "rows.xlsx"
    path.write_bytes(content)
    refused_at_the_door(path, clerk, code)


def test_a_workbook_is_known_by_its_content_and_not_by_its_name(clerk, tmp_path):
    path = workbook(tmp_path / "rows.xlsx", row(1), titles=3).rename(tmp_path / "rows.csv")
    assert counts(imported(path, clerk)) == (1, 0, 0, 0)


def test_every_cut_of_a_workbook_is_refused(clerk, tmp_path):
    whole = workbook(tmp_path / "rows.xlsx", row(1)).read_bytes()
    for size in range(64, len(whole) - 1, len(whole) // 23):
        path = tmp_path / "cut.xlsx"
        path.write_bytes(whole[:size])
        refused_at_the_door(path, clerk, "file-truncated")


def test_a_changed_byte_in_a_workbook_never_changes_what_is_taken(clerk, tmp_path):
    whole = bytearray(workbook(tmp_path / "rows.xlsx", row(1)).read_bytes())
    before, taken = digest_of_tables(), 0
    for place in range(40, len(whole), len(whole) // 29):
        path = tmp_path / "flipped.xlsx"
        path.write_bytes(bytes(whole[:place]) + bytes([whole[place] ^ 0x10]) + bytes(whole[place + 1:]))
        try:
            record = imported(path, clerk)
        except Refusal as no:
            assert no.code.startswith("file-")
            continue
        taken += record.state == "done"
        assert record.state == "refused" or counts(record) in ((1, 0, 0, 0), (0, 0, 1, 0))
    assert taken or digest_of_tables() == before


def test_a_text_cut_within_its_last_row_is_refused_whole(clerk, tmp_path):
    whole = file_of(tmp_path, row(1), row(2)).read_bytes()
    path = tmp_path / "cut.csv"
    path.write_bytes(whole[: len(whole) - 40])
    before = digest_of_tables()
    record = imported(path, clerk)
    assert (record.state, record.problem) == ("refused", "file-truncated")
    assert digest_of_tables() == before


def test_a_text_cut_within_quotes_is_refused_whole(clerk, tmp_path):
    path = file_of(tmp_path, row(1), row(2, address='"云溪镇,1号'))
    assert imported(path, clerk).problem == "file-truncated"


def test_a_last_row_without_a_line_break_is_a_row(clerk, tmp_path):
    path = file_of(tmp_path, row(1), row(2))
    path.write_bytes(path.read_bytes().rstrip())
    assert counts(imported(path, clerk)) == (2, 0, 0, 0)


def test_quotes_commas_and_line_breaks_within_cells_are_read(clerk, tmp_path):
    path = file_of(tmp_path, row(1, address='"云溪镇,1号\n东"'), row(2, address='5"尺巷'), "", row(3))
    assert counts(imported(path, clerk)) == (3, 0, 0, 0)


def test_a_row_with_more_cells_than_the_header_is_refused(clerk, tmp_path):
    record = imported(file_of(tmp_path, row(1) + ",多", row(2) + ",,,"), clerk)
    assert (counts(record), record.reasons) == ((1, 0, 0, 1), {"row-cells": 1})


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_another_delimiter_is_found_by_the_header(clerk, tmp_path, delimiter):
    path = file_of(tmp_path, row(1).replace(",", delimiter), header=HEADER.replace(",", delimiter))
    assert counts(imported(path, clerk)) == (1, 0, 0, 0)


def test_rows_of_several_sheets_are_read_and_a_sheet_of_remarks_is_not(clerk, tmp_path):
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("说明").write(0, 0, "请按要求填写")
        for number in (1, 2):
            sheet = book.add_worksheet(f"村{number}")
            for at, line in enumerate([HEADER, row(number)], 4 * (number - 1)):
                for place, cell in enumerate(line.split(",")):
                    sheet.write(at, place, cell)
        book.add_worksheet("空")
    assert counts(imported(path, clerk)) == (2, 0, 0, 0)


def test_a_zip_with_a_password_is_named(clerk, tmp_path):
    whole = bytearray(workbook(tmp_path / "rows.xlsx", row(1)).read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := whole.find(mark, place + 1)) >= 0:
            whole[place + flags] |= 1
    path = tmp_path / "locked.xlsx"
    path.write_bytes(whole)
    refused_at_the_door(path, clerk, "file-encrypted")


def test_other_zips_are_no_spreadsheet(clerk, tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"x")
    refused_at_the_door(path, clerk, "file-not-a-spreadsheet")


def _blown_up(name: str, data: bytes) -> bytes:
    return data.replace(b"<sheetData>", b"<sheetData>" + b" " * (40 << 20)) if name.endswith("sheet1.xml") else data


def _entity(name: str, data: bytes) -> bytes:
    head = b"?>\n<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
    return data.replace(b"?>", head, 1) if name.endswith("sheet1.xml") else data


@pytest.mark.parametrize("change", [_blown_up, _entity])
def test_a_bomb_is_refused_before_it_is_unpacked(clerk, tmp_path, change):
    path = rezipped(workbook(tmp_path / "rows.xlsx", row(1)), tmp_path / "bomb.xlsx", change)
    refused_at_the_door(path, clerk, "file-bomb")


def test_a_hundred_thousand_members_are_refused(clerk, tmp_path):
    path = tmp_path / "many.xlsx"
    with zipfile.ZipFile(workbook(path, row(1)), "a") as archive:
        for number in range(1_001):
            archive.writestr(f"xl/x{number}", b"")
    refused_at_the_door(path, clerk, "file-bomb")


def test_a_member_whose_size_is_a_lie_is_refused(clerk, tmp_path):
    whole = bytearray(workbook(tmp_path / "rows.xlsx", row(1)).read_bytes())
    place = whole.find(b"PK\x01\x02")
    whole[place + 24 : place + 28] = (3).to_bytes(4, "little")
    path = tmp_path / "lie.xlsx"
    path.write_bytes(whole)
    refused_at_the_door(path, clerk, "file-damaged")


def test_a_sheet_that_claims_every_cell_there_is_ends_its_own_reader_only(clerk, tmp_path):
    """Two cells, the first and the very last: a reader that lays them out as a table wants 400 GB."""
    path = tmp_path / "sparse.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for place, cell in enumerate(HEADER.split(",")):
            sheet.write(0, place, cell)
        sheet.write(1_048_575, 16_383, "x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = imported(path, clerk)
    assert (record.state, record.problem) == ("refused", "file-bomb")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10, "KiB"


MEASURE = """
import io, resource, sys
sys.path[:0] = {paths!r}
from zhengka.core.errors import Refusal
from zhengka.registry.imports import envelope
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    envelope.inspect(open(sys.argv[1], "rb"))
except Refusal as no:
    print(no.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_the_memory_of_the_server_does_not_grow_with_a_bomb(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(400 << 20))
    script = MEASURE.format(paths=[str(settings.PROJECT_ROOT / "src")])
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True,
                          env={**os.environ, "DJANGO_SETTINGS_MODULE": "zhengka.config.settings"})
    code, grown = done.stdout.split()
    assert code == "file-bomb"
    assert int(grown) < 64, "MiB"


def test_a_stream_is_taken_as_a_path_is(clerk, tmp_path):
    source = io.BytesIO(file_of(tmp_path, row(1)).read_bytes())
    from zhengka.registry import services

    record = services.receive_import("../../etc/rows.csv", source, Area.objects.get(code=430104_000000), by=clerk,
                                     request_id=builders.request_id(), at=builders.NOON)
    assert record.filename == "rows.csv"


def test_a_workbook_of_refused_rows_is_written_in_a_folder_that_goes(clerk, tmp_path, settings, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    path = workbook(tmp_path / "rows.xlsx", row(1).replace("肢体,2", "肢体,9"))
    met: list[str] = []
    close = xlsxwriter.Workbook.close

    def looked_at(book):
        met.extend(path.relative_to(settings.FILE_UPLOAD_TEMP_DIR).parts[0]
                   for path in settings.FILE_UPLOAD_TEMP_DIR.rglob("*") if path.is_file())
        return close(book)

    monkeypatch.setattr(xlsxwriter.Workbook, "close", looked_at)
    assert imported(path, clerk).refused == 1
    assert met and all(name.startswith("scratch-") for name in met)
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


def test_a_text_of_ten_thousand_columns_is_refused_before_its_rows_are_laid_out(clerk, tmp_path):
    path = file_of(tmp_path, *["a"] * 30_000, header=HEADER + "," * 10_000 + "x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = imported(path, clerk)
    assert (record.state, record.problem) == ("refused", "file-too-wide")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10, "KiB"


def test_a_workbook_with_a_stray_cell_at_its_far_edge_is_refused_by_name(clerk, tmp_path):
    path = tmp_path / "wide.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for place, cell in enumerate(HEADER.split(",")):
            sheet.write(0, place, cell)
        sheet.write(0, 16_383, "x")
        sheet.write(60, 0, "a")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    record = imported(path, clerk)
    assert (record.state, record.problem) == ("refused", "file-too-wide")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10, "KiB"


@pytest.mark.parametrize("beside", ["before", "behind"])
def test_a_wide_sheet_that_is_not_the_list_is_no_matter(clerk, tmp_path, beside):
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        if beside == "before":
            book.add_worksheet("汇总").write_row(0, 0, ["x"] * 600)
        sheet = book.add_worksheet("名单")
        for at, line in enumerate((HEADER, row(1))):
            sheet.write_row(at, 0, line.split(","))
        if beside == "behind":
            book.add_worksheet("汇总").write_row(0, 0, ["x"] * 600)
    record = imported(path, clerk)
    assert (record.state, record.problem, record.created) == ("done", "", 1)


def test_a_workbook_of_nothing_but_a_wide_sheet_without_headings_says_that_it_is_wide(clerk, tmp_path):
    path = tmp_path / "wide.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_row(0, 0, ["x"] * 600)
    assert imported(path, clerk).problem == "file-too-wide"


def test_a_text_without_a_line_break_is_read_no_further_than_a_row_can_be(monkeypatch):
    monkeypatch.setattr(reading, "LONGEST", 1 << 20)
    taken = io.BytesIO(HEADER.encode() + b"," * (8 << 20))
    form = shape.load(settings.DATA / "imports" / "second-generation.toml")
    with pytest.raises(Refusal, match="file-damaged"):
        list(reading.blocks(taken, Envelope("csv"), form))
    assert taken.tell() < 2 << 20
