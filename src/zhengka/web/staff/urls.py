"""Addresses of the officers' pages: each subject brings its own."""

from zhengka.web.staff import (
    account,
    acts,
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
    papers,
    permits,
    plan,
    portraits,
    sessions,
)

app_name = "staff"
urlpatterns = [
    *sessions.urls,
    *account.urls,
    *home.urls,
    *holders.urls,
    *papers.urls,
    *portraits.urls,
    *imports.urls,
    *acts.urls,
    *exchange.urls,
    *cases.urls,
    *officers.urls,
    *permits.urls,
    *keys.urls,
    *audit.urls,
    *cards.urls,
    *batches.urls,
    *lists.urls,
    *plan.urls,
]
