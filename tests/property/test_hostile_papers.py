"""Whatever bytes come, a paper is refused by a name or becomes a clean one; nothing else ever happens."""

import io
from functools import cache
from pathlib import Path

import pikepdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import papers_brought as brought
from zhengka.core.errors import PROBLEMS
from zhengka.formats.picture import BadPicture, bare
from zhengka.papers.bounds import Bad
from zhengka.papers.cleaning import LARGEST, cleaned
from zhengka.papers.reading import JPEG, PDF
from zhengka.papers.rules import CATEGORIES, PAPERS, CaseOf, load, required
from zhengka.papers.services.handling import clean_name

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MARKS = (b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"<html>", b"PK\x03\x04",
         b"RIFF\x20\x00\x00\x00WEBPVP8 ")


@cache
def samples() -> tuple[bytes, ...]:
    """Small papers of every kind that is taken."""
    exif, pictures = Image.Exif(), []
    exif[0x010E] = "GPS 28.2N 112.9E"
    for kind in ("JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        brought.photograph().resize((36, 44)).save(out, kind, exif=exif)
        pictures.append(out.getvalue())
    return (*pictures, brought.acting_pdf(), brought.pdf_with_picture(pictures[0], 36, 44))


def holds(data: bytes) -> None:
    """The promise of `cleaned`, whatever came."""
    try:
        paper = cleaned(data)
    except Bad as bad:
        assert bad.code in PROBLEMS
        return
    assert b"GPS" not in paper.data
    if paper.media == JPEG:
        with Image.open(io.BytesIO(paper.data), formats=["JPEG"]) as picture:
            picture.load()
            assert max(picture.size) <= max(LARGEST) and not picture.getexif()
    else:
        assert paper.media == PDF
        with pikepdf.open(io.BytesIO(paper.data)) as pdf:
            assert len(pdf.pages) == paper.pages
            assert not {"/OpenAction", "/AA", "/Names", "/AcroForm", "/Metadata"} & set(pdf.Root.keys())
            assert not any("/Annots" in page.obj or "/AA" in page.obj for page in pdf.pages)


@SLOW
@given(st.sampled_from(MARKS), st.binary(max_size=400))
def test_any_bytes_behind_any_mark(mark, rest):
    holds(mark + rest)


@SLOW
@given(st.data())
def test_any_paper_with_bytes_changed_cut_or_put_in(data):
    paper = bytearray(data.draw(st.sampled_from(samples())))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(paper)))
        how = data.draw(st.sampled_from(["change", "cut", "insert"]))
        if how == "cut":
            del paper[place:place + data.draw(st.integers(1, 200))]
        elif how == "insert":
            paper[place:place] = data.draw(st.binary(min_size=1, max_size=40))
        elif place < len(paper):
            paper[place] = data.draw(st.integers(0, 255))
    holds(bytes(paper))


@SLOW
@given(st.sampled_from(range(5)), st.sampled_from(range(5)))
def test_two_papers_in_one_file_are_never_both_kept(first, second):
    one, other = samples()[first], samples()[second]
    holds(one + other)


@SLOW
@given(st.sampled_from(range(5)))
def test_a_clean_paper_comes_clean_again(number):
    once = cleaned(samples()[number])
    twice = cleaned(once.data)
    assert (twice.media, twice.pages, twice.removed) == (once.media, once.pages, ())


@SLOW
@given(st.data())
def test_cutting_camera_data_out_of_any_jpeg_ends_and_leaves_none(data):
    jpeg = bytearray(samples()[0])
    for _ in range(data.draw(st.integers(0, 4))):
        jpeg[data.draw(st.integers(0, len(jpeg) - 1))] = data.draw(st.integers(0, 255))
    try:
        cut = bare(bytes(jpeg) + data.draw(st.binary(max_size=20)))
    except BadPicture:
        return
    assert len(cut) < len(jpeg) and bare(cut) == cut


@given(st.text(max_size=200), st.sampled_from([PDF, JPEG]))
def test_a_name_is_always_one_that_every_system_takes(name, media):
    kept = clean_name(name, media)
    assert 5 <= len(kept) <= 90 and not set(kept) & set("/\\:*?\"<>|\0\r\n") and kept == kept.strip(" .")
    assert clean_name(kept, media) == kept


FILES = load(Path(__file__).resolve().parents[2] / "data/papers")
KINDS = st.sampled_from(["new", "change", "loss", "cancellation", "freeze"])


@given(KINDS, st.frozensets(st.sampled_from(list(CATEGORIES)), max_size=3), st.dates(), st.integers(0, 10**12 - 1))
def test_a_minor_never_needs_less_than_an_adult(kind, categories, on, area):
    adult, minor = (required(FILES, CaseOf(kind, area, on, minor=minor, categories=categories))
                    for minor in (False, True))
    assert (adult is None) == (minor is None)
    if adult is not None:
        assert {need.paper for need in adult} <= {need.paper for need in minor} <= set(PAPERS)
