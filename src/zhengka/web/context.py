"""What every page's template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """The officer, the care mode and the demo switch."""
    return {
        "actor": getattr(request, "actor", None),
        "care_mode": request.COOKIES.get("care") == "1",
        "demo": settings.DEMO,
    }
