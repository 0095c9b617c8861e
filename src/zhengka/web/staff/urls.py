"""Addresses of the officers' pages: each subject brings its own."""

from zhengka.web.staff import (
    audit,
    batches,
    cards,
    cases,
    exchange,
    holders,
    home,
    imports,
    lists,
    officers,
    plan,
    sessions,
)

app_name = "staff"
urlpatterns = [
    *sessions.urls,
    *home.urls,
    *holders.urls,
    *imports.urls,
    *exchange.urls,
    *cases.urls,
    *officers.urls,
    *audit.urls,
    *cards.urls,
    *batches.urls,
    *lists.urls,
    *plan.urls,
]
