"""The worklist (待办): what waits for this officer."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from zhengka.web.access import Request, requires
from zhengka.web.staff.navigation import navigation


@requires()
def index(request: Request) -> HttpResponse:
    """What waits for this officer, and where everything else is."""
    subjects = [link for link in navigation(request.actor, request.path) if not link["current"]]
    return render(request, "staff/home.html", {"title": _("Worklist"), "subjects": subjects, "tiles": []})


urls = [path("", index, name="home")]
