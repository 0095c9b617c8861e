"""The two addresses of this folder: a visitor's own settings, and the gallery of parts."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from zhengka.web.access import public
from zhengka.web.ui.gallery import exhibits

CARE_COOKIE = "care"
YEAR = 365 * 24 * 60 * 60


@public
@csrf_exempt  # sets nothing but how pages look to this visitor; a CSRF cookie would be one more thing to store
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the visitor's language and care mode (关怀模式) in cookies, then go back where they were."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        _keep(response, settings.LANGUAGE_COOKIE_NAME, language)
    if request.POST.get("care") in ("0", "1"):
        _keep(response, CARE_COOKIE, request.POST["care"])
    return response


def gallery(request: HttpRequest) -> HttpResponse:
    """Every part on one page, for eyes and for tests; `?errors=1` sends the form empty."""
    return render(request, "ui/gallery.html", exhibits(request))


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, samesite="Lax", httponly=True,
                        secure=settings.SESSION_COOKIE_SECURE)
