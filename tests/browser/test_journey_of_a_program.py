"""An operator's program is entered by one administrator and permitted by another, on real pages."""

import pytest
from django.urls import reverse

import partnering
from builders import make_area, make_officer
from partnering import ask_token
from windows import NARROW, WIDE, Window
from zhengka.partners.models import Partner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
LOOKS = [("en", False, WIDE), ("en", True, NARROW)]


def test_two_administrators_give_a_program_its_access_and_one_of_them_its_secret(live_server, chromium):
    area = make_area()
    system, security = (Window(chromium, live_server, make_officer(role, area=area)) for role in ("system", "security"))
    system.go(reverse("staff:partners"))
    system.page.click("text=Enter a program")
    system.page.fill("[name=operator]", "changsha-transit")
    system.page.fill("[name=name]", "地铁闸机后台")
    system.page.select_option("[name=area]", str(area.pk))
    system.page.check("text=Verify a presented card")
    faults = system.inspect(WIDE, NARROW)
    system.page.click("text=Ask for its access")
    row = Partner.objects.get()
    security.go(reverse("staff:partners"))
    security.page.click("text=地铁闸机后台")
    security.page.click("button:has-text('Permit the access')")
    faults += security.inspect(WIDE, NARROW)
    system.go(reverse("staff:partner", args=[row.pk]))
    system.page.click("button:has-text('Make a new secret')")
    secret = system.page.text_content("code.zk-typed")
    faults += system.inspect(WIDE, NARROW)
    assert ask_token(row.client_id, secret).status_code == 200
    system.close()
    security.close()
    assert not faults, "\n".join(faults)


def test_every_page_of_programs_and_webhooks_is_accessible(live_server, chromium):
    area = make_area()
    who = make_officer("system", area=area)
    ids = partnering.populate(area, who, make_officer("security", area=area))
    window, faults = Window(chromium, live_server, who), []
    for url in [reverse("staff:partners"), reverse("staff:partner-new"),
                reverse("staff:webhook-new", args=[ids["partners"][1]]),
                *(reverse("staff:partner", args=[pk]) for pk in ids["partners"]),
                *(reverse("staff:webhook", args=[pk]) for pk in ids["webhooks"])]:
        for language, care, width in LOOKS:
            window.look(language=language, care=care)
            window.resize(width)
            assert window.go(url).status == 200
            faults += window.inspect(width)
    window.go(reverse("staff:partner", args=[ids["partners"][1]]))
    window.close()
    assert not faults, "\n".join(dict.fromkeys(faults))
