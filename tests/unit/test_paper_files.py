"""A paper is what it is, whatever it is called: made anew, or refused by a name."""

import base64
import io
import subprocess
import zipfile
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream, String
from PIL import Image

import papers_brought as brought
from zhengka.core.errors import PROBLEMS
from zhengka.formats.picture import bare
from zhengka.papers import pdfs
from zhengka.papers.bounds import Bad
from zhengka.papers.cleaning import LARGEST, cleaned
from zhengka.papers.reading import JPEG, PDF
from zhengka.papers.services.handling import clean_name


def refused(data: bytes) -> str:
    with pytest.raises(Bad) as bad:
        cleaned(data)
    assert bad.value.code in PROBLEMS
    return bad.value.code


def text_of(data: bytes) -> str:
    return subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True).stdout.decode()


# -- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_a_jpeg_with_nothing_of_the_camera_in_it(kind):
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x010E] = "GPS 28.2N 112.9E"
    Image.new("RGB", (600, 800), "beige").save(out, kind, exif=exif)
    assert b"GPS" in out.getvalue()
    paper = cleaned(out.getvalue() + b"PK\x03\x04<script>alert(1)</script>")
    assert (paper.media, paper.pages) == (JPEG, 1) and paper.data.startswith(b"\xff\xd8\xff")
    assert not any(mark in paper.data for mark in (b"GPS", b"Exif", b"PK\x03\x04", b"script"))


def test_a_scan_is_brought_down_to_a4_at_300_dpi_and_a_clear_ground_becomes_white():
    out = io.BytesIO()
    Image.new("RGBA", (6000, 2000), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(cleaned(out.getvalue()).data)) as kept:
        assert kept.size == (3600, 1200) and max(kept.size) <= max(LARGEST)
        assert min(kept.convert("L").getextrema()) > 250


def test_a_picture_of_900_million_pixels_is_refused_by_its_head():
    data = brought.png_of(30_000, 30_000)
    assert len(data) < 200_000 and refused(data) == "paper-too-many-pixels"


@pytest.mark.parametrize("cut", [3, 20, 200, 5_000])
def test_a_picture_that_ends_too_early_is_damaged(cut):
    data = brought.jpeg(brought.photograph())[:cut]
    assert refused(data) == "paper-damaged"


# -- everything else -------------------------------------------------------------------------------------------------


def office_file() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return out.getvalue()


@pytest.mark.parametrize("data", [
    b"", b"#!/bin/sh\nrm -rf /\n", b"<!doctype html><script>alert(1)</script>", b"<?xml version='1.0'?><svg/>",
    b"MZ\x90\x00", b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)", office_file(), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"BM" + b"\0" * 60, b"II*\x00" + b"\0" * 60, b"%!PS-Adobe-3.0\n", b"\x00\x00\x00\x18ftypheic" + b"\0" * 40,
    b"<html>%PDF-1.7", b" %PDF-1.7", b"\x1f\x8b\x08" + b"\0" * 30, b"RIFF\x00\x00\x00\x00AVI LIST"])
def test_what_is_neither_picture_nor_pdf_is_refused_whatever_it_is_called(data):
    assert refused(data) == "paper-kind-refused"


# -- PDF -------------------------------------------------------------------------------------------------------------


def test_what_acts_in_a_pdf_is_taken_out_and_what_was_written_stays():
    paper = cleaned(brought.acting_pdf())
    assert (paper.media, paper.pages) == (PDF, 1)
    assert {"script", "launch", "action"} <= set(paper.removed)
    said = text_of(paper.data)
    assert "PAGE" in said and "FILLED" in said
    with pikepdf.open(io.BytesIO(paper.data)) as kept:
        assert set(kept.Root.keys()) <= {"/Type", "/Pages"} and set(kept.pages[0].obj.keys()) <= pdfs._KEPT
        everything = b"".join(thing.unparse(resolved=True) for thing in kept.objects)
    for mark in (b"/JS", b"/JavaScript", b"/Launch", b"/AA", b"/OpenAction", b"/Annots"):
        assert mark not in everything


def test_behind_the_end_of_a_pdf_nothing_is_kept():
    assert b"alert" not in cleaned(brought.saved(brought.pdf()) + b"\n").data
    assert refused(brought.saved(brought.pdf()) + b"<script>alert(1)</script>" * 99) == "paper-damaged"


def test_a_picture_within_a_pdf_loses_what_the_camera_said_and_nothing_else():
    exif = Image.Exif()
    exif[0x010E] = "GPS 28.2N 112.9E"
    picture = brought.jpeg(brought.photograph(), exif=exif, comment=b"secret")
    paper = cleaned(brought.pdf_with_picture(picture, 358, 441))
    assert b"GPS" not in paper.data and b"secret" not in paper.data
    with pikepdf.open(io.BytesIO(paper.data)) as kept:
        image = kept.pages[0].obj.Resources.XObject.A
        assert image.read_raw_bytes() == bare(picture)
    assert Image.open(io.BytesIO(bare(picture))).tobytes() == Image.open(io.BytesIO(picture)).tobytes()


@pytest.mark.parametrize("around", ["/FlateDecode", "/ASCII85Decode", "one in a list"])
def test_a_picture_that_is_packed_once_more_loses_what_the_camera_said_as_well(around):
    exif = Image.Exif()
    exif[0x010E] = "GPS 28.2N 112.9E"
    picture = brought.jpeg(brought.photograph(), exif=exif)
    packed = {"/FlateDecode": zlib.compress, "/ASCII85Decode": lambda data: base64.a85encode(data) + b"~>",
              "one in a list": bytes}[around](picture)
    with pikepdf.open(io.BytesIO(brought.pdf_with_picture(packed, 358, 441))) as made:
        filters = [Name(around)] if around.startswith("/") else []
        made.pages[0].obj.Resources.XObject.A.Filter = Array([*filters, Name.DCTDecode])
        data = brought.saved(made, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)
    with pikepdf.open(io.BytesIO(cleaned(data).data)) as kept:
        assert kept.pages[0].obj.Resources.XObject.A.read_raw_bytes() == bare(picture)


@pytest.mark.parametrize("filters", [[Name("/NoSuchDecode")], [Name.LZWDecode, Name.DCTDecode]])
def test_a_stream_in_a_packing_that_is_not_known_is_damaged(filters):
    made = brought.pdf()
    stream = Stream(made, b"x")
    stream.Filter = Array(filters)
    made.pages[0].obj.Contents = made.make_indirect(stream)
    assert refused(brought.saved(made, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                                 compress_streams=False)) == "paper-damaged"


def encrypted(**passwords: str) -> bytes:
    return brought.saved(brought.pdf(), encryption=pikepdf.Encryption(**passwords))


@pytest.mark.parametrize("passwords", [{"owner": "a", "user": "b"}, {"owner": "a", "user": ""}])
def test_a_protected_pdf_is_refused(passwords):
    assert refused(encrypted(**passwords)) == "paper-encrypted"


def carrying() -> dict[str, bytes]:
    attached, portfolio, xfa, by_annotation, elsewhere = (brought.pdf() for _ in range(5))
    attached.attachments["a.exe"] = b"MZ"
    portfolio.Root.Collection = Dictionary(Type=Name.Collection)
    xfa.Root.AcroForm = Dictionary(Fields=Array([]), XFA=xfa.make_stream(b"<xdp/>"))
    spec = by_annotation.make_indirect(Dictionary(Type=Name.Filespec, EF=Dictionary(F=by_annotation.make_stream(b"x"))))
    by_annotation.pages[0].obj.Annots = Array([by_annotation.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=spec))])
    stream = Stream(elsewhere, b"")
    stream.F = String("/etc/passwd")
    elsewhere.pages[0].obj.Contents = elsewhere.make_indirect(stream)
    return {"attached": brought.saved(attached), "portfolio": brought.saved(portfolio), "xfa": brought.saved(xfa),
            "annotation": brought.saved(by_annotation), "elsewhere": brought.saved(elsewhere)}


@pytest.mark.parametrize("name", carrying())
def test_a_pdf_that_carries_files_or_a_live_form_is_refused_for_they_would_be_lost(name):
    assert refused(carrying()[name]) == "paper-carries-files"


def test_a_pdf_of_too_many_pages_or_none_is_refused():
    assert refused(brought.saved(brought.pdf(pages=pdfs.MOST_PAGES + 1))) == "paper-too-long"
    assert refused(brought.saved(pikepdf.Pdf.new())) == "paper-too-long"
    assert cleaned(brought.saved(brought.pdf(pages=pdfs.MOST_PAGES))).pages == pdfs.MOST_PAGES


def test_a_small_pdf_that_unpacks_to_hundreds_of_megabytes_is_refused():
    data = brought.pdf_bomb()
    assert len(data) < 400_000 and refused(data) == "paper-too-heavy"


def test_a_stream_that_is_packed_twice_is_refused():
    made = brought.pdf()
    stream = Stream(made, b"x")
    stream.Filter = Array([Name.FlateDecode, Name.FlateDecode])
    made.pages[0].obj.Contents = made.make_indirect(stream)
    assert refused(brought.saved(made, stream_decode_level=pikepdf.StreamDecodeLevel.none,
                                 compress_streams=False)) == "paper-too-heavy"


def test_a_picture_of_too_many_pixels_within_a_pdf_is_refused():
    assert refused(brought.pdf_with_picture(brought.jpeg(brought.photograph()), 30_000, 30_000)) \
        == "paper-too-many-pixels"


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [0, 0, 99_999, 800], [0, 0, 0, 0]])
def test_a_page_that_no_paper_has_is_refused(box):
    made = brought.pdf()
    made.pages[0].obj.MediaBox = Array(box)
    assert refused(brought.saved(made)) == "paper-damaged"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_pdf_that_ends_too_early_is_damaged(share):
    data = brought.acting_pdf()
    assert refused(data[:int(len(data) * share)]) == "paper-damaged"


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "kept"), [
    ("身份证 正面.JPG", "身份证 正面.pdf"), ("../../etc/passwd", "passwd.pdf"), ("C:\\tmp\\a.exe", "a.pdf"),
    ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie x.pdf"), ("\u202egpj.exe", "gpj.pdf"), ("", "paper.pdf"),
    ("...", "paper.pdf"), ("x" * 300 + ".pdf", "x" * 80 + ".pdf"), ("<script>.html", "script.pdf"),
    ("户口簿（1）.pdf", "户口簿（1）.pdf")])
def test_a_name_is_cut_down_to_what_steers_nothing(name, kept):
    assert clean_name(name, PDF) == kept
