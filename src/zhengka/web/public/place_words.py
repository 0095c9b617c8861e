"""Rules of operators in the words of a traveller."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from zhengka.formats.rulebook import DAY_ENDS, NAMED_DAYS, WEEKDAYS, Band, Named, Rule

WAYS: dict[str, Promise] = {
    "tap": _("card on the reader"), "qr": _("code"), "show": _("certificate in hand"), "number": _("its number")}
DAYS: dict[str, Promise] = dict(zip((*NAMED_DAYS, *WEEKDAYS), (
    _("every day"), _("working days"), _("days off"), _("holidays"), _("Monday"), _("Tuesday"), _("Wednesday"),
    _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")), strict=True))
ALL_WEEK = WEEKDAYS[:5]
HALF_A_YEAR = 6


def joined(parts: Iterable[str | Promise], *, chinese: bool) -> str:
    """Words one after the other."""
    return ("、" if chinese else ", ").join(map(str, parts))


def named(known: Iterable[Named], wanted: Iterable[str], *, chinese: bool) -> str:
    """The services or venues that are wanted, by their names."""
    return joined((one.zh if chinese else one.en for one in known if one.id in wanted), chinese=chinese)


def price(rule: Rule) -> str:
    """What it costs, and who comes along."""
    yuan = f"{rule.fen // 100}.{rule.fen % 100:02}" if rule.fen % 100 else str(rule.fen // 100)
    word = {"free": gettext("free"), "half": gettext("half price")}.get(rule.price)
    word = word or gettext("%(yuan)s yuan") % {"yuan": yuan}
    if not rule.companions:
        return word
    with_ = ngettext("with %(n)s companion", "with %(n)s companions", rule.companions) % {"n": rule.companions}
    return gettext("%(price)s, %(companions)s") % {"price": word, "companions": with_}


def limits(rule: Rule, *, chinese: bool) -> str:
    """When and how often at most, and whether the card must be activated for the year."""
    said = [band(each, chinese=chinese) for each in rule.bands]
    said += [gettext("at most %(n)s a day") % {"n": rule.day}] if rule.day else []
    said += [gettext("at most %(n)s a month") % {"n": rule.month}] if rule.month else []
    said += [gettext("only with this year's activation")] if rule.activated else []
    return ("；" if chinese else "; ").join(said)


def band(each: Band, *, chinese: bool) -> str:
    """One time band."""
    days = gettext("Monday to Friday") if each.days == ALL_WEEK else joined((DAYS[day] for day in each.days),
                                                                        chinese=chinese)
    said = [days] if (each.first, each.last) == (0, DAY_ENDS) else [f"{days} {clock(each.first)}–{clock(each.last)}"]
    if 0 < len(each.months) <= HALF_A_YEAR:
        said.append(gettext("in the months %(months)s") % {"months": joined(map(str, each.months), chinese=chinese)})
    elif each.months:
        others = [str(month) for month in range(1, 13) if month not in each.months]
        said.append(gettext("not in the months %(months)s") % {"months": joined(others, chinese=chinese)})
    if not each.holidays:
        said.append(gettext("not on holidays"))
    return ("，" if chinese else ", ").join(said)


def ways(rule: Rule, *, chinese: bool) -> str:
    """How the card may be shown."""
    return joined((WAYS[proof] for proof in rule.proofs), chinese=chinese)


def clock(minute: int) -> str:
    """A minute of the day as 09:00."""
    return f"{minute // 60:02}:{minute % 60:02}"
