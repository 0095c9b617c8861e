"""Holders are found, read in full with a purpose, photographed; certificates are opened and returned."""

import datetime as dt
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import builders
from builders import NOON
from zhengka.areas.models import Area
from zhengka.core import fields, files
from zhengka.core.errors import Refusal
from zhengka.core.models import Event
from zhengka.formats import names
from zhengka.formats.seal import SealBroken
from zhengka.registry import photos, queries, services
from zhengka.registry.models import Certificate, Holder

pytestmark = pytest.mark.django_db
TERM = {"issued_on": dt.date(2026, 11, 20), "valid_until": dt.date(2036, 11, 20)}


def named(name: str, *, area: Area | None = None) -> Holder:
    holder = builders.make_holder(name=name, area=area)
    holder.pinyin, holder.initials = names.pinyin(name)
    holder.save(update_fields=["pinyin", "initials"])
    return holder


def jpeg(width: int = 358, height: int = 441, *, colour: str = "white", **more) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG", **more)
    return out.getvalue()


# ---- finding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "found"), [
    ("张", ["张三", "张三丰"]), ("张三丰", ["张三丰"]), ("李", ["李白"]), ("zs", ["张三", "张三丰"]),
    ("zsf", ["张三丰"]),
    ("zhangs", ["张三", "张三丰"]), ("ZhangSanFeng", ["张三丰"]), ("z", ["张三", "张三丰"]), ("libai", ["李白"]),
    ("赵", []), ("", []), ("%", []), ("zhangs%", [])])
def test_a_holder_is_found_by_name_pinyin_and_initials(text, found):
    for name in ("张三", "张三丰", "李白"):
        named(name)
    clerk = builders.make_actor()
    assert [holder.name for holder in queries.find(text, actor=clerk)] == found


def test_a_holder_is_found_by_identity_and_certificate_number_however_written():
    holder = builders.make_holder(id_number=builders.make_id_number(number=5))
    certificate = builders.make_certificate(holder)
    clerk = builders.make_actor()
    number = fields.open_(bytes(certificate.number), "certificate.number")
    for text in (number, number[:18], f" {number[:6]} {number[6:]}", number[:6] + number[8:17], number.lower()):
        assert queries.find(text, actor=clerk) == [holder], text
    assert queries.find(number[:17] + "0" + number[18:], actor=clerk) in ([], [holder])


def test_pages_of_a_search_follow_one_another_without_gap_or_repeat():
    offices = [builders.make_area(430104), builders.make_area(430102)]
    for number in range(25):
        named("王小明" if number % 3 else "王安", area=offices[number % 2])
    clerk = builders.make_actor(area=Area.objects.get(code=430000_000000))
    for text in ("王", "wx", "wang", "w"):
        seen: list[int] = []
        while page := queries.find(text, actor=clerk, after=seen[-1] if seen else None, limit=4):
            seen += [holder.pk for holder in page]
        assert len(seen) == len(set(seen)) == (16 if text == "wx" else 25), text


def test_initials_come_before_pinyin_and_nobody_comes_twice():
    for name in ("王安娜高", "王五", "魏安宁"):
        named(name)
    clerk = builders.make_actor()
    seen: list[int] = []
    while page := queries.find("wa", actor=clerk, after=seen[-1] if seen else None, limit=1):
        seen += [holder.pk for holder in page]
    assert [Holder.objects.get(pk=pk).name for pk in seen] == ["魏安宁", "王安娜高", "王五"]


def test_an_officer_of_another_unit_neither_finds_nor_opens_a_holder():
    holder = named("张三")
    stranger = builders.make_actor(area=builders.make_area(430102))
    number = fields.open_(bytes(holder.id_number), "holder.id_number")
    for text in ("张", "zs", "zhang", number):
        assert queries.find(text, actor=stranger) == []
    with pytest.raises(Refusal, match="not-found"):
        queries.holder(holder.pk, actor=stranger)
    with pytest.raises(Refusal, match="not-found"):
        services.read_in_full(holder, by=stranger, request_id=builders.request_id(), purpose="好奇")


def test_a_full_reading_needs_a_purpose_and_is_told():
    holder, clerk = builders.make_holder(id_number=builders.make_id_number(number=9)), builders.make_actor()
    with pytest.raises(Refusal, match="purpose-missing"):
        services.read_in_full(holder, by=clerk, request_id=builders.request_id(), purpose=" ")
    full = services.read_in_full(holder, by=clerk, request_id=builders.request_id(), purpose="核对身份", at=NOON)
    assert full.id_number == builders.make_id_number(number=9)
    assert full.id_number not in repr(full)
    event = Event.objects.get(action="read_in_full")
    assert (event.facts, event.person, event.at) == ({"purpose": "核对身份"}, clerk.person, NOON)


@pytest.mark.parametrize(("number", "shown"), [
    ("43990119600101001X42B1", "439901********001X42B1"), ("439901196001010012", "439901********0012"),
    ("15412345678", "154****5678"), ("1234", "****")])
def test_a_number_is_shown_with_its_middle_hidden(number, shown):
    assert queries.masked(number) == shown


def test_the_history_holds_what_happened_to_the_holder_and_their_certificates():
    clerk, holder = builders.make_actor(), builders.make_holder()
    old = builders.make_certificate(holder)
    services.open_certificate(old, **TERM, by=clerk, request_id=builders.request_id(), at=NOON)
    services.read_in_full(holder, by=clerk, request_id=builders.request_id(), purpose="核对")
    assert [event.action for event in queries.history(holder)] == ["issue", "read_in_full"]


# ---- certificates --------------------------------------------------------------------------------------------------


def plain(events) -> list[dict]:
    told = []
    for event in events.order_by("subject", "action", "version").values():
        for own in ("id", "subject_id", "request_id"):
            event.pop(own)
        told.append(event)
    return told


def test_certificates_opened_and_returned_in_bulk_are_as_those_one_by_one():
    clerk = builders.make_actor()
    one, other = builders.make_holder(), builders.make_holder()
    first, second = builders.make_certificate(one), builders.make_certificate(other)
    services.open_certificate(first, **TERM, by=clerk, request_id=builders.request_id(), at=NOON)
    services.return_certificate(first, by=clerk, request_id=builders.request_id(), at=NOON)
    single, last = plain(Event.objects.all()), Event.objects.latest("id").pk
    request = builders.request_id()
    opened = services.open_certificates_many([second.pk], **TERM, by=clerk, request_id=request, at=NOON)
    returned = services.return_certificates_many([other.pk], by=clerk, request_id=request, at=NOON)
    assert (len(opened), returned) == (1, [second.pk])
    assert plain(Event.objects.filter(id__gt=last)) == single
    values = [field.name for field in Certificate._meta.fields
              if field.name not in ("id", "holder", "number", "number_index")]
    assert [*one.certificates.order_by("id").values(*values)] == [*other.certificates.order_by("id").values(*values)]
    new = Certificate.objects.get(pk=opened[0])
    assert fields.open_(bytes(new.number), "certificate.number") == fields.open_(
        bytes(second.number), "certificate.number")


def test_a_certificate_is_opened_once_and_only_against_a_valid_one():
    clerk, holder = builders.make_actor(), builders.make_holder()
    old = builders.make_certificate(holder)
    ask = {"by": clerk, "at": NOON}
    assert services.open_certificates_many([old.pk], **TERM, request_id=builders.request_id(), **ask)
    assert not services.open_certificates_many([old.pk], **TERM, request_id=builders.request_id(), **ask)
    services.return_certificate(old, request_id=builders.request_id(), **ask)
    with pytest.raises(Refusal, match="certificate-missing"):
        services.open_certificate(old, **TERM, request_id=builders.request_id(), **ask)


# ---- photos --------------------------------------------------------------------------------------------------------


def pack(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def number(count: int) -> str:
    return builders.make_id_number(number=count)


def given(path: Path, clerk, area: Area) -> services.Photos:
    return services.set_photos(path, area, by=clerk, request_id=builders.request_id(), at=NOON)


def test_a_pack_of_photos_gives_each_holder_theirs_and_again_changes_nothing(tmp_path):
    area, clerk = builders.make_area(), builders.make_actor()
    for count in range(1, 5):
        builders.make_holder(id_number=number(count))
    path = pack(tmp_path / "pack.zip", {
        f"{number(1)}.jpg": jpeg(), f"{number(2).lower()}.JPG": jpeg(colour="grey"), f"{number(3)}.jpg": jpeg()[:400],
        f"{number(4)}.jpg": jpeg(20, 30), f"{number(9)}.jpg": jpeg(), "readme.txt": b"x", "x.jpg": jpeg(), "a/": b""})
    result = given(path, clerk, area)
    assert (result.kept, result.unchanged, result.unknown, result.unnamed) == (2, 0, 1, 2)
    assert result.faults == {"photo-unreadable": 1, "photo-small": 1}
    faults = {holder.photo_fault for holder in Holder.objects.filter(photo=None)}
    assert faults == {"photo-unreadable", "photo-small"}
    events = Event.objects.filter(action="photograph").count()
    again = given(path, clerk, area)
    assert (again.kept, again.unchanged, Event.objects.filter(action="photograph").count()) == (0, 2, events)


def test_a_photo_one_by_one_is_as_in_a_pack(tmp_path):
    area, clerk = builders.make_area(), builders.make_actor()
    one, other = builders.make_holder(id_number=number(1)), builders.make_holder(id_number=number(2))
    services.set_photo(one, jpeg(), by=clerk, request_id=builders.request_id(), at=NOON)
    given(pack(tmp_path / "pack.zip", {f"{number(2)}.jpg": jpeg()}), clerk, area)
    first, second = plain(Event.objects.filter(subject="holder"))
    assert first == second
    one.refresh_from_db(), other.refresh_from_db()
    assert (one.photo, one.photo_fault, one.version) == (other.photo, other.photo_fault, other.version)


def test_a_photo_that_cannot_be_used_leaves_the_one_there_is():
    clerk, holder = builders.make_actor(), builders.make_holder()
    services.set_photo(holder, jpeg(), by=clerk, request_id=builders.request_id(), at=NOON)
    holder = services.set_photo(holder, b"no picture", by=clerk, request_id=builders.request_id(), at=NOON)
    assert holder.photo and holder.photo_fault == "photo-unreadable"


def test_a_kept_photo_is_the_picture_and_nothing_else(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "GPS 28.2N 112.9E"
    odd = {"exif": jpeg(exif=exif), "comment": jpeg(comment=b"secret"), "tail": jpeg() + b"PK\x03\x04 hidden",
           "large": jpeg(2400, 3000)}
    png = io.BytesIO()
    Image.new("RGBA", (300, 400)).save(png, "PNG")
    odd["png"] = png.getvalue()
    clerk = builders.make_actor()
    for name, data in odd.items():
        holder = services.set_photo(builders.make_holder(), data, by=clerk, request_id=builders.request_id(), at=NOON)
        kept = photos.read(holder.photo)
        assert kept != data and kept.startswith(b"\xff\xd8\xff"), name
        assert not any(mark in kept for mark in (b"GPS", b"secret", b"PK\x03\x04", b"Exif")), name
        assert max(Image.open(io.BytesIO(kept)).size) <= 1400
    plain_one = services.set_photo(builders.make_holder(), jpeg(), by=clerk, request_id=builders.request_id(), at=NOON)
    assert photos.read(plain_one.photo) == jpeg(), "a plain picture is passed through"


def test_a_portrait_lies_sealed_in_the_file_store_under_a_name_that_tells_nothing():
    name = photos.keep(jpeg())
    assert photos.keep(jpeg()) == name and hashlib.sha256(jpeg()).hexdigest() != name
    sealed = files.get(name)
    assert jpeg()[:64] not in sealed and jpeg()[-64:] not in sealed
    files.place(name).write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(SealBroken):
        photos.read(name)
    files.remove(name)


def test_a_picture_of_too_many_pixels_is_never_decoded():
    out = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    holder = services.set_photo(builders.make_holder(), out.getvalue(), by=builders.make_actor(),
                                request_id=builders.request_id(), at=NOON)
    assert holder.photo_fault == "photo-pixels"


@pytest.mark.parametrize("name", ["../{}.jpg", "/{}.jpg", "a/../{}.jpg", "..\\{}.jpg"])
def test_a_pack_whose_names_lead_elsewhere_is_refused(tmp_path, name):
    area, clerk = builders.make_area(), builders.make_actor()
    path = pack(tmp_path / "pack.zip", {name.format(number(1)): jpeg()})
    with pytest.raises(Refusal, match="archive-unsafe"):
        given(path, clerk, area)


def test_a_pack_that_is_cut_or_no_archive_is_refused(tmp_path):
    area, clerk = builders.make_area(), builders.make_actor()
    path = pack(tmp_path / "pack.zip", {f"{number(1)}.jpg": jpeg()})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(Refusal, match="file-damaged"):
        given(path, clerk, area)


def test_photos_of_people_of_another_unit_are_left_alone(tmp_path):
    builders.make_holder(id_number=number(1), area=builders.make_area(430102))
    area, clerk = builders.make_area(), builders.make_actor()
    result = given(pack(tmp_path / "pack.zip", {f"{number(1)}.jpg": jpeg()}), clerk, area)
    assert (result.unknown, Holder.objects.get().photo) == (1, None)
