"""What the pages need of the accounts."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role."""

    dependencies = [("accounts", "0003_rights_by_two"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT, INSERT, UPDATE", "accounts_officer"),
        allow("SELECT, INSERT, UPDATE, DELETE", "accounts_triedname"),
    ], migrations.RunSQL.noop)]
