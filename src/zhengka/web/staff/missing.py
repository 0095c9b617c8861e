"""Letters that could not be written (未能拟发): which, about whom, why, and what to do."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.core.errors import PROBLEMS
from zhengka.letters import queries
from zhengka.letters.models import Unwritten
from zhengka.web.access import Request
from zhengka.web.staff.letter_words import CHANNEL_WORDS, KIND_WORDS, SLOT_WORDS
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.words import SUBJECT_WORDS, moment, problem_words
from zhengka.web.ui.parts import Cell, Column, Row, Table, Text

MISSING = "missing"
"""The list of these beside the lists of letters by state."""
TITLE = _("Could not be written")
PAGES = {"case": ("staff:case", "case.read"), "card": ("staff:card", "card.read"),
         "holder": ("staff:holder", "holder.read")}
"""What a letter is about → its page, and who may see it."""
COLUMNS = [Column(_("Letter")), Column(_("About")), Column(_("Why not")), Column(_("What to do")), Column(_("Office")),
           Column(_("Since"))]


MOST = 10_000
"""So many are counted: the tile costs no more where a whole province was not told."""


def number(request: Request) -> str | int:
    """How many letters are missing in the officer's area; 0 where none is."""
    return at_least(queries.missing(actor=request.actor)[:MOST].count(), MOST)


def at_least(found: int, most: int) -> str | int:
    """A number that was counted no further than to `most`, as it is shown."""
    return f"{most:,}+" if found >= most else found


def table(request: Request) -> Table:
    """What is missing in the officer's area, the newest first."""
    rows, pager = page_of(request, queries.missing(actor=request.actor), newest=True)
    offices = Area.objects.in_bulk({one.area for one in rows})
    return Table(TITLE, COLUMNS, [_row(request, one, offices) for one in rows], pager=pager,
                 empty=_("Every letter could be written."))


def _row(request: Request, one: Unwritten, offices: dict[int, Area]) -> Row:
    said = line(one)
    return Row([Cell(said["letter"], note=said["way"]), _about(request, one), said["why"], said["onward"],
                area_name(offices[one.area]) if one.area in offices else "—", said["at"]])


def _about(request: Request, one: Unwritten) -> Cell:
    page, permission = PAGES.get(one.subject, ("", ""))
    href = reverse(page, args=[one.subject_id]) if page and request.actor.may(permission) else ""
    return Cell(f"{SUBJECT_WORDS.get(one.subject, one.subject)} {one.subject_id}", href=href)


def line(one: Unwritten) -> dict[str, Text]:
    """Which letter is missing and why, and what to do about it."""
    why, onward = problem_words(PROBLEMS[one.reason])
    about = f"{SLOT_WORDS[one.slot]}: " if one.slot in SLOT_WORDS else ""
    return {"letter": KIND_WORDS[one.template], "way": CHANNEL_WORDS[one.channel],
            "at": moment(one.at), "why": f"{about}{why}", "onward": onward}
