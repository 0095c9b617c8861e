"""Addresses of the pages that need no login."""

from django.urls import path

from zhengka.web.public import bundle, card, gate, notices, views

app_name = "public"
urlpatterns = [
    path("", views.home, name="home"),
    path("check", views.check, name="check"),
    path("v/<str:digits>", card.card, name="card"),
    path("V/<str:digits>", card.card, name="card-scanned"),  # the code is in capitals, and phones keep them
    *bundle.urls,
    path("gate/", gate.app, name="gate"),
    path("gate/worker.js", gate.worker, name="gate-worker"),
    path("gate/manifest.webmanifest", gate.manifest, name="gate-manifest"),
    path("gate/<slug:language>", gate.app, name="gate-in"),
    path("notices", notices.offices, name="notices"),
    path("notices/<int:pk>", notices.notices, name="notices-of"),
    path("problems/<slug:code>", views.problem, name="problem"),
    path("healthz", views.healthz, name="healthz"),
]
