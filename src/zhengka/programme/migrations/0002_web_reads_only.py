"""What only the command line and the workers write, the web's role may read and no more."""

from django.db import migrations

TABLES = "keys_key, production_maker, areas_area, programme_programme, programme_target"
"""Whose public key a package is encrypted to, which keys are trusted, who belongs where, what was planned."""


class Migration(migrations.Migration):
    """Rights taken back."""

    dependencies = [("programme", "0001_initial"), ("production", "0002_promises"), ("keys", "0001_initial"),
                    ("areas", "0001_initial"), ("core", "0002_promises")]
    operations = [migrations.RunSQL(f"REVOKE INSERT, UPDATE ON {TABLES} FROM zhengka_web",
                                    f"GRANT INSERT, UPDATE ON {TABLES} TO zhengka_web")]
