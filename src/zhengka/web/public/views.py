"""What anybody sees: the visitors' home with its form, one problem in plain words, and that the site is alive."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from zhengka.core.errors import PROBLEMS
from zhengka.formats import qr
from zhengka.formats.qr import BadQr
from zhengka.web.access import public
from zhengka.web.public.access import check_page

PHOTO_LIMIT = 12 * 1024 * 1024


class NoCode(BadQr):
    """A photo in which no code was found."""

    def __init__(self) -> None:
        super().__init__("qr-text")
        self.code = "no-code"


class CodeForm(forms.Form):
    """A form that ends in the digits of one code, in `digits`."""

    digits = ""

    def take(self, field: str, payload: Callable[[], bytes]) -> None:
        """Keep the digits, or say at the field why there are none."""
        try:
            self.digits = qr.to_digits(payload())
        except BadQr as bad:
            self.add_error(field, FAULTS.get(bad.code, FAULTS["qr-text"]))


class PhotoForm(CodeForm):
    """A code as a photo; a phone offers its camera."""

    photo = forms.FileField(
        label=_("A photo of the code"), help_text=_("Taken straight from above, with the whole code in the picture."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg", "capture": "environment"}))

    def clean_photo(self) -> None:
        """Read the code in the photo; the photo itself is kept nowhere."""
        photo = self.cleaned_data["photo"]
        self.take("photo", lambda: _read(photo))


class DigitsForm(CodeForm):
    """A code as typed digits."""

    code = forms.CharField(
        label=_("The digits of the code"), max_length=qr.LONGEST_TEXT,
        help_text=_("What a scanner shows: an address that ends in many digits, or the digits alone."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}))

    def clean_code(self) -> None:
        """Take the digits out of the text."""
        code = self.cleaned_data["code"]
        self.take("code", lambda: qr.from_text(code, settings.CODE_HOSTS))


FAULTS = {
    "qr-text": _("This is not the code of a disability certificate card."),
    "foreign-host": _("This code leads to an address that is not ours. Do not accept it, whatever is printed beside "
                      "it, and do not open it with a phone."),
    "no-code": _("No code was found in the photo. Go closer, hold still, avoid glare."),
    "image-too-large": _("The photo is too large: at most 12 MB and 25 million pixels."),
    "image-format": _("The photo must be a JPEG or PNG picture."),
    "image-broken": _("The photo is damaged or cut short. Take it again."),
}


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this site is, and the way to a check or to the officers' login."""
    return _home(request, PhotoForm(), DigitsForm())


@check_page
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Take a code by photo or by hand and go to its card's page. Nothing is kept of either."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("public:home"))
    by_hand = "code" in request.POST
    form: CodeForm = DigitsForm(request.POST) if by_hand else PhotoForm(request.POST, request.FILES)
    if form.is_valid():
        return HttpResponseRedirect(reverse("public:card", args=[form.digits]))
    return _home(request, PhotoForm() if by_hand else form, form if by_hand else DigitsForm(), status=400)


def _home(request: HttpRequest, photo: CodeForm, digits: CodeForm, *, status: int = 200) -> HttpResponse:
    return render(request, "public/home.html", {
        "title": _("Check a disability certificate card"), "photo_form": photo, "digits_form": digits}, status=status)


def _read(photo: Any) -> bytes:
    """The payload of the code in a photo; `BadQr`."""
    if (photo.size or 0) > PHOTO_LIMIT:
        raise BadQr("image-too-large")
    for text in qr.read_image(photo.read()):
        return qr.from_text(text, settings.CODE_HOSTS)
    raise NoCode


@public
@require_safe
def problem(request: HttpRequest, code: str) -> HttpResponse:
    """One problem of the API in plain words: the address that `type` of its problem+json names."""
    if code not in PROBLEMS:
        raise Http404
    found, chinese = PROBLEMS[code], (get_language() or "").startswith("zh")
    return render(request, "public/problem.html", {
        "code": code, "status": found.status, "title": found.title_zh if chinese else found.title,
        "next": found.next_zh if chinese else found.next})


@public
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """For whoever watches over the site: it answers, and so does its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
