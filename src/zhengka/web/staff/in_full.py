"""What is kept sealed of a person is read in full for a purpose (查阅), which an event keeps with who read it.

A page shows the form by `Reading` and the template `staff/in_full.html`; the address that it goes to answers by `read`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from zhengka.core.events import Replayed
from zhengka.web.access import Request, request_key
from zhengka.web.staff.words import PURPOSE_WORDS
from zhengka.web.ui.parts import Text

T = TypeVar("T")


class PurposeForm(forms.Form):
    """Why a person's data is read in full."""

    purpose = forms.ChoiceField(label=_("Purpose"), choices=[("", "—"), *PURPOSE_WORDS.items()])


@dataclass(frozen=True)
class Reading:
    """The form on a page: what it offers to read, the word on its button, where it goes; `open`: shown unfolded."""

    label: Text
    submit: Text
    url: str
    form: PurposeForm = field(default_factory=PurposeForm)
    open: bool = False


def read(request: Request, service: Callable[..., T], *, page: Callable[[PurposeForm], HttpResponse],
         shown: Callable[[T], HttpResponse], back: str) -> HttpResponse:
    """Let `service` write down purpose, reader and time, then answer by what is `shown` of what it read.

    Without a purpose the `page` comes again with what is wrong; a repeat goes `back`, where the form has a new request
    id: pressing once more is another reading.
    """
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return page(form)
    told: dict[str, Any] = {"by": request.actor, "request_id": request_key(request), "at": timezone.now()}
    try:
        found = service(purpose=form.cleaned_data["purpose"], **told)
    except Replayed:
        return HttpResponseRedirect(back)
    return shown(found)
