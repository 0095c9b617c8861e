"""Rules of operators in the words of a traveller."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zhengka.formats.rulebook import DAY_ENDS, NAMED_DAYS, WEEKDAYS, Band, Rule, Rulebook

WAYS: dict[str, Promise] = {
    "tap": _("hold the card to the reader"), "qr": _("let its code be scanned"),
    "show": _("show the certificate"), "number": _("tell its number")}
DAYS: dict[str, Promise] = dict(zip((*NAMED_DAYS, *WEEKDAYS), (
    _("every day"), _("working days"), _("days off"), _("holidays"), _("Monday"), _("Tuesday"), _("Wednesday"),
    _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")), strict=True))
ALL_WEEK = WEEKDAYS[:5]


def joined(parts: Iterable[str | Promise], *, chinese: bool) -> str:
    """Words one after the other."""
    return ("、" if chinese else ", ").join(map(str, parts))


def names(book: Rulebook, rule: Rule, *, chinese: bool) -> list[str]:
    """The rule's service, and the venues to which it is bound."""
    found = [one for one in book.services if one.id == rule.service]
    found += [one for one in book.venues if one.id in rule.venues]
    return [one.zh if chinese else one.en for one in found]


def price(rule: Rule) -> str:
    """What it costs, and who comes along."""
    yuan = f"{rule.fen // 100}.{rule.fen % 100:02}" if rule.fen % 100 else str(rule.fen // 100)
    word = {"free": now("free"), "half": now("half price")}.get(rule.price) or now("%(yuan)s yuan") % {"yuan": yuan}
    if not rule.companions:
        return word
    with_ = ngettext("with %(n)s companion", "with %(n)s companions", rule.companions) % {"n": rule.companions}
    return now("%(price)s, %(companions)s") % {"price": word, "companions": with_}


def limits(rule: Rule, *, chinese: bool) -> str:
    """When and how often at most, and whether the card must be activated for the year."""
    said = [band(each, chinese=chinese) for each in rule.bands]
    said += [now("at most %(n)s a day") % {"n": rule.day}] if rule.day else []
    said += [now("at most %(n)s a month") % {"n": rule.month}] if rule.month else []
    said += [now("only with this year's activation")] if rule.activated else []
    return ("；" if chinese else "; ").join(said)


def band(each: Band, *, chinese: bool) -> str:
    """One time band."""
    days = now("Monday to Friday") if each.days == ALL_WEEK else joined((DAYS[day] for day in each.days),
                                                                        chinese=chinese)
    said = [days] if (each.first, each.last) == (0, DAY_ENDS) else [f"{days} {clock(each.first)}–{clock(each.last)}"]
    if each.months:
        said.append(now("in the months %(months)s") % {"months": joined(map(str, each.months), chinese=chinese)})
    if not each.holidays:
        said.append(now("not on holidays"))
    return ("，" if chinese else ", ").join(said)


def ways(rule: Rule, *, chinese: bool) -> str:
    """How the card may be shown."""
    return joined((WAYS[proof] for proof in rule.proofs), chinese=chinese)


def clock(minute: int) -> str:
    """A minute of the day as 09:00."""
    return f"{minute // 60:02}:{minute % 60:02}"
