"""Addresses of the pages that need no login."""

app_name = "public"
urlpatterns: list[object] = []
