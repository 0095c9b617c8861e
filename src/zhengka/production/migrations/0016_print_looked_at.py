"""A card passes the look before handing out once its print and photo were compared, too."""

from django.db import migrations, models
from django.db.models import Q

LOOKS = ("number", "print", "code", "chip")
SEEN = """
ALTER TABLE production_item ADD CONSTRAINT item_passed_was_seen CHECK (
    checked <> 'passed' OR drawn IS NOT NULL AND seen @> ARRAY['number', 'print', 'code', 'chip']::text[]) NOT VALID
"""


class Migration(migrations.Migration):
    """What passed by three looks stays as it was seen (`NOT VALID`): nobody is said to have looked who did not."""

    dependencies = [("production", "0015_ends_have_a_day")]
    operations = [
        migrations.RemoveConstraint("item", "item_passed_was_seen"),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(SEEN, "ALTER TABLE production_item DROP CONSTRAINT item_passed_was_seen")],
            [migrations.AddConstraint("item", models.CheckConstraint(
                condition=~Q(checked="passed") | Q(drawn__isnull=False, seen__contains=list(LOOKS)),
                name="item_passed_was_seen"))]),
    ]
