"""Addresses of the officers' pages: each subject brings its own."""

from zhengka.web.staff import audit, batches, cards, home, lists, officers, plan, sessions

app_name = "staff"
urlpatterns = [
    *sessions.urls,
    *home.urls,
    *officers.urls,
    *audit.urls,
    *cards.urls,
    *batches.urls,
    *lists.urls,
    *plan.urls,
]
