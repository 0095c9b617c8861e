"""The yearly activation (年度激活): where a card stands, by which way it is activated, and whose term ends soon."""

from datetime import date
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from zhengka.areas import queries as areas
from zhengka.cards import queries, services
from zhengka.cards.activation import IN_PERSON, Outlook
from zhengka.cards.models import Card
from zhengka.cards.queries import Office
from zhengka.cards.services import Renewed
from zhengka.core.errors import PROBLEMS, Refusal
from zhengka.web.access import Request, requires
from zhengka.web.access import act as act_once
from zhengka.web.staff import acts
from zhengka.web.staff.navigation import area_name, trail
from zhengka.web.staff.paging import SIZE, page_by_place, place, ticked
from zhengka.web.staff.words import CHANNEL_WORDS, OUTLOOK_WORDS, STOP_WORDS, bilingual, problem_line, problem_words
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table, Text, Tile

GROUPS: dict[str, tuple[str, Text]] = {
    "7": (words.WAIT, _("7 days or fewer")), "30": ("", _("8 to 30 days")), "60": ("", _("31 to 60 days")),
    "over": (words.BAD, _("Ended"))}
"""Group of `queries.ENDING` → tone and words, in the order in which an office works them off."""
ROUND = ("home-visit", "counter", "video")
"""Ways in which many holders are seen, that of a round of visits first."""
OFFICES = 12
"""With more offices than these the chart shows those with the most cards that ended or end within a week."""


class WayForm(forms.Form):
    """By which way the holder was seen, and the number of a record of it."""

    channel = forms.ChoiceField(label=_("How was the holder seen?"), widget=forms.RadioSelect)
    evidence = forms.CharField(label=_("Number of the record"), required=False, max_length=40, help_text=_(
        "Where there is one, such as a list of visits or a video call: letters, digits and - . / only."),
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}))

    def __init__(self, *args: Any, channels: tuple[str, ...], **kwargs: Any) -> None:
        """Offer these channels, the first one chosen."""
        super().__init__(*args, **kwargs)
        offered = self.fields["channel"]
        offered.choices = [(one, CHANNEL_WORDS[one]) for one in channels]  # type: ignore[attr-defined]
        offered.initial = channels[0]


class RoundForm(WayForm):
    """The same for many holders at once, in one line under their table."""

    channel = forms.ChoiceField(label=_("How were the holders seen?"))
    evidence = forms.CharField(label=_("Number of the record"), required=False, max_length=40,
                               widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "autocomplete": "off"}))


class MatchForm(forms.Form):
    """A list of those who are known to be alive."""

    file = forms.FileField(label=_("List"), help_text=_(
        "A text or CSV file; in each line first an ID number or a card's serial."))
    source = forms.CharField(label=_("Number of the delivery"), max_length=40, help_text=_(
        "Kept with each activation as its evidence: letters, digits and - . / only."),
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}))


def how(request: Request) -> dict[str, str]:
    """Channel and evidence as a form sent them; a button without a form is the counter's.

    `Refusal("channel-not-allowed")` for a way by which no officer sees the holder: that is not an officer's to say.
    """
    channel = request.POST.get("channel", "counter")
    if channel not in IN_PERSON:
        raise Refusal("channel-not-allowed", channel=channel)
    return {"channel": channel, "evidence": request.POST.get("evidence", "").strip()}


def panel(request: Request, card: Card) -> dict[str, Any] | None:
    """What a card's page shows of its activation, with the form where this officer may activate it now."""
    now = timezone.now()
    told = facts(card)
    if not told:
        return None
    may = request.actor.may("card.activate") and queries.may_be_activated(card, now)
    return {"facts": told, "form": WayForm(channels=queries.channels(card, now)) if may else None}


def facts(card: Card) -> list[Fact]:
    """Where a card's activation stands, in plain words; nothing for a card that is not in its holder's use."""
    told = queries.outlook(card, timezone.now())
    if told is None:
        return []
    tone, word = OUTLOOK_WORDS[told.word]
    lines = [Fact(_("Activation"), Cell(word, tone=tone))]
    for label, day in ((_("Active until"), told.ends),
                       (_("Next term opens on"), told.opens if told.word == "running" else None),
                       (_("Days of grace until"), told.grace_until if told.grace_until != told.ends else None)):
        if day:
            lines.append(Fact(label, Cell(day.isoformat(), number=True)))
    return [*lines, Fact(_("Stopped now") if told.stopped else _("Stops when it lapses"), _stops(told))]


def _stops(told: Outlook) -> str:
    which = gettext(", ").join(str(STOP_WORDS[one]) for one in told.stops)
    return gettext("%(services)s; the certificate itself stays valid") % {"services": which or gettext("nothing")}


@requires("card.read")
def index(request: Request) -> HttpResponse:
    """Cards whose term ends within 60, 30 or 7 days or has ended: how many in which office, and one group of them:
    the one that was asked for, or the first in which there is any.
    """
    today = timezone.localdate()
    counted = queries.ending_by_area(request.actor, today)
    cards = {name: sum(office.cards[name] for office in counted) for name in GROUPS}
    asked = request.GET.get("group", "")
    group = asked if asked in GROUPS else next((name for name in GROUPS if cards[name]), "7")
    tiles = [Tile(word, cards[name], href=f"?group={name}", tone=tone) for name, (tone, word) in GROUPS.items()]
    may = request.actor.may("card.activate")
    return render(request, "staff/activations.html", {
        "title": _("Yearly activation"), "tiles": tiles, "chart": _chart(counted), "may": may,
        "series": [word for _tone, word in GROUPS.values()], "group": group,
        "table": _table(request, group, today, select=may),
        "form": RoundForm(channels=ROUND) if may else None})


def _chart(counted: list[Office]) -> list[tuple[str, list[int]]]:
    """A bar for each office, those with the most to do first."""
    most = sorted(counted, key=lambda office: -(office.cards["7"] + office.cards["over"]))[:OFFICES]
    return [(bilingual((office.name, office.name_en or office.name)), [office.cards[group] for group in GROUPS])
            for office in most]


def _table(request: Request, group: str, today: date, *, select: bool) -> Table:
    found = queries.ending(request.actor, group, today, after=place(request), limit=SIZE + 1)
    shown, pager = page_by_place(request, found)
    columns = [Column(_("Holder")), Column(_("Serial")), Column(_("Office")), Column(_("Ends on")),
               Column(_("Days left"), numeric=True), Column(_("Activation"))]
    return Table(GROUPS[group][1], columns, [_row(one, today) for one in shown], pager=pager,
                 select="card" if select else "", empty=_("No card's term ends in this time."))


def _row(card: Card, today: date) -> Row:
    told = queries.outlook(card, timezone.now())
    tone, word = OUTLOOK_WORDS[told.word if told else "never"]
    ends = card.active_until or today
    return Row([Cell(card.holder.name, href=reverse("staff:card", args=[card.pk])),
                Cell(card.serial or "—", number=True), area_name(card.area), Cell(ends.isoformat(), number=True),
                str((ends - today).days), Cell(word, tone=tone)], value=str(card.pk))


@requires("card.activate")
@require_POST
def renew(request: Request) -> HttpResponse:
    """Activate every card that is ticked, after a round of home visits, say; the others stay, by reason."""
    ids, group = ticked(request, "card"), request.POST.get("group", "7")
    to = f"{reverse('staff:activations')}?group={group if group in GROUPS else '7'}"
    way = how(request)
    return act_once(request, lambda key: services.renew_many(
        ids, **way, by=request.actor, request_id=key, at=timezone.now()), to=to, said=_said)


def _said(done: Renewed) -> str:
    """How many got their next term, and why others did not."""
    said = [ngettext("%(n)d card activated", "%(n)d cards activated", len(done.moved)) % {"n": len(done.moved)}]
    said += [f"{problem_words(PROBLEMS[code])[0]}: {number}" for code, number in sorted(done.left.items())]
    return gettext("; ").join(said)


@requires("card.activate")
def match(request: Request) -> HttpResponse:
    """Hand in a list of those who are known to be alive; a worker activates their cards."""
    form = MatchForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given, area = form.cleaned_data, areas.area(request.actor.lo, actor=request.actor)
        try:
            return acts.begin(request, lambda key: services.ask_match(
                given["file"], area, source=given["source"], by=request.actor, request_id=key, at=timezone.now()))
        except Refusal as no:
            if no.code not in ("file-empty", "file-too-large", "evidence-wrong"):
                raise
            form.add_error("source" if no.code == "evidence-wrong" else "file", problem_line(no.problem))
    return render(request, "staff/form.html", {
        "title": _("Activate by a list of those alive"), "form": form, "submit": _("Activate their cards"),
        "back": reverse("staff:activations"), "intro": _(
            "From the police, a hospital or another register: who is on it, and whose next term is open, gets it."),
        "breadcrumbs": trail((_("Yearly activation"), "staff:activations"))})


urls = [
    path("activations/", index, name="activations"),
    path("activations/renew", renew, name="activations-renew"),
    path("activations/match", match, name="activations-match"),
]
