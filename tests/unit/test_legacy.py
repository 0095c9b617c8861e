"""The text form of older programs: as many tasks, rows and photos as it says, and every malformed line is named."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from made_cards import make_orders, make_package, make_profile, make_records
from zhengka.formats import legacy
from zhengka.formats.keyfile import read_public, write_public
from zhengka.formats.legacy import Fault, LegacyBroken, Returned, Row
from zhengka.formats.results import ResultReader
from zhengka.formats.suites import SM
from zhengka_maker import older
from zhengka_maker.__main__ import main

JPEG = b"\xff\xd8\xff\xe0 a photo"
LINE = "b-0001-A|1|x|y|z|4301041234567890||04A1B2C3D4E5F6|3B8001|||"


def row(place: int, *, task: str = "b-0001-A", **change: object) -> tuple[Row, bytes]:
    """A row with its photo."""
    client = f"{43990119600101000 + place:017d}X"
    made = Row(task, place, client, "买买提·艾山", f"{client}42", "肢体残疾", "二级", "岳麓区残疾人联合会",
               date(2026, 11, 20), date(2036, 11, 19), f"{place:016d}")
    return made._replace(**change), JPEG + bytes([place])


ROWS = [row(1), row(2, task="b-0001-B"), row(3), row(4, task="b-0001-B"), row(5)]


def written(rows=ROWS, code="gbk") -> io.BytesIO:
    out = io.BytesIO()
    legacy.write(out, "b", rows, code)
    return out


def text_of(file: io.BytesIO) -> bytes:
    return zipfile.ZipFile(file).read(legacy.TEXT)


def rezipped(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=how)
    return out


def files_of(file: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(file: io.BytesIO) -> str:
    with pytest.raises(LegacyBroken) as broken:
        list(legacy.read(file))
    return broken.value.code


def test_it_is_gbk_with_two_header_lines_and_tasks_apart_by_ten_hyphens():
    lines = text_of(written()).decode("gbk").split("\r\n")
    assert lines[0] == "b|2|5|5|GBK" and lines[1].startswith("task_id|data_seq|client_id|name|cert_no|")
    assert [line.split("|")[1] for line in lines[2:-1] if "|" in line] == ["1", "3", "5", "2", "4"]
    assert lines[5] == "----------" and lines.count("----------") == 1 and lines[-1] == ""
    assert sorted(files_of(written())) == sorted([legacy.TEXT, *(f"{one.client}.jpg" for one, _ in ROWS)])


@pytest.mark.parametrize("code", legacy.CODES)
def test_what_is_read_is_what_was_written(code):
    assert list(legacy.read(written(code=code))) == sorted(ROWS, key=lambda one: (one[0].task, one[0].seq))


def test_a_character_that_gbk_does_not_have_is_named_and_gb18030_has_it():
    rare = [row(1, name="𠮷田")]
    assert legacy.unfit(["𠮷田"], "gbk") == "𠮷" and legacy.unfit(["𠮷田"], "gb18030") == ""
    with pytest.raises(LegacyBroken, match=r"bad-character.*𠮷"):
        written(rare)
    assert [one.name for one, _ in legacy.read(written(rare, "gb18030"))] == ["𠮷田"]
    assert b"\x95\x34\xb8\x30" not in text_of(written()) and "𠮷".encode("gb18030") in text_of(written(rare, "gb18030"))


@pytest.mark.parametrize("name", ["a|b", "a\nb", "a\rb", "a\0b", "a\u2028b", "\ud800"])
def test_a_field_that_would_break_the_line_is_not_written(name):
    for code in legacy.CODES:
        with pytest.raises(LegacyBroken, match="bad-character"):
            written([row(1, name=name)], code)


def test_a_row_without_its_photo_and_two_rows_with_one_are_not_written():
    with pytest.raises(LegacyBroken, match="photo-missing"):
        written([(row(1)[0], b"")])
    with pytest.raises(LegacyBroken, match="photo-twice"):
        written([row(1), row(1)])
    for rows, code in (([], "gbk"), (ROWS, "utf-8"), (ROWS * 201, "gbk")):
        with pytest.raises(ValueError, match="1 to 1000"):
            written(rows, code)


def test_no_key_and_no_script_is_in_it():
    names = set(legacy.COLUMNS)
    assert not names & {"script", "key", "transport_key", "content_key", "credential", "qr"}


# -- a hostile or broken one -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("old", "new", "code"), [
    (b"b|2|5|5|GBK", b"b|3|5|5|GBK", "counts-differ"), (b"b|2|5|5|GBK", b"b|2|4|5|GBK", "counts-differ"),
    (b"b|2|5|5|GBK", b"b|2|5|6|GBK", "counts-differ"), (b"b|2|5|5|GBK", b"b|2|5|5|UTF8", "bad-head"),
    (b"b|2|5|5|GBK", b"b|2|5|x|GBK", "bad-head"), (b"b|2|5|5|GBK", b"b|2|5|" + b"9" * 99 + b"|GBK", "bad-head"),
    (b"task_id", b"task", "bad-head"), (b"----------\r\n", b"", "counts-differ"),
    (b"|20261120|", b"|2026112|", "bad-row"), (b"|5|", b"|", "bad-head"), (b"\r\n", b"\n", "bad-head")])
def test_a_text_with_other_counts_or_lines_is_refused(old, new, code):
    files = files_of(written())
    files[legacy.TEXT] = files[legacy.TEXT].replace(old, new)
    assert refused(rezipped(files)) == code


def test_bytes_that_are_no_gbk_are_refused():
    files = files_of(written())
    files[legacy.TEXT] = files[legacy.TEXT].replace("买".encode("gbk"), b"\x81\xff")
    assert refused(rezipped(files)) == "not-in-its-code"


@pytest.mark.parametrize("name", [
    "../x.jpg", "/etc/passwd", "43990119600101001X.JPG", "..\\x.jpg", "x/cards.txt", "cards.txt/",
    "４3990119600101001X.jpg", "439901196001010010.jpg\n"])
def test_a_name_that_is_no_photos_is_refused(name):
    assert refused(rezipped(files_of(written()) | {name: JPEG})) in ("bad-name", "no-zip-file")


def test_photos_that_are_not_those_of_the_rows_are_refused():
    files = files_of(written())
    photo = next(name for name in files if name.endswith(".jpg"))
    assert refused(rezipped({name: data for name, data in files.items() if name != photo})) == "counts-differ"
    files["439901190001010019.jpg"] = files.pop(photo)
    assert refused(rezipped(files)) == "photos-differ"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_comes_twice_is_refused():
    file = written()
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(legacy.TEXT, b"another")
    assert refused(file) in ("file-twice", "no-zip-file")


def test_bombs_are_refused_before_they_are_opened():
    assert refused(rezipped({legacy.TEXT: bytes(1 << 26)}, zipfile.ZIP_DEFLATED)) == "compressed-or-large"
    assert refused(rezipped({legacy.TEXT: b"x" * (legacy.MOST_TEXT + 1)})) == "compressed-or-large"
    assert refused(rezipped({f"{number:018d}.jpg": b"" for number in range(3000)})) == "too-many-files"
    long = files_of(written())
    long[legacy.TEXT] = b"b|1|1|1|GBK\r\n" + b"|" * 1_000_000
    assert refused(rezipped(long)) == "bad-head"


def test_one_cut_anywhere_is_refused():
    whole = written().getvalue()
    for size in range(0, len(whole), 41):
        assert refused(io.BytesIO(whole[:size])) in ("no-zip-file", "text-missing")


# -- what comes back ---------------------------------------------------------------------------------------------------
def returned(*lines: str | bytes) -> list:
    data = b"".join((line if isinstance(line, bytes) else line.encode("gbk")) + b"\r\n" for line in lines)
    return list(legacy.read_returned(io.BytesIO(data)))


def test_a_line_that_came_back_is_a_card_that_was_printed():
    card = Returned(1, "b-0001-A", 1, "4301041234567890", bytes.fromhex("04A1B2C3D4E5F6"), b"\x3b\x80\x01")
    assert returned(LINE) == [card] == returned(LINE[:-1]), "with and without the last bar"
    assert returned(LINE, "----------", "", LINE.replace("|1|", "|2|"))[1].line == 4


def test_columns_that_the_first_line_names_are_followed():
    [card] = returned("task_id|atr|data_seq|card_id|extra|card_no|", "t|3B00|7|04A1B2C3|自由|9|")
    assert (card.task, card.seq, card.serial, card.uid, card.atr) == ("t", 7, "9", b"\x04\xa1\xb2\xc3", b"\x3b\x00")
    for head in ("task_id|data_seq|card_no|atr|", "task_id|data_seq|card_no|card_id|card_id|atr"):
        with pytest.raises(LegacyBroken, match="column-missing card_id"):
            returned(head)


@pytest.mark.parametrize(("line", "code"), [
    ("a|b", "wrong-number-of-fields"), (LINE + "|", "wrong-number-of-fields"),
    (b"\x81\xff|" + LINE[9:].encode(), "not-in-its-code"),
    (LINE.replace("b-0001-A", "../x"), "bad-task_id"), (LINE.replace("|1|", "|one|"), "bad-data_seq"),
    (LINE.replace("|4301041234567890|", "||"), "bad-card_no"), (LINE.replace("04A1B2C3D4E5F6", "04A1"), "bad-card_id"),
    (LINE.replace("04A1B2C3D4E5F6", "04A1B2C3D4E5F"), "bad-card_id"), (LINE.replace("3B8001", "smart"), "bad-atr"),
    ("x" * 5000, "line-too-long"), (LINE + "0" * 3000, "line-too-long")])
def test_every_malformed_line_is_named_and_the_others_are_read(line, code):
    found = returned(LINE, line, LINE)
    assert found[1] == Fault(2, code) and [type(one) for one in found] == [Returned, Fault, Returned]
    assert found[2].line == 3


def test_a_line_without_an_end_takes_no_memory():
    class Endless(io.RawIOBase):
        """A gigabyte of one line."""

        left = 1 << 26

        def readline(self, size=-1):
            assert 0 < size <= legacy.MOST_LINE + 1
            size = min(size, self.left)
            self.left -= size
            return b"|" * size

    assert list(legacy.read_returned(Endless())) == [Fault(1, "line-too-long")]


# -- the maker's side --------------------------------------------------------------------------------------------------
@pytest.fixture
def home(tmp_path: Path) -> Path:
    issuer, profile = SM.generate(), make_profile()
    write_public(tmp_path / "i.json", issuer.public)
    main(["init", str(tmp_path / "home")])
    main(["trust", str(tmp_path / "home"), str(tmp_path / "i.json")])
    orders, _ = make_orders(profile, make_records(4))
    maker = read_public(tmp_path / "home" / "maker-public.json")
    make_package(tmp_path / "b.zip", orders, signer=issuer, maker=maker, profile=profile)
    assert main(["run", str(tmp_path / "b.zip"), "--home", str(tmp_path / "home"), "--out", str(tmp_path / "r"),
                 "--spoil", "0"]) == 0
    return tmp_path / "home"


def back(home: Path, *lines: str) -> list[tuple[str, str]]:
    """Outcome and reason of each card once this return file was held against the results."""
    (home.parent / "back").write_bytes("".join(f"{line}\r\n" for line in lines).encode("gbk"))
    assert main(["printed", str(home.parent / "r"), str(home.parent / "back"), "--home", str(home), "--out",
                 str(home.parent / "r2")]) == 0
    cards = ResultReader(home.parent / "r2", read_public(home / "maker-public.json")).cards()
    return [(card.outcome, card.reason) for card in cards]


def test_a_card_is_good_where_chip_and_print_say_the_same_and_suspect_where_not(home, capsys):
    cards = list(ResultReader(home.parent / "r", read_public(home / "maker-public.json")).cards())
    lines = [f"t|{place}|x|y|z|{card.serial}||{card.uid.hex()}|{card.atr.hex()}|||"
             for place, card in enumerate(cards, 1)]
    assert back(home, *lines) == [("good", "")] * 4
    other = lines[1].replace(cards[1].uid.hex(), cards[0].uid.hex())
    assert back(home, lines[0], other, lines[3], lines[3]) == [
        ("good", ""), ("suspect", older.ANOTHER_CHIP), ("suspect", older.NOT_PRINTED), ("suspect", older.TWICE)]
    capsys.readouterr()


def test_a_return_file_with_malformed_lines_is_not_taken_and_all_of_them_are_named(home, capsys):
    (home.parent / "back").write_bytes(b"a|b\r\n" + LINE.encode() + b"\r\n\xff\xff\r\n")
    capsys.readouterr()
    assert main(["printed", str(home.parent / "r"), str(home.parent / "back"), "--home", str(home), "--out",
                 str(home.parent / "r2")]) == 1
    said = capsys.readouterr().err
    assert "line 1: wrong-number-of-fields" in said and "line 3: not-in-its-code" in said
    assert not (home.parent / "r2").exists()


def test_a_package_without_a_text_form_says_so(home, capsys):
    capsys.readouterr()
    assert main(["text", str(home.parent / "b.zip"), "--home", str(home), "--out", str(home.parent / "t")]) == 1
    assert "no-text-form" in capsys.readouterr().err
