"""Who waits for a day that was booked before: the guardian whom their case names does not sign as a doctor either."""

import json
from typing import Any

from django.db import migrations

from zhengka.core import fields
from zhengka.core.scope import see_all
from zhengka.formats import idnumber
from zhengka.formats.seal import SealBroken


def note(apps: Any, editor: Any) -> None:
    """What the cases of booked appointments were told. What no key of this installation opens is left out."""
    see_all(editor.connection)
    case, appointment = apps.get_model("cases", "Case"), apps.get_model("assessment", "Appointment")
    booked = dict(appointment.objects.filter(state="booked").values_list("case_id", "pk"))
    for row in case.objects.filter(pk__in=list(booked), told__isnull=False):
        try:
            number = json.loads(fields.open_(bytes(row.told), "case.told")).get("person", {}).get("guardian_id", "")
            index = fields.index(idnumber.parse(number).id18) if number.strip() else None
        except (SealBroken, idnumber.BadIdNumber):
            continue
        if index is not None:
            appointment.objects.filter(pk=booked[row.pk]).update(guardian_index=index)


class Migration(migrations.Migration):
    """Rows only: the column is the assessment's."""

    dependencies = [("cases", "0012_heading_for"), ("assessment", "0005_guardians")]
    operations = [migrations.RunPython(note, migrations.RunPython.noop)]
