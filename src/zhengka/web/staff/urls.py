"""Addresses of the officers' pages: each subject brings its own."""

from zhengka.web.staff import audit, home, officers, sessions

app_name = "staff"
urlpatterns = [
    *sessions.urls,
    *home.urls,
    *officers.urls,
    *audit.urls,
]
