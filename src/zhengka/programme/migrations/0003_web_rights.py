"""What everybody may read and only the command line and the workers write: keys, makers, areas, plan."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role."""

    dependencies = [("programme", "0002_web_reads_only"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT", "keys_key, production_maker, areas_area, programme_programme, programme_target"),
    ], migrations.RunSQL.noop)]
