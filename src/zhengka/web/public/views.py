"""What anybody sees: the visitors' home with its form, one problem in plain words, and that the site is alive."""

from typing import Any

from django import forms
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


class CheckForm(forms.Form):
    """A code as a photo or as typed digits."""

    photo = forms.FileField(
        label=_("A photo of the code"), required=False,
        help_text=_("Take it straight from above, with the whole code in the picture."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg", "capture": "environment"}))
    code = forms.CharField(
        label=_("Or the digits of the code"), required=False, max_length=qr.LONGEST_TEXT,
        help_text=_("What a scanner shows: an address that ends in many digits, or the digits alone."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}))
    digits = ""

    def clean(self) -> dict[str, Any]:
        """The digits of the one code that was given, in `digits`."""
        given = super().clean() or {}
        photo, code = given.get("photo"), given.get("code")
        if photo:
            self._read("photo", lambda: self._from_photo(photo))
        elif code:
            self._read("code", lambda: qr.from_text(code))
        elif not self.errors:
            self.add_error("photo", _("Give a photo of the code, or its digits."))
        return given

    def _read(self, field: str, payload: Any) -> None:
        try:
            self.digits = qr.to_digits(payload())
        except BadQr as bad:
            self.add_error(field, FAULTS.get(bad.code, FAULTS["qr-text"]))

    def _from_photo(self, photo: Any) -> bytes:
        if photo.size > PHOTO_LIMIT:
            raise BadQr("image-too-large")
        for text in qr.read_image(photo.read()):
            return qr.from_text(text)
        raise BadQr("qr-missing")


FAULTS = {
    "qr-text": _("This is not the code of a disability certificate card."),
    "qr-missing": _("No code was found in the photo. Go closer, hold still, avoid glare."),
    "image-too-large": _("The photo is too large: at most 12 MB and 25 million pixels."),
    "image-format": _("The photo must be a JPEG or PNG picture."),
    "image-broken": _("The photo is damaged or cut short. Take it again."),
}


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this site is, and the way to a check or to the officers' login."""
    return render(request, "public/home.html", {"form": CheckForm(), "title": _("Check a disability certificate card")})


@check_page
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Take a code by photo or by hand and go to its card's page. Nothing is kept of either."""
    form = CheckForm(request.POST, request.FILES) if request.method == "POST" else CheckForm()
    if form.is_bound and form.is_valid():
        return HttpResponseRedirect(reverse("public:card", args=[form.digits]))
    return render(request, "public/home.html", {"form": form, "title": _("Check a disability certificate card")},
                  status=400 if form.is_bound else 200)


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
