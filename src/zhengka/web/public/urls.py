"""Addresses of the pages that need no login."""

from django.urls import path

from zhengka.web.public import bundle, card, gate, notices, places, views

app_name = "public"
urlpatterns = [
    path("", views.home, name="home"),
    path("check", views.check, name="check"),
    path("v/<str:digits>", card.card, name="card"),
    path("V/<str:digits>", card.card, name="card-scanned"),  # the code is in capitals, and phones keep them
    *bundle.urls,
    *gate.urls,
    path("notices", notices.offices, name="notices"),
    path("notices/<int:pk>", notices.notices, name="notices-of"),
    path("places", places.index, name="places"),
    path("places.json", places.as_json, name="places-json"),
    path("problems/<slug:code>", views.problem, name="problem"),
    path("healthz", views.healthz, name="healthz"),
]
