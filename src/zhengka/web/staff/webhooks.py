"""Webhooks (推送订阅): where an operator is told of what happens, and what became of each delivery."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from zhengka.core.errors import Refusal
from zhengka.core.events import Replayed
from zhengka.partners import queries, rules, services
from zhengka.partners.models import Delivery, Webhook
from zhengka.web.access import Request, act, request_key, requires, sure
from zhengka.web.staff import history
from zhengka.web.staff.navigation import trail
from zhengka.web.staff.paging import page_of
from zhengka.web.staff.partner_words import EVENT_WORDS, FAULT_WORDS, URL_WORDS
from zhengka.web.staff.partners import TRAIL
from zhengka.web.staff.words import moment
from zhengka.web.ui import words
from zhengka.web.ui.parts import Cell, Column, Fact, Row, Table


class WebhookForm(forms.Form):
    """Where to, and of what."""

    url = forms.CharField(label=_("Address"), max_length=500, help_text=_(
        "It begins with https:// and leads to a host on the public network. No redirect is followed."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}))
    events = forms.MultipleChoiceField(label=_("Told of"), widget=forms.CheckboxSelectMultiple,
                                       choices=list(EVENT_WORDS.items()))

    def clean_url(self) -> str:
        """The address, if its text may be entered."""
        url: str = self.cleaned_data["url"]
        if fault := rules.url_fault(url, loopback=settings.WEBHOOK_LOOPBACK):
            raise forms.ValidationError(str(URL_WORDS[fault]))
        return url


@requires("partner.manage")
@sensitive_variables("secret")
def new(request: Request, pk: int) -> HttpResponse:
    """Tell an operator's program of some events; the secret is on the page that answers, once."""
    partner = queries.partner(pk, actor=request.actor)
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = services.subscribe(partner, form.cleaned_data["url"], form.cleaned_data["events"],
                                             by=request.actor, request_id=request_key(request), at=timezone.now())
            return _page(request, row, secret=secret)
        except Replayed as again:
            return _page(request, queries.webhook(again.event.subject_id, actor=request.actor))
        except Refusal as no:
            if no.code != "webhook-known":
                raise
            form.add_error("url", _("The program is told at this address already."))
    return render(request, "staff/form.html", {
        "title": _("Enter a webhook"), "caption": partner.name, "form": form, "submit": _("Enter the webhook"),
        "back": reverse("staff:partner", args=[pk]), "breadcrumbs": trail(*TRAIL)})


@requires("partner.manage", "partner.permit")
def webhook(request: Request, pk: int) -> HttpResponse:
    """One webhook and its deliveries."""
    return _page(request, queries.webhook(pk, actor=request.actor))


@requires("partner.manage")
@require_POST
def end(request: Request, pk: int) -> HttpResponse:
    """End it; what still waits is given up."""
    row = queries.webhook(pk, actor=request.actor)
    back = reverse("staff:webhook", args=[pk])
    if not sure(request):
        return render(request, "staff/sure.html", {
            "title": _("End this webhook?"), "caption": row.url, "url": request.path, "kind": "warning", "hidden": [],
            "meaning": _("Nothing is sent there any more, and what still waits is given up."),
            "submit": words.act("unsubscribe"), "back": back})
    return act(request, lambda key: services.unsubscribe(row, by=request.actor, request_id=key, at=timezone.now()),
               to=back, said=_("Nothing is sent there any more."))


@requires("partner.manage")
@require_POST
def again(request: Request, pk: int) -> HttpResponse:
    """Try once more what was given up; a second press finds it waiting and changes nothing."""
    row = queries.delivery(pk, actor=request.actor)
    return act(request, lambda _key: services.send_again(row, by=request.actor, at=timezone.now()),
               to=reverse("staff:webhook", args=[row.webhook_id]), said=_("It is sent again."))


def _page(request: Request, row: Webhook, secret: str = "") -> HttpResponse:
    rows, pager = page_of(request, queries.deliveries(row), newest=True)
    manages = request.actor.may("partner.manage") and row.state == "active"
    facts = [Fact(_("Program"), row.partner.name, href=reverse("staff:partner", args=[row.partner_id]),
                  action=_("See the program")),
             Fact(_("Told of"), " · ".join(str(EVENT_WORDS[event]) for event in row.events)),
             Fact(_("Since"), moment(row.made_at))]
    columns = [Column(_("What")), Column(_("When")), Column(_("State")), Column(_("Tries"), numeric=True)]
    return render(request, "staff/partners/webhook.html", {
        "title": _("Webhook"), "caption": row.url, "webhook": row, "facts": facts, "secret": secret, "may_end": manages,
        "table": Table(_("Deliveries"), columns, [_row(each) for each in rows], pager=pager,
                       empty=_("Nothing was told here yet.")),
        "again": [{"url": reverse("staff:delivery-again", args=[each.pk]), "when": moment(each.told_at)}
                  for each in rows if each.given_up_at and manages],
        "events": history.of_row(request, row, here=reverse("staff:webhook", args=[row.pk])),
        "breadcrumbs": trail(*TRAIL)})


def _row(row: Delivery) -> Row:
    state: Any
    if row.delivered_at:
        state = Cell(_("Taken"), tone=words.GOOD, note=moment(row.delivered_at))
    elif row.given_up_at:
        state = Cell(_("Given up"), tone=words.BAD, note=FAULT_WORDS.get(row.problem, ""))
    else:
        state = Cell(_("Waiting"), tone=words.WAIT, note=FAULT_WORDS.get(row.problem, moment(row.next_at)))
    return Row([Cell(EVENT_WORDS[row.event], note=str(row.message)), moment(row.told_at), state, row.tries])


urls = [
    path("partners/<int:pk>/webhook", new, name="webhook-new"),
    path("webhooks/<int:pk>/", webhook, name="webhook"),
    path("webhooks/<int:pk>/end", end, name="webhook-end"),
    path("deliveries/<int:pk>/again", again, name="delivery-again"),
]
