"""All addresses of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("zhengka.web.public.urls")),
    path("", include("zhengka.web.ui.urls")),
    path("staff/", include("zhengka.web.staff.urls")),
    path("api/", include("zhengka.api.urls")),
]
handler400 = "zhengka.web.ui.pages.bad_request"
handler403 = "zhengka.web.ui.pages.permission_denied"
handler404 = "zhengka.web.ui.pages.page_not_found"
handler500 = "zhengka.web.ui.pages.server_error"
