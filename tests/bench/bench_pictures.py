"""Faces as pictures against what the library needs at least: decode and fit the photo, encode both sides."""

import io
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import django
from measure import compared, tell
from PIL import Image, ImageOps

from portraits import make_photo
from zhengka.formats import qr
from zhengka.production import faces

CARDS = 20
SIZES = (100, 400)


def main() -> None:
    """Print the ratio for each form, in processor seconds, and the peak of memory for few cards and for more."""
    for word in ("jpeg-300", "png-300", "jpeg-600", "png-600"):
        tell_pictures(word)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        few, more = pool.map(peak, SIZES)
    tell(f"peak memory, {SIZES[1]} cards ÷ {SIZES[0]} cards, jpeg-300", f"{more / few:.2f} × ({few / 1024:.0f} MB)",
         bar="≤ 1.1 ×")


def tell_pictures(word: str) -> None:
    """Ours and the floor in turn, seven rounds."""
    given, plate = people(2 + CARDS), faces.plate(word)
    drawn = [Image.open(io.BytesIO(side)).convert("RGB") for side in next(printed(given[:1], word))[:2]]

    def ours() -> float:
        made = printed(given, word)
        next(made), next(made)  # the constant art of both kinds is drawn once for a thousand cards
        before = time.process_time()
        for _ in made:
            pass
        return time.process_time() - before

    def floor() -> float:
        before = time.process_time()
        for face in given[2:]:
            with Image.open(io.BytesIO(face.photo.jpeg)) as photo:
                ImageOps.fit(photo.convert("RGB"), (253 * plate.dpi // 300, 328 * plate.dpi // 300))
            for side in drawn:
                if plate.form == "png":
                    side.save(io.BytesIO(), "PNG", compress_level=1)
                else:
                    side.save(io.BytesIO(), "JPEG", quality=92, subsampling=0)
        return time.process_time() - before

    found = compared([(ours(), floor()) for _ in range(7)])
    tell(f"{word}: ours ÷ Pillow's decode, fit and encode", found, bar="≤ 1.2 ×")
    tell("  cards (both sides) per second of one core", f"{CARDS / found.ours:.0f}")


def people(count: int) -> list[faces.Face]:
    """Faces of nobody, each with a photo of its own."""
    layout = faces.layout_for("disability-placeholder")
    return [faces.Face(("red", "blue")[n % 2], {
        "name": f"阿依古丽·买买提{n}", "number": f"4399011960010{n:05d}42B1", "category": "肢体残疾 二级",
        "valid_until": "2036年11月20日", "issuer": layout.issuer("岳麓区", "长沙市"),
        "serial": f"4301 0400 0000 {n:04d}"},
        faces.ready(make_photo(n)), qr.to_text(bytes([0x11]) + n.to_bytes(102), "https://card.example"))
        for n in range(count)]


def printed(given: Sequence[faces.Face], word: str) -> Iterator[faces.Pictures]:
    """The pictures of faces, one after another."""
    return faces.print_pictures(iter(given), frozenset({"red"}), layout=faces.layout_for("disability-placeholder"),
                                plate=faces.plate(word))


def peak(count: int) -> int:
    """Kilobytes at most, in a process of its own that draws so many cards."""
    django.setup()
    for _ in range(count // CARDS):
        for _ in printed(people(CARDS), "jpeg-300"):
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
