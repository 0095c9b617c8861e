"""What people bring as papers: told apart by what it is, never by its name, and made anew. Pure; run
in a process apart (`bounds`), asked by `reading`.
"""

from collections.abc import Sequence
from typing import Any, Final

from zhengka.formats import picture
from zhengka.papers.bounds import Bad, serve
from zhengka.papers.pdfs import rewritten
from zhengka.papers.reading import JPEG, MOST_BYTES, PDF, Clean

LARGEST: Final = (3_600, 3_600)
"""Pixels of a scan: the longer side of A4 at 300 dpi is 3,508."""

_PICTURES: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}


def kind_of(data: bytes) -> str:
    """What the bytes begin as: `PDF`, or Pillow's name of a kind of picture; "" for all else."""
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for mark, kind in _PICTURES.items() if data.startswith(mark)), "")


def cleaned(data: bytes) -> Clean:
    """The paper made anew, in this process. Raises `Bad`."""
    kind = kind_of(data)
    if not kind:
        raise Bad("paper-kind-refused")
    if kind == "PDF":
        written, pages, removed = rewritten(data)
        if len(written) > MOST_BYTES:
            raise Bad("paper-too-large", most_mb=MOST_BYTES >> 20)
        return Clean(PDF, written, pages, tuple(removed))
    return Clean(JPEG, redrawn(data, kind, LARGEST), 1, ())


def redrawn(data: bytes, kind: str, largest: tuple[int, int]) -> bytes:
    """A picture made anew as JPEG. Raises `Bad`."""
    try:
        return picture.redrawn(picture.decoded(data, (kind,)), largest)
    except picture.BadPicture as bad:
        raise Bad("paper-too-many-pixels" if bad.code == "pixels" else "paper-damaged") from None


def _work(data: bytes, _told: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    found = cleaned(data)
    return {"media": found.media, "pages": found.pages, "removed": found.removed}, found.data


if __name__ == "__main__":
    serve(_work)
