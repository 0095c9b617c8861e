"""The card's face to a card printer (卡面打印): a PDF of two pages, through the print system's own program.

`lp` is that of CUPS, and any program that takes the same words serves: `-d QUEUE -t TITLE -o …` and the PDF as input.
"""

import io
import subprocess
from typing import Final, NamedTuple

import pikepdf

OPTIONS: Final = ("media=Custom.85.6x54mm", "sides=two-sided-long-edge", "print-scaling=none")
"""A card of ID-1 (ISO/IEC 7810), both sides, every dot as it is: a code that was scaled cannot be scanned."""
SECONDS: Final = 60


class PrintFault(OSError):
    """The print system did not take the job; the text is what it said."""


class Printer(NamedTuple):
    """A queue of the print system, and the program that puts jobs into it."""

    queue: str
    command: str = "lp"


def face(pdf: bytes, page: int) -> bytes:
    """The two pages of one card, from 1, cut out of the faces of a member. ValueError where they are not there."""
    try:
        with pikepdf.open(io.BytesIO(pdf)) as whole, pikepdf.new() as one:
            if not 1 <= page < len(whole.pages):
                raise ValueError("no such pages")
            one.pages.extend(whole.pages[page - 1:page + 1])
            out = io.BytesIO()
            one.save(out)
    except pikepdf.PdfError as fault:
        raise ValueError("the faces are no PDF") from fault
    return out.getvalue()


def put(printer: Printer, pdf: bytes, *, title: str) -> str:
    """Put a job into the queue; what the print system calls it. `title` is seen by others: no person's name.

    PrintFault. That a queue took a job does not say that a card came out: somebody looks.
    """
    words = [printer.command, "-d", printer.queue, "-t", title]
    words += [word for option in OPTIONS for word in ("-o", option)]
    try:
        done = subprocess.run(words, input=pdf, capture_output=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise PrintFault(f"{printer.command} does not answer: {type(fault).__name__}") from None
    said = (done.stdout if done.returncode == 0 else done.stderr or done.stdout).decode("utf-8", "replace").strip()
    if done.returncode:
        raise PrintFault(said.splitlines()[0] if said else f"{printer.command} refused the job")
    return said
