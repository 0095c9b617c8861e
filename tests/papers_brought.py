"""What people bring in tests: a photograph with its variants, PDFs and hostile files. Plain functions."""

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from builders import NOON, make_actor, make_holder, request_id
from zhengka.cases.models import Case
from zhengka.cases.services import papers_missing
from zhengka.core import fields, files
from zhengka.core.actors import SYSTEM
from zhengka.core.events import begin
from zhengka.papers import checks, queries, services
from zhengka.papers.models import Paper, Portrait
from zhengka.papers.queries import Subject
from zhengka.papers.services import Upload
from zhengka.registry.models import Holder

PHOTOGRAPH = Path(__file__).parent / "faces/astronaut.jpg"
WHITE = (246, 246, 246)


def photograph() -> Image.Image:
    """A photographed face that fits the standard."""
    return Image.open(PHOTOGRAPH).convert("RGB")


def jpeg(picture: Image.Image, **more: Any) -> bytes:
    """The picture as JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92, **more)
    return out.getvalue()


def two_faces() -> Image.Image:
    """Two people side by side."""
    one, both = photograph(), Image.new("RGB", (716, 882), WHITE)
    both.paste(one, (0, 220)), both.paste(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (358, 220))
    return both


def with_dark_glasses() -> Image.Image:
    """The same person in dark glasses."""
    picture = photograph()
    draw = ImageDraw.Draw(picture)
    for left in (112, 192):
        draw.rounded_rectangle((left, 172, left + 68, 222), 18, fill=(18, 18, 20))
    draw.line((175, 190, 195, 190), fill=(18, 18, 20), width=6)
    return picture


def before_a_shadow() -> Image.Image:
    """The same person, and a shadow on the wall on one side."""
    picture = photograph()
    ImageDraw.Draw(picture).rectangle((318, 0, 358, 330), fill=(120, 118, 116))
    return picture


def off_centre() -> Image.Image:
    """The same person at the left edge of a wide wall."""
    picture = Image.new("RGB", (500, 616), WHITE)
    picture.paste(photograph(), (0, 175))
    return picture


def far_away() -> Image.Image:
    """The same person, small in the frame."""
    picture = Image.new("RGB", (716, 882), WHITE)
    picture.paste(photograph(), (179, 220))
    return picture


VARIANTS = {
    "faces": two_faces,
    "tilt": lambda: photograph().rotate(14, fillcolor=WHITE),
    "sharpness": lambda: photograph().filter(ImageFilter.GaussianBlur(3)),
    "face_light": lambda: ImageEnhance.Brightness(photograph()).enhance(0.25),
    "blown": lambda: ImageEnhance.Brightness(photograph()).enhance(1.6),
    "centre": off_centre,
    "head": far_away,
    "shadow": before_a_shadow,
    "colour": lambda: photograph().convert("L").convert("RGB"),
    "eyes": with_dark_glasses,
    "width": lambda: photograph().resize((240, 296)),
    "shape": lambda: photograph().resize((441, 441)),
    "background": lambda: ImageEnhance.Brightness(photograph()).enhance(0.7),
}
"""Check → a variant of the photograph that fails it."""


def pdf(*, pages: int = 1, **root: Any) -> Pdf:
    """A PDF of empty pages; `root`: entries of its catalogue."""
    made = Pdf.new()
    for _ in range(pages):
        made.add_blank_page(page_size=(595, 842))
    for key, value in root.items():
        made.Root[f"/{key}"] = value
    return made


def saved(made: Pdf, **more: Any) -> bytes:
    """The bytes of a PDF."""
    out = io.BytesIO()
    made.save(out, **more)
    return out.getvalue()


def script() -> Dictionary:
    """An action that runs a script."""
    return Dictionary(S=Name.JavaScript, JS=String("app.alert('run')"))


def acting_pdf() -> bytes:
    """A PDF whose pages say "PAGE", with a filled-in field, and everything that acts."""
    made = pdf(OpenAction=script())
    page = made.pages[0]
    page.obj.Contents = made.make_stream(b"BT /F 12 Tf 72 700 Td (PAGE) Tj ET")
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    page.obj.Resources = Dictionary(Font=Dictionary(F=font))
    page.obj.AA = Dictionary(O=script())
    field = made.make_indirect(Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("FILLED"),
        Rect=[72, 600, 300, 630], DA=String("/F 12 Tf 0 g"), F=4, A=script()))
    link = made.make_indirect(Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.Launch, F=String("cmd.exe"))))
    page.obj.Annots = Array([field, link])
    made.Root.AcroForm = Dictionary(Fields=Array([field]), DR=Dictionary(Font=Dictionary(F=font)),
                                    DA=String("/F 12 Tf 0 g"), NeedAppearances=True)
    made.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script()])))
    return saved(made)


def pdf_with_picture(data: bytes, width: int, height: int) -> bytes:
    """A PDF whose page is a JPEG, as a telephone's scanner makes it."""
    made = pdf()
    image = Stream(made, data, Type=Name.XObject, Subtype=Name.Image, Width=width, Height=height,
                   ColorSpace=Name.DeviceRGB, BitsPerComponent=8, Filter=Name.DCTDecode)
    made.pages[0].obj.Resources = Dictionary(XObject=Dictionary(A=made.make_indirect(image)))
    made.pages[0].obj.Contents = made.make_stream(b"q 595 0 0 842 0 0 cm /A Do Q")
    return saved(made)


def pdf_bomb(unpacked: int = 200 << 20) -> bytes:
    """A small PDF whose page unpacks to far more."""
    made, packer = pdf(), zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(unpacked >> 20)) + packer.flush()
    made.pages[0].obj.Contents = Stream(made, packed, Filter=Name.FlateDecode)
    return saved(made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def png_of(width: int, height: int) -> bytes:
    """A PNG of one colour, a bit a pixel, made without holding it: 900 million pixels are some 110 KB."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    packer, row = zlib.compressobj(9), b"\0" * (1 + (width + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def subject_of(holder: Holder) -> Subject:
    """The holder as the one to whom papers belong."""
    return Subject(holder.kind(), holder.pk, holder.area_id)


def make_paper(holder: Holder | None = None, *, kind: str = "id-card", data: bytes = b"", name: str = "a.jpg") -> Paper:
    """A paper of a holder, taken in at noon."""
    holder = holder or make_holder()
    return services.add_paper(subject_of(holder), Upload(kind, name, data or jpeg(photograph())),
                              by=make_actor("clerk", area=holder.area), request_id=request_id(), at=NOON)


def put_first(case: Case, *, whole: bool = False) -> None:
    """The papers of a case without which nobody accepts it (不可容缺), kept as they are: no process is started.
    `whole`: those that may follow, too, but for the photo, which is no paper.
    """
    for need in papers_missing(case):
        if need.paper == "photo" or (need.may_follow and not whole):
            continue
        data = PHOTOGRAPH.read_bytes()
        row = Paper(
            province=case.province, area_id=case.area_id, shared_with=case.front_id, subject=case.kind(),
            subject_id=case.pk, kind_of_paper=need.paper, name=fields.close("扫描件.jpg", "paper.name"),
            file=files.put_sealed_stream(io.BytesIO(data), "paper.file"), media="image/jpeg", size=len(data), pages=1,
            received_at=NOON)
        begin(row, "receive_paper", by=SYSTEM, request_id=request_id(), at=NOON, paper=need.paper, pages=1)


def put_paper(holder: Holder, *, state: str = "received") -> Paper:
    """A paper of a holder in any state, kept as it is: no process is started."""
    data, gone = PHOTOGRAPH.read_bytes(), state == "withdrawn"
    row = Paper(
        province=holder.province, area_id=holder.area_id, subject=holder.kind(), subject_id=holder.pk,
        kind_of_paper="household-register", file=files.put_sealed_stream(io.BytesIO(data), "paper.file"),
        name=fields.close("户口簿.jpg", "paper.name"), media="image/jpeg", size=len(data), pages=1, received_at=NOON)
    row = begin(row, "receive_paper", by=make_actor("clerk", area=holder.area), request_id=request_id(), at=NOON,
                paper="household-register", pages=1)
    if gone:
        Paper.objects.filter(pk=row.pk).update(state=state, file="", withdrawn_at=NOON)
    return Paper.get(row.pk)


def put_portrait(holder: Holder, figures: Mapping[str, float] | None = None, *, state: str = "examined") -> Portrait:
    """A portrait of a holder in any state with these figures: no process is started."""
    found = checks.judge(figures or {}, queries.standard(holder.area_id, NOON.date()), dark_glasses=False)
    row = Portrait(
        province=holder.province, area_id=holder.area_id, subject=holder.kind(), subject_id=holder.pk,
        file=files.put_sealed_stream(io.BytesIO(PHOTOGRAPH.read_bytes()), queries.PORTRAIT_AS),
        standard="two-inch-white", dark_glasses=False, fits=checks.fits(found), findings=[list(one) for one in found],
        face=[88.0, 138.4, 188.6, 188.6], width=358, height=441, taken_at=NOON)
    row = begin(row, "examine", by=make_actor("clerk", area=holder.area), request_id=request_id(), at=NOON)
    Portrait.objects.filter(pk=row.pk).update(state=state)
    return Portrait.get(row.pk)


def make_portrait(holder: Holder | None = None, *, picture: Image.Image | None = None,
                  dark_glasses: bool = False) -> Portrait:
    """A portrait of a holder, taken at noon."""
    holder = holder or make_holder()
    return services.take_portrait(subject_of(holder), jpeg(picture or photograph()), dark_glasses=dark_glasses,
                                  by=make_actor("clerk", area=holder.area), request_id=request_id(), at=NOON)
