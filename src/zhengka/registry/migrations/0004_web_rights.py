"""What the pages need of the registry. Persons come in by imports, which are a worker's work."""

from django.db import migrations

from zhengka.core.scope import allow


class Migration(migrations.Migration):
    """Rights of the web's role: none on sightings, and no new holder."""

    dependencies = [("registry", "0003_one_person_once"), ("core", "0005_web_rights")]
    operations = [migrations.RunSQL([
        allow("SELECT, UPDATE", "registry_holder"),
        allow("SELECT, INSERT, UPDATE", "registry_certificate, registry_import"),
        allow("USAGE", "SEQUENCE registry_certificate_ids, registry_import_ids"),
    ], migrations.RunSQL.noop)]
