"""Checks are seen only by the office whose card was presented; no page reads them yet."""

from django.db import migrations

from zhengka.core.scope import allow, protect


class Migration(migrations.Migration):
    """Row-level security; the web's role adds a check and learns its id."""

    dependencies = [("gates", "0001_initial"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        protect("gates_check", nobodys=True),
        allow("INSERT, SELECT (id)", "gates_check"),
    ], migrations.RunSQL.noop)]
