"""Addresses of the officers' pages."""

app_name = "staff"
urlpatterns: list[object] = []
