"""A form that a doctor filled in and has not signed (草稿): kept sealed with the appointment, for that doctor alone."""

import json
from collections.abc import Mapping, Sequence

from django.db import transaction

from zhengka.assessment.models import Appointment
from zhengka.core import fields
from zhengka.core.actors import Actor
from zhengka.core.errors import Refusal
from zhengka.core.events import lock

DRAFTS = "appointment.drafts"


@transaction.atomic
def keep_draft(appointment: Appointment, filled: Mapping[str, Sequence[str]], *, by: Actor) -> Appointment:
    """Keep what a doctor filled in (name of a field → its values), in place of what they had kept before. A draft binds
    nobody, so it is no event; it is gone when the appointment comes to its end.

    `Refusal`: `not-permitted`, `step-not-open` where the appointment is no longer booked.
    """
    if not by.may("case.assess"):
        raise Refusal("not-permitted", permission="case.assess")
    (appointment,) = lock(appointment)
    if appointment.state != "booked":
        raise Refusal("step-not-open", subject="appointment", state=appointment.state, action="keep_draft")
    drafts = _open(appointment) | {by.person: {name: list(values) for name, values in filled.items()}}
    appointment.drafts = fields.close(json.dumps(drafts, ensure_ascii=False), DRAFTS)
    appointment.save(update_fields=["drafts"])
    return appointment


def draft_of(appointment: Appointment, *, by: Actor) -> dict[str, list[str]]:
    """What the actor kept of a form; nothing where they kept none. Nobody reads another doctor's draft."""
    return _open(appointment).get(by.person, {})


def _open(appointment: Appointment) -> dict[str, dict[str, list[str]]]:
    if appointment.drafts is None:
        return {}
    found: dict[str, dict[str, list[str]]] = json.loads(fields.open_(bytes(appointment.drafts), DRAFTS))
    return found
