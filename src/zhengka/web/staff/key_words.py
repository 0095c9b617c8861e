"""The name of a key version in words: whose it is, what it is for, by which suite, which version."""

from django.utils.translation import gettext

from zhengka.areas.models import Area
from zhengka.formats.suites import SUITES
from zhengka.web.staff.navigation import area_name
from zhengka.web.staff.words import KEY_PURPOSE_WORDS, KEY_SLOT_WORDS

NATION = "00"


def key_words(label: str) -> str:
    """`43/batch/SM/1` as people say it; what is no name of a key stays as it is."""
    place, *rest = label.split("/")
    if len(rest) < 3 or not place.isdigit() or not rest[-1].isdigit() or rest[0] not in KEY_PURPOSE_WORDS:
        return label
    slots = [str(KEY_SLOT_WORDS.get(slot, slot)) for slot in rest[2:-1]]
    suite = rest[1] if rest[1] in SUITES else ""
    version = gettext("version %(number)s") % {"number": rest[-1]}
    return " · ".join(filter(None, [_place(place), str(KEY_PURPOSE_WORDS[rest[0]]), *slots, suite, version]))


def _place(digits: str) -> str:
    if digits == NATION:
        return gettext("Nation")
    found = Area.objects.filter(code=int(digits.ljust(12, "0"))).first()
    return area_name(found) if found else digits
