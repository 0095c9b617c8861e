"""PDF papers are written anew: pages and what is drawn on them, and nothing that acts. Pure.

What a reader sees is kept: forms that were filled in and signatures are first drawn into their pages. What acts goes:
scripts, actions, links, annotations, metadata. What would be lost with it is refused instead: files inside, and live
forms (XFA) that only one maker's program draws.
"""

import io
import zlib
from base64 import a85decode
from collections.abc import Callable, Iterator
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from zhengka.formats.picture import MOST_PIXELS, BadPicture, bare
from zhengka.papers.bounds import Bad

MOST_PAGES: Final = 50
MOST_UNPACKED: Final = 400 << 20
"""Bytes of all streams of a file together once they are unpacked, and of one: 25 million pixels in colour."""
MOST_OF_ONE: Final = 80 << 20
SIDES: Final = (10.0, 14_400.0)
"""Points; the longest is what ISO 32000-1, annex C.2, allows."""

_KEPT: Final = frozenset({
    "/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/Rotate", "/Contents", "/UserUnit"})
_ACTS: Final = {"/JS": "script", "/JavaScript": "script", "/Launch": "launch", "/SubmitForm": "form",
                "/URI": "link", "/RichMedia": "media", "/Movie": "media", "/Sound": "media"}
_PACKED: Final = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode"})
_KNOWN: Final = _PACKED | {
    "/ASCII85Decode", "/ASCIIHexDecode", "/CCITTFaxDecode", "/JBIG2Decode", "/DCTDecode", "/JPXDecode"}
_UNPACK: Final[dict[str, Callable[[bytes], bytes]]] = {
    "/FlateDecode": zlib.decompress,
    "/ASCII85Decode": lambda data: a85decode(b"<~" + data.strip().removeprefix(b"<~"), adobe=True)}
"""What a JPEG within a PDF may be packed in besides."""


def rewritten(data: bytes) -> tuple[bytes, int, list[str]]:
    """The file written anew, its number of pages, and what was taken out. Raises `Bad`."""
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
            return _rewritten(pdf)
    except pikepdf.PasswordError:
        raise Bad("paper-encrypted") from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, zlib.error, ValueError, TypeError, LookupError, RuntimeError,
            AttributeError) as broken:
        if isinstance(broken, Bad):
            raise
        raise Bad("paper-damaged") from None


def _rewritten(pdf: Pdf) -> tuple[bytes, int, list[str]]:
    if pdf.is_encrypted:
        raise Bad("paper-encrypted")
    pages = len(pdf.pages)
    if not 1 <= pages <= MOST_PAGES:
        raise Bad("paper-too-long", pages=pages, most=MOST_PAGES)
    _refuse_heavy(pdf)
    removed = _acting(pdf)
    pdf.generate_appearance_streams()
    pdf.flatten_annotations()
    if "/AcroForm" in pdf.Root:
        del pdf.Root["/AcroForm"]
    for page in pdf.pages:
        _check_size(page)
        for key in set(page.obj.keys()) - _KEPT:
            del page.obj[key]
    out, written = Pdf.new(), io.BytesIO()
    out.pages.extend(pdf.pages)
    for stream in _streams(out):
        for key in ("/Metadata", "/PieceInfo", "/AF", "/OPI", "/Ref", "/Alternates", "/PS"):
            if key in stream:
                del stream[key]
        if _filters(stream)[-1:] == ["/DCTDecode"]:  # a telephone's picture tells where it was taken
            stream.write(_bare(stream), filter=Name.DCTDecode, decode_parms=_last_parms(stream))
    out.remove_unreferenced_resources()
    out.save(written, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return written.getvalue(), pages, removed


def _bare(stream: Stream) -> bytes:
    """The JPEG of a picture, out of what it is packed in, without what its camera said."""
    data = stream.read_raw_bytes()
    for name in _filters(stream)[:-1]:
        data = _UNPACK[name](data)
    try:
        return bare(data)
    except BadPicture:
        raise Bad("paper-damaged") from None


def _filters(stream: Stream) -> list[str]:
    """The names of the filters of a stream, in the order in which they are undone (ISO 32000-1, 7.4)."""
    named: Any = stream.get("/Filter", [])
    return [str(named)] if isinstance(named, Name) else [str(one) for one in named]


def _last_parms(stream: Stream) -> Any:
    """The parameters of the last filter; None where it has none."""
    parms: Any = stream.get("/DecodeParms")
    found = parms[-1] if isinstance(parms, Array) and len(parms) else parms
    return found if isinstance(found, Dictionary) else None


def _streams(pdf: Pdf) -> Iterator[Stream]:
    for thing in pdf.objects:
        if isinstance(thing, Stream):
            yield thing


def _refuse_heavy(pdf: Pdf) -> None:
    """Refuse pictures of too many pixels, streams that unpack to too much, and streams that lie in other files."""
    unpacked = 0
    for stream in _streams(pdf):
        if "/F" in stream:
            raise Bad("paper-carries-files")
        if stream.get("/Subtype") == Name.Image and int(stream.get("/Width", 0)) * int(
                stream.get("/Height", 0)) > MOST_PIXELS:
            raise Bad("paper-too-many-pixels")
        unpacked += _size(stream)
        if unpacked > MOST_UNPACKED:
            raise Bad("paper-too-heavy")


def _size(stream: Stream) -> int:
    """Bytes of a stream once unpacked, counted without keeping them; packed twice is never for a good reason."""
    filters = _filters(stream)
    if "/Crypt" in filters:
        raise Bad("paper-encrypted")
    if not set(filters) <= _KNOWN or ("/DCTDecode" in filters and not set(filters[:-1]) <= _UNPACK.keys()):
        raise Bad("paper-damaged")
    raw = stream.read_raw_bytes()
    if sum(one in _PACKED for one in filters) > 1:
        raise Bad("paper-too-heavy")
    if filters[:1] != ["/FlateDecode"]:
        return len(raw)
    unpacker, size, left = zlib.decompressobj(), 0, raw
    while left and not unpacker.eof:
        size += len(unpacker.decompress(left, 1 << 20))
        left = unpacker.unconsumed_tail
        if size > MOST_OF_ONE:
            raise Bad("paper-too-heavy")
    return size


def _acting(pdf: Pdf) -> list[str]:
    """What of a file acts, as words; refuses what would be lost."""
    root, found = pdf.Root, set[str]()
    names = root.get("/Names", Dictionary())
    form = root.get("/AcroForm", Dictionary())
    if len(pdf.attachments) or "/Collection" in root or "/EmbeddedFiles" in names or "/XFA" in form:
        raise Bad("paper-carries-files")
    if "/JavaScript" in names:
        found.add("script")
    if "/OpenAction" in root or "/AA" in root:
        found.add("action")
    for thing in pdf.objects:
        if isinstance(thing, Dictionary):
            _look_at(thing, found)
    if "/Metadata" in root or len(pdf.docinfo if "/Info" in pdf.trailer else ()):
        found.add("metadata")
    return sorted(found)


def _look_at(thing: Any, found: set[str]) -> None:
    """Note what one object is, if it acts."""
    if thing.get("/Subtype") == Name.FileAttachment or ("/EF" in thing and thing.get("/Type") == Name.Filespec):
        raise Bad("paper-carries-files")
    found.update(_ACTS[str(word)] for word in (thing.get("/S"), thing.get("/Subtype"))
                 if isinstance(word, Name) and str(word) in _ACTS)
    for key in ("/A", "/AA"):
        action = thing.get(key) if thing.get("/Subtype") in (Name.Link, Name.Widget) or key == "/AA" else None
        if isinstance(action, Dictionary):
            found.add(_ACTS.get(str(action.get("/S")), "action"))


def _check_size(page: pikepdf.Page) -> None:
    """Refuse a page that no paper has."""
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    if not all(SIDES[0] <= side <= SIDES[1] for side in (abs(right - left), abs(top - bottom))):
        raise Bad("paper-damaged")
