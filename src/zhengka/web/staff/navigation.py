"""The main navigation: which subjects an officer finds at the top of every page, in the order of the work."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from zhengka.areas.models import Area
from zhengka.core.actors import Actor

SUBJECTS = (
    (_("Worklist"), "staff:home", ""),
    (_("Holders"), "staff:holders", "holder.read"),
    (_("Imports"), "staff:imports", "import.run"),
    (_("Cases"), "staff:cases", "case.read"),
    (_("Assessment days"), "staff:days", "assessment.plan"),
    (_("Assessment days"), "staff:days", "case.assess"),
    (_("Institutions"), "staff:institutions", "assessment.designate"),
    (_("Assessment figures"), "staff:assessment-figures", "assessment.figures"),
    (_("Batches"), "staff:batches", "batch.read"),
    (_("Blanks"), "staff:stock", "stock.read"),
    (_("Cards"), "staff:cards", "card.read"),
    (pgettext_lazy("navigation", "Activation"), "staff:activations", "card.read"),
    (pgettext_lazy("navigation", "Lists"), "staff:lists", "card.read"),
    (_("Blocks held back"), "staff:holds", "list.release"),
    (_("Reader"), "staff:reader", "device.use"),
    (_("Letters"), "staff:letters", "letter.read"),
    (_("Plan"), "staff:plan", "plan.read"),
    (_("Late cases"), "staff:late", "assessment.figures"),
    (_("Devices"), "staff:devices", "device.read"),
    (_("Gates"), "staff:gates", "gate.read"),
    (_("Programs of operators"), "staff:partners", "partner.manage"),
    (_("Programs of operators"), "staff:partners", "partner.permit"),
    (_("Faces"), "staff:faces", "system.read"),
    (_("Officers"), "staff:officers", "officer.manage"),
    (_("Permits"), "staff:permits", "officer.permit"),
    (_("Keys"), "staff:keys", "key.manage"),
    (_("Key ceremonies"), "staff:ceremonies", "key.manage"),
    (_("Key ceremonies"), "staff:ceremonies", "key.custody"),
    (_("Audit"), "staff:audit", "audit.read"),
)
"""Words, route and permission of each subject; an empty permission is every officer's."""


def navigation(actor: Actor, path: str) -> list[dict[str, Any]]:
    """The subjects that `actor` may open; the one that holds `path` is current."""
    links = []
    for label, route, permission in SUBJECTS:
        if permission and not actor.may(permission):
            continue
        try:
            href = reverse(route)
        except NoReverseMatch:
            continue
        current = path == href if route == "staff:home" else path.startswith(href)
        links.append({"label": label, "href": href, "current": current})
    return links


def area_name(area: Area) -> str:
    """The area's name in the visitor's language."""
    return area.name if (get_language() or "").startswith("zh") else area.name_en or area.name


def trail(*crumbs: tuple[Any, str]) -> list[dict[str, Any]]:
    """Breadcrumbs: (words, route name) of the pages above this one, from the top."""
    return [{"label": label, "href": reverse(route)} for label, route in crumbs]
