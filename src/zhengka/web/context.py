"""What every page's template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from zhengka.web.staff.desk import may_open
from zhengka.web.staff.navigation import area_name, navigation
from zhengka.web.staff.stops import banner
from zhengka.web.staff.words import role_word


def page(request: HttpRequest) -> dict[str, Any]:
    """The officer with office and role, the main navigation, the care mode and the demo switch."""
    actor = getattr(request, "actor", None)
    about = {} if actor is None else {
        "office": area_name(request.user.area),  # type: ignore[union-attr]
        "actor_role": role_word(request.user.role),  # type: ignore[union-attr]
        "navigation": navigation(actor, request.path), "stops": banner(actor),
        "account_links": [{"href": reverse("staff:account"), "label": gettext("My account")}, *(
            [{"href": reverse("staff:desk"), "label": gettext("My desk")}] if may_open(actor) else [])],
    }
    return {"actor": actor, "care_mode": request.COOKIES.get("care") == "1", "demo": settings.DEMO, **about}
