"""Addresses of the officers' pages: each subject brings its own."""

from zhengka.web.staff import (
    account,
    acts,
    assessment,
    audit,
    batches,
    cards,
    cases,
    exchange,
    holders,
    home,
    imports,
    keys,
    lists,
    officers,
    permits,
    plan,
    sessions,
)

app_name = "staff"
urlpatterns = [
    *sessions.urls,
    *account.urls,
    *home.urls,
    *holders.urls,
    *imports.urls,
    *acts.urls,
    *exchange.urls,
    *cases.urls,
    *assessment.urls,
    *officers.urls,
    *permits.urls,
    *keys.urls,
    *audit.urls,
    *cards.urls,
    *batches.urls,
    *lists.urls,
    *plan.urls,
]
