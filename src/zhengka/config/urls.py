"""All addresses of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("zhengka.web.public.urls")),
    path("staff/", include("zhengka.web.staff.urls")),
]
