"""Address of the visitor's settings. The gallery (`views.gallery`) is wired only where pages are tried out."""
from django.urls import path

from zhengka.web.ui import views

app_name = "ui"
urlpatterns = [
    path("preferences", views.preferences, name="preferences"),
]
